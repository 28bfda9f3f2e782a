"""orderctl list: filters, columns, sorting and pages."""

import json
from uuid import UUID

import pytest

from orderctl.display.columns import COLUMNS
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.orders import ListResult, OrderView
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, REFUSED_FOR_FUNDS, SIGNATURE, TAKE_PROFIT, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


class TestList:
    @staticmethod
    def order(number: int, *facts: object) -> OrderView:
        order_id = UUID(int=ORDER_ID.int + (number << 80))
        return order_after(history(facts, order_id))  # type: ignore[arg-type]

    def test_orders_with_short_ids_fit_into_80_columns(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        orders = (self.order(1, *FILLED), self.order(2, *REFUSED_FOR_FUNDS), self.order(3, *FILLED[:1]))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))

        lines = [line.rstrip() for line in orderctl("list").out.splitlines()]

        assert lines == [
            "ID             STATUS        SELL              RESULT           CREATED",
            "0199d3a0-1235  confirmed  1.5 SOL     152.310211 USDC  2025-11-21 09:30",
            "0199d3a0-1236  failed     1.5 SOL  FUNDS_INSUFFICIENT  2025-11-21 09:30",
            "0199d3a0-1237  pending    1.5 SOL              → USDC  2025-11-21 09:30",
        ]

    @pytest.mark.parametrize(
        ("columns", "condition", "has_time"),
        [
            (100, "take-profit 120 USDC per SOL", True),
            (77, "take-profit ≥ 120 USDC/SOL", True),
            (60, "take-profit ≥", False),
        ],
    )
    def test_a_narrow_terminal_shortens_conditions_before_it_omits_the_time(
        self,
        daemon: FakeDaemon,
        orderctl: Orderctl,
        monkeypatch: pytest.MonkeyPatch,
        columns: int,
        condition: str,
        has_time: bool,
    ) -> None:
        orders = (self.order(1, TAKE_PROFIT),)
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))
        monkeypatch.setenv("COLUMNS", str(columns))

        out = orderctl("list").out

        assert condition in out
        assert ("CREATED" in out) is has_time

    def test_a_misspelt_token_is_refused_with_the_daemons_suggestion(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        refusal = OrderdError(ErrorCode.TOKEN_UNKNOWN, "there is no token 'UDSC'; did you mean USDC?")
        daemon.answers(Method.ORDERS_LIST, refusal)
        outcome = orderctl("list", "--token", "UDSC")

        assert (outcome.code, outcome.out) == (2, "")
        assert "did you mean USDC?" in outcome.err

    def test_an_unused_token_is_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))

        assert orderctl("list", "--token", "usdc") == (0, "", "no orders match\n")

    def test_filters_are_sent_to_the_daemon(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))

        outcome = orderctl("list", "--status", "failed", "--status", "pending", "--token", "USDC", "--limit", "7")

        assert daemon.calls[0] == ("orders.list", {"status": ["failed", "pending"], "token": "USDC", "limit": 7})
        assert outcome == (0, "", "no orders match\n")

    def test_pages_are_read_until_there_are_enough(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        page = ListResult(orders=tuple(self.order(number, *FILLED) for number in range(500)), next_cursor="more")
        daemon.answers(Method.ORDERS_LIST, page)

        outcome = orderctl("list", "--limit", "700", "-o", "id")

        assert [params["limit"] for _, params in daemon.calls] == [500, 200]
        assert daemon.calls[1][1]["cursor"] == "more"
        assert "there are more" in outcome.err

    def test_all_reads_every_page(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        cursors = iter(["b", "c", None])
        daemon.answers(
            Method.ORDERS_LIST, lambda _: ListResult(orders=(self.order(1, *FILLED),), next_cursor=next(cursors))
        )

        out = orderctl("list", "--all", "-o", "jsonl").out

        assert [json.loads(line)["schema"] for line in out.splitlines()] == ["orderctl.order/1"] * 3

    def test_requested_columns_are_shown(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        order = self.order(1, *FILLED)
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order,), next_cursor=None))

        def lines(*options: str) -> list[list[str]]:
            return [line.split() for line in orderctl("list", "--columns", *options).out.splitlines()]

        assert lines("price,id,kind") == [["PRICE", "ID", "KIND"], ["101.540141", "0199d3a0-1235", "market"]]
        assert lines("price,id", "-o", "wide") == [["PRICE", "ID"], ["101.540141", str(order.id)]]

    def test_an_unknown_column_is_refused_with_the_known_ones(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        outcome = orderctl("list", "--columns", "id,pirce")

        assert (outcome.code, outcome.out, daemon.calls) == (2, "", [])
        assert "'pirce'; did you mean price?" in outcome.err
        assert ", ".join(COLUMNS) in outcome.err

    @pytest.mark.parametrize("output", ["json", "jsonl", "id"])
    def test_columns_are_refused_without_a_table(self, daemon: FakeDaemon, orderctl: Orderctl, output: str) -> None:
        outcome = orderctl("list", "--columns", "id", "-o", output)

        assert (outcome.code, outcome.out, daemon.calls) == (2, "", [])
        assert f"-o {output} has no columns" in outcome.err

    @pytest.mark.parametrize("output", ["table", "json", "jsonl", "id"])
    def test_a_whole_list_is_sorted_in_every_format(self, daemon: FakeDaemon, orderctl: Orderctl, output: str) -> None:
        amounts = ("9", "10", "1.5")
        orders = [
            self.order(number, *FILLED[:1]).model_copy(update={"amount_in": amount})
            for number, amount in enumerate(amounts)
        ]
        pages = {
            None: ListResult(orders=tuple(orders[:2]), next_cursor="rest"),
            "rest": ListResult(orders=tuple(orders[2:]), next_cursor=None),
        }
        daemon.answers(Method.ORDERS_LIST, lambda params: pages[params.get("cursor")])

        def found(sort: str) -> list[str]:
            out = orderctl("list", "--all", "--sort", sort, "-o", output).out
            places = {amount: out.index(str(order.id)[:13]) for amount, order in zip(amounts, orders, strict=True)}
            return sorted(places, key=lambda amount: places[amount])

        assert found("sell") == ["1.5", "9", "10"]
        assert found("-sell") == ["10", "9", "1.5"]

    def test_sorting_needs_the_whole_list(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        outcome = orderctl("list", "--sort", "sell", "--limit", "100")

        assert (outcome.code, outcome.out, daemon.calls) == (2, "", [])
        assert "add --all" in outcome.err

    def test_a_kind_is_sent_and_an_unknown_one_is_refused(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))

        assert orderctl("list", "--kind", "market").err == "no orders match\n"
        assert daemon.calls == [("orders.list", {"kind": ["market"], "limit": 20})]
        outcome = orderctl("list", "--kind", "iceberg")
        assert outcome.code == 2
        assert "'iceberg' is not one of 'market', 'limit', 'stop'" in outcome.err

    def test_wide_adds_the_signature_and_the_client_order_id(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        order = self.order(1, *FILLED)
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order,), next_cursor=None))

        out = orderctl("list", "-o", "wide").out

        assert SIGNATURE in out
        assert order.client_order_id in out
        assert str(order.id) in out
