"""Purchases of exact amounts: command line, display and following."""

import inspect
import io
import json
from pathlib import Path

import pytest

from orderctl.commands import buy
from orderctl.display.cells import Showing
from orderctl.display.columns import COLUMNS, columns_named
from orderctl.display.facts import describe
from orderctl.display.terms import terms
from orderctl.trading.orders_file import read_orders
from orderctl.trading.terms import BUYING, SELLING
from orderctl.tui.book import accepted, advanced
from orderd.client.errors import ConfigError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import AnyFact, Routed
from orderd.domain.order import Floor
from orderd.domain.terms_given import GivenTerms
from orderd.wire.orders import OrderView
from orderd.wire.quotes import PreviewResult, QuoteResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitResult
from tests.samples.orders import ACCEPTED, FILL, FILLED, ORDER_ID, QUOTE, RAYDIUM, SPLIT, START, history
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS

BUY = ("buy", "USDC", "152.310211", "--with", "SOL")
NEAR = RAYDIUM.model_copy(update={"amount_in": "1.5"})
FAR = RAYDIUM.model_copy(update={"amount_in": "1.503", "price": "101.337465", "pool": "far" * 10})
BOUGHT: tuple[AnyFact, ...] = (
    ACCEPTED.model_copy(update={"amount_in": None, "exact_out": "152.310211"}),
    FILLED[1],
    Routed(chosen=NEAR, quotes=(FAR, NEAR), min_amount_out="152.310211", max_amount_in="1.5075"),
    FILLED[3],
    FILL.model_copy(update={"amount_in": "1.4999"}),
)
QUOTED = QuoteResult.model_validate(
    QUOTE.model_dump()
    | {"amount_in": None, "exact_out": "152.310211", "chosen": NEAR, "quotes": (FAR, NEAR)}
    | {"min_amount_out": "152.310211", "max_amount_in": "1.5075"}
)


def bought_after(number: int) -> OrderView:
    """The order after this many events, as the TUI derives it."""
    first, *others = history(BOUGHT[:number])
    order = accepted(first)
    for event in others:
        order = advanced(order, event)
    return order


class TestBuy:
    def test_the_purchase_is_sent_as_typed(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=bought_after(1), created=True))

        outcome = orderctl(*BUY, "--max-in", "1.6", "-s", "0.3", "--client-order-id", "mine-1")

        assert (outcome.code, outcome.out) == (0, f"{ORDER_ID}  pending\n")
        sent = {"token_in": "SOL", "token_out": "USDC", "exact_out": "152.310211", "max_in": "1.6", "slippage": "0.3"}
        assert daemon.calls == [("order.submit", sent | {"client_order_id": "mine-1"})]

    def test_submit_with_exact_out_sends_the_same_purchase(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=bought_after(1), created=True))
        orderctl(*BUY, "--client-order-id", "mine-1")
        orderctl("submit", "SOL", "USDC", "--exact-out", "152.310211", "--client-order-id", "mine-1")
        first, second = daemon.calls
        assert first == second

    @pytest.mark.parametrize(
        ("trade", "code"),
        [
            (("buy", "SOL", "-1", "--with", "USDC"), "AMOUNT_NOT_POSITIVE"),
            (("buy", "SOL", "1.0000000001", "--with", "USDC"), "AMOUNT_TOO_PRECISE"),
            (("buy", "SOL", "1", "--with", "USDC", "--max-in", "0"), "AMOUNT_NOT_POSITIVE"),
            (("buy", "SOL", "1", "--with", "USDC", "--max-in", "1.0000001"), "AMOUNT_TOO_PRECISE"),
            (("buy", "SOL", "1", "--with", "sol"), "TOKEN_SAME"),
            (("buy", "SOL", "1", "--with", "USDC", "--use-wrapped"), "TOKEN_NOT_WRAPPED"),
            (("submit", "SOL", "USDC", "1", "--exact-out", "1"), "AMOUNT_NOT_ONE_SIDE"),
            (("submit", "SOL", "USDC", "1", "--max-in", "1"), "AMOUNT_NOT_ONE_SIDE"),
            (("submit", "SOL", "USDC", "--exact-out", "1", "--min-out", "1"), "AMOUNT_NOT_ONE_SIDE"),
        ],
    )
    def test_an_invalid_purchase_is_not_sent(
        self, daemon: FakeDaemon, orderctl: Orderctl, trade: tuple[str, ...], code: str
    ) -> None:
        outcome = orderctl(*trade)
        assert (outcome.code, f"error[{code}]" in outcome.err) == (2, True), outcome.err
        assert daemon.calls == []

    @pytest.mark.parametrize(
        ("words", "missing"), [("SOL 1", "--with"), ("SOL --with USDC", "AMOUNT"), ("--with USDC", "TOKEN_OUT")]
    )
    def test_missing_arguments_are_named(
        self, daemon: FakeDaemon, orderctl: Orderctl, words: str, missing: str
    ) -> None:
        outcome = orderctl("buy", *words.split())
        assert (outcome.code, missing in outcome.err) == (2, True)
        assert daemon.calls == []

    def test_buy_has_exactly_the_options_of_a_purchase(self) -> None:
        typed = inspect.signature(buy.run).parameters.keys() & GivenTerms.model_fields.keys()
        assert typed == GivenTerms.model_fields.keys() - BUYING.without
        assert SELLING.places == ("token_in", "token_out", "amount_in")

    def test_the_maximum_cost_is_confirmed_and_sent_on_a_real_chain(
        self, daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "mainnet"}))
        daemon.answers(Method.QUOTE, QUOTED)
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.SERVICE_DRAINING, "the daemon stops"))
        for module in ("orderctl.output.prompt", "orderctl.trading.placing"):
            monkeypatch.setattr(f"{module}.can_ask", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))

        printed = orderctl(*BUY, "--client-order-id", "mine").err

        assert "at most 1.5075 SOL at 0.5 % slippage" in printed
        (sent,) = (params for method, params in daemon.calls if method == Method.ORDER_SUBMIT)
        assert (sent["max_in"], "min_out" in sent) == ("1.5075", False)
        again = "orderctl buy USDC 152.310211 --with SOL --max-in 1.5075 --client-order-id mine --yes"
        assert sorted(printed.splitlines()[-1].partition("orderctl ")[2].split()) == sorted(again.split()[1:])


