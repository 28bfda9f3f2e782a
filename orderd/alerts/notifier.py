"""The notifier process: it takes alerts that are due from Postgres, and sends them to the receivers that want them.

Each receiver has its own task, so a receiver that hangs or is unavailable does not delay the others. While a receiver
does not confirm, the notifier tries less and less often. Its alerts wait in Postgres for as many days as alerts are
kept.
"""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import structlog

from db import alerts
from db.alerts import MAX_PAUSE_SECONDS, AlertDelivery
from db.connection import check_schema, connect, database
from orderd.alerts import apprise, webhook
from orderd.alerts.conditions import CHECK_SECONDS, Conditions
from orderd.alerts.message import digest
from orderd.alerts.webhook import UndeliveredError
from orderd.best_effort import best_effort, keep_going
from orderd.config.alerts import AlertSettings, AppriseReceiver, Receiver, least_balances, load_alerts, required_alerts
from orderd.config.reloading import reload
from orderd.config.settings import Settings
from orderd.embedded.notify import ALIVE_SECONDS, service_manager
from orderd.engine.presence import this_process
from orderd.engine.trading import open_rpc
from orderd.whole_file import renew

T = TypeVar("T")
POLL_SECONDS: Final = 0.5
"""How often the notifier checks whether an alert is due."""
_SUBSCRIBE_SECONDS: Final = 3600.0
_MAX_IN_DIGEST: Final = 200
_FIRST_PAUSE_SECONDS: Final = 1.0
_REST_AT_MOST_SECONDS: Final = 60.0
"""Maximum pause before the next alert is tried at a receiver that is unavailable."""
_CHAIN_SECONDS: Final = 5.0
_CONNECTIONS: Final = 8
_STATEMENT_SECONDS: Final = 10.0
log = structlog.get_logger(__name__)


def run_notifier(settings: Settings) -> None:
    """Send alerts until SIGTERM or SIGINT. Raises ConfigurationError if there are no receivers."""
    assert settings.database_url is not None
    wanted = required_alerts(settings)
    connect(
        settings.database_url.get_secret_value(),
        max_connections=_CONNECTIONS + len(wanted.receivers),
        application="orderd notifier",
        statement_seconds=_STATEMENT_SECONDS,
    )
    with best_effort("alerts"):  # if Postgres is unavailable, the loop below tries again
        _subscribe(wanted)
    service_manager().notify("READY=1", f"STATUS=alerts for {', '.join(wanted.receivers)}")
    asyncio.run(_serve(settings, wanted))


async def _serve(settings: Settings, wanted: AlertSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    running = _Running(settings, wanted)
    if service_manager().is_there:
        loop.add_signal_handler(signal.SIGHUP, running.reload)
    life = asyncio.create_task(_live(settings.state_dir / "notifier.alive"))
    await stop.wait()
    life.cancel()
    await running.end()


class _Running:
    """The tasks of a notifier. They are restarted when the file of receivers is read again."""

    def __init__(self, settings: Settings, wanted: AlertSettings) -> None:
        self._settings = settings
        self._rpc = open_rpc(settings, _CHAIN_SECONDS)
        self._tasks = self._begin(wanted)

    def reload(self) -> None:
        """Read the settings and the file again. If one is invalid, nothing changes."""
        self._settings = reload(self._settings, self._apply)

    def _apply(self, settings: Settings) -> None:
        wanted = load_alerts(settings)
        if wanted is not None:
            for task in self._tasks:
                task.cancel()
            self._tasks = self._begin(wanted)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._rpc.close()

    def _begin(self, wanted: AlertSettings) -> list["asyncio.Task[None]"]:
        conditions = Conditions(
            wanted,
            least_balances(wanted, self._settings),
            self._rpc,
            name=this_process().name,
            window_seconds=self._settings.rate_window_seconds,
        )
        events_by_receiver = {name: receiver.events for name, receiver in wanted.receivers.items()}
        works: list[Callable[[], Awaitable[None]]] = [
            lambda: _every(_SUBSCRIBE_SECONDS, lambda: asyncio.to_thread(_subscribe, wanted)),
            lambda: _every(POLL_SECONDS, lambda: _stored(lambda: alerts.distribute(events_by_receiver))),
            lambda: _every(CHECK_SECONDS, lambda: asyncio.to_thread(conditions.run_once)),
            *(Delivery(name, receiver).run for name, receiver in wanted.receivers.items()),
        ]
        return [asyncio.create_task(keep_going("alerts", work)) for work in works]


def _subscribe(wanted: AlertSettings) -> None:
    check_schema()
    with database.connection_context():
        alerts.subscribe(wanted.kinds)


async def _live(file: Path) -> None:
    """Show a service manager, and a container's health check by the age of ``file``, that the event loop turns."""
    while True:
        service_manager().notify("WATCHDOG=1")
        with best_effort("life file"):
            renew(file)
        await asyncio.sleep(ALIVE_SECONDS)


async def _every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    while True:
        await work()
        await asyncio.sleep(seconds)


async def _stored(ask: Callable[[], T]) -> T:
    """Run a query on a thread and return its answer. Raises PeeweeException."""

    def query() -> T:
        with database.connection_context():
            return ask()

    return await asyncio.to_thread(query)


class Delivery:
    """Sends the alerts of one receiver."""

    def __init__(self, name: str, receiver: Receiver) -> None:
        self._name = name
        self._receiver = receiver
        self._failures = 0

    async def run(self) -> None:
        """Send alerts for ever. Raises PeeweeException."""
        while True:
            sent = await self.run_once()
            if self._failures:
                await asyncio.sleep(min(pause_seconds(self._failures), _REST_AT_MOST_SECONDS))
            else:
                await asyncio.sleep(60 / self._receiver.per_minute if sent else POLL_SECONDS)

    async def run_once(self) -> bool:
        """Send one message if one is due. Returns whether one was due, confirmed or not."""
        most = _MAX_IN_DIGEST if isinstance(self._receiver, AppriseReceiver) else 1
        due = await _stored(lambda: alerts.take(self._name, most))
        if not due:
            return False
        ids = [each.alert.id for each in due]
        try:
            await send(self._receiver, due)
        except UndeliveredError as error:
            self._failures += 1
            log.warning(
                "alert not delivered",
                action="alert_undelivered",
                receiver=self._name,
                alerts=ids,
                tries=due[0].tries,
                error=str(error),
            )
            pauses, why = {each.alert.id: pause_seconds(each.tries) for each in due}, str(error)
            await _stored(lambda: alerts.postpone(self._name, pauses, why))
        else:
            self._failures = 0
            log.info("alert delivered", action="alert_delivered", receiver=self._name, alerts=ids, tries=due[0].tries)
            await _stored(lambda: alerts.delivered(self._name, ids))
        return True


async def send(receiver: Receiver, due: Sequence[AlertDelivery]) -> None:
    """Send all of it in one message; a message to a program has one alert. Raises UndeliveredError."""
    found = [each.alert for each in due]
    if isinstance(receiver, AppriseReceiver):
        await apprise.send(receiver, *digest(found))
    else:
        (alert,) = found
        await webhook.send(receiver, alert)


def pause_seconds(tries: int) -> float:
    """The pause after this number of failed tries: doubled each time, plus up to a fifth at random."""
    pause = min(_FIRST_PAUSE_SECONDS * 2.0 ** min(tries - 1, 20), MAX_PAUSE_SECONDS)
    return float(pause) * (1 + random.random() / 5)  # noqa: S311  (spreads load, guards nothing)
