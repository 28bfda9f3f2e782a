"""Follows orders until they end, with output for a terminal, as text lines, or as JSON."""

import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from uuid import UUID

from orderctl.config.settings import Settings
from orderctl.display.formats import counted
from orderctl.display.lines import JsonLines, LinesOfMany, PlainLines
from orderctl.display.screen import Screen, resting_message
from orderctl.display.timeline import OrderTimeline
from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import exit_code_of_status
from orderctl.output.streams import Format, is_live, narrate
from orderctl.trading.lookup import suggesting
from orderd.client.connection import Client
from orderd.client.errors import FollowTimeoutError
from orderd.client.following import Lost, Resumed, Update
from orderd.client.freshness import Fresh, Stale
from orderd.domain.order import RESTING, OrderStatus
from orderd.wire.orders import OrderView
from orderd.wire.subscriptions import Event, ResyncRequired, Snapshot


def watch(
    client: Client,
    settings: Settings,
    orders: Sequence[str],
    output: Format,
    seconds: float | None = None,
    notify: Callable[[OrderTimeline], None] = lambda _: None,
) -> ExitCode:
    """Follow orders until they end. Returns 0 if all were confirmed, 1 if one failed or was cancelled, and 130 after
    Ctrl-C.

    ``notify`` is called after each event. Raises what Client.follow_all raises.
    """
    timelines: dict[UUID, OrderTimeline] = {}
    resynced: set[UUID] = set()
    shown = "" if len(orders) > 1 and not is_live(sys.stdout) else None  # on a terminal the screen shows it
    try:
        with _screen(settings, output, timelines, many=len(orders) > 1) as screen:
            for update in _updates(client, orders, seconds):
                match update:
                    case Lost() | Resumed() | Stale() | Fresh():
                        screen.connection(update)
                    case ResyncRequired(order_id=order_id):
                        timelines.pop(order_id, None)
                        resynced.add(order_id)
                        screen.connection(update)
                    case Snapshot(order=order) if order.id in timelines:
                        timelines[order.id].order = order
                    case Snapshot(order=order):
                        timelines[order.id] = OrderTimeline(
                            order, deleted_up_to=order.seq if order.id in resynced else 0
                        )
                        screen.begin(timelines[order.id])
                    case Event(event=event):
                        timelines[event.order_id].apply(event)
                        screen.advance(timelines[event.order_id])
                        notify(timelines[event.order_id])
                if shown is not None and len(timelines) == len(orders):
                    shown = _narrate_once(settings, shown, resting_message(timelines.values()))
    except FollowTimeoutError as error:
        if unknown := [str(each.order.id) for each in timelines.values() if each.unknown_since is not None]:
            error.detail += f"; the outcome is unknown of {', '.join(unknown)}"
            error.next_step = f"check the chain: orderctl resolve {unknown[0]}"
        raise
    except KeyboardInterrupt:
        narrate(settings, f"detached; {_what_goes_on(orders, timelines.values())}")
        return ExitCode.INTERRUPTED
    if len(orders) > 1:
        narrate(settings, _summary(timelines.values()))
    outcomes = {exit_code_of_status(timeline.status) for timeline in timelines.values()}
    return max(outcomes, default=ExitCode.OK)


def _narrate_once(settings: Settings, shown: str, message: str) -> str:
    """Print a message unless it was printed before."""
    if message and message != shown:
        narrate(settings, message)
    return message


def _what_goes_on(orders: Sequence[str], timelines: Collection[OrderTimeline]) -> str:
    resting = sum(timeline.status in RESTING for timeline in timelines)
    if len(orders) > 1:
        of_them = f" ({resting} of them resting)" if resting else ""
        return f"the orders continue{of_them}. Follow them with: orderctl watch --all"
    one = next(iter(timelines)).order.id if timelines else orders[0]
    if resting:
        return f"the order keeps resting. Follow it with: orderctl watch {one}; cancel it with: orderctl cancel {one}"
    return f"the order continues. Follow it with: orderctl watch {one}"


def _summary(timelines: Collection[OrderTimeline]) -> str:
    """The number of orders per final status, and the amounts received, such as ``3 orders: 2 confirmed, 1 failed;
    received 250.4 USDC``."""
    ends = Counter(timeline.status for timeline in timelines)
    received: dict[str, Decimal] = {}
    for timeline in timelines:
        if (amount := timeline.received) is not None:
            token = timeline.order.token_out
            received[token] = received.get(token, Decimal(0)) + Decimal(amount)
    counts = ", ".join(f"{ends[status]} {status}" for status in OrderStatus if ends[status])
    amounts = ", ".join(f"{amount:f} {token}" for token, amount in received.items())
    return f"{counted(len(timelines), 'order')}: {counts}{f'; received {amounts}' if amounts else ''}"


def _updates(client: Client, orders: Sequence[str], seconds: float | None) -> Iterator[Update]:
    with suggesting(client):
        yield from client.follow_all(orders, seconds)


@contextmanager
def _screen(
    settings: Settings, output: Format, timelines: Mapping[UUID, OrderTimeline], *, many: bool
) -> Iterator[Screen]:
    """The display for the output format. A live display also polls data that events do not contain."""
    if output in ("json", "jsonl") or not is_live(sys.stdout):
        lines = JsonLines if output in ("json", "jsonl") else LinesOfMany if many else PlainLines
        yield lines(settings)
        return
    # Imported here because only terminals need Rich.
    from orderctl.display.live_data import LiveData
    from orderctl.display.progress import LiveProgress
    from orderctl.display.progress_of_many import LiveProgressOfMany
    from orderctl.trading.polling import polling

    found = LiveData()
    live = (LiveProgressOfMany if many else LiveProgress)(settings, found)

    def orders() -> list[OrderView]:
        return [found.order_of(timeline) for timeline in list(timelines.values())]

    with live, polling(settings, orders, found):
        yield live
