"""Opens the wallet at start-up. On a local chain a missing wallet is created, and on simnet the faucet funds it."""

import time
from typing import Final

from solders.pubkey import Pubkey

from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import parse_amount
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import registry_of
from orderd.engine.trading import check_named, slot_time_of
from orderd.solana.keys import Wallet, WalletError, create_wallet, load_wallet
from orderd.solana.rpc import RpcClient, RpcError, RpcResponseError

FAUCET_AMOUNTS: Final = {WSOL_MINT: "1000", USDC_MINT: "100000"}
"""The initial balance of a wallet on simnet."""
_WAIT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.05


def open_wallet(settings: Settings) -> Wallet:
    """Load the daemon's wallet; on a local chain, create it if it is missing. Raises WalletError."""
    path = settings.wallet_path
    try:
        path.stat()  # Path.exists() reports no errors from Python 3.14 on
        is_missing = False
    except FileNotFoundError:
        is_missing = True
    except OSError as error:
        raise WalletError(f"the wallet {path} cannot be accessed: {error.strerror}") from error
    wallet = create_wallet(path) if settings.is_local_chain and is_missing else load_wallet(path)
    return check_named(settings, wallet)


def simnet_client(settings: Settings, url: str) -> RpcClient:
    """A client with the commitment of the worker, so that money that it finds can be traded at once."""
    return RpcClient(url, commitment=slot_time_of(settings).commitment)


def fund_on_simnet(rpc: RpcClient, owner: Pubkey) -> list[str]:
    """Request each token that ``owner`` does not hold from the faucet, and wait until it has arrived.

    Returns the requested amounts as text. Raises OrderdError if the chain refuses twice in a row, or if the tokens do
    not arrive within 30 s. Single failed requests are tolerated.
    """
    requested: dict[str, str] = {}
    deadline = time.monotonic() + _WAIT_SECONDS
    is_refused = False
    while True:
        try:
            missing = [mint for mint in FAUCET_AMOUNTS if not _holds(rpc, owner, mint)]
            if not missing:
                return list(requested.values())
            for mint in missing:
                if mint not in requested:
                    requested[mint] = _request_from_faucet(rpc, owner, mint)
            problem = OrderdError(ErrorCode.RPC_UNAVAILABLE, f"the faucet's money did not reach the wallet {owner}")
            is_refused = False
        except RpcError as error:
            problem = OrderdError(error.error_code, f"the wallet {owner} could not be funded: {error}")
            if is_refused and isinstance(error, RpcResponseError):
                raise problem from error
            is_refused = isinstance(error, RpcResponseError)
        if time.monotonic() > deadline:
            raise problem
        time.sleep(_POLL_SECONDS)


def _request_from_faucet(rpc: RpcClient, owner: Pubkey, mint: str) -> str:
    token = registry_of("simnet").resolve(mint)
    amount = FAUCET_AMOUNTS[mint]
    base_units = parse_amount(amount, token.decimals)
    if token.is_native:
        rpc.request_airdrop(owner, base_units)
    else:
        rpc.call("simnet_mintTokens", [{"mint": mint, "owner": str(owner), "amount": str(base_units)}])
    return f"{amount} {token.symbol}"


def _holds(rpc: RpcClient, owner: Pubkey, mint: str) -> bool:
    if mint == WSOL_MINT:
        return rpc.get_balance(owner).value > 0
    return bool(rpc.get_token_accounts_by_owner(owner, mint=Pubkey.from_string(mint)).value)
