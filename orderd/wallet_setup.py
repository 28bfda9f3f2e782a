"""The wallet at start-up: read on a real chain; on simnet made where there is none, and funded by its faucet."""

import time
from typing import Final

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import format_amount, parse_amount
from orderd.domain.tokens import USDC_MINT, WSOL_MINT, TokenRegistry
from orderd.settings import Settings
from orderd.solana.keys import Wallet, create_wallet, load_wallet
from orderd.solana.rpc import RpcClient, RpcError

FAUCET_AMOUNTS: Final = {WSOL_MINT: "1000", USDC_MINT: "100000"}
"""What a wallet on simnet starts with."""
_WAIT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


def open_wallet(settings: Settings) -> Wallet:
    """The daemon's wallet; on simnet a missing one is made. Raises WalletError."""
    path = settings.wallet_path
    if settings.chain == "simnet" and not path.exists():
        return create_wallet(path)
    return load_wallet(path)


def fund_on_simnet(rpc: RpcClient, owner: Pubkey) -> list[str]:
    """Ask the faucet for whatever token ``owner`` has never held, and wait until it is there.

    Returns what was asked for, as text. Raises OrderdError when the chain does not answer or the money does not come.
    """
    tokens = TokenRegistry()
    asked = []
    try:
        for mint, amount in FAUCET_AMOUNTS.items():
            token = tokens.resolve(mint)
            if _holds(rpc, owner, mint):
                continue
            base_units = parse_amount(amount, token.decimals)
            if token.is_native:
                rpc.request_airdrop(owner, base_units)
            else:
                rpc.call("simnet_mintTokens", [{"mint": mint, "owner": str(owner), "amount": str(base_units)}])
            asked.append(f"{format_amount(base_units, token.decimals)} {token.symbol}")
        _wait_for_funds(rpc, owner)
    except RpcError as error:
        raise OrderdError(error.error_code, f"the wallet {owner} could not be funded: {error}") from error
    return asked


def _holds(rpc: RpcClient, owner: Pubkey, mint: str) -> bool:
    if mint == WSOL_MINT:
        return rpc.get_balance(owner).value > 0
    return bool(rpc.get_token_accounts_by_owner(owner, mint=Pubkey.from_string(mint)).value)


def _wait_for_funds(rpc: RpcClient, owner: Pubkey) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while not all(_holds(rpc, owner, mint) for mint in FAUCET_AMOUNTS):
        if time.monotonic() > deadline:
            raise OrderdError(
                ErrorCode.RPC_UNAVAILABLE, f"the faucet's money did not reach the wallet {owner} in {_WAIT_SECONDS} s"
            )
        time.sleep(_POLL_SECONDS)
