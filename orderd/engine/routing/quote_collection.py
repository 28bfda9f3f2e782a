"""Reads the pools of all venues at the same time: a slow or dead venue does not delay the others.

Known pools are read in one request for all venues and pairs. A venue that has to look up its pools does so separately.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import structlog

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import VenueRefusal
from orderd.engine.routing.cooling import Cooling
from orderd.metrics.venues import VENUE_ERRORS, VENUE_SECONDS
from orderd.venues.base import Liquidity, OpenPool, Venue
from orderd.venues.reading import Reading

log = structlog.get_logger(__name__)

Pair = tuple[str, str]
"""The mint that is sold and the mint that is bought."""

_Asked = tuple[Pair, Venue]
_LEARN_SECONDS: Final = 2.0
"""How long after a lookup in the background there may be another one, if the venue has not answered."""
_AWAITED_SECONDS: Final = 10.0
"""Maximum wait for a venue whose first look-up of pools runs in the background."""
ReadBatch = Callable[[Sequence[Reading[Liquidity | None]]], Sequence[Liquidity | Exception | None]]
"""Reads many in one request; returns the result of each."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The pools of one pair at all venues, what was refused, and which pools are left out because they cool down.

    ``listed`` are all pools that the chain is known to have for the pair; None if a venue could not say. ``silent`` are
    known pools that did not answer in time: what they would pay is not known. A pool that is closed, unsupported or
    cooling down has answered.
    """

    pools: tuple[OpenPool, ...]
    refusals: tuple[VenueRefusal, ...]
    cooling: tuple[VenueRefusal, ...] = ()
    listed: frozenset[str] | None = None
    silent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Learning:
    """Lookups in the background: when the first and the last of them began, on the monotonic clock, and the last."""

    since: float
    began: float
    lookup: "Future[Liquidity | OrderdError]"

    @property
    def answer(self) -> Liquidity | OrderdError:
        if self.lookup.done():
            return self.lookup.result()
        return OrderdError(ErrorCode.SERVICE_TIMEOUT, "its pools are not known yet")


class QuoteCollector:
    """Queries the venues, each with its own time-out. Thread-safe."""

    def __init__(
        self,
        venues: Sequence[Venue],
        *,
        read: ReadBatch,
        cooling: Cooling,
        timeout_ms: int,
        max_slot_lag: int,
        threads: int,
    ) -> None:
        """``max_slot_lag``: how many slots older than the newest that was ever seen a venue's pools may be.

        ``threads`` is how many may ask at the same time.
        """
        self._venues = tuple(venues)
        self._cooling = cooling
        self._timeout = timeout_ms / 1000
        self._max_slot_lag = max_slot_lag
        self._newest = 0
        self._read = read
        self.latest_answers: dict[Pair, Answers] = {}
        """The last answer for each pair, for readers of prices that make no request."""
        # Two pools, so that slow lookups do not delay reads of what is known.
        self._readers = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._lookups = ThreadPoolExecutor(threads * len(self._venues), thread_name_prefix="venue")
        self._learning: dict[tuple[Pair, PoolKind], _Learning] = {}

    # Look-ups

    def knows(self, pair: Pair) -> bool:
        """Whether the pools are known without a lookup. A venue that has been looked up for long, and has never
        listed its pools, does not delay the others."""
        return all(venue.is_known(*pair) or self._is_given_up(pair, venue) for venue in self._venues)

    def learn(self, pairs: Sequence[Pair]) -> None:
        """Start look-ups of unknown pools in the background. Returns immediately."""
        now = time.monotonic()
        for pair, venue in product(pairs, self._venues):
            last = self._learning.get((pair, venue.kind))
            if venue.is_known(*pair):
                self._learning.pop((pair, venue.kind), None)
            elif last is None or (now - last.began >= _LEARN_SECONDS and last.lookup.done()):
                since = now if last is None else last.since
                self._learning[pair, venue.kind] = _Learning(since, now, self._lookups.submit(_look_up, pair, venue))

    def _is_given_up(self, pair: Pair, venue: Venue) -> bool:
        learning = self._learning.get((pair, venue.kind))
        return learning is not None and time.monotonic() - learning.since >= _AWAITED_SECONDS

    def has_changed(self, pair: Pair) -> bool:
        """Whether a hint says that pools of the pair have changed since they were read."""
        return any(venue.has_changed(*pair) for venue in self._venues)

    def find_new_pools(self, pairs: Sequence[Pair], seconds: float) -> bool:
        """Look up the pools of all venues again. Returns whether one has found a new pool.

        A venue that does not answer in time continues in the background.
        """
        lookups = [self._lookups.submit(_find_new_pools, venue, pair) for pair in pairs for venue in self._venues]
        wait(lookups, timeout=seconds)
        return any(each.done() and each.result() for each in lookups)

    def hints(self, pair: Pair) -> int:
        """How many hints there have been that pools of the pair have changed."""
        return sum(venue.hints(*pair) for venue in self._venues)

    # Quotes

    def ask(self, pairs: Sequence[Pair]) -> dict[Pair, Answers]:
        """The pools of each pair at all venues."""
        requested = [(pair, venue) for pair in pairs for venue in self._venues]
        until = time.monotonic() + self._timeout
        stale = {number: each for number, each in enumerate(requested) if not _is_fresh(*each)}
        answers = {**self._refresh(stale, until)}
        pending: dict[int, Future[Liquidity | OrderdError]] = {}
        for number, each in enumerate(requested):
            if number in answers:
                continue
            # A venue that has the pools of this slot in memory answers in microseconds: a thread would take longer.
            if _is_fresh(*each):
                answers[number] = _answer(*each)
            elif not each[1].is_known(*each[0]) and self._is_given_up(*each):
                pair, venue = each
                answers[number] = self._learning[pair, venue.kind].answer
                self.learn([pair])
            else:
                pending[number] = self._lookups.submit(_look_up, *each)
        wait(pending.values(), timeout=until - time.monotonic())
        for number, future in pending.items():
            answers[number] = future.result() if future.done() else self._late(future, requested[number][1])
        found = self._by_pair(pairs, [answers[number] for number in range(len(requested))])
        self.latest_answers |= found
        return found

    def _refresh(self, stale: Mapping[int, _Asked], until: float) -> Mapping[int, Liquidity | OrderdError]:
        """The answers of venues that know their pools and are not being read at this moment."""
        if not stale:
            return {}
        reading = self._readers.submit(self._read_all, stale)
        wait([reading], timeout=until - time.monotonic())
        if reading.done():
            return reading.result()
        return {number: self._late(reading, venue) for number, (_, venue) in stale.items()}

    def _read_all(self, stale: Mapping[int, _Asked]) -> Mapping[int, Liquidity | OrderdError]:
        began = time.perf_counter()
        results = self._read([venue.reading(*pair) for pair, venue in stale.values()])
        seconds = time.perf_counter() - began
        return {
            number: _timed(venue, _venue_error(venue, result) if isinstance(result, Exception) else result, seconds)
            for (number, (_, venue)), result in zip(stale.items(), results, strict=True)
            if result is not None
        }

    def _late(self, future: "Future[Any]", venue: Venue) -> OrderdError:
        future.cancel()
        VENUE_ERRORS.labels(venue.name, venue.kind, ErrorCode.SERVICE_TIMEOUT).inc()
        return OrderdError(ErrorCode.SERVICE_TIMEOUT, f"no answer within {self._timeout * 1000:.0f} ms")

    def _by_pair(self, pairs: Sequence[Pair], answers: Sequence[Liquidity | OrderdError]) -> dict[Pair, Answers]:
        """``answers`` are those of all venues for the first pair, then for the second one, and so on."""
        slots = [pool.slot for answer in answers if isinstance(answer, Liquidity) for pool in answer.pools]
        # Earlier slots count too: if the node itself falls behind, all pools do.
        newest = self._newest = max([self._newest, *slots])
        oldest = newest - self._max_slot_lag
        found: dict[Pair, Answers] = {}
        for first, pair in zip(range(0, len(answers), len(self._venues)), pairs, strict=True):
            pools: list[OpenPool] = []
            refusals: list[VenueRefusal] = []
            cooling: list[VenueRefusal] = []
            listed: frozenset[str] | None = frozenset()
            answered: set[str] = set()
            silent: set[str] = set()
            stale: set[str] = set()
            for venue, answer in zip(self._venues, answers[first : first + len(self._venues)], strict=True):
                own = None if isinstance(answer, OrderdError) else answer.listed
                listed = None if listed is None or own is None else listed | own
                if isinstance(answer, OrderdError):
                    silent |= venue.known(*pair)
                    refusals.append(VenueRefusal(venue.name, answer.code, answer.detail))
                    continue
                answered |= own or set()
                for pool in answer.pools:
                    if pool.slot < oldest:
                        stale.add(pool.address)
                        refusals.append(_stale(venue.name, pool, newest))
                    elif (reason := self._cooling.reason(pool.address)) is not None:
                        cooling.append(_cools(venue.name, pool, reason))
                    else:
                        pools.append(pool)
                refusals += [VenueRefusal(venue.name, each.code, each.detail) for each in answer.refusals]
            # An address in the configuration may be another venue's, which has answered for it.
            unknown = frozenset(silent - answered | stale)
            found[pair] = Answers(tuple(pools), tuple(refusals), tuple(cooling), listed, unknown)
        return found


def _find_new_pools(venue: Venue, pair: Pair) -> bool:
    try:
        return venue.find_new_pools(*pair)
    except OrderdError as error:
        # A request for its pools gets the same error.
        log.debug("no look-out", action="look_out_failed", venue=venue.name, error=str(error))
        return False


def _is_fresh(pair: Pair, venue: Venue) -> bool:
    return venue.is_fresh(*pair)


def _answer(pair: Pair, venue: Venue) -> Liquidity | OrderdError:
    try:
        return venue.liquidity(*pair)
    except Exception as error:  # noqa: BLE001  (returned, or logged)
        return _venue_error(venue, error)


def _look_up(pair: Pair, venue: Venue) -> Liquidity | OrderdError:
    began = time.perf_counter()
    return _timed(venue, _answer(pair, venue), time.perf_counter() - began)


def _timed(venue: Venue, answer: Liquidity | OrderdError, seconds: float) -> Liquidity | OrderdError:
    VENUE_SECONDS.labels(venue.name, venue.kind).observe(seconds)
    if isinstance(answer, OrderdError):
        VENUE_ERRORS.labels(venue.name, venue.kind, answer.code).inc()
    return answer


def _venue_error(venue: Venue, error: Exception) -> OrderdError:
    """The error of a venue, also an unforeseen one, which must not fail the order."""
    if isinstance(error, OrderdError):
        return error
    log.error("venue failed", action="venue_failed", venue=venue.name, kind=venue.kind, exc_info=error)
    return OrderdError(ErrorCode.SERVICE_INTERNAL, "the venue's data could not be read")


def _cools(venue: VenueName, pool: OpenPool, reason: str) -> VenueRefusal:
    return VenueRefusal(venue, ErrorCode.POOL_CLOSED, f"pool {pool.address} is cooling down: {reason}")


def _stale(venue: VenueName, pool: OpenPool, newest: int) -> VenueRefusal:
    return VenueRefusal(
        venue, ErrorCode.ROUTE_STALE, f"pool {pool.address} is of slot {pool.slot}, the newest seen is {newest}"
    )
