"""What orderctl shows and does with several accounts."""

import io
import json
from typing import Any

import pytest

from orderctl.tui.book import Book
from orderctl.tui.filter import matches
from orderd.domain.events import OrderEvent
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import CancelResult, ListResult, OrderView
from orderd.wire.rpc import Method
from tests.samples.orders import ACCEPTED, FILLED, WITHDRAWN, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


def order_of(account: str | None, facts: Any = FILLED) -> OrderView:
    return order_after(history(facts), account=account)


@pytest.fixture
def listed(daemon: FakeDaemon) -> tuple[OrderView, ...]:
    orders = tuple(order_of(account, FILLED[:1]) for account in ("desk", "default", "desk"))
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))
    return orders


@pytest.mark.usefixtures("listed")
class TestLists:
    def test_a_column_shows_the_account_of_an_order(self, orderctl: Orderctl) -> None:
        lines = [line.split() for line in orderctl("list", "--columns", "account,sell").out.splitlines()]
        assert lines == [["ACCOUNT", "SELL"], *([whose, "1.5", "SOL"] for whose in ("desk", "default", "desk"))]
        shown = orderctl("list", "--all", "--sort", "account", "--columns", "account").out.split()
        assert shown == ["ACCOUNT", "default", "desk", "desk"]

    def test_json_has_the_account_of_an_order(self, orderctl: Orderctl) -> None:
        orders = json.loads(orderctl("list", "-o", "json").out)["orders"]
        assert [order["account"] for order in orders] == ["desk", "default", "desk"]

    @pytest.mark.parametrize("verb", [("list",), ("cancel", "--all", "--yes")])
    def test_the_account_filter_is_sent(self, daemon: FakeDaemon, orderctl: Orderctl, verb: tuple[str, ...]) -> None:
        daemon.answers(Method.ORDER_CANCEL, CancelResult(order=order_of("desk", WITHDRAWN)))
        orderctl(*verb, "--account", "desk")
        assert daemon.calls[0][1]["account"] == "desk"

    @pytest.mark.parametrize("verb", ["cancel", "watch"])
    def test_an_account_can_only_be_combined_with_all_orders(
        self, daemon: FakeDaemon, orderctl: Orderctl, verb: str
    ) -> None:
        outcome = orderctl(verb, "0199d3a0", "--account", "desk")
        assert (outcome.code, daemon.calls) == (2, [])
        assert "--account needs --all" in outcome.err


def test_the_accounts_of_orders_are_shown_before_a_cancel(
    daemon: FakeDaemon, listed: tuple[OrderView, ...], orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderctl.output.prompt.can_ask", lambda: True)
    for orders, asked in (
        (listed, "cancel all 3 active orders of default, desk? Type"),
        (listed[:1], "cancel all 1 active orders of desk? Type"),
        (listed[1:2], "cancel all 1 active orders? Type"),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO("no\n"))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))
        outcome = orderctl("cancel", "--all")
        assert (outcome.code, asked in outcome.err) == (130, True), outcome.err


@pytest.mark.parametrize(("account", "shown"), [("desk", True), ("default", False), (None, False)])
def test_the_account_of_an_order_is_shown_unless_it_is_the_default(
    daemon: FakeDaemon, orderctl: Orderctl, account: str | None, shown: bool
) -> None:
    detail = OrderDetail(order=order_of(account), events=history(FILLED), attempts=(), failures=())
    daemon.answers(Method.ORDER_GET, detail)
    lines = orderctl("show", "0199d3a0").out.splitlines()
    assert ("account    desk" in lines) == shown
    assert any(line.startswith("account") for line in lines) == shown


def test_the_tui_shows_and_filters_by_the_account_of_an_order() -> None:
    book = Book()
    first: OrderEvent = history((ACCEPTED.model_copy(update={"account": "desk"}),))[0]
    book.apply(first)
    (order,) = book.active.values()
    assert order.account == "desk"
    assert matches(order, ("desk",))


def test_a_daemon_without_accounts_is_supported(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    older = order_of("desk").model_dump(mode="json", exclude={"account"})
    assert OrderView.model_validate(older).account is None
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(OrderView.model_validate(older),), next_cursor=None))
    assert orderctl("list", "--columns", "account").out.split() == ["ACCOUNT", "-"]
