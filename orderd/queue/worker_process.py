"""A worker process: executes orders from the queue, settles its transactions, and takes over those of dead
processes."""

import json
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from threading import Thread
from typing import Final

import redis
import structlog
from peewee import PeeweeException

from db import leases
from db.connection import database
from orderd.best_effort import best_effort
from orderd.config.settings import Settings
from orderd.embedded.notify import ALIVE_SECONDS, service_manager
from orderd.engine.presence import BEAT_SECONDS, Presence
from orderd.metrics.worker import IN_FLIGHT, PASS_SECONDS
from orderd.queue.clock import HEARTBEATS
from orderd.queue.loops import Loop
from orderd.queue.turns import TURN_SECONDS
from orderd.queue.worker_parts import assemble
from orderd.release import this_release
from orderd.solana.endpoint_figures import tallies
from orderd.solana.rpc import RpcError
from orderd.whole_file import renew

_HEARTBEAT_SECONDS: Final = 1.0
_HEARTBEAT_TTL_SECONDS: Final = 5
_UNWATCHED_SECONDS: Final = 10.0
"""Maximum duration of a pass over resting orders before other processes take over this process's pairs."""
_STUCK_TURN_SECONDS: Final = 2 * TURN_SECONDS
"""A turn that cannot be aborted hangs where no exception reaches it: the process must be restarted."""
log = structlog.get_logger(__name__)


class WorkerProcess:
    """``name`` is the owner in its claims."""

    def __init__(self, settings: Settings, client: "redis.Redis") -> None:
        self._presence = Presence(self._take_over, watches=self._watches)
        self.name = self._presence.name
        self.parts = assemble(settings, client, self._presence)
        self._drains = False
        self._redis = client
        self._life_file = settings.state_dir / "worker.alive"
        self._life = Loop("life", self._show_life, ALIVE_SECONDS)
        self._heartbeat = Loop("heartbeat", self._beat, _HEARTBEAT_SECONDS)
        self._present = Loop("presence", self._presence.run_once, BEAT_SECONDS)
        self._discovery = Thread(target=self.parts.discover, name="discovery", daemon=True)

    @property
    def _loops(self) -> Sequence[Loop]:
        return (self._heartbeat, self._present, *reversed(self.parts.other), *self.parts.feeding)

    # From its start to its end

    def start(self, *, chain_answers: bool) -> None:
        parts = self.parts
        # It logs each message that waits or fails with a traceback; the middleware logs the relevant facts.
        logging.getLogger("dramatiq.worker.WorkerThread").setLevel(logging.CRITICAL)
        parts.clock.begin(parts.longest_wait)
        if chain_answers:
            with suppress(RpcError):  # nothing can be signed while the chain is unavailable; the loop retries
                parts.check_sharing()
        parts.halts.refresh()
        # The heartbeat tells other processes that the claims of dead ones have been released.
        self._presence.run_once()
        try:
            parts.limiter.prepare(wait=True)
            self._beat()  # once it is reported ready, it is seen alive
        except (redis.RedisError, PeeweeException) as error:
            log.warning("Redis not ready", action="redis_not_ready", worker=self.name, error=str(error))
        self._life.start()
        for loop in self._loops:
            loop.start()
        for hints in parts.hints:
            hints.start()
        self._discovery.start()
        parts.broker.emit_after("process_boot")  # Dramatiq's CLI emits it, and TimeLimit waits for it
        parts.worker.start()
        self._update_metrics()

    def _update_metrics(self) -> None:
        """Set the metrics to functions that return current values."""
        IN_FLIGHT.set_function(self.parts.live.__len__)
        for loop in self._loops:
            PASS_SECONDS.labels(loop.name).set_function(partial(getattr, loop, "seconds_silent"))
        PASS_SECONDS.labels("turns").set_function(lambda: self.parts.turns.longest_seconds)

    def reload(self, settings: Settings) -> None:
        """Apply the settings that can change at run time."""
        self.parts.limiter.limit = settings.rate_limit

    def stop(self, drain_seconds: float) -> None:
        """Take no more orders and finish the running turns; other processes settle the sent transactions.

        A turn that takes longer than ``drain_seconds`` is abandoned, and its order becomes due when the lease expires.
        """
        deadline = time.monotonic() + drain_seconds
        self._drains = True

        def left() -> float:
            return max(0.0, deadline - time.monotonic())

        self._present.wake()  # others watch from here on
        for loop in self.parts.feeding:
            loop.stop(left())
        self.parts.worker.stop(timeout=int(left() * 1000))
        for loop in (*self.parts.other, self._present, self._heartbeat):
            loop.stop(left())
        self.parts.publisher.close(drain_seconds)
        try:
            released = self._presence.leave()
            log.info("drained", action="worker_drained", worker=self.name, released=released)
            self._redis.delete(self._heartbeat_key)
        except (PeeweeException, redis.RedisError) as error:
            # Leases and heartbeat end by themselves, a little later.
            log.warning("ended without telling the others", action="worker_drained", worker=self.name, error=str(error))

    # What other processes see of this one

    @property
    def _heartbeat_key(self) -> str:
        return f"{HEARTBEATS}{self.name}"

    def _watches(self) -> bool:
        """Whether this process watches its resting orders: other processes take its pairs while its loop hangs."""
        return not self._drains and self.parts.triggering.seconds_silent < _UNWATCHED_SECONDS

    def _stalled(self) -> list[str]:
        loops = [loop.name for loop in self._loops if loop.hangs]
        return loops + ["turns"] * (self.parts.turns.longest_seconds > _STUCK_TURN_SECONDS)

    def _show_life(self) -> None:
        """Report that this process is alive, without querying a service.

        A service manager is notified; for a container's health check the file ``worker.alive`` is renewed.
        """
        if stalled := self._stalled():
            log.error("a loop hangs", action="loop_stalled", worker=self.name, loops=stalled)
        else:
            service_manager().notify("WATCHDOG=1", f"STATUS={len(self.parts.live)} transactions in flight")
            with best_effort("life file"):
                renew(self._life_file)

    def _beat(self) -> None:
        """Show the others that this process is alive, and restore what Redis has lost."""
        state = {
            "in_flight": len(self.parts.live),
            "stalled": self._stalled(),
            **asdict(this_release()),
            "endpoints": [asdict(tally) for tally in tallies()],
        }
        self._redis.set(self._heartbeat_key, json.dumps(state), ex=_HEARTBEAT_TTL_SECONDS)
        self.parts.limiter.prepare()
        if self.parts.broker.has_lost_messages():
            log.info("Redis started afresh", action="resend", worker=self.name, orders=_requeue_all())

    # What this process sees of the others

    def _take_over(self, names: Sequence[str]) -> None:
        """Take over the work of these dead processes."""
        self.parts.live.adopt_soon()
        self.parts.settling.wake()
        self.parts.dispatching.wake()
        self.parts.triggering.wake()
        try:
            self.parts.broker.mark_dead(names)
        except redis.RedisError as error:  # Redis requeues the messages anyway, a little later
            log.warning("queue unreachable", action="queue_unreachable", worker=self.name, error=str(error))


def _requeue_all() -> int:
    """Make dispatch send all orders again that Postgres has marked as queued. Duplicates are executed once."""
    with database.connection_context():
        return leases.give_all_back()
