"""The kill switch for operators: a halt needs no confirmation, a lift does."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.halt import HaltCause
from orderd.wire.halts import HaltResult, HaltView, LiftResult
from orderd.wire.orders import CancelResult, ListResult
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import ON_SIMNET, FakeDaemon

HALT = HaltView(cause=HaltCause.OPERATOR, actor="ops", reason="a test", at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC))
TOLD = "halted by ops at 2026-11-21 09:30:00 UTC: a test"


@pytest.fixture(autouse=True)
def halts(daemon: FakeDaemon) -> None:
    daemon.answers(Method.HALT, HaltResult(halts=(HALT,)))
    daemon.answers(Method.LIFT, LiftResult(lifted=(HALT,)))
    daemon.answers(Method.STATUS, ON_SIMNET.model_copy(update={"halts": (HALT,)}))


def called(daemon: FakeDaemon, method: Method) -> list[dict[str, object]]:
    return [params for name, params in daemon.calls if name == method]


def test_a_halt_needs_no_confirmation_and_shows_actor_and_reason(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    outcome = orderctl("halt", "--reason", "a test")
    assert (outcome.code, outcome.out) == (0, f"{TOLD}\n")
    assert called(daemon, Method.HALT) == [{"reason": "a test"}]
    assert json.loads(orderctl("halt", "-o", "json").out)["halts"][0]["reason"] == "a test"


def test_active_orders_are_cancelled_after_the_halt(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    order = order_after(history(FILLED[:1]))
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order, order), next_cursor=None))
    answers: Iterator[CancelResult | OrderdError] = iter(
        [CancelResult(order=order), OrderdError(ErrorCode.ORDER_NOT_CANCELLABLE, "it has ended")]
    )
    daemon.answers(Method.ORDER_CANCEL, lambda _: next(answers))
    outcome = orderctl("halt", "--cancel-open")
    methods = [name for name, _ in daemon.calls]
    assert methods.index(Method.HALT) < methods.index(Method.ORDERS_LIST)
    assert called(daemon, Method.ORDER_CANCEL) == [{"order": str(order.id)}] * 2
    assert outcome.code == 1
    assert "1 order cancelled" in outcome.err


def test_failed_cancels_are_reported_and_the_first_decides_the_exit_code(
    daemon: FakeDaemon, orderctl: Orderctl
) -> None:
    order = order_after(history(FILLED[:1]))
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order, order, order), next_cursor=None))
    answers: Iterator[CancelResult | OrderdError] = iter(
        [
            OrderdError(ErrorCode.ORDER_NOT_CANCELLABLE, "the first has ended"),
            OrderdError(ErrorCode.SERVICE_OVERLOADED, "the second is not looked at"),
            CancelResult(order=order),
        ]
    )
    daemon.answers(Method.ORDER_CANCEL, lambda _: next(answers))
    outcome = orderctl("halt", "--cancel-open")
    assert outcome.code == 1
    assert "the first has ended" in outcome.err
    assert "the second is not looked at" in outcome.err
    assert "1 order cancelled" in outcome.err


def test_a_lift_shows_the_reason_of_the_halt_and_needs_a_typed_word(
    daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderctl.output.prompt.can_ask", lambda: True)
    types: Callable[[str], None] = lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))  # noqa: E731
    types("yes")
    outcome = orderctl("halt", "--lift")
    assert (outcome.code, called(daemon, Method.LIFT)) == (130, [])
    assert TOLD in outcome.err
    types("lift")
    assert orderctl("halt", "--lift").out == "trading is resumed\n"
    assert called(daemon, Method.LIFT) == [{}]


def test_a_lift_without_a_terminal_needs_yes(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    assert orderctl("halt", "--lift").code == 2
    assert called(daemon, Method.LIFT) == []
    assert orderctl("halt", "--lift", "--yes").code == 0
    daemon.answers(Method.LIFT, LiftResult(lifted=()))
    assert orderctl("halt", "--lift", "--yes").out == "trading was not halted\n"


def test_a_halt_and_a_lift_at_once_are_refused(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    assert orderctl("halt", "--lift", "--cancel-open").code == 2
    assert daemon.calls == []


def test_the_status_shows_a_halt_first(orderctl: Orderctl) -> None:
    outcome = orderctl("status")
    assert TOLD in outcome.out
    assert outcome.code == 3
