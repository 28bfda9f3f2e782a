"""orderctl cancel, and suggestions for misspelt ids."""

import json

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.orders import CancelResult, ListResult
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, WITHDRAWN, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

PENDING = order_after(history(FILLED[:1]))


class TestCancel:
    def test_a_failed_cancel_does_not_stop_the_others(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        withdrawn = CancelResult(order=order_after(history(WITHDRAWN)))
        late = OrderdError(ErrorCode.ORDER_NOT_CANCELLABLE, "it has already ended: confirmed")
        daemon.answers(Method.ORDER_CANCEL, lambda params: late if params["order"] == "late" else withdrawn)

        outcome = orderctl("cancel", "late", "0199d3a0")

        assert outcome.code == 1
        assert outcome.out == f"{ORDER_ID}  cancelled\n"
        assert "error[ORDER_NOT_CANCELLABLE]" in outcome.err
        assert "orderctl show late\n" in outcome.err

    def test_every_refusal_is_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(
            Method.ORDER_CANCEL, lambda params: OrderdError(ErrorCode.ORDER_NOT_FOUND, f"no {params['order']}")
        )

        outcome = orderctl("cancel", "first", "second")

        assert outcome.code == 6
        assert "no first" in outcome.err
        assert "no second" in outcome.err

    def test_json_lists_the_cancelled_orders(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_CANCEL, CancelResult(order=order_after(history(WITHDRAWN))))

        document = json.loads(orderctl("cancel", "0199d3a0", "-o", "json").out)

        assert document["schema"] == "orderctl.orders/1"
        assert [order["status"] for order in document["orders"]] == ["cancelled"]


class TestMisspeltIds:
    """The newest orders are ``golden`` and one without a client order id."""

    @pytest.fixture(autouse=True)
    def _two_orders(self, daemon: FakeDaemon) -> None:
        def not_found(params: dict[str, object]) -> OrderdError:
            return OrderdError(ErrorCode.ORDER_NOT_FOUND, f"no order {params['order']}")

        daemon.answers(Method.ORDER_GET, not_found)
        daemon.answers(Method.ORDER_CANCEL, not_found)
        named = PENDING.model_copy(update={"client_order_id": "golden"})
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(PENDING, named), next_cursor=None))

    @pytest.mark.parametrize("verb", ["show", "events", "watch", "cancel"])
    def test_a_similar_order_is_suggested(self, orderctl: Orderctl, verb: str) -> None:
        outcome = orderctl(verb, "goldne")

        assert outcome.code == 6
        assert "did you mean golden?" in outcome.err

    def test_a_prefix_gets_a_prefix_as_suggestion(self, orderctl: Orderctl) -> None:
        assert "did you mean 0199d3a0-1234?" in orderctl("show", "0199d3a0-1243").err

    def test_no_order_is_suggested_without_a_similar_one(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert "did you mean" not in orderctl("show", "silver").err
        daemon.answers(Method.ORDERS_LIST, OrderdError(ErrorCode.AUTH_FORBIDDEN, "no scope read"))
        assert "error[ORDER_NOT_FOUND]" in orderctl("show", "goldne").err
