"""What all venues of on-chain pools share: which pools trade a pair, and their state of this slot."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

import structlog
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.side import Side
from orderd.amm.transfer_fee import NO_FEE, TaxedSide, TransferFee
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import VenueQuote
from orderd.solana.json_rpc import RpcRefusedError, RpcResponseError, RpcUnlistedError, translated_rpc_errors
from orderd.solana.lookup_tables import SAVED
from orderd.solana.pool_programs import Chain, PoolProgram, part
from orderd.solana.programs.layout import LayoutError, Record
from orderd.solana.rpc import ChainAccount, RpcClient
from orderd.solana.rpc_types import AccountsLike, Memcmp
from orderd.venues.account_facts import AMOUNT_ENDS, token_amount
from orderd.venues.base import Liquidity, OpenPool
from orderd.venues.depth import by_depth
from orderd.venues.guest import Guests, GuestSide, PoolRefusedError
from orderd.venues.known_mint import Epochs, KnownMint, known_mint
from orderd.venues.reading import Reading, read
from orderd.venues.renewed import Renewed
from orderd.venues.single_flight import SingleFlight
from orderd.venues.unchanged import Unchanged

log = structlog.get_logger(__name__)

MAX_POOLS_A_PAIR: Final = 8
DISCOVERY_SECONDS: Final = 300.0
NOTHING_FOUND_SECONDS: Final = 20.0
"""A pool may be made at any time, and some nodes find nothing where others do."""
_KEY_BYTES: Final = 32
_INTERNAL_ERROR: Final = -32603
"""Of JSON-RPC 2.0: the node meant to answer, and failed."""

Pair = tuple[str, str]
"""Two mints in ascending order: a pool trades both ways."""

WatchFor = Callable[[AccountsLike, Callable[[str], None]], None]
"""Calls the function with its address soon after such an account was made or has changed, or never: a hint."""

Watch = Callable[[Pubkey, Callable[[], None]], None]
"""Calls the function soon after the account has changed, or never: a hint."""


class PoolMemory(Protocol):
    """Which pools a pair had when they were last looked up, perhaps by another process. Raises nothing."""

    def recall(self, kind: PoolKind, pair: Pair) -> Sequence[str]: ...

    def keep(self, kind: PoolKind, pair: Pair, pools: Sequence[str]) -> None: ...


T = TypeVar("T")
S = TypeVar("S", bound=Record)
"""The pool's own account."""
P = TypeVar("P")
"""All that a quote and a swap need of a pool."""


class PoolMoment(NamedTuple):
    """What a pool may go by: the slot of its state, and the clock."""

    slot: int
    unix_time: int


class TokenSide(NamedTuple):
    """One of the two tokens of a pool."""

    mint: Pubkey
    vault: Pubkey


class Trade(NamedTuple):
    """A swap to be made between two token accounts of `owner`; amounts in base units.

    Exactly `amount_in` for at least `amount_out` or, where `exact_out`, exactly `amount_out` for at most `amount_in`.
    """

    mint_in: str
    amount_in: int
    amount_out: int
    owner: Pubkey
    source: Pubkey
    destination: Pubkey
    small: bool
    exact_out: bool


@dataclass(frozen=True, slots=True)
class KnownPool(Generic[S]):
    """A pool as it was found."""

    address: Pubkey
    state: S


@dataclass(frozen=True, slots=True)
class KnownPair(Generic[S]):
    """The pools of a pair, and what they need to know of its mints: `epochs` where one takes a fee of each transfer.

    `objection` says why orderd does not trade the pair. Pools that are `recalled` were not looked up on the chain yet.
    """

    pools: list[KnownPool[S]]
    mints: dict[str, KnownMint]
    epochs: Epochs | None
    objection: str | None
    recalled: bool = False

    def fees(self, slot: int) -> dict[str, TransferFee]:
        """What each mint that takes a fee takes of a transfer in this slot."""
        if self.epochs is None:
            return {}
        epoch = self.epochs.of(slot)
        return {mint: each.fees.at(epoch) for mint, each in self.mints.items() if each.fees is not None}


@dataclass(frozen=True, slots=True)
class PairSnapshot(Generic[P]):
    """The pools of a pair at one slot, by address, and what keeps the others out. `vaults` go by mint."""

    slot: int
    pools: dict[str, P]
    vaults: dict[str, dict[str, Pubkey]]
    refusals: tuple[OrderdError, ...]
    fees: Mapping[str, TransferFee] = field(default_factory=dict)
    """Of mints that take a fee of each transfer."""


@dataclass(frozen=True, slots=True)
class _CachedLiquidity(Generic[P]):
    """A snapshot's pools in one direction: the same for all orders of a slot and a second."""

    snapshot: PairSnapshot[P]
    second: int
    liquidity: Liquidity


