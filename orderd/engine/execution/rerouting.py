"""Excludes refused pools and routes within one attempt, so that it tries other routes until its time is up."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from orderd.domain.errors import OrderdError
from orderd.domain.quote import Route
from orderd.engine.execution.blame import RouteRefusedError
from orderd.engine.routing.search import Fits

log = structlog.get_logger(__name__)


class Rerouting:
    """State of one attempt, for one thread. ``fits`` says which routes are left."""

    def __init__(self, fits: Fits, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """After ``seconds`` no further route is searched for: the attempt ends with the last refusal."""
        self._fits = fits
        self._clock = clock
        self._until = clock() + seconds
        self._moved: set[str] = set()
        self._pools: set[str] = set()
        self._routes: set[frozenset[str]] = set()
        self._last: OrderdError | None = None

    def fits(self, route: Route) -> bool:
        pools = frozenset(leg.pool for leg in route.legs)
        return pools.isdisjoint(self._pools) and pools not in self._routes and self._fits(route)

    def refused(self, refusal: RouteRefusedError) -> None:
        """Exclude the refused pool or route. Raises its error if the time is over."""
        self._last = refusal.error
        if refusal.pool is None:
            self._routes.add(frozenset(leg.pool for leg in refusal.route.legs))
        elif refusal.moved and refusal.pool not in self._moved:
            self._moved.add(refusal.pool)  # in its new state it may still be the best one
        else:
            self._pools.add(refusal.pool)
        if self._clock() >= self._until:
            raise refusal.error
        log.info("route refused", action="rerouted", pool=refusal.pool, error=refusal.error.detail)

    @contextmanager
    def routing(self) -> Iterator[None]:
        """Run a search for a route. If none is left, the error is the last refusal, not that of the search."""
        try:
            yield
        except OrderdError as error:
            if self._last is None or error.retryable:
                raise
            raise self._last from error
