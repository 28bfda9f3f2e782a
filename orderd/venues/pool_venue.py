"""What all venues of on-chain pools share: which pools trade a pair, their state of this slot, and the best of them."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import structlog
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import PoolKind, QuoteRequest, VenueName, VenueQuote, best_of
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError, Record
from orderd.solana.rpc import Account, RpcClient, RpcError
from orderd.venues.single_flight import SingleFlight

log = structlog.get_logger(__name__)

MAX_POOLS_A_PAIR: Final = 8
DISCOVERY_SECONDS: Final = 300.0

Pair = tuple[str, str]
"""Two mints in ascending order: a pool trades both ways."""

_MOST_TELLING: Final = (
    ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    ErrorCode.POOL_CLOSED,
    ErrorCode.POOL_UNSUPPORTED,
)

S = TypeVar("S", bound=Record)
"""The pool's own account."""
P = TypeVar("P")
"""All that a quote and a swap need of a pool."""


@dataclass(frozen=True, slots=True)
class KnownPool(Generic[S]):
    """A pool as it was found. `unsupported` says why orderd does not trade in it."""

    address: Pubkey
    state: S
    unsupported: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[P]):
    """The pools of a pair at one slot, by address, and what keeps the others out."""

    slot: int
    pools: dict[str, P]
    refusals: tuple[OrderdError, ...]