class TestShown:
    def test_a_quote_shows_costs_with_the_cheapest_pool_first(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, QUOTED)

        lines = [
            line.rstrip() for line in orderctl("quote", "SOL", "USDC", "--exact-out", "152.310211").out.splitlines()
        ]

        assert lines[:2] == [
            "buy 152.310211 USDC with SOL",
            "pay 1.5 SOL at 101.540141 USDC per SOL, fee 0.00375 SOL, impact 0.021 %",
        ]
        table = next(number for number, line in enumerate(lines) if line.startswith("EACH POOL ALONE"))
        assert "SOL IN" in lines[table]
        assert [line.split()[1] for line in lines[table + 1 : table + 3]] == ["1.5", "1.503"]
        assert lines[table + 3].startswith("at most 1.5075 SOL at 0.5 % slippage")

    def test_wide_output_shows_how_much_more_each_pool_costs(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, QUOTED)
        out = orderctl("quote", "SOL", "USDC", "--exact-out", "152.310211", "-o", "wide").out
        assert "chosen because it costs least: no split saves more than its additional legs cost" in out
        assert "20.00 bp" in out
        split = QUOTED.model_copy(update={"route": SPLIT, "gain_bps": "12.46"})
        daemon.answers(Method.QUOTE, split)
        out = orderctl("quote", "SOL", "USDC", "--exact-out", "152.310211", "-o", "wide").out
        assert "chosen because together they cost 12.46 basis points less than the best single pool" in out

    def test_a_maximum_below_the_market_is_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.QUOTE, QUOTED.model_copy(update={"max_in": "1.4", "max_amount_in": "1.4"}))
        out = orderctl("quote", "SOL", "USDC", "--exact-out", "152.310211", "--max-in", "1.4").out
        assert "at most 1.4 SOL, as requested" in out
        assert "the best route costs 0.1 SOL more than the maximum: the order would fail now" in " ".join(out.split())

    def test_a_dry_run_shows_the_costs(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        preview = PreviewResult(
            quote=QUOTED, succeeds=True, error=None, units_consumed=41_234, network_fee="0.000005", logs=()
        )
        daemon.answers(Method.ORDER_PREVIEW, preview)
        outcome = orderctl(*BUY, "--dry-run")
        assert outcome.code == 0
        assert "pay 1.5 SOL" in outcome.out

    def test_terms_and_events_of_a_purchase_show_its_cost(self) -> None:
        order = bought_after(5)
        assert terms(order) == "buy 152.310211 USDC with SOL, slippage at most 0.5 %"
        bounded = order.model_copy(update={"max_in": "1.6", "floor": Floor.EACH})
        assert terms(bounded).endswith(", at most 1.6 SOL, a new ceiling in each attempt")
        routed = describe(BOUGHT[2], order)
        assert routed[0].split() == ["→", "raydium_cpmm", "1.5", "SOL", "at", "101.540141,", "impact", "0.021", "%"]
        assert routed[-1].endswith("for at most 1.5075 SOL")
        assert describe(BOUGHT[4], order)[0] == "received 152.310211 USDC for 1.4999 SOL, at 101.540141 USDC per SOL"
        split = BOUGHT[2].model_copy(update={"route": SPLIT, "gain_bps": "3.1"})
        assert describe(split, order)[-2].strip() == "together 1.5 SOL, 3.1 bp less than the best pool"

    def test_a_table_shows_the_maximum_cost_until_the_cost_is_known(self) -> None:
        sell, result = columns_named("sell,result")
        shown = [
            [
                "".join(text for text, _ in column.cell(bought_after(number), Showing(START)))
                for column in (sell, result)
            ]
            for number in (1, 3, 5)
        ]
        assert shown == [
            ["SOL", "→ 152.310211 USDC"],
            ["≤ 1.5075 SOL", "→ 152.310211 USDC"],
            ["1.4999 SOL", "152.310211 USDC"],
        ]
        assert COLUMNS["sell"].key(bought_after(1)) < COLUMNS["sell"].key(bought_after(5))

    def test_the_details_show_quoted_and_actual_cost(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        from tests.samples.orders import detail_of

        detail = detail_of(FILLED).model_copy(update={"order": bought_after(5), "events": history(BOUGHT)})
        daemon.answers(Method.ORDER_GET, detail)
        out = orderctl("show", str(ORDER_ID)).out
        for line in (
            "buy        152.310211 USDC with SOL",
            "quoted     1.5 SOL, at most 1.5075",
            "received   152.310211 USDC for 1.4999 SOL, at 101.540141 USDC per SOL",
        ):
            assert line in out


class TestFile:
    def test_a_file_may_have_orders_of_both_kinds(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.csv"
        path.write_text("token_in,token_out,amount_in,exact_out,max_in\nSOL,USDC,1,,\nUSDC,SOL,,2,300\n")
        sold, bought = read_orders(str(path), {}, "mine")
        assert (sold.amount_in, sold.exact_out, sold.max_in) == ("1", None, None)
        assert (bought.amount_in, bought.exact_out, bought.max_in) == (None, "2", "300")

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (
                "token_in,token_out\nSOL,USDC\n",
                "they must be token_in,token_out,amount_in or exact_out, and optionally",
            ),
            ("token_in,token_out,amount_in,exact_out\nSOL,USDC,1,1\n", "both amount_in and exact_out are given"),
            ("token_in,token_out,exact_out\nSOL,USDC,\n", "amount_in: is required"),
        ],
    )
    def test_each_order_of_a_file_has_one_amount(self, tmp_path: Path, text: str, why: str) -> None:
        path = tmp_path / "orders.csv"
        path.write_text(text)
        with pytest.raises(ConfigError, match=why):
            read_orders(str(path), {}, "mine")

    def test_the_confirmation_on_a_real_chain_names_sales_and_purchases(
        self, daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        path = tmp_path / "orders.csv"
        path.write_text("token_in,token_out,amount_in,exact_out\nSOL,USDC,1,\nUSDC,SOL,,2\nUSDC,SOL,,0.5\n")
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "mainnet"}))
        for module in ("orderctl.output.prompt", "orderctl.trading.placing"):
            monkeypatch.setattr(f"{module}.can_ask", lambda: True)
        monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
        outcome = orderctl("submit", "--file", str(path))
        assert "send 3 orders: sell 1 SOL, and buy 2.5 SOL?" in outcome.err


def test_purchases_use_no_space_in_a_list_of_sales(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.QUOTE, QUOTE)
    document = json.loads(orderctl("quote", "SOL", "USDC", "1.5", "-o", "json").out)
    assert not document.keys() & {"exact_out", "max_in", "max_amount_in"}
    assert all("amount_in" not in each for each in document["quotes"])
