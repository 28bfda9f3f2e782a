"""The base of all venues: finds the pools of a pair, and reads and caches their state."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.amm.transfer_fee import NO_FEE, TaxedSide, TransferFee
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import VenueQuote
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.lookup_tables import SAVED
from orderd.solana.pool_programs import Chain, PoolProgram, part
from orderd.solana.programs.layout import LayoutError, Record
from orderd.solana.rpc import ChainAccount, RpcClient
from orderd.solana.rpc_types import AccountsLike
from orderd.venues.base import Liquidity, OpenPool
from orderd.venues.guest import Guests, GuestSide, PoolRefusedError
from orderd.venues.known_mint import Epochs, known_mint
from orderd.venues.known_pools import KnownPair, KnownPool, P, PairSnapshot, PoolMoment, S, TokenSide, Trade
from orderd.venues.pool_listing import MAX_POOLS_PER_PAIR, Pair, PoolLayout, PoolListing
from orderd.venues.reading import Reading, read
from orderd.venues.renewed import Renewed
from orderd.venues.single_flight import SingleFlight
from orderd.venues.unchanged import Unchanged

log = structlog.get_logger(__name__)

DISCOVERY_SECONDS: Final = 300.0
NOTHING_FOUND_SECONDS: Final = 20.0
"""Shorter, because a pool may be created at any time, and some nodes find nothing where others do."""

WatchFor = Callable[[AccountsLike, Callable[[str], None]], None]
"""Hints: calls the function with the address soon after a matching account was created or changed, or never."""

Watch = Callable[[Pubkey, Callable[[], None]], None]
"""Hints: calls the function soon after the account has changed, or never."""


class PoolMemory(Protocol):
    """Stores the pools of a pair from the last look-up, also of other processes. Raises nothing."""

    def recall(self, kind: PoolKind, pair: Pair) -> Sequence[str]: ...

    def keep(self, kind: PoolKind, pair: Pair, pools: Sequence[str]) -> None: ...


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _CachedLiquidity(Generic[P]):
    """A snapshot's pools in one direction, valid for one snapshot and one second."""

    snapshot: PairSnapshot[P]
    second: int
    liquidity: Liquidity


