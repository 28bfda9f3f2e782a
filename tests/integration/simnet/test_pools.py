"""Every pool kind over JSON-RPC: swaps pay what the maths computes from the accounts, and can be dumped."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm import addresses as meteora_dlmm_addresses
from orderd.pools.meteora_dlmm import instructions as meteora_dlmm_instructions
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.bitmap import arrays_in_order
from orderd.pools.meteora_dlmm.instructions import Swap2
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.meteora_dlmm.simnet.genesis import REAL_DLMM_PAIR
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS
from orderd.pools.raydium_clmm.simnet.market import ClmmMarketPool
from orderd.simnet.account import LedgerAccount
from orderd.simnet.genesis import CHILLGUY, USDC
from orderd.simnet.market import PLACES
from orderd.simnet.market_pools import TradedPool
from orderd.solana.programs import associated_token, token
from tests.integration.simnet.server import SOL, Client, Server, build, running

USDC_UNIT = 10**6
CONFIRMED = {"commitment": "confirmed"}


@pytest.fixture(scope="module")
def simnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Client]]:
    """A chain without a market, in the directory where the dump command looks for it."""
    state_dir = tmp_path_factory.mktemp("state") / "simnet"
    with running(state_dir, "--slot-ms", "40", "--no-market") as pair:
        yield pair


@pytest.fixture
def trader(client: Client, wallet: Keypair) -> Keypair:
    """A wallet with wrapped SOL, USDC and an account for CHILLGUY."""
    for mint, amount in ((token.NATIVE_MINT, 100 * SOL), (USDC, 10_000 * USDC_UNIT), (CHILLGUY, 1)):
        gift = {"mint": str(mint), "owner": str(wallet.pubkey()), "amount": amount}
        client.wait(client.call("simnet_mintTokens", gift))
    return wallet


def read(client: Client, key: Pubkey) -> LedgerAccount:
    written = client.value("getAccountInfo", str(key), {"encoding": "base64", **CONFIRMED})
    data = base64.b64decode(written["data"][0])
    return LedgerAccount(written["lamports"], Pubkey.from_string(written["owner"]), data, written["executable"])


def swap(client: Client, trader: Keypair, *instructions: Instruction) -> dict[str, Any]:
    """Send a swap; returns the landed transaction."""
    signature = client.send(build(instructions, trader, client.blockhash()), skipPreflight=True)
    client.wait(signature)
    landed: dict[str, Any] = client.call(
        "getTransaction", signature, {"maxSupportedTransactionVersion": 0, "encoding": "json", **CONFIRMED}
    )
    return landed


def moves(landed: dict[str, Any]) -> dict[tuple[str, str], int]:
    """The change of each owner's balance per mint, in base units."""
    meta, changes = landed["meta"], dict[tuple[str, str], int]()
    for sign, balances in ((-1, meta["preTokenBalances"]), (1, meta["postTokenBalances"])):
        for each in balances:
            key = each["owner"], each["mint"]
            changes[key] = changes.get(key, 0) + sign * int(each["uiTokenAmount"]["amount"])
    return {key: change for key, change in changes.items() if change}


@pytest.mark.parametrize("sells_sol", [True, False], ids=["sell", "buy"])
@pytest.mark.parametrize("place", PLACES, ids=[f"{place.kind.__name__} {str(place.address)[:4]}" for place in PLACES])
def test_a_swap_pays_the_computed_amount_and_moves_the_vaults_by_it(
    client: Client, trader: Keypair, place: TradedPool, sells_sol: bool
) -> None:
    pool = place.kind(place.address, lambda key: read(client, key))
    amount = SOL if sells_sol else 100 * USDC_UNIT
    now = client.call("getBlockTime", client.call("getSlot", CONFIRMED))
    expected = pool.quote(amount, sells_sol=sells_sol, now=now)

    landed = swap(client, trader, pool.swap(trader.pubkey(), amount, expected, sells_sol=sells_sol))

    assert landed["meta"]["err"] is None
    me = str(trader.pubkey())
    paid, bought = (str(token.NATIVE_MINT), str(USDC)) if sells_sol else (str(USDC), str(token.NATIVE_MINT))
    changes = moves(landed)
    assert (changes.pop((me, paid)), changes.pop((me, bought))) == (-amount, expected)
    assert {mint: change for (_, mint), change in changes.items()} == {paid: amount, bought: -expected}
    assert len(changes) == 2


