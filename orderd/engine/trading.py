"""The trading setup of gateways and workers: one endpoint, one wallet, the venues and the tokens."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from solders.pubkey import Pubkey

from orderd.config.settings import Settings
from orderd.domain.money import parse_amount
from orderd.domain.pool_kind import PoolKind
from orderd.domain.retry import RetryPolicy
from orderd.domain.tokens import TokenRegistry
from orderd.domain.well_known import registry_of
from orderd.engine.allowance import NOTIONAL_DECIMALS, TradingLimits
from orderd.engine.chain import CheckedTransport, ExpectedChain, check_chain
from orderd.engine.execution.building import Builder
from orderd.engine.execution.fees import FeeMarket
from orderd.engine.execution.wallet_funds import FundsCheck
from orderd.engine.pool_memory import StoredPools
from orderd.engine.proved_kinds import ProvedKinds, ProvedVenue
from orderd.engine.reservation import Reservations, fee_of
from orderd.engine.routing.price_guard import PriceGuard, Recall
from orderd.engine.routing.router import Router
from orderd.engine.token_desk import TokenDesk
from orderd.engine.token_list import TokenList
from orderd.solana.endpoint import EndpointUrl
from orderd.solana.endpoint_figures import figures_of
from orderd.solana.hints import AccountHints
from orderd.solana.keys import Signer, Wallet, WalletError, WatchedWallet, load_address, load_wallet
from orderd.solana.lookup_tables import LookupTables
from orderd.solana.observer import Observer
from orderd.solana.pool_programs import program_of
from orderd.solana.rpc import Commitment, RpcClient
from orderd.solana.sender import Sender
from orderd.solana.slot_time import SlotTime, commitment_for
from orderd.solana.transaction import TransactionVersion
from orderd.solana.transport import HttpTransport
from orderd.solana.version_choice import VersionChoice
from orderd.venues.base import Venue
from orderd.venues.chain_clock import ChainClock
from orderd.venues.pool_venue import venue_class
from orderd.venues.reading import read_batch

_MINT_SECONDS: Final = 1.5
"""Time-out for reading mints, short because a submission waits for it."""
_QUICK_SECONDS: Final = 2.0
"""Maximum wait at start for the node's slot time and transaction version."""


@dataclass(frozen=True, slots=True)
class Trading:
    """Made once per process."""

    tokens: TokenRegistry
    desk: TokenDesk
    rpc: RpcClient
    wallet: Signer
    router: Router
    builder: Builder
    sender: Sender
    retry: RetryPolicy
    slot_time: SlotTime
    pool_age_ms: Callable[[], int]
    versions: VersionChoice

    def refresh_chain(self) -> bool:
        """Measure the slot time, finality and transaction version again, and adapt. Returns whether slot time or
        finality changed."""
        self.versions.refresh()
        if not self.slot_time.refresh():
            return False
        self.retry.slot_ms = self.slot_time.ms
        self.rpc.commitment = self.slot_time.commitment
        return True

    def observer(self, settings: Settings) -> Observer:
        """A view of the wallet's transactions, for one thread."""
        return Observer(
            self.rpc,
            self.wallet.address,
            final_at(settings),
            is_one_node=settings.is_one_node,
            is_simnet=settings.chain == "simnet",
        )


def final_at(settings: Settings) -> Commitment:
    """The commitment of blocks that cannot be rolled back. A local chain of one node has no forks: what it confirms is
    final, and it may report only finalized blocks."""
    if settings.chain == "simnet" and settings.is_one_node:
        return commitment_for(settings.local_profile.finality_slots)
    return "finalized"


def open_rpc(settings: Settings, read_timeout: float = 10.0) -> RpcClient:
    """A client of the chain's endpoint with this read time-out. Raises ValueError if none is configured."""
    if settings.rpc_url is None:
        raise ValueError("no RPC endpoint: set ORDERD_RPC_URL, or use `orderd run`, which brings its own")
    transport = HttpTransport(settings.rpc_url, read_timeout=read_timeout)
    expected = ExpectedChain(partial(check_chain, settings.chain))
    return RpcClient(
        settings.rpc_url,
        transport=CheckedTransport(transport, expected),
        figures=figures_of(EndpointUrl.of(settings.rpc_url).shown),
        check_chain=expected,
    )


def open_trading(
    settings: Settings, recall: Recall | None = None, hints: AccountHints | None = None, *, signs: bool = True
) -> Trading:
    """``recall`` returns the prices of pairs from before this process started, ``hints`` reports changed pools.

    The wallet's key is loaded only if it ``signs``.

    Raises WalletError if the wallet cannot be read, OrderdError TOKEN_UNKNOWN if this daemon does not trade an
    intermediate token, and ValueError if no RPC endpoint is configured.
    """
    rpc = open_rpc(settings)
    if signs:
        wallet: Signer = check_named(settings, load_wallet(settings.wallet_path))
    else:
        wallet = WatchedWallet(wallet_address(settings))
    tokens = registry_of(settings.chain)
    slot_time = slot_time_of(settings)
    rpc.commitment = slot_time.commitment
    if hints is not None:
        hints.commitment = lambda: rpc.commitment

    def age_ms() -> int:
        return slot_time.ms if settings.pool_max_age_ms is None else settings.pool_max_age_ms

    def age(_: object) -> float:
        return age_ms() / 1000

    fees = FeeMarket(
        rpc,
        percentile=settings.priority_fee_percentile,
        floor=settings.compute_unit_price,
        cap=settings.max_compute_unit_price,
        max_age=age,
    )
    funds_check = FundsCheck(rpc, wallet.address)
    tables = LookupTables(rpc, settings.lookup_tables)
    versions = versions_of(settings, wallet.address)
    router = Router(
        open_venues(settings, rpc, age_ms, hints, tables.held),
        read=partial(read_batch, rpc),
        intermediates=[tokens.resolve(name) for name in settings.intermediate_tokens],
        timeout_ms=settings.venue_timeout_ms,
        max_price_impact_bps=settings.max_price_impact_bps,
        max_total_cost_bps=settings.max_total_cost_bps,
        guard=PriceGuard(settings.max_price_deviation_bps, recall),
        max_slot_lag=settings.max_slot_lag,
        unit_price=lambda: fees.last,
        threads=settings.worker_threads,
        rent_of_way=funds_check.cost_of_way,
        bytes_of_tables=tables.most_bytes,
        version=lambda: versions.current,
        watched=[(base.mint, quote.mint) for base, quote in map(tokens.named_pair, settings.watch_pairs)],
    )
    builder = Builder(
        router, rpc, wallet, fees, funds_check, blockhash_age=age, tables=tables.current, versions=versions
    )
    retry = RetryPolicy(max_attempts=settings.max_attempts, base_ms=settings.retry_base_ms, slot_ms=slot_time.ms)
    desk = TokenDesk(tokens, open_rpc(settings, _MINT_SECONDS), token_list_of(settings))
    return Trading(tokens, desk, rpc, wallet, router, builder, Sender(rpc), retry, slot_time, age_ms, versions)


