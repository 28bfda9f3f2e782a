"""orderctl cancel, and ids that are misspelt."""

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
    def test_one_that_cannot_be_cancelled_does_not_keep_the_others_from_it(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        withdrawn = CancelResult(order=order_after(history(WITHDRAWN)))
        late = OrderdError(ErrorCode.ORDER_NOT_CANCELLABLE, "it is signed")
        daemon.answers(Method.ORDER_CANCEL, lambda params: late if params["order"] == "late" else withdrawn)

        outcome = orderctl("cancel", "late", "0199d3a0")

        assert outcome.code == 1
        assert outcome.out == f"{ORDER_ID}  cancelled\n"
        assert "error[ORDER_NOT_CANCELLABLE]" in outcome.err
        assert "orderctl watch late\n" in outcome.err

    def test_every_refusal_is_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(
            Method.ORDER_CANCEL, lambda params: OrderdError(ErrorCode.ORDER_NOT_FOUND, f"no {params['order']}")
        )

        outcome = orderctl("cancel", "first", "second")

        assert outcome.code == 6
        assert "no first" in outcome.err
        assert "no second" in outcome.err

    def test_json_is_the_list_of_what_was_cancelled(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_CANCEL, CancelResult(order=order_after(history(WITHDRAWN))))

        document = json.loads(orderctl("cancel", "0199d3a0", "-o", "json").out)

        assert document["schema"] == "orderctl.orders/1"
        assert [order["status"] for order in document["orders"]] == ["cancelled"]


class TestMisspeltIds:
    """The newest orders are ``golden`` and one without a name of its own."""

    @pytest.fixture(autouse=True)
    def _two_orders(self, daemon: FakeDaemon) -> None:
        def not_found(params: dict[str, object]) -> OrderdError:
            return OrderdError(ErrorCode.ORDER_NOT_FOUND, f"no order {params['order']}")

        daemon.answers(Method.ORDER_GET, not_found)
        daemon.answers(Method.ORDER_CANCEL, not_found)
        named = PENDING.model_copy(update={"client_order_id": "golden"})
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(PENDING, named), next_cursor=None))

    @pytest.mark.parametrize("verb", ["show", "events", "watch", "cancel"])
    def test_the_order_that_was_perhaps_meant_is_named(self, orderctl: Orderctl, verb: str) -> None:
        outcome = orderctl(verb, "goldne")

        assert outcome.code == 6
        assert "did you mean golden?" in outcome.err

    def test_a_prefix_is_answered_with_a_prefix(self, orderctl: Orderctl) -> None:
        assert "did you mean 0199d3a0-1234?" in orderctl("show", "0199d3a0-1243").err

    def test_nothing_is_said_where_nothing_is_like_it(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert "did you mean" not in orderctl("show", "silver").err
        daemon.answers(Method.ORDERS_LIST, OrderdError(ErrorCode.AUTH_FORBIDDEN, "no scope read"))
        assert "error[ORDER_NOT_FOUND]" in orderctl("show", "goldne").err
