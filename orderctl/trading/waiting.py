"""Waits until orders have reached a state."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from uuid import UUID

from orderctl.output.exit_codes import ExitCode
from orderd.client.connection import Client
from orderd.domain.order import FILLED, SIGNED, TERMINAL, OrderStatus
from orderd.wire.subscriptions import Event, Snapshot

Goal = Literal["submitted", "confirmed", "ended"]
_REACHED: Final[Mapping[Goal, frozenset[OrderStatus]]] = {
    "submitted": SIGNED | FILLED,
    "confirmed": FILLED,
    "ended": TERMINAL,
}


def wait(client: Client, orders: Sequence[UUID], goal: Goal, seconds: float | None) -> ExitCode:
    """Wait for orders. Returns 0 if all have reached the goal, and 1 if one has ended without it. Raises what
    Client.follow_all raises."""
    states: dict[UUID, tuple[int, OrderStatus]] = {}
    for update in client.follow_all(map(str, orders), seconds):
        match update:
            case Snapshot(order=order):
                states[order.id] = order.seq, order.status
            case Event(event=event) if event.seq > states[event.order_id][0]:
                states[event.order_id] = event.seq, event.status
        if states.keys() == set(orders) and all(_is_decided(status, goal) for _, status in states.values()):
            break
    return ExitCode.OK if all(each in _REACHED[goal] for _, each in states.values()) else ExitCode.ORDER_FAILED


def _is_decided(status: OrderStatus, goal: Goal) -> bool:
    return status in _REACHED[goal] or status in TERMINAL
