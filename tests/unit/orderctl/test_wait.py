"""orderctl wait: until an order has reached the requested state, and no longer."""

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import AnyFact
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, WITHDRAWN, detail_of, history
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


def has_happened(daemon: FakeDaemon, facts: tuple[AnyFact, ...]) -> None:
    daemon.knows(*history(facts))
    daemon.answers(Method.ORDER_GET, detail_of(facts))


@pytest.mark.parametrize(
    ("facts", "goal", "code"),
    [
        (FILLED, "confirmed", 0),
        (FILLED, "submitted", 0),
        (FILLED, "ended", 0),
        (FILLED[:4], "submitted", 0),
        (WITHDRAWN, "confirmed", 1),
        (WITHDRAWN, "ended", 0),
    ],
)
def test_wait_ends_when_the_state_is_reached_or_unreachable(
    daemon: FakeDaemon, orderctl: Orderctl, facts: tuple[AnyFact, ...], goal: str, code: int
) -> None:
    has_happened(daemon, facts)
    outcome = orderctl("wait", str(ORDER_ID), "--for", goal, "--timeout", "30s")
    assert outcome.code == code
    assert outcome.out == f"{ORDER_ID} {detail_of(facts).order.status}\n"
    assert bool(outcome.err) == bool(code)


def test_wait_exits_with_a_timeout(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    has_happened(daemon, FILLED[:2])
    outcome = orderctl("wait", str(ORDER_ID), "--for", "confirmed", "--timeout", "1s")
    assert outcome.code == 5
    assert "orderctl watch" in outcome.err


def test_an_earlier_state_is_already_reached(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    """Earlier events are sent again; the snapshot has the order's current state."""
    has_happened(daemon, FILLED[:4])
    assert orderctl("wait", str(ORDER_ID), "--for", "submitted", "-o", "id").out == f"{ORDER_ID}\n"


def test_an_unknown_order_and_an_invalid_timeout_are_reported(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.ORDER_GET, OrderdError(ErrorCode.ORDER_NOT_FOUND, "no order"))
    assert orderctl("wait", "nowhere").code == 6
    assert orderctl("wait", "nowhere", "--timeout", "soon").code == 2
