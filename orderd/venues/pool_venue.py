"""The base of all venues: reads the pools of a pair, caches their state, and swaps in them."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic

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
from orderd.solana.rpc import ChainAccount, RpcClient
from orderd.venues.base import Liquidity, OpenPool
from orderd.venues.guest import Guests, GuestSide, PoolRefusedError
from orderd.venues.known_pools import KnownPair, KnownPool, P, PairSnapshot, PoolMoment, S, Trade
from orderd.venues.pool_directory import ChangeHints, PoolDirectory, PoolMemory
from orderd.venues.pool_layout import PoolLayout
from orderd.venues.pool_listing import Pair, PoolListing, pair_of
from orderd.venues.reading import Reading, read
from orderd.venues.single_flight import SingleFlight
from orderd.venues.unchanged import Unchanged

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _CachedLiquidity(Generic[P]):
    """A snapshot's pools in one direction, valid for one snapshot and one second."""

    snapshot: PairSnapshot[P]
    second: int
    liquidity: Liquidity


class PoolVenue(ABC, Generic[S, P]):
    """Base class of venues. A subclass knows one program's accounts, maths and instructions.

    ``PoolDirectory`` knows the pools of a pair. Their state is read again after ``max_age_ms``.
    """

    program: PoolProgram
    layout: PoolLayout[S]
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
        hints: ChangeHints | None = None,
        memory: PoolMemory | None = None,
        tabled: Callable[[], frozenset[Pubkey]] = frozenset,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        """``addresses`` and ``memory`` are those of ``PoolDirectory``.

        ``hints`` tell that a pool has changed, which is then read again before its state is ``max_age_ms`` old.
        ``tabled`` are the accounts in lookup tables, which take fewer bytes of a transaction.
        """
        self._rpc = rpc
        self._program_id = self.program.ids[chain]
        self._listing = PoolListing(rpc, self.program, self._program_id, self.layout)
        self._guests = Guests(self.kind)
        self._tabled = tabled
        self._unix_time = unix_time
        of_now = max_age_ms if callable(max_age_ms) else lambda: max_age_ms

        def max_age(_: object) -> float:
            return of_now() / 1000

        self._snapshots: SingleFlight[Pair, PairSnapshot[P]] = SingleFlight(self._read, max_age, clock=clock)
        self._directory = PoolDirectory(
            rpc,
            self._listing,
            self._guests,
            addresses=addresses,
            memory=memory,
            hints=hints,
            on_change=self._snapshots.forget,
            clock=clock,
        )
        self._cached_liquidity: dict[tuple[str, str], _CachedLiquidity[P]] = {}
        self._latest: dict[str, P] = {}
        self._unchanged: Unchanged[P] = Unchanged()
        self._passed_over: set[str] = set()

    @property
    def name(self) -> VenueName:
        return self.program.venue

    @property
    def kind(self) -> PoolKind:
        return self.program.kind

    # The pools of a pair

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        with translated_rpc_errors():
            return [str(pool.address) for pool in self._directory.get(pair_of(mint_in, mint_out)).pools]

    def known(self, mint_in: str, mint_out: str) -> frozenset[str]:
        return self._directory.addresses(pair_of(mint_in, mint_out))

    def find_new_pools(self, mint_in: str, mint_out: str) -> bool:
        with translated_rpc_errors():
            return self._directory.find_new_pools(pair_of(mint_in, mint_out))

    # Their state

    def is_fresh(self, mint_in: str, mint_out: str) -> bool:
        return self._snapshots.is_fresh(pair_of(mint_in, mint_out))

    def is_known(self, mint_in: str, mint_out: str) -> bool:
        return self._directory.at_hand(pair_of(mint_in, mint_out)) is not None

    def has_changed(self, mint_in: str, mint_out: str) -> bool:
        return self._snapshots.is_forgotten(pair_of(mint_in, mint_out))

    def hints(self, mint_in: str, mint_out: str) -> int:
        return self._snapshots.times_forgotten(pair_of(mint_in, mint_out))

    def reading(self, mint_in: str, mint_out: str) -> Reading[Liquidity | None]:
        pair = pair_of(mint_in, mint_out)
        known = self._directory.at_hand(pair)
        flight = None if known is None else self._snapshots.begin(pair)
        if known is None or flight is None:
            return None
        with flight, translated_rpc_errors():
            snapshot = flight.land((yield from self._reading(known)))
        return self._liquidity_of(snapshot, mint_in, mint_out)

    def liquidity(self, mint_in: str, mint_out: str) -> Liquidity:
        with translated_rpc_errors():
            snapshot = self._snapshots.get(pair_of(mint_in, mint_out))
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
            mints = self._directory.get(pair_of(quote.mint_in, quote.mint_out)).mints
        if not mints.keys() >= {quote.mint_in, quote.mint_out}:
            raise self._gone(quote)
        return mints[quote.mint_in].program, mints[quote.mint_out].program

    def account_size(self, quote: VenueQuote) -> int:
        with translated_rpc_errors():
            mints = self._directory.get(pair_of(quote.mint_in, quote.mint_out)).mints
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
    def _keys(self, known: KnownPool[S]) -> list[Pubkey]:
        """The accounts from which the state of a pool is read."""

    @abstractmethod
    def _pool(self, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]) -> P:
        """The pool from its accounts. Raises errors that ``Guests`` handles."""

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
                self._snapshots.get(pair_of(quote.mint_in, quote.mint_out))
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
        return self._guests.answer(address, read)

    def _decode(self, account: ChainAccount) -> S:
        """Decode a pool's account. Raises LayoutError if it is not a pool of this program."""
        return self._listing.decode(account)

    def _read(self, pair: Pair) -> PairSnapshot[P]:
        return read(self._rpc, self._reading(self._directory.get(pair)))

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
            str(pool.address): {str(side.mint): side.vault for side in self.layout.sides(pool.state)}
            for pool in known.pools
        }
        return PairSnapshot(slot, pools, vaults, tuple(refusals), known.fees(slot))

    def _log_once(self, pool: str, refusal: OrderdError) -> None:
        if pool not in self._passed_over:
            self._passed_over.add(pool)
            log.warning("pool left out", action="pool_skipped", venue=self.name, pool=pool, error=refusal.detail)


def venue_class(kind: PoolKind) -> "type[PoolVenue[Any, Any]]":
    """The venue class of a kind: ``VENUE`` in the module ``venue`` of its folder."""
    found: type[PoolVenue[Any, Any]] = part(kind, "venue").VENUE
    return found