def test_usdc_buys_chillguy_through_sol_in_one_transaction(client: Client, trader: Keypair) -> None:
    first = ClmmMarketPool(SOL_USDC_CLMM_4BPS, lambda key: read(client, key))
    now = client.call("getBlockTime", client.call("getSlot", CONFIRMED))
    lamports = first.quote(20 * USDC_UNIT, sells_sol=False, now=now)
    pair = LbPair.decode(read(client, REAL_DLMM_PAIR).data)
    arrays = list(arrays_in_order(pair, None, swap_for_y=False))[:2]
    bins = [
        BinArray.decode(read(client, meteora_dlmm_addresses.bin_array_address(REAL_DLMM_PAIR, index)).data)
        for index in arrays
    ]
    expected = dlmm.swap_exact_in(pair.to_pool(bins), lamports, swap_for_y=False, now=now).amount_out
    me = trader.pubkey()
    second = meteora_dlmm_instructions.swap(
        Swap2(lamports, expected),
        REAL_DLMM_PAIR,
        pair,
        me,
        associated_token.address(me, token.NATIVE_MINT),
        associated_token.address(me, CHILLGUY),
        bin_arrays=arrays,
        has_bitmap_extension=False,
    )

    landed = swap(client, trader, first.swap(me, 20 * USDC_UNIT, lamports, sells_sol=False), second)

    assert landed["meta"]["err"] is None
    changes = moves(landed)
    assert changes[str(me), str(CHILLGUY)] == expected
    assert changes[str(me), str(USDC)] == -20 * USDC_UNIT
    assert (str(me), str(token.NATIVE_MINT)) not in changes


def dump(server: Server, signature: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}
    return subprocess.run(
        [Path(sys.executable).with_name("orderd"), "simnet", "dump-transaction", signature],
        env={**clean, "ORDERD_STATE_DIR": str(server.state_dir.parent)},
        cwd=server.state_dir,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_transaction_is_dumped_while_the_chain_runs(server: Server, client: Client, trader: Keypair) -> None:
    pool = ClmmMarketPool(SOL_USDC_CLMM_4BPS, lambda key: read(client, key))
    landed = swap(client, trader, pool.swap(trader.pubkey(), SOL, 1, sells_sol=True))
    signature = landed["transaction"]["signatures"][0]

    printed = dump(server, signature)

    assert (printed.returncode, printed.stderr) == (0, "")
    dumped = json.loads(printed.stdout)
    assert dumped["signature"] == signature
    assert (dumped["slot"], dumped["block_time"]) == (landed["slot"], landed["blockTime"])
    keys = landed["transaction"]["message"]["accountKeys"]
    assert [each["pubkey"] for each in dumped["accounts"]] == keys
    before, after = ([each[when] for each in dumped["accounts"]] for when in ("before", "after"))
    assert [each and each["lamports"] for each in before] == landed["meta"]["preBalances"]
    assert [each and each["lamports"] for each in after] == landed["meta"]["postBalances"]
    assert base64.b64decode(after[keys.index(str(pool.address))]["data"]) == read(client, pool.address).data
    assert (dumped["error"], dumped["logs"]) == (None, landed["meta"]["logMessages"])
    assert dumped["units"] == landed["meta"]["computeUnitsConsumed"]


def test_a_transaction_is_dumped_after_the_chain_has_stopped(tmp_path: Path) -> None:
    with running(tmp_path / "simnet", "--slot-ms", "40", "--no-market") as (server, client):
        signature = client.call("requestAirdrop", str(Keypair().pubkey()), SOL)
        client.wait(signature)
        assert server.stop() == 0

    assert json.loads(dump(server, signature).stdout)["signature"] == signature


@pytest.mark.parametrize(
    ("signature", "why"),
    [("abc", "'abc' is not a signature"), ("1" * 64, "is it in another state directory?")],
    ids=["malformed", "unknown"],
)
def test_an_impossible_dump_is_reported(server: Server, signature: str, why: str) -> None:
    refused = dump(server, signature)

    assert (refused.returncode, refused.stdout) == (1, "")
    assert why in refused.stderr
