"""orderctl events --follow: events of all orders as lines, each once, also across restarts of either side."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from orderctl.trading.event_feed import FeedPosition, _one_connection
from orderd.client.connection import Client
from orderd.client.endpoint import Endpoint
from orderd.client.errors import ConfigError
from orderd.domain.events import OrderEvent
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import ListResult
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

LATER = UUID("0199d3a0-9999-7abc-8def-0123456789ab")


def happened(daemon: FakeDaemon, *stories: tuple[OrderEvent, ...]) -> None:
    """Set the daemon's orders and their histories, oldest first."""
    orders = [order_after(story) for story in stories]
    for story in stories:
        daemon.knows(*story)

    def detail(params: dict[str, Any]) -> OrderDetail:
        order, story = next(each for each in zip(orders, stories, strict=True) if str(each[0].id) == params["order"])
        return OrderDetail(order=order, events=story, attempts=(), failures=())

    daemon.answers(Method.ORDER_GET, detail)
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=tuple(orders[::-1]), next_cursor=None))


def printed(daemon: FakeDaemon, position: FeedPosition, *, begins: bool = False) -> Iterator[tuple[UUID, int]]:
    """Lines until nothing is new, and then one for each new event."""
    with closing(Client(Endpoint(daemon.url))) as client:
        for event in _one_connection(client, position, begins=begins):
            if event is None:
                yield ORDER_ID, 0
            else:
                yield event.order_id, event.seq


def test_only_new_events_are_printed(daemon: FakeDaemon) -> None:
    story = history(FILLED)
    happened(daemon, story[:2])
    position = FeedPosition()
    lines = printed(daemon, position, begins=True)
    assert next(lines) == (ORDER_ID, 0), "a past event was printed"
    daemon.publish(story[2])
    assert next(lines) == (ORDER_ID, story[2].seq)
    assert position.last_seq == {ORDER_ID: story[2].seq}
    lines.close()  # type: ignore[attr-defined]


def test_orders_that_ended_before_the_start_are_not_printed_later(daemon: FakeDaemon) -> None:
    active, ended = history(FILLED[:2]), history(FILLED, LATER)
    happened(daemon, active, ended)
    position = FeedPosition()
    lines = printed(daemon, position, begins=True)
    assert next(lines) == (ORDER_ID, 0)
    lines.close()  # type: ignore[attr-defined]
    assert (position.newest, position.last_seq) == (LATER, {ORDER_ID: 2})


def test_missed_events_are_printed_first(daemon: FakeDaemon) -> None:
    old, new = history(FILLED), history(FILLED, LATER)
    happened(daemon, old, new)
    position = FeedPosition(newest=ORDER_ID, last_seq={ORDER_ID: 2})
    lines = printed(daemon, position)
    expected = [(ORDER_ID, event.seq) for event in old[2:]] + [(LATER, event.seq) for event in new]
    assert [next(lines) for _ in expected] == expected
    assert next(lines) == (ORDER_ID, 0)
    assert (position.newest, position.last_seq) == (LATER, {}), "ended orders are not kept in the position"
    lines.close()  # type: ignore[attr-defined]


def test_a_repeated_event_of_an_ended_order_is_not_printed(daemon: FakeDaemon) -> None:
    story = history(FILLED)
    happened(daemon, story)
    position = FeedPosition(newest=ORDER_ID, last_seq={ORDER_ID: story[-2].seq})
    lines = printed(daemon, position)
    assert [next(lines), next(lines)] == [(ORDER_ID, story[-1].seq), (ORDER_ID, 0)]
    daemon.publish(story[-1], stored=False)
    other = history(FILLED, LATER)
    daemon.publish(other[0])
    assert next(lines) == (LATER, 1)
    lines.close()  # type: ignore[attr-defined]


def test_the_position_file_is_used_to_resume(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    assert FeedPosition.read(file) == FeedPosition()
    position = FeedPosition()
    position.note(ORDER_ID, 3, has_ended=False)
    position.note(LATER, 5, has_ended=True)
    position.write(file)
    assert FeedPosition.read(file) == FeedPosition(LATER, {ORDER_ID: 3})
    FeedPosition().write(file)
    assert FeedPosition.read(file) == FeedPosition()
    FeedPosition().write(None)
    file.write_text(json.dumps({"orders": []}))
    with pytest.raises(ConfigError, match="cannot be read"):
        FeedPosition.read(file)


def test_a_position_file_without_orders_is_used_to_resume(
    daemon: FakeDaemon, orderctl: Orderctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = history(FILLED)
    happened(daemon, story)
    file = tmp_path / "events.json"
    FeedPosition().write(file)
    write = FeedPosition.write

    def stopping_at_the_end(self: FeedPosition, file: Path | None) -> None:
        write(self, file)
        if self.newest is not None and not self.last_seq:
            raise KeyboardInterrupt

    monkeypatch.setattr(FeedPosition, "write", stopping_at_the_end)
    outcome = orderctl("events", "--follow", "--resume", str(file))
    assert [json.loads(line)["seq"] for line in outcome.out.splitlines()] == [event.seq for event in story]


@pytest.mark.parametrize("args", [(), ("0199d3a0", "--follow"), ("0199d3a0", "--resume", "file")])
def test_the_position_file_is_only_for_all_orders(orderctl: Orderctl, args: tuple[str, ...]) -> None:
    assert orderctl("events", *args).code == 2


def test_ctrl_c_ends_the_feed_and_prints_how_to_resume(
    daemon: FakeDaemon, orderctl: Orderctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(daemon, history(FILLED[:2]))
    file = tmp_path / "events.json"

    def interrupted(self: FeedPosition, _: Path | None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FeedPosition, "write", interrupted)
    outcome = orderctl("events", "--follow", "--resume", str(file))
    assert (outcome.code, outcome.out) == (130, "")
    assert f"--resume {file}" in outcome.err
