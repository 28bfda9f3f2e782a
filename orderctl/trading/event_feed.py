"""Prints the events of all orders, one JSON document per line, and stores the position in a file.

The file contains the last printed event of each active order, and the id of the newest order. After a restart, missed
events are read order by order: for the orders in the file, and for all newer orders.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from orderctl.config.settings import Settings
from orderctl.display.screen import connection_message
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import narrate, print_json_line
from orderctl.trading.paging import pages
from orderd.client import handshake
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, ConfigError, RefusedError, UnreachableError
from orderd.client.following import Lost
from orderd.domain.events import OrderEvent
from orderd.domain.order import TERMINAL
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import GetParams, ListParams
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, Ready, Snapshot

_MAX_ENDED: Final = 10_000


@dataclass(slots=True)
class FeedPosition:
    """What was printed. ``newest`` is the id of the newest known order; None if there was no order."""

    newest: UUID | None = None
    last_seq: dict[UUID, int] = field(default_factory=dict)
    ended: dict[UUID, int] = field(default_factory=dict)
    """The last events of recently ended orders, because their events can arrive twice."""

    @classmethod
    def read(cls, file: Path | None) -> "FeedPosition":
        """Read the position from a file. Raises ConfigError if the file has another format."""
        if file is None or not file.exists():
            return cls()
        try:
            content = json.loads(file.read_text())
            last_seq = {UUID(order): int(seq) for order, seq in content["orders"].items()}
            return cls(None if content["newest"] is None else UUID(content["newest"]), last_seq)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(
                "The file to resume from cannot be read", f"{file}: {error}", "name another file"
            ) from error

    def write(self, file: Path | None) -> None:
        """Write the position atomically."""
        if file is None:
            return
        orders = {str(order): seq for order, seq in self.last_seq.items()}
        newest = None if self.newest is None else str(self.newest)
        draft = file.with_name(f".{file.name}.draft")
        draft.write_text(json.dumps({"newest": newest, "orders": orders}))
        draft.replace(file)

    def note(self, order_id: UUID, seq: int, *, has_ended: bool) -> None:
        self.newest = order_id if self.newest is None else max(self.newest, order_id)
        self.last_seq[order_id] = seq
        if has_ended:
            self.ended[order_id] = self.last_seq.pop(order_id)
            if len(self.ended) > _MAX_ENDED:
                del self.ended[next(iter(self.ended))]

    def last(self, order_id: UUID) -> int:
        """The seq of the last printed event of an order; 0 if there is none."""
        return self.last_seq.get(order_id) or self.ended.get(order_id, 0)


def follow_all(client: Client, settings: Settings, file: Path | None) -> ExitCode:
    """Print events until Ctrl-C, and reconnect when needed. Raises ClientError if a retry would not help."""
    position, failures, has_listened = FeedPosition.read(file), 0, False
    begins = file is None or not file.exists()
    try:
        while True:
            try:
                for event in _one_connection(client, position, begins=begins):
                    failures, begins, has_listened = 0, False, True
                    if event is not None:
                        print_json_line(event)
                    position.write(file)
            except (UnreachableError, AnswerLostError, RefusedError) as error:
                if not has_listened or not handshake.is_retryable(error):
                    raise
                client.close()
                delay = handshake.backoff(failures)
                failures += 1
                narrate(settings, connection_message(Lost(error.detail, delay)))
                time.sleep(delay)
    except KeyboardInterrupt:
        narrate(
            settings, "stopped" if file is None else f"stopped; continue with: orderctl events --follow --resume {file}"
        )
        return ExitCode.INTERRUPTED


def _one_connection(client: Client, position: FeedPosition, *, begins: bool) -> Iterator[OrderEvent | None]:
    """Yield missed and then new events; None if only the position has changed."""
    active: dict[UUID, int] = {}
    is_live = False
    if begins:
        # Read before subscribing, so that an order that is created and ends in between counts as missed.
        position.newest = _newest(client)
    for news in client.follow_active():
        match news:
            case Snapshot(order=order) if not is_live:
                active[order.id] = order.seq
            case Ready():
                is_live = True
                if begins:
                    for order_id, seq in active.items():
                        position.note(order_id, seq, has_ended=False)
                else:
                    for order_id in _changed(client, position, active):
                        yield from _missed(client, position, order_id)
                yield None
            case Event(event=event) if not is_live:
                active[event.order_id] = event.seq
            case Event(event=event) if event.seq > position.last(event.order_id):
                position.note(event.order_id, event.seq, has_ended=event.status in TERMINAL)
                yield event


def _changed(client: Client, position: FeedPosition, active: dict[UUID, int]) -> list[UUID]:
    """The orders with unprinted events, oldest first."""
    moved = {order_id for order_id, seq in position.last_seq.items() if active.get(order_id) != seq}
    new = {order_id for order_id in active if not position.last(order_id)}
    return sorted(moved | new | _newer(client, position))


def _newer(client: Client, position: FeedPosition) -> set[UUID]:
    """All orders that are newer than the newest known one. Pages are sorted newest first."""
    found = set[UUID]()
    for page in pages(client, ListParams()):
        found |= {order.id for order in page.orders if position.newest is None or order.id > position.newest}
        if not page.orders or (position.newest is not None and page.orders[-1].id <= position.newest):
            break
    return found


def _newest(client: Client) -> UUID | None:
    page = next(pages(client, ListParams(), 1))
    return page.orders[0].id if page.orders else None


def _missed(client: Client, position: FeedPosition, order_id: UUID) -> Iterator[OrderEvent]:
    """Yield the order's unprinted events that the daemon still has."""
    with suppress(RefusedError):
        detail = client.call(Method.ORDER_GET, GetParams(order=str(order_id)), OrderDetail)
        for event in detail.events:
            if event.seq > position.last(order_id):
                position.note(order_id, event.seq, has_ended=False)
                yield event
        position.note(order_id, detail.order.seq, has_ended=detail.order.status in TERMINAL)
