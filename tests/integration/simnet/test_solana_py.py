"""solana-py works against the local chain."""

import asyncio

from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.models import TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.rpc.responses import SignatureNotification
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from orderd.simnet.genesis import USDC
from tests.integration.simnet.server import SOL, Server


async def transfer_of(
    client: AsyncClient, payer: Keypair, to: Pubkey, lamports: int
) -> tuple[VersionedTransaction, int]:
    latest = (await client.get_latest_blockhash(Confirmed)).value
    instruction = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))
    message = MessageV0.try_compile(payer.pubkey(), [instruction], [], latest.blockhash)
    return VersionedTransaction(message, [payer]), latest.last_valid_block_height


def test_a_transfer_is_sent_confirmed_and_read_back(server: Server) -> None:
    async def story() -> None:
        payer, receiver = Keypair(), Keypair().pubkey()
        async with AsyncClient(server.http_url) as client:
            assert await client.is_connected()
            airdrop = (await client.request_airdrop(payer.pubkey(), 5 * SOL)).value
            await client.confirm_transaction(airdrop, Confirmed, sleep_seconds=0.02)
            assert (await client.get_balance(payer.pubkey(), Confirmed)).value == 5 * SOL

            transaction, last_valid = await transfer_of(client, payer, receiver, SOL)
            options = TxOpts(preflight_commitment=Confirmed)
            signature = (await client.send_transaction(transaction, opts=options)).value
            assert signature == transaction.signatures[0]
            confirmed = await client.confirm_transaction(
                signature, Finalized, sleep_seconds=0.02, last_valid_block_height=last_valid
            )
            (status,) = confirmed.value
            assert status is not None
            assert status.err is None

            found = (await client.get_transaction(signature, max_supported_transaction_version=0)).value
            assert found is not None
            meta = found.transaction.meta
            assert meta is not None
            assert meta.err is None
            assert meta.fee == 5_000
            assert meta.pre_balances[0] - meta.post_balances[0] == SOL + 5_000
            assert found.slot == status.slot
            assert (await client.get_balance(receiver)).value == SOL
            assert (await client.get_balance(payer.pubkey())).value == 4 * SOL - 5_000

    asyncio.run(story())


def test_accounts_fees_and_heights_are_read(server: Server) -> None:
    async def story() -> None:
        owner = Keypair().pubkey()
        async with AsyncClient(server.http_url) as client:
            assert (await client.get_version()).value.solana_core
            info = (await client.get_epoch_info(Confirmed)).value
            assert info.block_height < info.absolute_slot
            assert (await client.get_block_height(Confirmed)).value >= info.block_height
            assert (await client.get_slot(Confirmed)).value >= info.absolute_slot
            assert (await client.get_minimum_balance_for_rent_exemption(165)).value == 2_039_280
            assert (await client.get_recent_prioritization_fees()).value
            supply = (await client.get_token_supply(USDC, Confirmed)).value
            assert supply.decimals == 6
            mint = (await client.get_account_info(USDC, Confirmed)).value
            assert mint is not None
            assert len(mint.data) == 82
            several = (await client.get_multiple_accounts([USDC, owner], Confirmed)).value
            assert several == [mint, None]

    asyncio.run(story())


def test_a_signature_is_awaited_over_the_websocket(server: Server) -> None:
    async def story() -> None:
        payer = Keypair()
        async with AsyncClient(server.http_url) as client, SolanaWsClient(server.ws_url) as socket:
            airdrop = (await client.request_airdrop(payer.pubkey(), 5 * SOL)).value
            await client.confirm_transaction(airdrop, Confirmed, sleep_seconds=0.02)
            transaction, _ = await transfer_of(client, payer, Keypair().pubkey(), SOL)

            subscription = await socket.signature_subscribe(signature=transaction.signatures[0], commitment=Confirmed)
            await client.send_transaction(transaction, opts=TxOpts(skip_preflight=True))
            notification = await socket.recv()

            assert isinstance(notification, SignatureNotification)
            assert notification.subscription == subscription.subscription_id
            assert notification.result.value.err is None

    asyncio.run(story())
