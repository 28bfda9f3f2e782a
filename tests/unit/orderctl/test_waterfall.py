"""orderctl show --timing: how the time of an order was spent."""

from datetime import timedelta

from orderctl.display.waterfall import waterfall
from orderd.wire.order_detail import OrderDetail
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, START, detail_of
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


def at(*seconds: float) -> OrderDetail:
    """An order whose events happened at these times."""
    detail = detail_of(FILLED)
    events = [
        event.model_copy(update={"at": START + timedelta(seconds=second)})
        for event, second in zip(detail.events, seconds, strict=False)
    ]
    return detail.model_copy(update={"events": tuple(events)})


def test_each_step_is_a_bar_after_the_previous_one() -> None:
    lines = [line.plain for line in waterfall(at(0, 1, 3, 4))]
    bars = [(line.index("█") - lines[0].index("█"), line.count("█")) for line in lines[:-1]]
    assert bars == [(0, 10), (10, 20), (30, 10)]
    assert [line.split("%")[0].split()[-1] for line in lines[:-1]] == ["25", "50", "25"]
    assert lines[-1].startswith("in total")


def test_a_step_of_zero_duration_is_visible() -> None:
    assert [line.plain.count("█") for line in waterfall(at(0, 0, 4, 4))] == [1, 40, 1, 0]


def test_a_single_event_has_no_waterfall() -> None:
    assert list(waterfall(at(0))) == []
    assert list(waterfall(at(0, 0))) == []


def test_only_the_table_format_has_a_waterfall(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.ORDER_GET, at(0, 1, 3, 4, 5))
    assert orderctl("show", str(ORDER_ID), "--timing").out.count("until ") == 4
    assert orderctl("show", str(ORDER_ID), "--timing", "-o", "json").code == 2
