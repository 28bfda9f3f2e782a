"""Checks of ``orderd doctor`` for a chain's RPC endpoint."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any, Final

from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.commands.finding import DoctorFinding
from orderd.config.settings import Settings
from orderd.domain.errors import ERRORS, ErrorCode, OrderdError
from orderd.domain.money import LAMPORT_DECIMALS, format_amount
from orderd.domain.well_known import registry_of
from orderd.engine.execution.fees import FeeEstimate, percentile
from orderd.proving.market import ProvingMarket
from orderd.solana.chain_time import CLOCK, clock_of
from orderd.solana.hints import first_slot
from orderd.solana.json_rpc import METHOD_NOT_FOUND
from orderd.solana.programs import associated_token, token
from orderd.solana.rpc import RpcClient, RpcError, RpcRateLimitedError, RpcResponseError
from orderd.solana.rpc_calls import NEWEST_VERSION
from orderd.solana.version_choice import takes_version_1
from orderd.venues.account_facts import token_amount

LOW_LAMPORTS: Final = 20_000_000
"""A lower balance warns: it would not pay for a few token accounts and fees."""
_BURST: Final = 40
_AT_ONCE: Final = 8
_BEHIND_SLOTS: Final = 150
"""Maximum distance between the newest and the finalized slot: the validity of a blockhash."""
_SKEW_SECONDS: Final = 10.0
_HISTORY_HOURS: Final = 24.0
_UNITS_OF_A_SWAP: Final = 150_000
_NOBODY: Final = str(Pubkey.default())
_METHODS: Final[dict[str, list[Any]]] = {
    "getLatestBlockhash": [],
    "getBlockHeight": [],
    "getMultipleAccounts": [[_NOBODY], {"encoding": "base64"}],
    "simulateTransaction": [""],
    "sendTransaction": [""],
    "getSignatureStatuses": [[str(Signature.default())]],
    "getSignaturesForAddress": [_NOBODY, {"limit": 1}],
    "getTransaction": [str(Signature.default())],
    "getBlock": [
        0,
        {"transactionDetails": "signatures", "rewards": False, "maxSupportedTransactionVersion": NEWEST_VERSION},
    ],
    "getBlocks": [0, 0],
    "getFirstAvailableBlock": [],
    "getTokenAccountsByOwner": [_NOBODY, {"programId": str(token.PROGRAM_ID)}, {"encoding": "base64"}],
    "getRecentPrioritizationFees": [[]],
    "getMinimumBalanceForRentExemption": [token.ACCOUNT_SIZE],
}
"""The methods that orderd uses, with harmless parameters: what is sent is not a valid transaction."""


def examine(rpc: RpcClient, settings: Settings, wallet: Pubkey | None) -> Iterator[DoctorFinding]:
    """Yield the findings of all checks. A check that the endpoint refuses yields a warning."""
    yield _finding("slots", lambda: _slots(rpc))
    yield _finding("clock", lambda: _clock(rpc))
    yield _finding("history", lambda: _history(rpc, is_whole=settings.is_local_chain))
    yield _finding("methods", lambda: _methods(rpc))
    yield _transactions(rpc, settings, wallet or Pubkey.default())
    yield _websocket(settings)
    yield _pace(rpc)
    yield from _pools(rpc, settings)
    yield _finding("fees", lambda: _fees(rpc, settings))
    if wallet is not None:
        yield _finding("funds", lambda: _funds(rpc, wallet))


def _finding(check: str, probe: Callable[[], DoctorFinding]) -> DoctorFinding:
    try:
        return probe()
    except (RpcError, ValueError) as error:
        return DoctorFinding(check, "warn", f"the check failed: {error}", "use another endpoint")


def _slots(rpc: RpcClient) -> DoctorFinding:
    """The newest slot, and the distance of the confirmed and finalized slots."""
    finalized, confirmed, processed = (
        rpc.get_slot("finalized"),
        rpc.get_slot("confirmed"),
        rpc.get_slot("processed"),
    )
    detail = f"newest {processed}, confirmed {processed - confirmed} behind, finalized {processed - finalized} behind"
    try:
        rpc.get_health()
    except RpcResponseError as error:
        return DoctorFinding(
            "slots", "warn", f"{detail}; the node reports that it is behind: {error}", "use another endpoint"
        )
    if processed - finalized > _BEHIND_SLOTS:
        return DoctorFinding("slots", "warn", detail, "the chain finalizes slowly, so orders settle slowly")
    return DoctorFinding("slots", "ok", detail)


def _clock(rpc: RpcClient) -> DoctorFinding:
    before = time.time()
    chain = clock_of(rpc.get_multiple_accounts([CLOCK]).value[0]).unix_timestamp
    skew = chain - (before + time.time()) / 2
    detail = f"the chain's clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    if abs(skew) > _SKEW_SECONDS:
        return DoctorFinding(
            "clock", "warn", detail, "synchronize this machine's clock by NTP; if it is correct, the node is behind"
        )
    return DoctorFinding("clock", "ok", detail)


def _history(rpc: RpcClient, *, is_whole: bool) -> DoctorFinding:
    """How far back the node keeps blocks; ``is_whole``: a local chain keeps all."""
    first, newest = rpc.get_first_available_block(), rpc.get_slot("finalized")
    try:
        (sample,) = rpc.call("getRecentPerformanceSamples", [1])
        seconds = sample["samplePeriodSecs"] / sample["numSlots"]
    except (RpcError, ValueError, KeyError, TypeError, ZeroDivisionError):
        return DoctorFinding("history", "ok", f"blocks from slot {first} to {newest}")
    hours = max(newest - first, 0) * seconds / 3600
    detail = f"blocks from slot {first} on, about {hours:.0f} hours; a slot takes {seconds * 1000:.0f} ms"
    if hours < _HISTORY_HOURS and not is_whole:
        return DoctorFinding(
            "history",
            "warn",
            detail,
            "after a longer outage, outcomes may stay unknown: use an endpoint that keeps more",
        )
    return DoctorFinding("history", "ok", detail)


def _methods(rpc: RpcClient) -> DoctorFinding:
    missing = [method for method, params in _METHODS.items() if not _answers(rpc, method, params)]
    if missing:
        fix = "use an endpoint that supports them"
        return DoctorFinding("methods", "fail", f"not supported: {', '.join(missing)}", fix)
    rpc.call_many([("getSlot", []), ("getSlot", [])])
    batches = "accepts batches" if rpc.takes_batches else "does not accept batches, so each order needs more requests"
    return DoctorFinding(
        "methods", "ok", f"all {len(_METHODS)} methods that orderd uses are supported; the endpoint {batches}"
    )


def _answers(rpc: RpcClient, method: str, params: list[Any]) -> bool:
    """Whether the endpoint supports the method; the response itself does not matter."""
    for _ in range(3):
        try:
            rpc.call(method, params)
        except RpcRateLimitedError as error:
            time.sleep(error.retry_after or 1.0)
            continue
        except RpcResponseError as error:
            return error.code != METHOD_NOT_FOUND
        except RpcError:
            return False
        return True
    return True  # a rate-limited method exists


def _websocket(settings: Settings) -> DoctorFinding:
    if settings.rpc_ws_url is None:
        return DoctorFinding("websocket", "warn", "not configured: pools are polled", "set ORDERD_RPC_WS_URL")
    began = time.monotonic()
    try:
        slot = first_slot(settings.rpc_ws_url)
    except (OSError, ValueError, OrderdError) as error:
        fix = "correct ORDERD_RPC_WS_URL; without it, pools are polled"
        return DoctorFinding("websocket", "warn", f"no notification was received: {error}", fix)
    return DoctorFinding("websocket", "ok", f"received slot {slot} after {(time.monotonic() - began) * 1000:.0f} ms")


def _transactions(rpc: RpcClient, settings: Settings, payer: Pubkey) -> DoctorFinding:
    """The transaction version for orders, and whether the endpoint accepts it."""
    taken, version = takes_version_1(rpc, payer), settings.transaction_version
    if taken is None:
        next_step = "check whether simulateTransaction works; until then, orders use version 0"
        return DoctorFinding("transactions", "warn", "it is unknown whether the endpoint accepts version 1", next_step)
    if version == "1" and not taken:
        detail = "ORDERD_TRANSACTION_VERSION is 1, but the endpoint does not accept version 1"
        return DoctorFinding("transactions", "fail", detail, "set it to auto, or use another endpoint")
    newest = "version 1, up to 4,096 bytes" if taken else "version 0, up to 1,232 bytes"
    detail = f"the endpoint accepts {newest}"
    if taken and version == "0":
        detail += "; orders use version 0, because of ORDERD_TRANSACTION_VERSION"
    return DoctorFinding("transactions", "ok", detail)


def _pace(rpc: RpcClient) -> DoctorFinding:
    """How the endpoint handles a burst of requests, such as that of a batch of orders."""
    began = time.monotonic()
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        answers = list(threads.map(lambda _: _timed(rpc), range(_BURST)))
    seconds = time.monotonic() - began
    taken = [each for each in answers if each is not None]
    refused = _BURST - len(taken)
    detail = f"{_BURST} requests in {seconds:.1f} s, {refused} refused"
    if taken:
        detail += f"; median {median(taken) * 1000:.0f} ms"
    if refused:
        return DoctorFinding(
            "pace", "warn", detail, "use a larger plan: orders wait while the endpoint limits requests"
        )
    return DoctorFinding("pace", "ok", detail)


def _timed(rpc: RpcClient) -> float | None:
    """The response time in seconds; None if the request failed."""
    began = time.monotonic()
    try:
        rpc.get_slot()
    except RpcError:
        return None
    return time.monotonic() - began


def _pools(rpc: RpcClient, settings: Settings) -> Iterator[DoctorFinding]:
    """Whether the SOL/USDC pools of each kind can be found."""
    base, quote = registry_of(settings.chain).pair("SOL", "USDC")
    found: list[str] = []
    for venue in ProvingMarket(rpc, settings.traded_kinds, settings.chain, settings.pool_addresses).venues.values():
        began = time.monotonic()
        try:
            count = len(venue.pools(base.mint, quote.mint))
        except OrderdError as error:
            is_refused = error.code is ErrorCode.RPC_POOLS_UNLISTED
            detail, fix = f"{venue.kind}: {error.detail}", ERRORS[error.code].next_step
            yield DoctorFinding("pools", "fail" if is_refused else "warn", detail, fix)
        else:
            found.append(f"{venue.kind} {count} ({time.monotonic() - began:.1f} s)")
    if found:
        yield DoctorFinding("pools", "ok", f"SOL/USDC: {', '.join(found)}")


def _fees(rpc: RpcClient, settings: Settings) -> DoctorFinding:
    paid = [each.micro_lamports for each in rpc.get_recent_prioritization_fees()]
    going = percentile(paid, settings.priority_fee_percentile)
    price = min(
        max(going, settings.compute_unit_price), max(settings.max_compute_unit_price, settings.compute_unit_price)
    )
    fee = format_amount(FeeEstimate(_UNITS_OF_A_SWAP, price).lamports, LAMPORT_DECIMALS)
    detail = f"recent priority fee {going} micro-lamports per compute unit; at {price} a swap costs about {fee} SOL"
    if going > price:
        return DoctorFinding("fees", "warn", detail, "the market rate is above ORDERD_MAX_COMPUTE_UNIT_PRICE")
    return DoctorFinding("fees", "ok", detail)


def _funds(rpc: RpcClient, wallet: Pubkey) -> DoctorFinding:
    wrapped = associated_token.address(wallet, token.NATIVE_MINT)
    accounts: Sequence[Any] = rpc.get_multiple_accounts([wallet, wrapped]).value
    lamports = 0 if accounts[0] is None else accounts[0].lamports
    rent = rpc.get_minimum_balance_for_rent_exemption(token.ACCOUNT_SIZE)
    sol, wsol, per_account = (
        format_amount(each, LAMPORT_DECIMALS) for each in (lamports, token_amount(accounts[1]), rent)
    )
    detail = f"{sol} SOL and {wsol} wrapped SOL in {wallet}; a new token account costs {per_account} SOL of rent"
    if lamports < LOW_LAMPORTS:
        return DoctorFinding(
            "funds",
            "warn",
            detail,
            "send SOL to the wallet: each transaction costs a fee, and each new token account its rent",
        )
    return DoctorFinding("funds", "ok", detail)
