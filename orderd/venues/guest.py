"""Isolates errors caused by a pool's data: such a pool is excluded, and the others are not affected.

Anyone may create a pool in any state that its program allows. Known unusable states have a typed refusal; unforeseen
ones are converted to one here, logged once per pool with the traceback, and counted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from orderd.amm.curve import Segment
from orderd.amm.side import Quote, Rates, Side
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.metrics.venues import POOL_FAULTS, POOLS_UNSUPPORTED
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError

T = TypeVar("T")
log = structlog.get_logger(__name__)

SWAP_ERRORS: Final = {
    SwapErrorKind.ZERO_INPUT: ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    SwapErrorKind.ZERO_OUTPUT: ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    SwapErrorKind.INSUFFICIENT_LIQUIDITY: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    SwapErrorKind.AMOUNT_IN_EXCEEDS_U64: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    SwapErrorKind.VAULT_BALANCE_OVERFLOW: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    SwapErrorKind.INVALID_PRICE_LIMIT: ErrorCode.POOL_UNSUPPORTED,
    SwapErrorKind.MATH_OVERFLOW: ErrorCode.POOL_UNSUPPORTED,
    SwapErrorKind.UNSUPPORTED_FEE_MODE: ErrorCode.POOL_UNSUPPORTED,
    SwapErrorKind.OUTPUT_FALLS_SHORT: ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    SwapErrorKind.UNFORESEEN: ErrorCode.POOL_UNSUPPORTED,
}


class PoolRefusedError(OrderdError):
    """A pool cannot make a swap. ``passing``: it may be able to at another time or for another amount."""

    def __init__(self, pool: str, code: ErrorCode, detail: str, *, passing: bool = False) -> None:
        super().__init__(code, detail)
        self.pool = pool
        self.passing = passing


class Guests:
    """Error isolation for the pools of one kind. Thread-safe."""

    def __init__(self, kind: PoolKind) -> None:
        self._kind = kind
        POOL_FAULTS.labels(kind)  # the metric exists from the start, as 0
        self._logged: set[str] = set()
        self._unsupported: set[tuple[str, Unsupported, str | None]] = set()

    @contextmanager
    def answering(self, pool: str) -> Iterator[None]:
        """Wraps code that uses a pool's data. Converts all exceptions to an OrderdError about this pool."""
        try:
            yield
        except OrderdError:
            raise
        except SwapError as error:
            raise PoolRefusedError(pool, SWAP_ERRORS[error.kind], f"pool {pool}: {error}", passing=True) from error
        except (LayoutError, UnsupportedPoolError) as error:
            if isinstance(error, UnsupportedPoolError):
                self._count(pool, error)
            detail = f"pool {pool} cannot be read: {error}"
            raise PoolRefusedError(pool, ErrorCode.POOL_UNSUPPORTED, detail) from error
        except Exception as error:
            refusal = self.unforeseen(pool, error)
            raise PoolRefusedError(pool, SWAP_ERRORS[refusal.kind], f"pool {pool}: {refusal}") from error

    def answer(self, pool: str, read: Callable[[], T]) -> T | OrderdError:
        """The result of ``read``, which uses a pool's data, or the reason why the pool is excluded."""
        try:
            with self.answering(pool):
                return read()
        except OrderdError as refusal:
            return refusal

    def _count(self, pool: str, error: UnsupportedPoolError) -> None:
        """Count an unsupported pool once per reason, however often it is read."""
        fault = pool, error.reason, error.field
        if fault not in self._unsupported:
            self._unsupported.add(fault)
            POOLS_UNSUPPORTED.labels(self._kind, error.reason, error.field or "").inc()

    def unforeseen(self, pool: str, error: Exception) -> SwapError:
        """The refusal for an unforeseen exception, which is counted, and logged the first time per pool."""
        POOL_FAULTS.labels(self._kind).inc()
        if pool not in self._logged:
            self._logged.add(pool)
            log.error("pool left out", action="pool_fault", kind=self._kind, pool=pool, exc_info=error)
        return SwapError(SwapErrorKind.UNFORESEEN)


@dataclass(frozen=True, slots=True)
class GuestSide:
    """A side that raises only SwapError."""

    side: Side
    guests: Guests
    pool: str

    def rates(self) -> Rates:
        try:
            return self.side.rates()
        except SwapError:
            raise
        except Exception as error:
            raise self.guests.unforeseen(self.pool, error) from error

    def quote(self, amount_in: int) -> Quote:
        try:
            return self.side.quote(amount_in)
        except SwapError:
            raise
        except Exception as error:
            raise self.guests.unforeseen(self.pool, error) from error

    def quote_out(self, amount_out: int) -> Quote:
        try:
            return self.side.quote_out(amount_out)
        except SwapError:
            raise
        except Exception as error:
            raise self.guests.unforeseen(self.pool, error) from error

    def segments(self) -> Iterator[Segment]:
        try:
            yield from self.side.segments()
        except SwapError:
            raise
        except Exception as error:
            raise self.guests.unforeseen(self.pool, error) from error