class PoolVenue(ABC, Generic[S, P]):
    """A venue; a subclass knows one program's accounts, maths and instructions.

    Pools are those of the configuration or, where it names none, those that the chain has for a pair, the deepest
    first. Both are looked up again after `DISCOVERY_SECONDS`; pool state after `max_age_ms`.
    """

    name: VenueName
    kind: PoolKind

    def __init__(
        self,
        rpc: RpcClient,
        *,
        addresses: Collection[str] = (),
        max_age_ms: int = 400,
        clock: Callable[[], float] = time.monotonic,
        unix_time: Callable[[], float] = time.time,
    ) -> None:
        self._rpc = rpc
        self._addresses = [Pubkey.from_string(address) for address in addresses]
        self._unix_time = unix_time
        self._known: SingleFlight[Pair, list[KnownPool[S]]] = SingleFlight(self._find, DISCOVERY_SECONDS, clock=clock)
        self._snapshots: SingleFlight[Pair, Snapshot[P]] = SingleFlight(self._read, max_age_ms / 1000, clock=clock)
        self._latest: dict[str, P] = {}

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        with _rpc_errors_told():
            return [str(pool.address) for pool in self._known.get(_pair(mint_in, mint_out))]

    def is_fresh(self, request: QuoteRequest) -> bool:
        return self._snapshots.is_fresh(_pair(request.mint_in, request.mint_out))

    def quote(self, request: QuoteRequest) -> VenueQuote:
        with _rpc_errors_told():
            snapshot = self._snapshots.get(_pair(request.mint_in, request.mint_out))
        quotes: list[VenueQuote] = []
        refusals = list(snapshot.refusals)
        for address, pool in snapshot.pools.items():
            try:
                quotes.append(self._quote_pool(address, pool, snapshot.slot, request))
            except OrderdError as refusal:
                refusals.append(refusal)
        if quotes:
            return best_of(tuple(quotes))
        if not refusals:
            raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, f"{self.name} has no pool for this pair")
        raise min(refusals, key=lambda refusal: _MOST_TELLING.index(refusal.code))

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        return self._token_programs(self._pool_of(quote), quote.mint_in)

    def swap_instructions(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int
    ) -> list[Instruction]:
        return [self._swap(self._pool_of(quote), quote, owner, source, destination, min_amount_out)]

    @abstractmethod
    def _discover(self, pair: tuple[Pubkey, Pubkey]) -> list[tuple[Pubkey, Account]]:
        """All pools the chain has for two mints. Raises RpcError."""

    @abstractmethod
    def _decode(self, account: Account) -> S:
        """Raises LayoutError where the account is no pool of this program."""

    @abstractmethod
    def _sides(self, state: S) -> tuple[tuple[Pubkey, Pubkey, Pubkey], tuple[Pubkey, Pubkey, Pubkey]]:
        """Mint, token program and vault of either side."""

    @abstractmethod
    def _read_pools(self, known: Sequence[KnownPool[S]]) -> tuple[int, list[P | OrderdError]]:
        """Slot and state of all these pools, in order; a refusal where one cannot be read. Raises RpcError."""

    @abstractmethod
    def _quote_pool(self, address: str, pool: P, slot: int, request: QuoteRequest) -> VenueQuote:
        """Raises OrderdError where this pool cannot serve the request."""

    @abstractmethod
    def _token_programs(self, pool: P, mint_in: str) -> tuple[Pubkey, Pubkey]: ...

    @abstractmethod
    def _swap(
        self, pool: P, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int
    ) -> Instruction: ...

    def _pool_of(self, quote: VenueQuote) -> P:
        """The state behind a quote; read anew where another process gave it."""
        if quote.pool not in self._latest:
            with _rpc_errors_told():
                self._snapshots.get(_pair(quote.mint_in, quote.mint_out))
        if quote.pool not in self._latest:
            raise OrderdError(ErrorCode.ROUTE_NOT_FOUND, f"{self.name} no longer has the pool {quote.pool}")
        return self._latest[quote.pool]

    def _read(self, pair: Pair) -> Snapshot[P]:
        known = self._known.get(pair)
        usable = [pool for pool in known if pool.unsupported is None]
        refusals = [
            OrderdError(ErrorCode.POOL_UNSUPPORTED, f"pool {pool.address}: {pool.unsupported}")
            for pool in known
            if pool.unsupported is not None
        ]
        if not usable:
            return Snapshot(0, {}, tuple(refusals))
        slot, found = self._read_pools(usable)
        pools: dict[str, P] = {}
        for pool, state in zip(usable, found, strict=True):
            if isinstance(state, OrderdError):
                refusals.append(state)
            else:
                pools[str(pool.address)] = state
        self._latest |= pools
        return Snapshot(slot, pools, tuple(refusals))

    def _find(self, pair: Pair) -> list[KnownPool[S]]:
        mints = Pubkey.from_string(pair[0]), Pubkey.from_string(pair[1])
        accounts = self._configured() if self._addresses else self._discover(mints)
        pools: list[KnownPool[S]] = []
        for address, account in accounts:
            try:
                state = self._decode(account)
            except LayoutError as error:
                log.warning("not a pool", action="pool_skipped", venue=self.name, pool=str(address), error=str(error))
                continue
            if {side[0] for side in self._sides(state)} == set(mints):
                pools.append(KnownPool(address, state))
        return self._checked(self._deepest(pools, mints[0]))

    def _configured(self) -> list[tuple[Pubkey, Account]]:
        found = self._rpc.get_multiple_accounts(self._addresses).value
        for address in (key for key, account in zip(self._addresses, found, strict=True) if account is None):
            log.warning("configured pool does not exist", action="pool_skipped", venue=self.name, pool=str(address))
        return [(key, account) for key, account in zip(self._addresses, found, strict=True) if account is not None]

    def _deepest(self, pools: list[KnownPool[S]], mint: Pubkey) -> list[KnownPool[S]]:
        """Where there are many pools, those that hold the most of one of the mints."""
        if len(pools) <= MAX_POOLS_A_PAIR:
            return pools
        vaults = [next(side[2] for side in self._sides(pool.state) if side[0] == mint) for pool in pools]
        accounts = self._rpc.get_multiple_accounts(vaults).value
        depths = [token_amount(account) for account in accounts]
        ranked = sorted(zip(depths, pools, strict=True), key=lambda each: (-each[0], str(each[1].address)))
        return [pool for _, pool in ranked[:MAX_POOLS_A_PAIR]]

    def _checked(self, pools: list[KnownPool[S]]) -> list[KnownPool[S]]:
        """The pools, marked where a Token-2022 extension would change what a swap pays out."""
        extended = {
            mint
            for pool in pools
            for mint, program, _ in self._sides(pool.state)
            if program == token.TOKEN_2022_PROGRAM_ID
        }
        if not extended:
            return pools
        mints = sorted(extended, key=str)
        accounts = self._rpc.get_multiple_accounts(mints).value
        objections = {mint: objection_to(account) for mint, account in zip(mints, accounts, strict=True)}
        return [
            KnownPool(
                pool.address,
                pool.state,
                next((objections[side[0]] for side in self._sides(pool.state) if objections.get(side[0])), None),
            )
            for pool in pools
        ]


@contextmanager
def _rpc_errors_told() -> Iterator[None]:
    """Turns the RPC client's errors into those a trader is told."""
    try:
        yield
    except RpcError as error:
        raise OrderdError(error.error_code, str(error)) from error


def token_amount(account: Account | None) -> int:
    """What a token account holds, in base units; nothing where there is none."""
    if account is None:
        return 0
    try:
        return token.TokenAccount.decode(account.data).amount
    except LayoutError:
        return 0


def objection_to(mint: Account | None) -> str | None:
    """Why orderd does not trade a Token-2022 mint: an extension that it does not know to be harmless."""
    if mint is None:
        return "a mint does not exist"
    try:
        extensions = token.Mint.decode(mint.data).extension_types()
    except LayoutError as error:
        return f"a mint cannot be read: {error}"
    harmful = sorted(extensions - frozenset(token.Extension))
    return f"a mint has Token-2022 extensions {harmful}, which may change what a swap pays" if harmful else None


def _pair(mint_in: str, mint_out: str) -> Pair:
    return (mint_in, mint_out) if mint_in < mint_out else (mint_out, mint_in)