class PoolVenue(ABC, Generic[S, P]):
    """Base class of venues. A subclass knows one program's accounts, maths and instructions.

    Pools are the configured ones or, if none are configured, the deepest pools of the pair on the chain. They are
    looked up again after ``DISCOVERY_SECONDS``, or after ``NOTHING_FOUND_SECONDS`` if there are none; meanwhile the
    known pools are traded. Pool state is read again after ``max_age_ms``.
    """

    program: PoolProgram
    record: type[Record]
    """The layout of a pool's own account."""
    mint_offsets: tuple[int, int]
    """Offsets of the two mints in the pool's account."""
    vaults_offset: int
    """Offset of the two vaults' addresses in the pool's account, in the order of the mints."""
    has_sorted_mints: bool = False
    """Whether the mint with the lower address always comes first."""
    size: int
    """Bytes that a swap adds to a transaction: the instruction, and the pool's accounts."""
    size_shared: int
    """Bytes of the accounts that all swaps in pools of this kind share."""
    buys_taxed_exactly: bool = True
    """Whether the program supports an exact output of a token with a transfer fee."""

    def __init__(
        self,
        rpc: RpcClient,
        *,
        addresses: Collection[str] = (),
        chain: Chain = "simnet",
        max_age_ms: int | Callable[[], int] = 400,
        watch: Watch | None = None,
        watch_for: WatchFor | None = None,
        memory: PoolMemory | None = None,
        tabled: Callable[[], frozenset[Pubkey]] = frozenset,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """``addresses`` are the configured pools; those of other programs are ignored.

        ``watch`` hints that a pool has changed, which is then read again before its state is ``max_age_ms`` old.
        ``watch_for`` hints at new pools of a pair for which ``find_new_pools`` was called. Pools that ``memory`` knows
        are traded immediately, and looked up on the chain in the background. ``tabled`` are the accounts in lookup
        tables, which take fewer bytes of a transaction.
        """
        self._rpc = rpc
        self._addresses = [Pubkey.from_string(address) for address in addresses]
        self._program_id = self.program.ids[chain]
        layout = PoolLayout(self.record.size(), self.mint_offsets, self.vaults_offset, self.has_sorted_mints)
        self._listing = PoolListing(rpc, self.program, self._program_id, layout)
        self._watch = watch
        self._watch_for = watch_for
        self._watched_pairs: set[Pair] = set()
        self._memory = memory
        self._tabled = tabled
        self._looked_up: set[Pair] = set()
        self._unix_time = unix_time
        of_now = max_age_ms if callable(max_age_ms) else lambda: max_age_ms

        def max_age(_: object) -> float:
            return of_now() / 1000

        self._known: Renewed[Pair, KnownPair[S]] = Renewed(self._find, _found_for, _valid_for, clock=clock)
        self._snapshots: SingleFlight[Pair, PairSnapshot[P]] = SingleFlight(self._read, max_age, clock=clock)
        self._cached_liquidity: dict[tuple[str, str], _CachedLiquidity[P]] = {}
        self._latest: dict[str, P] = {}
        self._unchanged: Unchanged[P] = Unchanged()
        self._passed_over: set[str] = set()
        self._guests = Guests(self.kind)

    @property
    def name(self) -> VenueName:
        return self.program.venue

    @property
    def kind(self) -> PoolKind:
        return self.program.kind

    # The pools of a pair

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        with translated_rpc_errors():
            return [str(pool.address) for pool in self._known.get(_pair(mint_in, mint_out)).pools]

    def known(self, mint_in: str, mint_out: str) -> frozenset[str]:
        found = self._known.known(_pair(mint_in, mint_out))
        return frozenset(map(str, self._addresses if found is None else (pool.address for pool in found.pools)))

    def find_new_pools(self, mint_in: str, mint_out: str) -> bool:
        pair = _pair(mint_in, mint_out)
        if self._watch_for is not None and pair not in self._watched_pairs:
            self._watched_pairs.add(pair)
            for alike in self._listing.alikes(pair):
                self._watch_for(alike, partial(self._hinted, pair))
        before = self.known(*pair)
        with translated_rpc_errors():
            self._known.renew(pair)
        if self.known(*pair) == before:
            return False
        self._snapshots.forget(pair)
        return True

    def _hinted(self, pair: Pair, pool: str) -> None:
        """A matching pool was created or changed; look up the pair's pools again if it is a new one."""
        if pool not in self.known(*pair):
            self.find_new_pools(*pair)

    # Their state

    def is_fresh(self, mint_in: str, mint_out: str) -> bool:
        return self._snapshots.is_fresh(_pair(mint_in, mint_out))

    def is_known(self, mint_in: str, mint_out: str) -> bool:
        return self._known.at_hand(_pair(mint_in, mint_out)) is not None

    def has_changed(self, mint_in: str, mint_out: str) -> bool:
        return self._snapshots.is_forgotten(_pair(mint_in, mint_out))

    def hints(self, mint_in: str, mint_out: str) -> int:
        return self._snapshots.times_forgotten(_pair(mint_in, mint_out))

    def reading(self, mint_in: str, mint_out: str) -> Reading[Liquidity | None]:
        pair = _pair(mint_in, mint_out)
        known = self._known.at_hand(pair)
        flight = None if known is None else self._snapshots.begin(pair)
        if known is None or flight is None:
            return None
        with flight, translated_rpc_errors():
            snapshot = flight.land((yield from self._reading(known)))
        return self._liquidity_of(snapshot, mint_in, mint_out)

    def liquidity(self, mint_in: str, mint_out: str) -> Liquidity:
        with translated_rpc_errors():
            snapshot = self._snapshots.get(_pair(mint_in, mint_out))
        return self._liquidity_of(snapshot, mint_in, mint_out)

    def _liquidity_of(self, snapshot: PairSnapshot[P], mint_in: str, mint_out: str) -> Liquidity:
        second = int(self._unix_time())
        cached = self._cached_liquidity.get((mint_in, mint_out))
        if cached is None or cached.snapshot is not snapshot or cached.second != second:
            liquidity = self._open_pools(snapshot, mint_in, mint_out, PoolMoment(snapshot.slot, second))
            cached = self._cached_liquidity[mint_in, mint_out] = _CachedLiquidity(snapshot, second, liquidity)
        return cached.liquidity

    def _open_pools(self, snapshot: PairSnapshot[P], mint_in: str, mint_out: str, now: PoolMoment) -> Liquidity:
        pools: list[OpenPool] = []
        refusals = list(snapshot.refusals)
        tabled = self._tabled()
        for address, pool in snapshot.pools.items():
            vaults = snapshot.vaults[address]
            try:
                with self._guests.answering(address):
                    taxed = self._taxed(self._side(pool, mint_in, now), snapshot.fees, mint_in, mint_out)
                    side = GuestSide(taxed, self._guests, address)
            except OrderdError as refusal:
                refusals.append(refusal)
                continue
            pools.append(
                OpenPool(
                    self.name,
                    address,
                    self.kind,
                    mint_in,
                    mint_out,
                    snapshot.slot,
                    side,
                    self.program.units.swap,
                    self.program.units.per_step,
                    (vaults[mint_in], vaults[mint_out]),
                    self._size(pool, mint_in)
                    - SAVED * len(tabled.intersection((Pubkey.from_string(address), *vaults.values()))),
                    self.size_shared,
                    pool,
                )
            )
        return Liquidity(tuple(pools), tuple(refusals), frozenset(snapshot.vaults))

    # Swaps

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        with translated_rpc_errors():
            mints = self._known.get(_pair(quote.mint_in, quote.mint_out)).mints
        if not mints.keys() >= {quote.mint_in, quote.mint_out}:
            raise self._gone(quote)
        return mints[quote.mint_in].program, mints[quote.mint_out].program

    def account_size(self, quote: VenueQuote) -> int:
        with translated_rpc_errors():
            mints = self._known.get(_pair(quote.mint_in, quote.mint_out)).mints
        if quote.mint_out not in mints:
            raise self._gone(quote)
        return mints[quote.mint_out].account_size

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, limit: int, *, small: bool
    ) -> Instruction:
        amounts = (limit, quote.amount_out) if quote.exact_out else (quote.amount_in, limit)
        trade = Trade(quote.mint_in, *amounts, owner, source, destination, small, quote.exact_out)
        pool = self._pool_of(quote)
        with self._guests.answering(quote.pool):
            return self._swap(pool, trade)

    # What a subclass provides

    @abstractmethod
    def _decode(self, data: bytes) -> S:
        """Raises LayoutError if the bytes are not a pool of this program."""

    @abstractmethod
    def _sides(self, state: S) -> tuple[TokenSide, TokenSide]: ...

    @abstractmethod
    def _keys(self, known: KnownPool[S]) -> list[Pubkey]:
        """The accounts from which the state of a pool is read."""

    @abstractmethod
    def _pool(self, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]) -> P:
        """The pool from its accounts. Raises errors that ``_guarded`` handles."""

    @abstractmethod
    def _side(self, pool: P, mint_in: str, now: PoolMoment) -> Side:
        """The pool's side for sales of ``mint_in``. Raises OrderdError POOL_CLOSED if it does not accept swaps now."""

    def _taxed(self, side: Side, fees: Mapping[str, TransferFee], mint_in: str, mint_out: str) -> Side:
        if mint_in not in fees and mint_out not in fees:
            return side
        fee_in, fee_out = fees.get(mint_in, NO_FEE), fees.get(mint_out, NO_FEE)
        return TaxedSide(side, fee_in, fee_out, self.buys_taxed_exactly)

    def _size(self, pool: P, mint_in: str) -> int:  # noqa: ARG002  (venues with arrays need both)
        """The minimum bytes that a swap in this pool adds to a transaction."""
        return self.size

    @abstractmethod
    def _swap(self, pool: P, trade: Trade) -> Instruction: ...

    # Reading the state

    def _pool_of(self, quote: VenueQuote) -> P:
        """The pool's latest state for a quote. It is read first if the quote came from another process."""
        if quote.pool not in self._latest:
            with translated_rpc_errors():
                self._snapshots.get(_pair(quote.mint_in, quote.mint_out))
        if quote.pool not in self._latest:
            raise self._gone(quote)
        return self._latest[quote.pool]

    def _gone(self, quote: VenueQuote) -> PoolRefusedError:
        detail = f"{self.name} no longer has the pool {quote.pool}"
        return PoolRefusedError(quote.pool, ErrorCode.ROUTE_NOT_FOUND, detail, passing=True)

    def _read_pools(self, known: Sequence[KnownPool[S]]) -> Reading[tuple[int, list[P | OrderdError]]]:
        """The slot, and the states of these pools in order."""
        accounts = yield [key for pool in known for key in self._keys(pool)]
        return accounts.slot, [self._state(pool, accounts.value) for pool in known]

    def _state(self, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]) -> P | OrderdError:
        """The pool; the same object as before if its accounts have not changed."""
        address = str(known.address)
        read = partial(self._unchanged.get, address, accounts, partial(self._pool, known))
        return self._guarded(known.address, read)

    def _guarded(self, address: Pubkey, read: Callable[[], T]) -> T | OrderdError:
        """The result of ``read``, or the reason why the pool is excluded."""
        try:
            with self._guests.answering(str(address)):
                return read()
        except OrderdError as refusal:
            return refusal

    def _checked_decode(self, account: ChainAccount) -> S:
        """Decode a pool's account. Raises LayoutError if it is not a pool of this program."""
        if account.owner != self._program_id:
            raise LayoutError(f"the account belongs to {account.owner}, not to {self.kind}")
        return self._decode(account.data)

    def _read(self, pair: Pair) -> PairSnapshot[P]:
        return read(self._rpc, self._reading(self._known.get(pair)))

    def _reading(self, known: KnownPair[S]) -> Reading[PairSnapshot[P]]:
        if known.objection is not None:
            objections = [
                OrderdError(ErrorCode.POOL_UNSUPPORTED, f"pool {pool.address}: {known.objection}")
                for pool in known.pools
            ]
            return PairSnapshot(0, {}, {}, tuple(objections))
        if not known.pools:
            return PairSnapshot(0, {}, {}, ())
        slot, found = yield from self._read_pools(known.pools)
        pools: dict[str, P] = {}
        refusals: list[OrderdError] = []
        for pool, state in zip(known.pools, found, strict=True):
            if isinstance(state, OrderdError):
                refusals.append(state)
                self._log_once(str(pool.address), state)
            else:
                pools[str(pool.address)] = state
        self._latest |= pools
        vaults = {
            str(pool.address): {str(side.mint): side.vault for side in self._sides(pool.state)} for pool in known.pools
        }
        return PairSnapshot(slot, pools, vaults, tuple(refusals), known.fees(slot))

    def _log_once(self, pool: str, refusal: OrderdError) -> None:
        if pool not in self._passed_over:
            self._passed_over.add(pool)
            log.warning("pool left out", action="pool_skipped", venue=self.name, pool=pool, error=refusal.detail)

    # Looking up pools

    def _find(self, pair: Pair) -> KnownPair[S]:
        if self._addresses:
            return self._known_among(self._addresses, pair, warn=True)
        if self._memory is None:
            return self._known_among(self._listing.deepest(pair), pair)
        if pair not in self._looked_up:
            recalled = [Pubkey.from_string(pool) for pool in self._memory.recall(self.kind, pair)]
            known = self._known_among(recalled, pair) if recalled else None
            self._looked_up.add(pair)
            if known is not None and known.pools:
                return replace(known, recalled=True)
        known = self._known_among(self._listing.deepest(pair), pair)
        self._memory.keep(self.kind, pair, [str(pool.address) for pool in known.pools])
        return known

    def _known_among(self, addresses: Sequence[Pubkey], pair: Pair, *, warn: bool = False) -> KnownPair[S]:
        """The pools of a pair at these addresses, at most ``MAX_POOLS_PER_PAIR``. Raises RpcError.

        Addresses of other programs are ignored, because they belong to other venues. With ``warn`` missing accounts are
        logged.
        """
        if not addresses:
            return KnownPair([], {}, None, None)
        mints = _keys_of(pair)
        *accounts, one, other = self._rpc.get_multiple_accounts([*addresses, *mints]).value
        missing = {str(key) for key, account in zip(addresses, accounts, strict=True) if warn and account is None}
        for absent in sorted(
            missing - self._passed_over
        ):  # logged once, because the look-up repeats and the pool may still be created
            self._passed_over.add(absent)
            log.warning("configured pool does not exist", action="pool_skipped", venue=self.name, pool=absent)
        pools: list[KnownPool[S]] = []
        for address, account in zip(addresses, accounts, strict=True):
            if account is None or account.owner != self._program_id:
                continue
            state = self._guarded(address, partial(self._checked_decode, account))
            if isinstance(state, OrderdError):
                log.warning("not a pool", action="pool_skipped", venue=self.name, pool=str(address), error=state.detail)
            elif {side.mint for side in self._sides(state)} == set(mints):
                pools.append(KnownPool(address, state))
        del pools[MAX_POOLS_PER_PAIR:]
        if not pools:
            return KnownPair([], {}, None, None)
        if self._watch is not None:
            for pool in pools:
                self._watch(pool.address, partial(self._snapshots.forget, pair))
        try:
            known = {str(mint): known_mint(mint, account) for mint, account in zip(mints, (one, other), strict=True)}
        except OrderdError as error:
            return KnownPair(pools, {}, None, error.detail)
        has_fees = any(each.fees is not None for each in known.values())
        return KnownPair(pools, known, Epochs.read(self._rpc) if has_fees else None, None)


def venue_class(kind: PoolKind) -> "type[PoolVenue[Any, Any]]":
    """The venue class of a kind: ``VENUE`` in the module ``venue`` of its folder."""
    found: type[PoolVenue[Any, Any]] = part(kind, "venue").VENUE
    return found


def _found_for(known: KnownPair[Any]) -> float:
    """Seconds until the pools of a pair are looked up again."""
    if known.recalled:
        return 0.0
    return DISCOVERY_SECONDS if known.pools else NOTHING_FOUND_SECONDS


def _valid_for(known: KnownPair[Any]) -> float:
    """Seconds for which the result is used without waiting for a new look-up. Limited if there are no pools, because
    one may have been created since."""
    return float("inf") if known.pools else 3 * NOTHING_FOUND_SECONDS


def _keys_of(pair: Pair) -> tuple[Pubkey, Pubkey]:
    return Pubkey.from_string(pair[0]), Pubkey.from_string(pair[1])


def _pair(mint_in: str, mint_out: str) -> Pair:
    return (mint_in, mint_out) if mint_in < mint_out else (mint_out, mint_in)
