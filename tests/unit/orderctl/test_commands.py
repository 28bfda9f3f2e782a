"""Each verb as it is typed, against a daemon that answers as the test says."""

import json
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator

from orderctl.display.columns import COLUMNS
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderStatus
from orderd.domain.quoted import Refused
from orderd.release import this_release
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.orders import CancelResult, ListResult, OrderView, SubmitResult
from orderd.wire.pools import PoolsResult, PoolView
from orderd.wire.problem import Problem
from orderd.wire.quotes import PreviewResult
from orderd.wire.rpc import WIRE_VERSION, Method
from orderd.wire.status import EndpointView, RateLimitUse, ReleaseView, ServiceHealth, StatusResult
from orderd.wire.tokens import TokensResult, TokenView
from tests.samples.orders import (
    FILLED,
    ORDER_ID,
    QUOTE,
    REFUSED_FOR_FUNDS,
    SIGNATURE,
    SPLIT,
    SPLIT_QUOTE,
    START,
    WITHDRAWN,
    detail_of,
    history,
    order_after,
)
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.test_halting import HALT
from tests.unit.orderctl.tui.desks import STATUS

PENDING = order_after(history(FILLED[:1]))
SUBMIT = ("submit", "SOL", "USDC", "1.5")


class TestSubmit:
    def test_the_order_goes_out_as_typed_and_its_id_comes_back(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))

        outcome = orderctl(*SUBMIT, "--slippage", "0.3", "--client-order-id", "mine-1")

        assert outcome.code == 0
        assert outcome.out == f"{ORDER_ID}  pending\n"
        assert outcome.err == f"client order id mine-1\nfollow it with: orderctl watch {ORDER_ID}\n"
        sent = {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "slippage": "0.3",
            "client_order_id": "mine-1",
        }
        assert daemon.calls == [("order.submit", sent)]

    def test_without_an_id_of_the_traders_own_each_submission_gets_a_new_one(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))
        orderctl(*SUBMIT)
        orderctl(*SUBMIT)

        first, second = (UUID(params["client_order_id"]) for _, params in daemon.calls)
        assert first.version == second.version == 7
        assert first != second
        assert "slippage" not in daemon.calls[0][1]

    def test_the_client_order_id_is_reported_before_the_order_is_sent(
        self, daemon: FakeDaemon, orderctl: Orderctl, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told_before = []

        def submit(_: object) -> SubmitResult:
            told_before.append(capsys.readouterr().err)
            return SubmitResult(order=PENDING, created=True)

        daemon.answers(Method.ORDER_SUBMIT, submit)
        orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert told_before == ["client order id mine-1\n"]

    def test_a_lost_answer_says_how_to_find_out_and_exits_with_5(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, None)

        outcome = orderctl("--timeout", "0.1", *SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 5
        assert "error: The outcome is unknown" in outcome.err
        assert "run: orderctl watch mine-1;" in outcome.err
        assert "orderctl submit SOL USDC 1.5 --client-order-id mine-1" in outcome.err

    @pytest.mark.parametrize("code", [ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL])
    def test_a_daemon_that_cannot_say_leaves_the_outcome_unknown(
        self, daemon: FakeDaemon, orderctl: Orderctl, code: ErrorCode
    ) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(code, "hm"))

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 5
        assert "run: orderctl watch mine-1;" in outcome.err

    def test_a_passing_refusal_offers_the_command_that_cannot_double(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.SERVICE_DRAINING, "the daemon stops"))

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 3
        assert "it cannot double: orderctl submit SOL USDC 1.5 --client-order-id mine-1" in outcome.err

    def test_a_resubmission_says_that_no_second_order_was_made(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=False))

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 0
        assert "no second one was made" in outcome.err

    def test_json_is_one_document(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))

        document = json.loads(orderctl(*SUBMIT, "-o", "json").out)

        assert document["schema"] == "orderctl.submission/1"
        assert document["created"] is True
        assert document["order"]["id"] == str(ORDER_ID)
        assert document["order"]["amount_in"] == "1.5"
        assert document["order"]["created_at"] == "2025-11-21T09:30:00Z"

    def test_id_is_the_id_alone(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))

        assert orderctl("-q", *SUBMIT, "-o", "id") == (0, f"{ORDER_ID}\n", "")

    def test_watch_follows_to_the_end_over_the_same_connection(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))
        daemon.knows(*history(FILLED))

        outcome = orderctl(*SUBMIT, "--watch")

        assert outcome.code == 0
        assert "received 152.310211 USDC at 101.540141" in outcome.out
        assert len(daemon.tokens) == 1

    @pytest.mark.parametrize(
        ("trade", "code"),
        [
            (("SOL", "USDC", "-1"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "-0.5", "--slippage", "1"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "-.5"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "0"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "NaN"), "AMOUNT_INVALID"),
            (("SOL", "USDC", "1e3"), "AMOUNT_INVALID"),
            (("SOL", "USDC", "1.0000000001"), "AMOUNT_TOO_PRECISE"),
            (("SOL", "USDC", "18446744074"), "AMOUNT_TOO_LARGE"),
            (("BONK", "USDC", "18446744073709551616"), "AMOUNT_TOO_LARGE"),
            (("SOL", "sol", "1"), "TOKEN_SAME"),
            (("SOL", "So11111111111111111111111111111111111111112", "1"), "TOKEN_SAME"),
            (("SOL", "USDC", "1", "--slippage", "101"), "SLIPPAGE_OUT_OF_RANGE"),
            (("SOL", "USDC", "1", "--slippage", "-1"), "SLIPPAGE_OUT_OF_RANGE"),
            (("SOL", "USDC", "1", "--client-order-id", "with space"), "REQUEST_INVALID"),
        ],
    )
    def test_what_is_certainly_wrong_is_refused_with_the_daemons_code_and_never_sent(
        self, daemon: FakeDaemon, orderctl: Orderctl, trade: tuple[str, ...], code: str
    ) -> None:
        outcome = orderctl("submit", *trade)

        assert outcome.code == 2
        assert f"error[{code}]" in outcome.err
        assert daemon.calls == []

    def test_a_token_this_client_does_not_know_is_the_daemons_to_judge(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.TOKEN_UNKNOWN, "there is no token 'BONK'"))

        outcome = orderctl("submit", "BONK", "USDC", "1.5")

        assert outcome.code == 2
        assert "error[TOKEN_UNKNOWN]" in outcome.err

    def test_a_dry_run_shows_the_route_and_the_simulation_and_submits_nothing(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        preview = PreviewResult(
            quote=QUOTE, succeeds=True, error=None, units_consumed=41_234, network_fee="0.000005", logs=()
        )
        daemon.answers(Method.ORDER_PREVIEW, preview)

        outcome = orderctl(*SUBMIT, "--dry-run")

        assert outcome.code == 0
        assert [method for method, _ in daemon.calls] == ["order.preview"]
        assert "client order id" not in outcome.err
        for shown in ("raydium", "0.021 %", "151.54866 USDC", "fee 0.000005 SOL", "the simulation succeeds"):
            assert shown in outcome.out
        assert "nothing was traded" in outcome.err

    def test_a_dry_run_that_would_fail_says_why_and_exits_with_1(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        problem = Problem.of(OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "the wallet holds 0.2 SOL"))
        log = "Program log: Error: insufficient funds"
        preview = PreviewResult(
            quote=QUOTE, succeeds=False, error=problem, units_consumed=900, network_fee="0.000005", logs=(log,)
        )
        daemon.answers(Method.ORDER_PREVIEW, preview)

        outcome = orderctl(*SUBMIT, "--dry-run")

        assert outcome.code == 1
        for shown in ("the simulation fails", "FUNDS_INSUFFICIENT: the wallet holds 0.2 SOL", log):
            assert shown in outcome.out


class TestWatch:
    def test_events_are_reported_line_by_line_in_a_pipe(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.knows(*history(FILLED))
        below = " " * len("2025-11-21 09:30:00.000     +0.000 s  accepted   ")

        assert orderctl("watch", str(ORDER_ID)) == (
            0,
            f"order {ORDER_ID}\n"
            "2025-11-21 09:30:00.000     +0.000 s  accepted   sell 1.5 SOL for USDC, slippage at most 0.5 %\n"
            "2025-11-21 09:30:00.250     +0.250 s  started    attempt 1\n"
            "2025-11-21 09:30:00.500     +0.500 s  routed     "
            "→ raydium_cpmm    152.310211 USDC at 101.540141, impact 0.021 %\n"
            f"{below}  meteora_dlmm    152.104 USDC at 101.402667, impact 0.05 %\n"
            f"{below}  choose raydium_cpmm 7Xawhb…mX, for at least 151.54866 USDC\n"
            f"2025-11-21 09:30:00.750     +0.750 s  submitted  signature {SIGNATURE}\n"
            f"{below}expires at block 960\n"
            "2025-11-21 09:30:01.000     +1.000 s  confirmed  received 152.310211 USDC at 101.540141\n"
            f"{below}fee 0.000005 SOL, slot 815\n",
            "",
        )

    @pytest.mark.parametrize("output", ["json", "jsonl"])
    def test_json_streams_the_events_a_line_each(self, daemon: FakeDaemon, orderctl: Orderctl, output: str) -> None:
        daemon.knows(*history(FILLED))

        lines = [json.loads(line) for line in orderctl("watch", str(ORDER_ID), "-o", output).out.splitlines()]

        assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
        assert {line["schema"] for line in lines} == {"orderctl.event/1"}
        assert lines[-1]["data"]["amount_out"] == "152.310211"
        assert lines[-1]["at"] == "2025-11-21T09:30:01Z"

    @pytest.mark.parametrize(("facts", "code"), [(FILLED, 0), (REFUSED_FOR_FUNDS, 1), (WITHDRAWN, 1)])
    def test_the_exit_code_is_the_orders_end(
        self, daemon: FakeDaemon, orderctl: Orderctl, facts: tuple[object, ...], code: int
    ) -> None:
        daemon.knows(*history(facts))  # type: ignore[arg-type]

        assert orderctl("watch", "0199d3a0").code == code

    @pytest.mark.parametrize(("facts", "code"), [(FILLED, 0), (WITHDRAWN, 1)])
    def test_an_order_whose_events_are_not_kept_ends_at_once_as_it_did(
        self, daemon: FakeDaemon, orderctl: Orderctl, facts: tuple[object, ...], code: int
    ) -> None:
        daemon.knows(*history(facts), kept=0)  # type: ignore[arg-type]

        outcome = orderctl("watch", str(ORDER_ID))

        assert (outcome.code, outcome.out) == (code, f"order {ORDER_ID}\n")
        assert "the daemon has not kept the events after 0" in outcome.err

    def test_an_unknown_order_exits_with_6(self, orderctl: Orderctl) -> None:
        outcome = orderctl("watch", "no-such-order")

        assert outcome.code == 6
        assert "error[ORDER_NOT_FOUND]" in outcome.err

    def test_time_given_out_exits_with_5(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.knows(*history(FILLED[:3]))

        outcome = orderctl("watch", str(ORDER_ID), "--for", "0.05")

        assert outcome.code == 5
        assert f"follow it with: orderctl watch {ORDER_ID}" in outcome.err


class TestShow:
    def test_all_that_is_known_of_a_fill(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        out = orderctl("show", "0199d3a0").out

        for shown in (
            str(ORDER_ID),
            "confirmed in 1.0 s",
            "meteora_dlmm    152.104 USDC",
            "→ raydium_cpmm    152.310211 USDC at 101.540141, impact 0.021 %",
            f"signature  {SIGNATURE}\n",
            "received   152.310211 USDC at 101.540141",
            "fee        0.000005 SOL",
            "+0.750 s",
        ):
            assert shown in out

    def test_a_failure_says_why_with_the_programs_log(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(REFUSED_FOR_FUNDS))

        out = orderctl("show", "0199d3a0").out

        assert "error      FUNDS_INSUFFICIENT: the wallet holds 0.2 SOL" in out
        assert "next       see: orderctl balances" in out

    def test_json_holds_the_events_the_attempts_and_the_failures(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        document = json.loads(orderctl("show", "0199d3a0", "-o", "json").out)

        assert document["schema"] == "orderctl.order_detail/1"
        assert [event["seq"] for event in document["events"]] == [1, 2, 3, 4, 5]
        assert document["attempts"][0]["signature"] == SIGNATURE
        assert document["failures"] == []

    def test_id_resolves_a_prefix(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        assert orderctl("show", "0199d3a0", "-o", "id").out == f"{ORDER_ID}\n"


class TestList:
    @staticmethod
    def order(number: int, *facts: object) -> OrderView:
        order_id = UUID(int=ORDER_ID.int + (number << 80))
        return order_after(history(facts, order_id))  # type: ignore[arg-type]

    def test_orders_are_lines_with_short_ids_that_fit_80_columns(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        orders = (self.order(1, *FILLED), self.order(2, *REFUSED_FOR_FUNDS), self.order(3, *FILLED[:1]))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))

        lines = [line.rstrip() for line in orderctl("list").out.splitlines()]

        assert lines == [
            "ID             STATUS        SELL              RESULT           CREATED",
            "0199d3a0-1235  confirmed  1.5 SOL     152.310211 USDC  2025-11-21 09:30",
            "0199d3a0-1236  failed     1.5 SOL  FUNDS_INSUFFICIENT  2025-11-21 09:30",
            "0199d3a0-1237  pending    1.5 SOL              → USDC  2025-11-21 09:30",
        ]

    def test_a_misspelt_token_is_refused_with_the_daemons_suggestion(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        refusal = OrderdError(ErrorCode.TOKEN_UNKNOWN, "there is no token 'UDSC'; did you mean USDC?")
        daemon.answers(Method.ORDERS_LIST, refusal)
        outcome = orderctl("list", "--token", "UDSC")

        assert (outcome.code, outcome.out) == (2, "")
        assert "did you mean USDC?" in outcome.err

    def test_a_token_that_no_order_has_is_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))

        assert orderctl("list", "--token", "usdc") == (0, "", "no orders match\n")

    def test_filters_go_to_the_daemon(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
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

    def test_columns_are_those_that_are_asked_for(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        order = self.order(1, *FILLED)
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order,), next_cursor=None))

        def lines(*options: str) -> list[list[str]]:
            return [line.split() for line in orderctl("list", "--columns", *options).out.splitlines()]

        assert lines("price,id,kind") == [["PRICE", "ID", "KIND"], ["101.540141", "0199d3a0-1235", "market"]]
        assert lines("price,id", "-o", "wide") == [["PRICE", "ID"], ["101.540141", str(order.id)]]

    def test_a_column_that_there_is_not_is_reported_with_those_there_are(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        outcome = orderctl("list", "--columns", "id,pirce")

        assert (outcome.code, outcome.out, daemon.calls) == (2, "", [])
        assert "'pirce'; did you mean price?" in outcome.err
        assert ", ".join(COLUMNS) in outcome.err

    @pytest.mark.parametrize("output", ["json", "jsonl", "id"])
    def test_columns_are_refused_where_there_is_no_table(
        self, daemon: FakeDaemon, orderctl: Orderctl, output: str
    ) -> None:
        outcome = orderctl("list", "--columns", "id", "-o", output)

        assert (outcome.code, outcome.out, daemon.calls) == (2, "", [])
        assert f"-o {output} prints no columns" in outcome.err

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

    def test_a_part_of_a_list_is_not_sorted(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        outcome = orderctl("list", "--sort", "sell", "--limit", "100")

        assert (outcome.code, outcome.out, daemon.calls) == (2, "", [])
        assert "add --all" in outcome.err

    def test_a_kind_goes_to_the_daemon_and_another_is_refused(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
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


class TestQuote:
    def test_the_route_comes_first_and_then_every_pool_by_what_it_pays(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.QUOTE, QUOTE)

        lines = [line.rstrip() for line in orderctl("quote", "SOL", "USDC", "1.5").out.splitlines()]

        assert lines == [
            "sell 1.5 SOL for USDC",
            "receive 152.310211 USDC at 101.540141, fee 0.00375 SOL, impact 0.021 %",
            "  SOL to USDC: 100 % raydium_cpmm 7Xawhb…mX",
            "EACH POOL ALONE    USDC OUT       PRICE          FEE   IMPACT  POOL",
            "raydium_cpmm     152.310211  101.540141  0.00375 SOL  0.021 %  7Xawhb…mX",
            "meteora_dlmm        152.104  101.402667  0.00375 SOL   0.05 %  5rCf1D…S6",
            "at least 151.54866 USDC at 0.5 % slippage; network fee about 0.0000063 SOL",
        ]

    @pytest.mark.parametrize(
        ("least", "expected"),
        [
            ("151.9", ["at least 151.9 USDC, as asked for; network fee about 0.0000063 SOL"]),
            (
                "152.5",
                [
                    "at least 152.5 USDC, as asked for; network fee about 0.0000063 SOL",
                    "the best route pays 0.189789 USDC less than that: as long as it does, an order fails",
                ],
            ),
        ],
    )
    def test_what_is_asked_for_at_least_is_held_against_the_best_route(
        self, daemon: FakeDaemon, orderctl: Orderctl, least: str, expected: list[str]
    ) -> None:
        daemon.answers(Method.QUOTE, QUOTE.model_copy(update={"min_out": least, "min_amount_out": least}))
        outcome = orderctl("quote", "SOL", "USDC", "1.5", "--min-out", least)
        assert [line.rstrip() for line in outcome.out.splitlines()][6:] == expected
        assert daemon.calls[-1][1]["min_out"] == least

    @pytest.mark.parametrize(
        ("option", "expected"),
        [
            (("--min-out", "0"), "error[AMOUNT_NOT_POSITIVE]"),
            (("--min-out", "1.1234567"), "error[AMOUNT_TOO_PRECISE]"),
            (("--max-cost", "101"), "error[COST_OUT_OF_RANGE]"),
            (("--floor", "none"), "'none' is not one of 'first', 'each'"),
        ],
    )
    def test_a_bound_that_is_certainly_wrong_is_not_sent(
        self, daemon: FakeDaemon, orderctl: Orderctl, option: tuple[str, str], expected: str
    ) -> None:
        for verb in ("quote", "submit"):
            outcome = orderctl(verb, "SOL", "USDC", "1.5", *option)
            assert (outcome.code, expected in outcome.err) == (2, True), outcome.err
        assert daemon.calls == []

    def test_a_split_is_reported_before_what_each_pool_pays_alone(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, SPLIT_QUOTE)

        lines = [line.rstrip() for line in orderctl("quote", "SOL", "USDC", "1.5").out.splitlines()]

        assert lines[:6] == [
            "sell 1.5 SOL for USDC",
            "receive 152.5 USDC at 101.666667, fee 0.00375 SOL, impact 0.014 %",
            "  SOL to USDC:",
            "    ━━━━━━━━━━━━────────   62.5 % raydium_cpmm    7Xawhb…mX",
            "    ━━━━━━━━────────────   37.5 % meteora_dlmm    5rCf1D…S6",
            "12.46 basis points more than the best single pool",
        ]

    def test_wide_explains_the_choice(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, SPLIT_QUOTE)

        lines = [line.rstrip() for line in orderctl("quote", "SOL", "USDC", "1.5", "-o", "wide").out.splitlines()]

        assert lines[3:9] == [
            f"    ━━━━━━━━━━━━────────   62.5 % raydium_cpmm    {SPLIT[0].pool}",
            f"    ━━━━━━━━────────────   37.5 % meteora_dlmm    {SPLIT[1].pool}",
            "  hop 1: 62.5 % raydium_cpmm: 0.9375 SOL for 95.2 USDC",
            "  hop 1: 37.5 % meteora_dlmm: 0.5625 SOL for 57.3 USDC",
            "chosen because together they pay 12.46 basis points more than the best single pool",
            "190000 compute units at 10000 micro-lamports each",
        ]
        assert [line.split()[-4:] for line in lines[10:12]] == [
            ["12.45", "bp", "812", SPLIT[0].pool],
            ["25.97", "bp", "812", SPLIT[1].pool],
        ]

    def test_venues_that_made_no_offer_say_why(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        refusal = Refused(venue="raydium", code=ErrorCode.ROUTE_NOT_FOUND, detail="it has no pool for this pair")
        daemon.answers(Method.QUOTE, QUOTE.model_copy(update={"refusals": (refusal,)}))

        assert "raydium: ROUTE_NOT_FOUND: it has no pool for this pair\n" in orderctl("quote", "SOL", "USDC", "1.5").out

    def test_a_market_that_says_no_exits_with_1(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, OrderdError(ErrorCode.ROUTE_PRICE_IMPACT, "7.1 % is more than 5 %"))

        outcome = orderctl("quote", "SOL", "USDC", "15000")

        assert outcome.code == 1
        assert "7.1 % is more than 5 %" in outcome.err


def test_balances_are_amounts_of_tokens(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    balances = (Balance(token="SOL", mint="So1", amount="98.499995"), Balance(token="USDC", mint="EPj", amount="3"))
    daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=balances))

    outcome = orderctl("balances")

    assert outcome.out.splitlines() == ["TOKEN     AMOUNT  MINT", "SOL    98.499995  So1", "USDC           3  EPj"]
    assert outcome.err == "wallet 9xQe\n"


def test_what_an_order_cannot_sell_stands_apart_from_what_it_can(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    balances = (
        Balance(token="SOL", mint="So1", amount="3", tradable="1", wrapped="2", elsewhere="0"),
        Balance(token="USDC", mint="EPj", amount="5", tradable="5", wrapped="0", elsewhere="0"),
        Balance(token="CHILLGUY", mint="Df6", amount="9", tradable="2", wrapped="0", elsewhere="7"),
    )
    daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=balances))

    assert orderctl("balances").out.splitlines() == [
        "TOKEN     AMOUNT  MINT  NOT TRADED",
        "SOL            1  So1   2 wrapped",
        "USDC           5  EPj",
        "CHILLGUY       2  Df6   7 in other accounts",
    ]


class TestStatus:
    WELL = StatusResult(
        version="0.1.0",
        wire_version=WIRE_VERSION,
        chain="simnet",
        wallet="9xQe",
        started_at=START,
        draining=False,
        services={"postgres": ServiceHealth(ok=True), "redis": ServiceHealth(ok=True)},
        orders={OrderStatus.CONFIRMED: 12, OrderStatus.FAILED: 0},
        rate_limit=RateLimitUse(limit=100, window_seconds=60, used=14, waiting=2),
        queue_depth=3,
        workers=1,
        slot=8123,
    )

    def test_a_daemon_that_is_well(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, self.WELL)

        outcome = orderctl("status")

        assert outcome.code == 0
        for shown in ("simnet, slot 8123", "14 of 100 starts in 60 s, 2 waiting", "3 waiting", "12 confirmed"):
            assert shown in outcome.out
        assert outcome.err == ""

    def test_an_endpoint_is_shown_with_what_went_wrong(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        endpoint = EndpointView(
            host="rpc.example.com",
            window_seconds=60,
            processes=2,
            requests=321,
            latency_ms=11.2,
            latency_p99_ms=48.9,
            unanswered=0,
            refused=0,
            rate_limited=3,
            errors=0,
            slot=8123,
            slot_lag=2,
        )
        silent = endpoint.model_copy(update={"host": "other", "requests": 0, "latency_ms": None, "slot_lag": None})
        daemon.answers(Method.STATUS, self.WELL.model_copy(update={"endpoints": (endpoint, silent)}))

        outcome = orderctl("status")

        assert (
            "rpc.example.com  median 11.2 ms, p99 48.9 ms of 321 requests in 60 s, at most 2 slots behind, 3 rate"
            in (outcome.out)
        )
        assert "other  not asked in the last 60 s" in outcome.out

    def test_a_service_that_is_not_well_is_named_and_exits_with_3(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        services = {"postgres": ServiceHealth(ok=False, detail="connection refused")}
        daemon.answers(Method.STATUS, self.WELL.model_copy(update={"services": services}))

        outcome = orderctl("status")

        assert outcome.code == 3
        assert "not ok  connection refused" in outcome.out

    def test_what_could_not_be_found_out_is_unknown_and_never_zero(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        nothing = {
            "services": {"redis": ServiceHealth(ok=False, detail="no answer in 0.8 s")},
            "rate_limit": RateLimitUse(limit=100, window_seconds=60, used=0, waiting=0),
            "queue_depth": 0,
            "workers": 0,
            "orders": {},
            "executing": None,
            "executing_reasons": ("redis: no answer in 0.8 s",),
            "untold": ("orders", "unknown", "rate_limit.used", "rate_limit.waiting", "queue_depth", "workers"),
        }
        daemon.answers(Method.STATUS, self.WELL.model_copy(update=nothing))

        shown = orderctl("status").out.splitlines()

        for name in ("rate limit", "queue", "workers", "orders"):
            assert [line.split(name)[1].strip() for line in shown if line.startswith(name)] == ["unknown"]
        assert [line for line in shown if line.startswith("executing")] == [
            "executing   unknown  redis: no answer in 0.8 s"
        ]
        checked = json.loads(orderctl("doctor", "-o", "json").out)
        found = {finding["check"]: finding for finding in checked["findings"]}
        assert (found["workers"]["result"], found["rate limit"]["result"]) == ("warn", "warn")
        assert "unknown" in found["workers"]["detail"]

    def test_orders_that_wait_are_said_to(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        waits = {"executing": False, "executing_reasons": ("workers: none is alive",), "workers": 0}
        daemon.answers(Method.STATUS, self.WELL.model_copy(update=waits))

        assert "executing   orders wait  workers: none is alive" in orderctl("status").out

    def test_another_version_of_the_daemon_is_warned_of(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, self.WELL.model_copy(update={"version": "9.9.9"}))

        assert "the versions differ: orderd 9.9.9" in orderctl("status", "-o", "json").err


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


class TestTheCommandLine:
    def test_the_format_may_stand_before_the_verb(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS)

        assert json.loads(orderctl("-o", "json", "status").out)["schema"] == "orderctl.status/1"
        assert json.loads(orderctl("-o", "json", "config", "show").out)["schema"] == "orderctl.config/1"
        assert "daemon" in orderctl("-o", "json", "status", "-o", "table").out
        assert orderctl("-o", "id", "status").code == 2

    @pytest.mark.parametrize("verb", ["config", "context"])
    def test_half_a_command_is_answered_with_its_help(self, orderctl: Orderctl, verb: str) -> None:
        outcome = orderctl(verb)

        assert outcome.code == 0
        assert outcome.out.startswith(f"Usage: orderctl {verb}")

    def test_how_long_to_wait_is_reported_where_the_daemon_says_so(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.BALANCES, OrderdError(ErrorCode.LIMIT_REQUESTS, "61 in a minute", retry_after=17))

        outcome = orderctl("balances")

        assert outcome.code == 3
        assert outcome.err.endswith("it may succeed in 17 s\n")

    def test_a_misspelt_verb_gets_a_suggestion(self, orderctl: Orderctl) -> None:
        outcome = orderctl("sumbit", "SOL", "USDC", "1")

        assert outcome.code == 2
        assert "did you mean submit?" in outcome.err

    def test_a_misspelt_option_gets_a_suggestion(self, orderctl: Orderctl) -> None:
        outcome = orderctl(*SUBMIT, "--slipage", "1")

        assert outcome.code == 2
        assert "--slippage" in outcome.err
        assert "next: see: orderctl submit --help" in outcome.err

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ((*SUBMIT, "--slippage", "1", "--slippage", "5"), "--slippage / -s"),
            ((*SUBMIT, "--slippage=1", "-s5"), "--slippage / -s"),
            ((*SUBMIT, "--yes", "-y"), "--yes / -y"),
            (("list", "--limit", "1", "-n", "1"), "--limit / -n"),
            (("config", "show", "-o", "json", "-o", "json"), "--output / -o"),
            (("--url", "ws://127.0.0.1:1/", "--url", "ws://127.0.0.1:2/", "balances"), "--url"),
            (("balances", "--url", "ws://127.0.0.1:1/", "--url", "ws://127.0.0.1:2/"), "--url"),
        ],
    )
    def test_an_option_that_is_given_twice_is_refused(
        self, daemon: FakeDaemon, orderctl: Orderctl, arguments: tuple[str, ...], named: str
    ) -> None:
        outcome = orderctl(*arguments)

        assert outcome.code == 2
        assert f"Option {named} is given twice." in outcome.err
        assert daemon.calls == []

    def test_an_option_that_makes_a_list_may_be_given_again(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))

        assert orderctl("list", "--status", "failed", "--status", "expired").code == 0
        assert daemon.calls[-1][1]["status"] == ["failed", "expired"]

    @pytest.mark.parametrize("asked", ["--help", "-h"])
    def test_help_is_given_whatever_else_is_given_twice(self, orderctl: Orderctl, asked: str) -> None:
        assert orderctl("submit", "--slippage", "1", "--slippage", "5", asked, "--help").out.startswith("Usage:")

    def test_global_options_may_stand_after_the_verb(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=()))

        assert orderctl("--url", "ws://127.0.0.1:1/", "balances", "--url", daemon.url, "-q") == (
            0,
            "TOKEN  AMOUNT  MINT\n",
            "",
        )

    def test_there_is_no_option_that_takes_a_token(self, orderctl: Orderctl) -> None:
        assert "--token " not in orderctl("--help").out
        assert orderctl("--token", "secret", "balances").code == 2

    def test_errors_follow_the_format_that_was_asked_for(self, orderctl: Orderctl) -> None:
        outcome = orderctl("submit", "SOL", "USDC", "0", "-o", "json")

        assert json.loads(outcome.err)["code"] == "AMOUNT_NOT_POSITIVE"
        assert outcome.out == ""

    def test_debug_adds_the_traceback(self, orderctl: Orderctl) -> None:
        assert "Traceback" not in orderctl("show", "no-such").err
        assert "Traceback" in orderctl("show", "no-such", "--debug").err

    def test_an_unexpected_failure_is_reported_without_a_traceback(
        self, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr("orderctl.config.settings.explain", broken)
        outcome = orderctl("balances")

        assert outcome.code == 5
        assert "ZeroDivisionError: by zero" in outcome.err
        assert "--debug" in outcome.err
        assert "Traceback" not in outcome.err


class TestEvents:
    def test_the_events_until_now_as_a_table_a_document_or_lines(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_GET, detail_of(FILLED))

        shown = orderctl("events", "0199d3a0")
        assert [line.split()[4] for line in shown.out.splitlines() if line.startswith("2025-11-21 09:30")] == [
            "accepted",
            "started",
            "routed",
            "submitted",
            "confirmed",
        ]
        whole = json.loads(orderctl("events", "0199d3a0", "-o", "json").out)
        assert (whole["schema"], whole["order_id"]) == ("orderctl.events/1", str(ORDER_ID))
        lines = orderctl("events", "0199d3a0", "-o", "jsonl").out.splitlines()
        assert [json.loads(line)["seq"] for line in lines] == [event["seq"] for event in whole["events"]]


def test_tokens_are_listed_with_their_decimals(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.TOKENS, TokensResult(tokens=(TokenView(symbol="USDC", mint="EPj", decimals=6),)))

    assert orderctl("tokens").out.splitlines() == ["TOKEN  DECIMALS  MINT", "USDC          6  EPj"]
    assert json.loads(orderctl("tokens", "-o", "json").out)["tokens"] == [
        {"symbol": "USDC", "mint": "EPj", "decimals": 6}
    ]


class TestPools:
    POOL = PoolView(
        address=SPLIT[0].pool,
        venue="raydium",
        kind="raydium_cpmm",
        token_a="SOL",
        token_b="USDC",
        price="101.5",
        fee="0.25",
        reserve_a="1000",
        reserve_b="101500",
        slot=812,
    )

    def test_pools_are_lines_of_what_they_hold(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        left_out = Refused(venue="meteora", code=ErrorCode.POOL_CLOSED, detail="5rCf is paused")
        daemon.answers(Method.POOLS, PoolsResult(pools=(self.POOL,), refusals=(left_out,), slot=812))

        outcome = orderctl("pools", "SOL", "USDC")

        assert outcome.out.splitlines() == [
            "KIND          PAIR      PRICE     FEE     HOLDS               POOL",
            "raydium_cpmm  SOL/USDC  101.5  0.25 %  1000 SOL  101500 USDC  7Xawhb…mX",
        ]
        assert outcome.err == "left out: meteora: POOL_CLOSED: 5rCf is paused\n"
        assert daemon.calls == [("pools", {"token": ["SOL", "USDC"]})]
        assert orderctl("pools", "-o", "wide").out.splitlines()[1].endswith(f"812  {self.POOL.address}")
        assert orderctl("pools", "-o", "id").out == f"{self.POOL.address}\n"
        assert json.loads(orderctl("pools", "-o", "jsonl").out)["schema"] == "orderctl.pool/1"

    def test_a_venue_that_is_silent_is_reported_once_and_another_try_may_help(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        silent = Refused(venue="meteora", code=ErrorCode.SERVICE_TIMEOUT, detail="no answer within 1500 ms")
        daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(silent, silent), slot=None))

        message = "left out: meteora: SERVICE_TIMEOUT: no answer within 1500 ms\nno pools\n"
        assert orderctl("pools") == (3, "", message)

    def test_a_pair_has_no_third_token(self, orderctl: Orderctl) -> None:
        assert orderctl("pools", "SOL", "USDC", "CHILLGUY").code == 2


class TestSchema:
    def test_every_kind_is_described_by_a_schema_that_holds(self, orderctl: Orderctl) -> None:
        for kind in orderctl("schema").out.split():
            schema = json.loads(orderctl("schema", kind).out)
            Draft202012Validator.check_schema(schema)
            assert schema["properties"]["schema"] == {"const": f"orderctl.{kind}/1"}

    def test_a_misspelt_kind_gets_a_suggestion(self, orderctl: Orderctl) -> None:
        outcome = orderctl("schema", "quotes")

        assert outcome.code == 2
        assert "did you mean quote?" in outcome.err


class TestVersion:
    def test_both_versions_are_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS)

        mine = this_release()
        commit = f", commit {mine.short_commit}" if mine.commit else ""
        assert orderctl("version") == (0, f"orderctl 0.1.0 (wire 2{commit})\norderd   0.1.0 (wire 2)\n", "")
        versions = json.loads(orderctl("version", "-o", "json").out)
        assert versions["orderctl"] == {"version": "0.1.0", "wire_version": WIRE_VERSION, "commit": mine.commit}
        assert versions["orderd"] == {"version": "0.1.0", "wire_version": WIRE_VERSION, "commit": None}

    def test_the_commit_of_the_daemon_is_reported_and_another_one_is_no_reason_to_warn(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"commit": "a" * 40}))

        outcome = orderctl("version")

        assert "orderd   0.1.0 (wire 2, commit aaaaaaaaaa)" in outcome.out
        assert outcome.err == ""

    @pytest.mark.parametrize(
        ("version", "commit", "warns"),
        [
            ("0.1.0", "a" * 40, False),
            ("0.1.0", None, False),
            ("0.1.0", "b" * 40, True),
            ("0.0.9", None, True),
        ],
    )
    def test_workers_of_another_release_than_the_gateway_are_warned_of(
        self, daemon: FakeDaemon, orderctl: Orderctl, version: str, commit: str | None, warns: bool
    ) -> None:
        workers = (ReleaseView(version="0.1.0", commit="a" * 40), ReleaseView(version=version, commit=commit))
        releases = {"commit": "a" * 40, "worker_releases": workers}
        daemon.answers(Method.STATUS, STATUS.model_copy(update=releases))

        assert ("restart what is older" in orderctl("version").err) is warns

    def test_a_difference_is_warned_of(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"version": "9.9.9"}))

        assert "warning: the versions differ" in orderctl("version").err

    def test_without_a_daemon_the_clients_own_is_reported(self, orderctl: Orderctl) -> None:
        outcome = orderctl("version", "--url", "ws://127.0.0.1:1/")

        assert outcome.code == 3
        assert outcome.out.startswith("orderctl 0.1.0 (wire 2")
        assert "orderd run" in outcome.err


class TestDoctor:
    @pytest.fixture(autouse=True)
    def _all_is_well(self, daemon: FakeDaemon) -> None:
        daemon.answers(Method.STATUS, STATUS)
        daemon.answers(Method.QUOTE, QUOTE)
        held = Balance(token="SOL", mint="So1", amount="98.5")
        daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=(held,)))
        daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(), slot=None))

    def found(self, orderctl: Orderctl) -> tuple[int, dict[str, str]]:
        outcome = orderctl("doctor", "-o", "json")
        findings = json.loads(outcome.out)["findings"]
        for finding in findings:
            assert finding["fix"] if finding["result"] != "ok" else not finding["fix"]
        return outcome.code, {finding["check"]: finding["result"] for finding in findings}

    def test_all_is_well(self, orderctl: Orderctl) -> None:
        code, findings = self.found(orderctl)

        assert code == 0
        assert set(findings.values()) == {"ok"}
        assert orderctl("doctor").out.splitlines()[1].split()[:2] == ["configuration", "ok"]

    @pytest.mark.parametrize(
        ("change", "check", "result"),
        [
            ({"draining": True}, "daemon", "warn"),
            ({"version": "9.9.9"}, "version", "warn"),
            ({"chain": "mainnet"}, "chain", "warn"),
            ({"workers": 0}, "workers", "fail"),
            ({"halts": (HALT,)}, "trading", "fail"),
            ({"rate_limit": STATUS.rate_limit.model_copy(update={"waiting": 3})}, "rate limit", "warn"),
            ({"services": {"redis": ServiceHealth(ok=False, detail="refused")}}, "redis", "fail"),
        ],
    )
    def test_what_is_not_as_it_should_be_is_found(
        self, daemon: FakeDaemon, orderctl: Orderctl, change: dict[str, object], check: str, result: str
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update=change))
        code, findings = self.found(orderctl)

        assert {name for name, found in findings.items() if found != "ok"} == {check}
        assert findings[check] == result
        assert code == (3 if result == "fail" else 0)

    def test_on_a_real_chain_kinds_that_are_left_out_until_they_are_proved_are_found(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "devnet"}))
        assert self.found(orderctl)[1]["programs"] == "ok"
        why = "raydium_cpmm: its program was upgraded at slot 8"
        refusal = Refused(venue="raydium", code=ErrorCode.POOL_UNPROVEN, detail=why)
        daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(refusal,), slot=None))
        assert self.found(orderctl)[1]["programs"] == "warn"
        assert why in " ".join(orderctl("doctor").out.split())

    def test_an_empty_wallet_a_silent_market_and_a_daemon_that_is_away(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=()))
        daemon.answers(Method.QUOTE, OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, "nobody answers"))
        code, findings = self.found(orderctl)
        assert (code, findings["wallet"], findings["prices"]) == (3, "warn", "fail")

        away = json.loads(orderctl("doctor", "-o", "json", "--url", "ws://127.0.0.1:1/").out)["findings"]
        assert [(finding["check"], finding["result"]) for finding in away] == [
            ("configuration", "ok"),
            ("daemon", "fail"),
        ]