def token_list_of(settings: Settings) -> TokenList | None:
    """The operator's token list; None if there is none."""
    if settings.token_list is None:
        return None
    return TokenList(settings.token_list, settings.state_dir / f"tokens-{settings.chain}.json", settings.chain)


def open_reservations(settings: Settings) -> Reservations:
    """Raises OrderdError TOKEN_UNKNOWN if this daemon does not trade an intermediate token."""
    tokens = registry_of(settings.chain)
    ways = [tokens.resolve(name).mint for name in settings.intermediate_tokens]
    most = max(settings.compute_unit_price, settings.max_compute_unit_price)
    return Reservations(fee_of(most), ways, settings.max_open_per_key, overcommit=settings.allow_overcommit)


def open_limits(settings: Settings) -> TradingLimits:
    """The limits that hold for all orders together. Raises OrderdError TOKEN_UNKNOWN."""
    tokens = registry_of(settings.chain)

    def notional(amount: str | None) -> int | None:
        return None if amount is None else parse_amount(amount, NOTIONAL_DECIMALS)

    return TradingLimits(
        frozenset(tokens.mint_of(name) for name in settings.traded_tokens) or None,
        notional(settings.most_per_order),
        notional(settings.max_notional_per_day),
        subject="this daemon",
    )


def check_named(settings: Settings, wallet: Wallet) -> Wallet:
    """Raises WalletError if the wallet does not have the configured address."""
    if settings.wallet_address not in (None, str(wallet.address)):
        raise WalletError(
            f"{settings.wallet_path} is the wallet {wallet.address}, not {settings.wallet_address}; "
            "correct ORDERD_WALLET or ORDERD_WALLET_ADDRESS"
        )
    return wallet


def wallet_address(settings: Settings) -> Pubkey:
    """The wallet that orders are signed for. Raises WalletError if it cannot be read."""
    if settings.wallet_address is not None:
        return Pubkey.from_string(settings.wallet_address)
    try:
        return load_address(settings.wallet_path)
    except WalletError as error:
        raise WalletError(f"{error.detail}; only workers need the key: ORDERD_WALLET_ADDRESS is enough here") from error


def slot_time_of(settings: Settings) -> SlotTime:
    """The slot time and commitment of the chain: from simnet's profile, or measured by the node."""
    if settings.chain == "simnet" or settings.rpc_url is None:
        profile = settings.local_profile
        return SlotTime(None, profile.slot_ms, settings.commitment or commitment_for(profile.finality_slots))
    measures = settings.commitment is None
    slot_time = SlotTime(
        _quick_client(settings.rpc_url), commitment=settings.commitment or "confirmed", measures_finality=measures
    )
    slot_time.refresh()
    return slot_time


def versions_of(settings: Settings, payer: Pubkey) -> VersionChoice:
    """The version of transactions that is set, or the newest that the node takes."""
    if settings.transaction_version != "auto":
        return VersionChoice.of(TransactionVersion(int(settings.transaction_version)))
    if settings.rpc_url is None:
        return VersionChoice.of(TransactionVersion.V0)
    versions = VersionChoice.asking(_quick_client(settings.rpc_url), payer)
    versions.refresh()
    return versions


def _quick_client(rpc_url: str) -> RpcClient:
    """A client for queries at start, which are repeated later."""
    return RpcClient("", transport=HttpTransport(rpc_url, read_timeout=_QUICK_SECONDS))


def open_venues(
    settings: Settings,
    rpc: RpcClient,
    max_age_ms: int | Callable[[], int],
    hints: AccountHints | None = None,
    tabled: Callable[[], frozenset[Pubkey]] = frozenset,
) -> list[Venue]:
    """One for each kind of pool that is to be traded in. ``max_age_ms``: how old the state of one may be."""
    proved = ProvedKinds(rpc, settings.chain, settings.traded_kinds) if settings.needs_proof else None
    # Simnet uses this machine's clock; other chains have their own.
    unix_time = time.time if settings.chain == "simnet" else ChainClock(rpc)
    venues: list[Venue] = [
        venue_class(kind)(
            rpc,
            addresses=settings.pool_addresses[program_of(kind).venue],
            chain=settings.chain,
            max_age_ms=max_age_ms,
            hints=hints,
            memory=StoredPools(),
            tabled=tabled,
            unix_time=unix_time,
        )
        for kind in PoolKind
        if kind in settings.traded_kinds
    ]
    return venues if proved is None else [ProvedVenue(venue, proved) for venue in venues]
