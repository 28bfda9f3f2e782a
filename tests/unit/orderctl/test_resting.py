"""Resting orders in text: what they wait for, the distance of the market, and what they would do now."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from orderctl.display.cells import Showing
from orderctl.display.columns import COLUMNS
from orderctl.display.conditions import awaited, conditions, distance, reading, sign, what_follows
from orderctl.display.detail import detail_view
from orderctl.display.facts import describe
from orderctl.display.pairs import know, pair_of
from orderctl.display.prospect import prospect_view
from orderctl.display.resting import prices
from orderctl.display.screen import resting_message
from orderctl.display.timeline import OrderTimeline
from orderctl.tui.book import accepted, advanced
from orderctl.tui.filter import matches
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Accepted, AnyFact, Cancelled, Retrying
from orderd.domain.order import OrderKind, TimeInForce
from orderd.wire.fills import FillView
from orderd.wire.order_detail import OrderDetail
from orderd.wire.orders import OrderView
from orderd.wire.quotes import Awaited, PreviewResult, QuoteResult, SimulatedFill
from orderd.wire.rpc import Method
from orderd.wire.submissions import AmendResult, SubmitResult
from orderd.wire.tokens import TokenView
from tests.samples.orders import (
    ACCEPTED,
    FIRED,
    HELD,
    LIMIT,
    OCO,
    ORDER_ID,
    QUOTE,
    RAYDIUM,
    RELEASED,
    START,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TRAILING,
    TWAP,
    WITHDRAWN,
    history,
    order_after,
)
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS

BUYS = {"token_in": "USDC", "token_out": "SOL", "amount_in": "150"}
AT_100 = Fraction(100)


def resting(accepted: Accepted, **changes: Any) -> OrderView:
    return order_after(history((accepted.model_copy(update=changes),)))


PAUSED = resting(TWAP).model_copy(update={"paused": True})


@pytest.mark.parametrize(
    ("order", "expected", "follows"),
    [
        (resting(LIMIT), "105 USDC per SOL = at least 157.5 USDC", "it is filled at this price or a better one"),
        (resting(STOP), "95 USDC per SOL = at most 142.5 USDC", "it is executed at the best available price"),
        (
            resting(STOP_LIMIT),
            "95 USDC per SOL = at most 142.5 USDC; then 94.5 USDC per SOL = at least 141.75 USDC",
            "it becomes a limit order: 94.5 USDC per SOL = at least 141.75 USDC",
        ),
        (resting(TAKE_PROFIT), "120 USDC per SOL = at least 180 USDC", "it is executed at the best available price"),
        (resting(TRAILING), "3% behind the best price", "it is executed at the best available price"),
        (
            resting(OCO),
            "120 USDC per SOL = at least 180 USDC; or 95 USDC per SOL = at most 142.5 USDC",
            "it is executed at the best available price",
        ),
        (
            resting(TWAP),
            "5 executions, one every 1m",
            "each is executed at the best available price",
        ),
        (
            resting(LIMIT, **BUYS),
            "105 USDC per SOL = at least 1.428571429 SOL",
            "it is filled at this price or a better one",
        ),
    ],
)
def test_a_condition_is_described_with_both_readings_and_its_consequence(
    order: OrderView, expected: str, follows: str
) -> None:
    assert (conditions(order), what_follows(order)) == (expected, follows)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (LIMIT, "limit 105 USDC per SOL"),
        (STOP_LIMIT, "stop 95, limit 94.5 USDC per SOL"),
        (TAKE_PROFIT, "take-profit 120 USDC per SOL"),
        (TRAILING, "trail 3%"),
        (TRAILING.model_copy(update={"trail": "2.5"}), "trail 2.5 USDC per SOL"),
        (OCO, "take-profit 120 or stop 95 USDC per SOL"),
        (TWAP, "5 executions, one every 1m"),
        (ACCEPTED, None),
    ],
)
def test_prices_in_short_fit_a_column(accepted: Accepted, expected: str | None) -> None:
    assert prices(accepted) == expected


def test_a_paused_order_waits_to_be_resumed() -> None:
    assert reading(PAUSED) == "orderctl resume; then for 5 executions, one every 1m"


def test_the_daemons_description_is_used_for_unknown_tokens() -> None:
    order = resting(LIMIT, token_out="XYZ").model_copy(update={"price_reads": "105 XYZ per SOL = at least 157.5 XYZ"})

    assert reading(order) == conditions(order) == "105 XYZ per SOL = at least 157.5 XYZ"
    assert prices(order) == "limit 105"
    assert distance(order, AT_100) is None


def test_a_fired_stop_limit_waits_only_for_its_limit() -> None:
    fired = resting(STOP_LIMIT).model_copy(update={"triggered_at": START})

    assert reading(fired) == "94.5 USDC per SOL = at least 141.75 USDC"


@pytest.mark.parametrize(
    ("order", "paid", "away"),
    [
        (resting(LIMIT), AT_100, "0.05"),
        (resting(LIMIT), Fraction(106), "0"),
        (resting(STOP), AT_100, "0.05"),
        (resting(STOP), Fraction(94), "0"),
        (resting(TAKE_PROFIT), AT_100, "0.2"),
        (resting(OCO), AT_100, "0.05"),
        (resting(LIMIT, **BUYS, limit_price="95"), 1 / AT_100, "0.05"),
        (resting(STOP, **BUYS, stop_price="115"), 1 / AT_100, "0.15"),
        (resting(TRAILING).model_copy(update={"best_amount_out": "150"}), AT_100, "0.03"),
    ],
)
def test_the_distance_is_the_needed_change_of_the_price(order: OrderView, paid: Fraction, away: str) -> None:
    assert distance(order, paid) == Fraction(away)


def test_a_trailing_stop_without_a_best_price_has_no_distance() -> None:
    assert distance(resting(TRAILING), AT_100) is None
    followed = resting(TRAILING).model_copy(update={"best_amount_out": "150"})
    assert reading(followed) == "3% behind the best price, now 97 USDC per SOL"


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (resting(LIMIT), "≥"),
        (resting(TAKE_PROFIT), "≥"),
        (resting(STOP), "≤"),
        (resting(TRAILING), "≤"),
        (resting(LIMIT, **BUYS), "≤"),
        (resting(STOP, **BUYS), "≥"),
    ],
)
def test_the_sign_shows_on_which_side_an_order_fires(order: OrderView, expected: str) -> None:
    condition = awaited(order)
    assert condition is not None
    assert sign(condition) == expected


# In tables


def cell(name: str, order: OrderView, *, paid: Fraction | None = None, is_live: bool = True) -> str:
    market = {} if paid is None else {(order.token_in, order.token_out): paid}
    showing = Showing(START, is_live=is_live, market=market)
    return "".join(text for text, _ in COLUMNS[name].cell(order, showing))


@pytest.mark.parametrize(
    ("order", "on_paper", "live"),
    [
        (resting(LIMIT), "limit 105 USDC per SOL", "limit ≥ 105 USDC/SOL"),
        (resting(STOP_LIMIT), "stop 95, limit 94.5 USDC per SOL", "stop ≤ 95 USDC/SOL"),
        (resting(TRAILING), "→ USDC, trail 3%", "→ USDC, trail 3%"),
        (resting(OCO), "take-profit 120 or stop 95 USDC per SOL", "oco ≥120 ≤95 USDC"),
        (resting(TWAP), "→ USDC, 5 executions, one every 1m", "→ USDC every 1m"),
        (PAUSED, "→ USDC, 5 executions, one every 1m, paused", "→ USDC paused"),
        (resting(LIMIT, token_out="CHILLGUY"), "limit 105 SOL per CHILLGUY", "limit ≤ 105 → CHILLGUY"),
        (
            resting(TRAILING).model_copy(update={"best_amount_out": "152.310211"}),
            "→ USDC, trail 3%",
            "trail ≤ 98.49 USDC/SOL",
        ),
    ],
)
def test_an_open_order_shows_its_price_and_output_token_instead_of_a_result(
    order: OrderView, on_paper: str, live: str
) -> None:
    assert cell("result", order, is_live=False) == on_paper
    assert cell("result", order) == live
    assert cell("trigger", order) == on_paper.removeprefix("→ USDC, ").removesuffix(", paused")


def test_a_triggered_order_shows_its_output() -> None:
    assert cell("result", order_after(history(FIRED[:2]))) == "→ USDC"
    assert cell("trigger", order_after(history(FIRED))) == "limit 105 USDC per SOL"
    assert cell("kind", order_after(history(FIRED))) == "limit"


@pytest.mark.parametrize(
    ("paid", "shown"),
    [
        (Fraction(105), "━━━━ 0.00%"),
        (AT_100, "━━── 5.00%"),
        (Fraction(94), "──── 11.7%"),
        (Fraction(50), "────  110%"),
        (Fraction(1), "──── >999%"),
        (None, " " * 10),
    ],
)
def test_a_bar_fills_as_the_market_approaches(paid: Fraction | None, shown: str) -> None:
    assert cell("stages", resting(LIMIT), paid=paid) == shown


def test_a_filter_finds_kinds_and_prices() -> None:
    found = [matches(resting(LIMIT), words) for words in (("limit",), ("105",), ("stop",), ("open", "105"))]
    assert found == [True, True, False, True]


# Timelines


def test_each_rest_is_a_separate_span() -> None:
    fired = OrderTimeline(order_after(history(FIRED)), history(FIRED))
    assert [span.stage for span in fired.spans] == ["open", "pending", "routing", "building", "submitted", "confirmed"]
    assert fired.order.triggered_at == fired.events[1].at

    back = Retrying(attempt=1, code=ErrorCode.TX_SLIPPAGE_EXCEEDED, detail="it moved", until=START)
    events = history((*FIRED[:5], back))
    rests_again = events[-1].model_copy(update={"status": "open"})
    timeline = OrderTimeline(order_after(events), (*events[:-1], rests_again))
    assert [span.stage for span in timeline.spans] == ["open"]


def test_only_the_acceptance_of_a_resting_order_mentions_rest() -> None:
    assert describe(LIMIT, resting(LIMIT)) == [
        "sell 1.5 SOL for USDC, limit 105 USDC per SOL",
        "rests, and waits for 105 USDC per SOL = at least 157.5 USDC",
    ]
    at_once = LIMIT.model_copy(update={"time_in_force": TimeInForce.IOC})
    assert describe(at_once, resting(at_once)) == [
        "sell 1.5 SOL for USDC, limit 105 USDC per SOL, at once or not at all"
    ]
    assert describe(STOP, resting(STOP))[0] == "sell 1.5 SOL for USDC, stop 95 USDC per SOL, slippage at most 0.5 %"


def test_the_details_of_an_open_order_show_condition_and_validity() -> None:
    order = resting(STOP).model_copy(update={"valid_until": START + timedelta(hours=2)})
    out = io.StringIO()
    detail = OrderDetail(order=order, events=history((STOP,)), attempts=(), failures=())
    Console(file=out, width=100).print(detail_view(detail))

    facts = [line.strip().split(maxsplit=1) for line in out.getvalue().splitlines()]
    assert ["then", "it is executed at the best available price"] in facts
    assert ["confirm", "met in 2 different slots"] in facts
    assert "waits for  95 USDC per SOL = at most 142.5 USDC" in out.getvalue()
    assert ["valid", "until 2025-11-21 11:30:00"] in facts


@pytest.mark.parametrize(
    ("stories", "expected"),
    [
        (
            [(LIMIT,), (STOP,)],
            "2 orders rest until the market meets the price; Ctrl-C stops watching and cancels nothing",
        ),
        (
            [(LIMIT,), WITHDRAWN],
            "1 order rests until the market meets the price; Ctrl-C stops watching and cancels nothing",
        ),
        ([(LIMIT,), FIRED[:3]], ""),
        ([WITHDRAWN], ""),
    ],
)
def test_a_watch_reports_when_only_resting_orders_remain(stories: list[tuple[AnyFact, ...]], expected: str) -> None:
    assert (
        resting_message([OrderTimeline(order_after(history(facts)), history(facts)) for facts in stories]) == expected
    )


# Previews


def quoted(accepted: Accepted, amount_out: str = "152.310211") -> QuoteResult:
    terms = accepted.model_dump(exclude={"kind", "client_order_id", "account"})
    return QUOTE.model_copy(update={**terms, "chosen": RAYDIUM.model_copy(update={"amount_out": amount_out})})


def seen(quote: QuoteResult) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=100).print(prospect_view(quote))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_preview_compares_the_price_with_the_market() -> None:
    assert seen(quoted(LIMIT)) == [
        "sell 1.5 SOL for USDC",
        "waits for  105 USDC per SOL = at least 157.5 USDC",
        "then       it is filled at this price or a better one",
        "now        101.540141 USDC per SOL = 152.310211 USDC",
        "result     it would rest: the market is 3.41 % away",
        "valid      for 1h",
    ]
    assert seen(quoted(LIMIT, "158"))[4] == "result     it would be executed at once"
    assert (
        seen(quoted(TRAILING))[4] == "result     it would rest, and trigger at 98.4939 if the price did not rise first"
    )
    assert seen(quoted(TRAILING))[5] == "valid      until it is filled or cancelled"


def test_a_preview_of_an_oco_compares_both_prices_with_the_market() -> None:
    assert seen(quoted(OCO)) == [
        "sell 1.5 SOL for USDC",
        "waits for  120 USDC per SOL = at least 180 USDC  ────────────── 18.1%",
        "or         95 USDC per SOL = at most 142.5 USDC  ━━━━━───────── 6.44%",
        "then       it is executed at the best available price",
        "now        101.540141 USDC per SOL = 152.310211 USDC",
        "result     both would rest; the first to be reached is executed",
        "valid      until it is filled or cancelled",
    ]


def executions(paid: str, **terms: Any) -> list[str]:
    return seen(quoted(TWAP.model_copy(update=terms), paid).model_copy(update={"part_in": "0.3"}))


def test_a_preview_of_a_twap_shows_amounts_and_times() -> None:
    assert executions("30.5") == [
        "sell 1.5 SOL for USDC",
        "sells   5 times 0.3 SOL, one every 1m",
        "when    the first at once, in 1m, in 2m, in 3m, the last in 4m",
        "how     each is executed at the best available price",
        "now     101.666667 USDC per SOL = 30.5 USDC for one of them",
        "result  the first would be executed at once",
        "valid   until it is filled or cancelled",
    ]
    many = executions("30.5", slices=24, jitter="20", every="1h")
    assert many[1] == "sells   24 times 0.3 SOL, one every 1h, jitter 20 %"
    assert many[2] == "when    the first at once, in 1h, in 2h, in 3h, in 4h, ..., the last in 23h"
    limited = executions("30.5", limit_price="105")
    assert limited[3] == "how     each is executed at 105 or better"
    assert limited[5] == "result  the market is worse than the limit; what is not sold is added to later executions"
    assert executions("31.5", limit_price="105")[5] == "result  the first would be executed at once"


def test_a_preview_of_a_twap_in_an_unknown_token_shows_no_price() -> None:
    assert [line.split()[0] for line in executions("30.5", token_out="XYZ")] == [
        "sell",
        "sells",
        "when",
        "how",
        "valid",
    ]


def test_the_exit_of_an_entry_is_described_with_it() -> None:
    entry = LIMIT.model_copy(update={"then_take_profit": "120", "then_stop": "85"})
    expected = "it is filled at this price or a better one; then the bought tokens are sold: take-profit 120 or stop 85"
    assert what_follows(resting(entry)) == f"{expected} USDC per SOL"
    assert prices(entry) == "limit 105, then take-profit 120 or stop 85 USDC per SOL"
    assert prices(ACCEPTED.model_copy(update={"then_stop": "85"})) == "then stop 85 USDC per SOL"
    assert (
        prices(TWAP.model_copy(update={"then_stop": "85"})) == "5 executions, one every 1m, then stop 85 USDC per SOL"
    )


class TestSimulateFill:
    """orderctl simulate-fill."""

    def simulated(self, daemon: FakeDaemon, orderctl: Orderctl, **changes: Any) -> list[str]:
        of_quote = changes.keys() & QuoteResult.model_fields.keys()
        quote = QUOTE.model_copy(update={name: changes.pop(name) for name in of_quote})
        found = {"succeeds": True, "error": None, "units_consumed": 9, "network_fee": "0.000005", "logs": ()} | changes
        daemon.answers(Method.ORDER_SIMULATE_FILL, SimulatedFill(quote=quote, **found))
        outcome = orderctl("simulate-fill", str(ORDER_ID))
        assert (outcome.code, outcome.err) == (0, "nothing was traded\n")
        return outcome.out.splitlines()

    def test_both_children_of_an_oco_are_shown_with_their_distance(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        profit = Awaited(kind=OrderKind.TAKE_PROFIT, reads="120 = 180", price="120", away="18.2", is_met=False)
        stop = Awaited(kind=OrderKind.STOP, reads="95 = 142.5", price="95", away=None, is_met=False)
        lines = self.simulated(daemon, orderctl, would="rest", waits_for=(profit, stop))
        assert lines[:4] == [
            "waits for  take-profit 120 = 180  ────────────── 18.2%",
            "or         stop 95 = 142.5",
            "now        it rests; if it triggered now:",
            "sell 1.5 SOL for USDC",
        ]
        assert lines[-1] == "the simulation succeeds: network fee 0.000005 SOL, 9 compute units"

    def test_the_next_execution_is_shown_with_its_time(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        lines = self.simulated(daemon, orderctl, would="rest", at=START, part_in="0.3")
        assert lines[:3] == [
            "next  0.3 SOL at 2025-11-21 09:30:00",
            "now   it waits for that time; with the current market, it would then do this:",
            "sell 0.3 of 1.5 SOL for USDC",
        ]

    def test_a_paused_order_has_no_time_of_its_next_execution(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        lines = self.simulated(daemon, orderctl, would="rest", part_in="0.3", slices=5)
        assert lines[0] == "now  it is paused; with the current market, its next execution would do this:"

    def test_a_met_condition_is_shown_as_executed(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert self.simulated(daemon, orderctl, would="execute", part_in="0.3")[:1] == [
            "now  it would be executed, 0.3 of 1.5 SOL"
        ]

    def test_an_unmet_limit_is_only_quoted(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        lines = self.simulated(daemon, orderctl, would="rest", units_consumed=None)
        assert "simulation" not in lines[-1]

    def test_an_unmet_limit_sets_the_minimum_and_the_order_rests(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        limit = {"type": OrderKind.LIMIT, "limit_price": "105", "min_amount_out": "157.5"}
        lines = self.simulated(daemon, orderctl, would="rest", units_consumed=None, **limit)
        assert lines[-2:] == [
            "at least 157.5 USDC at the limit price; network fee about 0.0000063 SOL",
            "the best route pays 5.189789 USDC less than the minimum: it would rest",
        ]

    def test_the_answer_of_an_older_daemon_is_shown(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert self.simulated(daemon, orderctl)[0] == "sell 1.5 SOL for USDC"


SUBMIT = ("submit", "SOL", "USDC", "1.5")


class TestSubmit:
    def test_a_resting_order_shows_its_condition_and_next_commands(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        order = resting(LIMIT).model_copy(update={"valid_until": START})
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=order, created=True))

        outcome = orderctl(*SUBMIT, "--limit", "105")

        assert outcome.out == f"{ORDER_ID}  open\n"
        assert outcome.err.splitlines()[1:] == [
            "the order rests and waits for 105 USDC per SOL = at least 157.5 USDC",
            "then it is filled at this price or a better one",
            "valid until 2025-11-21 09:30:00",
            f"cancel it with: orderctl cancel {ORDER_ID}",
            f"follow it with: orderctl watch {ORDER_ID}",
        ]

    @pytest.mark.parametrize("flag", ["--ioc", "--fok"])
    def test_a_flag_sets_the_time_in_force(self, daemon: FakeDaemon, orderctl: Orderctl, flag: str) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=resting(LIMIT), created=True))
        orderctl(*SUBMIT, "--limit", "105", flag)

        ((_, sent),) = daemon.calls
        assert sent["time_in_force"] == flag[2:]

    @pytest.mark.parametrize("others", [("--fok",), ("--time-in-force", "gtc")])
    def test_an_order_has_one_time_in_force(
        self, daemon: FakeDaemon, orderctl: Orderctl, others: tuple[str, ...]
    ) -> None:
        outcome = orderctl(*SUBMIT, "--limit", "105", "--ioc", *others)

        assert outcome.code == 2
        assert "an order has one time in force" in outcome.err
        assert daemon.calls == []

    def test_a_dry_run_of_a_resting_order_simulates_nothing(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, quoted(LIMIT))

        outcome = orderctl(*SUBMIT, "--limit", "105", "--dry-run")

        assert outcome.code == 0
        assert "it would rest: the market is 3.41 % away" in outcome.out
        assert [method for method, _ in daemon.calls] == ["quote"]
        assert json.loads(orderctl(*SUBMIT, "--limit", "105", "--dry-run", "-o", "json").out)["would"] == "rest"

    def test_a_dry_run_of_a_twap_shows_executions_and_simulates_the_first(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        quote = quoted(TWAP, "30.5").model_copy(update={"part_in": "0.3"})
        preview = PreviewResult(quote=quote, succeeds=True, error=None, units_consumed=1, network_fee="0", logs=())
        daemon.answers(Method.ORDER_PREVIEW, preview)

        printed = orderctl(*SUBMIT, "--twap", "5", "--over", "5m", "--dry-run").out
        assert "5 times 0.3 SOL, one every 1m" in printed
        assert "sell 0.3 of 1.5 SOL for USDC" in printed
        assert "the simulation succeeds" in printed

    def test_a_dry_run_of_an_oco_checks_both_prices(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, quoted(OCO))
        outcome = orderctl("oco", *SUBMIT[1:], "--take-profit", "120", "--stop", "95", "--dry-run")
        assert "both would rest; the first to be reached is executed" in outcome.out
        daemon.answers(Method.QUOTE, quoted(OCO.model_copy(update={"stop_price": "110"})))
        wrong = orderctl("oco", *SUBMIT[1:], "--take-profit", "120", "--stop", "110", "--dry-run")
        assert "error[PRICE_WRONG_SIDE]" in wrong.err

    def test_a_dry_run_of_a_met_order_simulates_its_execution(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        quote = quoted(LIMIT, "158")
        daemon.answers(Method.QUOTE, quote)
        preview = PreviewResult(
            quote=quote, succeeds=True, error=None, units_consumed=1, network_fee="0.000005", logs=()
        )
        daemon.answers(Method.ORDER_PREVIEW, preview)

        outcome = orderctl(*SUBMIT, "--limit", "105", "--dry-run")
        assert "the simulation succeeds" in outcome.out
        assert outcome.out.endswith("the market meets the limit price: the order would be executed now\n")
        document = json.loads(orderctl(*SUBMIT, "--limit", "105", "--dry-run", "-o", "json").out)
        assert (document["schema"], document["would"]) == ("orderctl.preview/1", "execute")

    @pytest.mark.parametrize(
        ("flags", "quote", "code"),
        [
            (("--stop", "120"), quoted(STOP.model_copy(update={"stop_price": "120"})), ErrorCode.PRICE_WRONG_SIDE),
            (("--limit", "9000"), quoted(LIMIT.model_copy(update={"limit_price": "9000"})), ErrorCode.PRICE_OFF_MARKET),
        ],
    )
    def test_a_dry_run_refuses_like_the_daemon(
        self, daemon: FakeDaemon, orderctl: Orderctl, flags: tuple[str, ...], quote: QuoteResult, code: ErrorCode
    ) -> None:
        daemon.answers(Method.QUOTE, quote)

        assert f"error[{code}]" in orderctl(*SUBMIT, *flags, "--dry-run").err

    def test_a_resting_order_on_a_real_chain_is_confirmed_and_sent_with_its_terms(
        self, daemon: FakeDaemon, orderctl: Orderctl, typed: Callable[[str], None]
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "mainnet"}))
        daemon.answers(Method.QUOTE, quoted(STOP))
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=resting(STOP), created=True))
        typed("y")

        printed = orderctl(*SUBMIT, "--stop", "95").err

        assert "it would rest: the market is 6.44 % away" in printed
        assert "mainnet: send this order? [y/N]" in printed
        (sent,) = (params for method, params in daemon.calls if method == Method.ORDER_SUBMIT)
        assert "min_out" not in sent, "the market of today is no floor for another day"


def test_a_cancelled_order_shows_no_condition() -> None:
    ended = order_after(history((LIMIT, Cancelled())))
    assert cell("result", ended) == "→ USDC"


def fill(minutes: int, price: str, mid: str | None = "100") -> FillView:
    return FillView(
        order_id=ORDER_ID,
        attempt=1,
        signature=f"of minute {minutes}",
        at=START + timedelta(minutes=minutes),
        amount_in="0.3",
        amount_out="30",
        price=price,
        mid=mid,
        network_fee="0.000005",
    )


@pytest.mark.parametrize(
    ("price", "mid", "expected"),
    [
        ("99.5", "100", "50.0 bp worse than 100 USDC per SOL, the mid price at the first fill"),
        ("100.25", "100", "25.0 bp better than 100 USDC per SOL, the mid price at the first fill"),
        ("99.5", None, None),
    ],
)
def test_a_partial_order_shows_its_fills_relative_to_its_first_price(
    price: str, mid: str | None, expected: str | None
) -> None:
    order = resting(TWAP).model_copy(update={"filled_amount_in": "0.6", "executed_price": price})
    void = fill(0, "1", "1").model_copy(update={"rolled_back_at": START})
    fills = (fill(2, "90", "90"), void, fill(1, price, mid))
    detail = OrderDetail(order=order, events=(), attempts=(), failures=(), fills=fills)
    shown = io.StringIO()
    Console(file=shown, width=120).print(detail_view(detail))
    assert "0.6 of 1.5 SOL, fills: 2" in shown.getvalue()
    assert shown.getvalue().count("0.6 of 1.5 SOL") == 1, "the progress is shown twice"
    assert ("the mid price" in shown.getvalue()) == (expected is not None)
    assert expected is None or expected in shown.getvalue()


# Held exit orders


def test_a_held_exit_shows_its_entry_and_its_condition() -> None:
    entry = UUID(int=8)
    order = resting(HELD, token_in="SOL").model_copy(update={"entry_id": entry, "price_reads": "120 USDC per SOL"})
    assert reading(order) == f"the fill of order {entry}; then for 120 USDC per SOL"
    assert distance(order, AT_100) is None
    assert describe(HELD, order) == [
        "sell all SOL for USDC, once it is bought, take-profit 120 USDC per SOL, slippage at most 0.5 %",
        "held until the entry order is filled; then it waits for 120 USDC per SOL",
    ]


def test_a_released_exit_shows_its_amount() -> None:
    events = history(RELEASED)
    timeline = OrderTimeline(order_after(events[:1]), events)
    assert [span.stage for span in timeline.spans] == ["held", "open"]
    assert conditions(timeline.order) == "120 USDC per SOL = at least 180 USDC"
    assert describe(RELEASED[1], timeline.order) == [
        f"order {UUID(int=8)} is filled: this order sells the 1.5 SOL received"
    ]
    (order,) = [accepted(events[0])]
    assert advanced(order, events[1]).amount_in == "1.5"


def test_prices_of_tokens_known_from_the_daemon_are_shown() -> None:
    order = resting(LIMIT, token_out="TOLD")
    assert pair_of("SOL", "TOLD") is None
    know([TokenView(symbol="TOLD", mint="T" * 43, decimals=4)])
    pair = pair_of("SOL", "TOLD")
    assert pair is not None
    assert (pair.token_out.decimals, pair.unit) == (4, "SOL per TOLD")
    assert pair.unit in reading(order)
    assert pair_of("TOLD", "TOLD") is None


def test_an_amended_order_shows_what_it_waits_for(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.ORDER_AMEND, AmendResult(order=resting(TWAP)))
    assert orderctl("amend", "averaging", "--amount", "2").err == "the order waits for 5 executions, one every 1m\n"


class TestPause:
    """orderctl pause and resume."""

    def test_a_paused_order_names_the_command_that_continues_it(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_AMEND, AmendResult(order=PAUSED))

        outcome = orderctl("pause", "averaging")

        assert outcome.out == f"{ORDER_ID}  open\n"
        assert outcome.err == "paused: no further execution begins; continue with: orderctl resume averaging\n"

    def test_a_resumed_order_shows_when_its_next_execution_is_due(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        resumed = resting(TWAP).model_copy(update={"next_at": START})
        daemon.answers(Method.ORDER_AMEND, AmendResult(order=resumed))

        assert orderctl("resume", "averaging").err == "the next execution is due at 2025-11-21 09:30:00\n"