def test_without_a_verb_the_daemon_and_the_active_orders_are_shown(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.STATUS, STATUS)
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(PENDING,), next_cursor=None))

    outcome = orderctl()

    assert outcome.code == 0
    assert "33 of 100 starts" in outcome.out
    assert "0199d3a0-1234  pending" in outcome.out
    assert outcome.err == "3 active orders; all commands: orderctl --help\n"
    assert daemon.calls[1][1]["status"] == ["building", "held", "open", "pending", "routing", "submitted"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("submit", "SOL", "USDC", "1", "--client-order-id", ""), "--client-order-id"),
        (("submit", "SOL", "USDC", "1", "--client-order-id="), "--client-order-id"),
        (("submit", "SOL", "USDC", "1", "--slippage", ""), "--slippage"),
        (("submit", "SOL", "USDC", "1", "-s", ""), "-s"),
        (("submit", "SOL", "USDC", ""), "a word of it"),
        (("--url", "", "status"), "--url"),
        (("list", "--token="), "--token"),
        (("cancel", ""), "a word of it"),
    ],
)
def test_what_is_empty_is_refused_and_is_not_left_out(
    daemon: FakeDaemon, orderctl: Orderctl, words: tuple[str, ...], named: str
) -> None:
    outcome = orderctl(*words)

    assert outcome.code == 2
    assert f"{named} is empty" in outcome.err
    assert daemon.calls == []