class PoolVenue(ABC, Generic[S, P]):
    """A venue; a subclass knows one program's accounts, maths and instructions.

    Pools are those of the configuration or, where it names none, those that the chain has for a pair, the deepest
    first. Both are looked up again after `DISCOVERY_SECONDS`, where there are none after `NOTHING_FOUND_SECONDS`, while
    those that are known are traded; pool state after `max_age_ms`.
    """

    program: PoolProgram
    record: type[Record]
    """A pool's own account,"""
    mint_offsets: tuple[int, int]
    """and where in it the two mints stand,"""
    vaults_offset: int
    """Where in it the addresses of the two vaults stand, that of the first mint first."""
    has_sorted_mints: bool = False
    """the one with the lower address always first."""
    size: int
    """What a swap adds to a transaction beside what every trade has: the instruction, and the accounts of its pool."""
    size_shared: int
    """Accounts that all swaps in pools of this kind have in common."""
    buys_taxed_exactly: bool = True
    """Whether the program makes swaps for an exact output of a token that takes a fee of each transfer."""

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
        """Of `addresses`, those of other programs are passed over.

        `watch` gives a hint when a pool has changed, which is then read again before its state is `max_age_ms` old, and
        `watch_for` when there is a new one of a pair that somebody looks out for.
        Pools that `memory` knows are traded at once, while they are looked up on the chain in the background. `tabled`
        are the accounts that a lookup table holds: they take less of a transaction.
        """
        self._rpc = rpc
        self._addresses = [Pubkey.from_string(address) for address in addresses]
        self._program_id = self.program.ids[chain]
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
            for alike in self._pools_of(pair):
                self._watch_for(alike, partial(self._hinted, pair))
        before = self.known(*pair)
        with translated_rpc_errors():
            self._known.renew(pair)
        if self.known(*pair) == before:
            return False
        self._snapshots.forget(pair)
        return True

    def _hinted(self, pair: Pair, pool: str) -> None:
        """Such a pool has changed: it may be one that was made a moment ago."""
        if pool not in self.known(*pair):
            self.find_new_pools(*pair)

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
                    self.program.units.a_step,
                    (vaults[mint_in], vaults[mint_out]),
                    self._size(pool, mint_in)
                    - SAVED * len(tabled.intersection((Pubkey.from_string(address), *vaults.values()))),
                    self.size_shared,
                    pool,
                )
            )
        return Liquidity(tuple(pools), tuple(refusals), frozenset(snapshot.vaults))

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

    @abstractmethod
    def _decode(self, data: bytes) -> S:
        """Raises LayoutError if the bytes are not a pool of this program."""

    @abstractmethod
    def _sides(self, state: S) -> tuple[TokenSide, TokenSide]: ...

    @abstractmethod
    def _keys(self, known: KnownPool[S]) -> list[Pubkey]:
        """The accounts that the state of a pool is read from."""

    @abstractmethod
    def _pool(self, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]) -> P:
        """The pool as these accounts say. Raises as ``_guarded`` expects it."""

    @abstractmethod
    def _side(self, pool: P, mint_in: str, now: PoolMoment) -> Side:
        """The pool met with `mint_in`. Raises OrderdError POOL_CLOSED if it does not swap now."""

    def _taxed(self, side: Side, fees: Mapping[str, TransferFee], mint_in: str, mint_out: str) -> Side:
        if mint_in not in fees and mint_out not in fees:
            return side
        fee_in, fee_out = fees.get(mint_in, NO_FEE), fees.get(mint_out, NO_FEE)
        return TaxedSide(side, fee_in, fee_out, self.buys_taxed_exactly)

    def _size(self, pool: P, mint_in: str) -> int:  # noqa: ARG002  (pools of arrays need both)
        """What a swap in this pool adds to a transaction, at least."""
        return self.size

    @abstractmethod
    def _swap(self, pool: P, trade: Trade) -> Instruction: ...

    def _pool_of(self, quote: VenueQuote) -> P:
        """The state behind a quote; read again where another process gave it."""
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
        """Slot and state of all these pools, in order."""
        accounts = yield [key for pool in known for key in self._keys(pool)]
        return accounts.slot, [self._state(pool, accounts.value) for pool in known]

    def _state(self, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]) -> P | OrderdError:
        """The pool; the one from before, where nothing of it has changed."""
        address = str(known.address)
        read = partial(self._unchanged.get, address, accounts, partial(self._pool, known))
        return self._guarded(known.address, read)

    def _guarded(self, address: Pubkey, read: Callable[[], T]) -> T | OrderdError:
        """What `read` makes of a pool's accounts, or why the pool is left out."""
        try:
            with self._guests.answering(str(address)):
                return read()
        except OrderdError as refusal:
            return refusal

    def _discover(self, pair: Pair) -> list[Pubkey]:
        """The deepest pools that the chain has for two mints. Raises RpcError.

        Of each pool the node sends the addresses of its vaults alone: a pair may have hundreds of them.
        """
        vaults: dict[Pubkey, tuple[Pubkey, Pubkey]] = {}
        alikes = list(self._pools_of(pair))
        for alike, accounts in zip(alikes, self._program_accounts(alikes), strict=True):
            is_reversed = alike.filters[0] != alikes[0].filters[0]
            for address, data in accounts:
                one, other = (Pubkey.from_bytes(data[at : at + _KEY_BYTES]) for at in (0, _KEY_BYTES))
                vaults[address] = (other, one) if is_reversed else (one, other)
        if len(vaults) <= MAX_POOLS_A_PAIR:
            return list(vaults)
        keys = [vault for both in vaults.values() for vault in both]
        amounts = [token_amount(account) for account in self._rpc.get_multiple_accounts(keys, head=AMOUNT_ENDS).value]
        held = dict(zip(map(str, vaults), zip(amounts[::2], amounts[1::2], strict=True), strict=True))
        return [Pubkey.from_string(address) for address in by_depth(held)[:MAX_POOLS_A_PAIR]]

    def _pools_of(self, pair: Pair) -> Iterator[AccountsLike]:
        """What the accounts of the pair's pools are like."""
        low, high = sorted(_keys_of(pair), key=bytes)
        for mints in ((low, high),) if self.has_sorted_mints else ((low, high), (high, low)):
            filters = tuple(map(Memcmp, self.mint_offsets, mints))
            yield AccountsLike(self._program_id, self.record.size(), filters)

    def _program_accounts(self, alikes: Sequence[AccountsLike]) -> list[list[tuple[Pubkey, bytes]]]:
        """For each of them the pools' addresses, and the addresses of their vaults as bytes."""
        try:
            found = self._rpc.get_program_accounts(alikes, offset=self.vaults_offset, length=2 * _KEY_BYTES)
        except (RpcResponseError, RpcRefusedError) as error:
            if isinstance(error, RpcResponseError) and error.code == _INTERNAL_ERROR:
                raise  # it would list them, and could not now
            setting = f"ORDERD_{self.name.upper()}_POOLS"
            why = f"the node does not list the pools of {self.kind} ({error}); name those to trade in: {setting}"
            raise RpcUnlistedError(why) from error
        return [[(each.key, each.account.data) for each in accounts] for accounts in found]

    def _checked_decode(self, account: ChainAccount) -> S:
        """Raises LayoutError if the account is not a pool of this program."""
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

    def _find(self, pair: Pair) -> KnownPair[S]:
        if self._addresses:
            return self._known_among(self._addresses, pair, warn=True)
        if self._memory is None:
            return self._known_among(self._discover(pair), pair)
        if pair not in self._looked_up:
            recalled = [Pubkey.from_string(pool) for pool in self._memory.recall(self.kind, pair)]
            known = self._known_among(recalled, pair) if recalled else None
            self._looked_up.add(pair)
            if known is not None and known.pools:
                return replace(known, recalled=True)
        known = self._known_among(self._discover(pair), pair)
        self._memory.keep(self.kind, pair, [str(pool.address) for pool in known.pools])
        return known

    def _known_among(self, addresses: Sequence[Pubkey], pair: Pair, *, warn: bool = False) -> KnownPair[S]:
        """The pools of a pair at these addresses, the first ones of many. Raises RpcError.

        Of configured addresses other venues know what to do with the rest; `warn` where there is none.
        """
        if not addresses:
            return KnownPair([], {}, None, None)
        mints = _keys_of(pair)
        *accounts, one, other = self._rpc.get_multiple_accounts([*addresses, *mints]).value
        missing = {str(key) for key, account in zip(addresses, accounts, strict=True) if warn and account is None}
        for absent in sorted(missing - self._passed_over):  # it may be one that is to come, and is asked for often
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
        del pools[MAX_POOLS_A_PAIR:]
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
    """The venue of a kind: `VENUE` in `venue` of its folder."""
    found: type[PoolVenue[Any, Any]] = part(kind, "venue").VENUE
    return found


def _found_for(known: KnownPair[Any]) -> float:
    """How long what was found is good for, in seconds."""
    if known.recalled:
        return 0.0
    return DISCOVERY_SECONDS if known.pools else NOTHING_FOUND_SECONDS


def _valid_for(known: KnownPair[Any]) -> float:
    """How long what was found is better than to wait: of a pair that was not asked for lately, there may be one now."""
    return float("inf") if known.pools else 3 * NOTHING_FOUND_SECONDS


def _keys_of(pair: Pair) -> tuple[Pubkey, Pubkey]:
    return Pubkey.from_string(pair[0]), Pubkey.from_string(pair[1])


def _pair(mint_in: str, mint_out: str) -> Pair:
    return (mint_in, mint_out) if mint_in < mint_out else (mint_out, mint_in)
