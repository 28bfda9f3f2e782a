"""A trader at the terminal with a real daemon and a local Solana chain; nothing is mocked."""

import json
from decimal import Decimal
from uuid import uuid4

import pytest

from tests.acceptance.orderctl.conftest import Orderctl


def balance(orderctl: Orderctl, token: str) -> Decimal:
    balances = json.loads(orderctl("balances", "-o", "json").out)["balances"]
    return next(Decimal(held["amount"]) for held in balances if held["token"] == token)


def orders(orderctl: Orderctl) -> int:
    return len(json.loads(orderctl("list", "--all", "-o", "json").out)["orders"])


def test_an_order_is_followed_to_its_fill_and_the_wallet_holds_the_amount(orderctl: Orderctl) -> None:
    sol, usdc = balance(orderctl, "SOL"), balance(orderctl, "USDC")

    submitted = orderctl("submit", "SOL", "USDC", "1.5", "--watch", "-o", "jsonl")

    assert submitted.code == 0
    events = [json.loads(line) for line in submitted.out.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [event["data"]["kind"] for event in events] == ["accepted", "started", "routed", "submitted", "confirmed"]
    routed, fill = events[2]["data"], events[4]["data"]
    assert {quote["venue"] for quote in routed["quotes"]} == {"raydium", "meteora"}
    assert Decimal(fill["amount_out"]) >= Decimal(routed["min_amount_out"])
    assert balance(orderctl, "USDC") - usdc == Decimal(fill["amount_out"])
    assert sol - balance(orderctl, "SOL") == Decimal("1.5") + Decimal(fill["network_fee"])


def test_the_timeline_shows_both_quotes_the_choice_and_the_fill(orderctl: Orderctl) -> None:
    orderctl("submit", "SOL", "USDC", "0.25", "--client-order-id", "for-the-timeline", "--watch")

    shown = orderctl("show", "for-the-timeline")

    assert shown.code == 0
    for part in (
        "raydium_",
        "meteora_",
        "→ ",
        "chosen: ",
        "at least",
        "signature",
        "received",
        "fee",
        "+0.000 s",
        "landed",
    ):
        assert part in shown.out


def test_an_order_is_found_by_its_id_a_prefix_and_the_client_order_id(orderctl: Orderctl) -> None:
    order = orderctl("-q", "submit", "SOL", "USDC", "0.1", "--client-order-id", "by-any-name", "-o", "id").out.strip()

    for name in (order, order[:18], "by-any-name"):
        assert orderctl("watch", name).code == 0
        assert orderctl("show", name, "-o", "id").out.strip() == order


def test_a_repeated_client_order_id_is_the_same_order(orderctl: Orderctl) -> None:
    submit = ("submit", "SOL", "USDC", "0.2", "--client-order-id", "only-once")
    first = orderctl(*submit, "-o", "id")
    again = orderctl(*submit, "-o", "id")

    assert first.out == again.out
    assert "no second one was created" in again.err

    other = orderctl("submit", "SOL", "USDC", "0.3", "--client-order-id", "only-once")
    assert other.code == 2
    assert "error[ORDER_CONFLICT]" in other.err


def test_a_dry_run_simulates_on_the_chain_and_stores_no_order(orderctl: Orderctl) -> None:
    before = orders(orderctl)

    outcome = orderctl("submit", "SOL", "USDC", "1.5", "--dry-run")

    assert outcome.code == 0
    assert "the simulation succeeds" in outcome.out
    assert "compute units" in outcome.out
    assert orders(orderctl) == before


def test_an_order_is_filled_within_its_own_limits_and_shows_them(orderctl: Orderctl) -> None:
    quoted = json.loads(orderctl("quote", "SOL", "USDC", "0.2", "-o", "json").out)["chosen"]["amount_out"]
    least = str((Decimal(quoted) * Decimal("0.999")).quantize(Decimal("0.000001")))
    said = ("--min-out", least, "--max-cost", "2.5", "--floor", "each")

    assert orderctl("submit", "SOL", "USDC", "0.2", *said, "--client-order-id", "bounded", "--watch").code == 0

    order = json.loads(orderctl("show", "bounded", "-o", "json").out)["order"]
    assert (order["max_cost"], order["floor"]) == ("2.5", "each")
    assert Decimal(order["min_out"]) == Decimal(least) <= Decimal(order["amount_out"])
    assert Decimal(order["min_amount_out"]) >= Decimal(least), "the minimum of its route"
    terms = f"at least {order['min_out']} USDC, cost at most 2.5 %, a new floor in each attempt"
    assert terms in orderctl("show", "bounded").out
    other = orderctl("submit", "SOL", "USDC", "0.2", *said[2:], "--client-order-id", "bounded")
    assert "error[ORDER_CONFLICT]" in other.err


def test_an_order_whose_minimum_exceeds_the_market_is_not_traded(orderctl: Orderctl) -> None:
    usdc = balance(orderctl, "USDC")
    quote = orderctl("quote", "SOL", "USDC", "0.2", "--min-out", "1000000")
    assert quote.code == 0
    assert "at least 1000000 USDC, as requested" in quote.out
    assert "less than the minimum: the order would fail now" in quote.out

    tried = orderctl("submit", "SOL", "USDC", "0.2", "--min-out", "1000000", "--dry-run")
    assert "error[ROUTE_BELOW_FLOOR]" in tried.err
    submit = ("submit", "SOL", "USDC", "0.2", "--min-out", "1000000", "--client-order-id", "too-much", "--watch")
    assert orderctl(*submit).code == 1

    order = json.loads(orderctl("show", "too-much", "-o", "json").out)
    assert (order["order"]["error"]["code"], order["attempts"]) == ("ROUTE_BELOW_FLOOR", [])
    assert "the order accepts no less than 1000000 USDC: its own min_out" in order["order"]["error"]["detail"]
    assert balance(orderctl, "USDC") == usdc


def test_the_maximum_cost_of_an_order_cannot_exceed_the_daemons_limit(orderctl: Orderctl) -> None:
    outcome = orderctl("submit", "SOL", "USDC", "0.2", "--max-cost", "0", "--client-order-id", "for-nothing", "--watch")
    assert outcome.code == 1
    error = json.loads(orderctl("show", "for-nothing", "-o", "json").out)["order"]["error"]
    assert error["code"] == "ROUTE_TOTAL_COST"
    assert "the limit is 0" in error["detail"]

    for verb in ("quote", "submit"):
        refused = orderctl(verb, "SOL", "USDC", "0.2", "--max-cost", "10.01")
        assert refused.code == 2
        assert "error[COST_OUT_OF_RANGE]" in refused.err
        assert "10.01 % is not within 0 and 10 %, the daemon's limit," in refused.err


def test_a_quote_names_both_venues_and_trades_nothing(orderctl: Orderctl) -> None:
    quote = json.loads(orderctl("quote", "SOL", "USDC", "1.5", "-o", "json").out)

    assert {offer["venue"] for offer in quote["quotes"]} == {"raydium", "meteora"}
    best = max(Decimal(offer["amount_out"]) for offer in quote["quotes"])
    assert Decimal(quote["chosen"]["amount_out"]) >= best  # a split over several pools may pay more than any of them
    assert quote["chosen"]["pool"] in {offer["pool"] for offer in quote["quotes"]}


def test_doctor_finds_no_fault_without_configuration(orderctl: Orderctl) -> None:
    status = json.loads(orderctl("status", "-o", "json").out)

    assert status["chain"] == "simnet"
    assert all(service["ok"] for service in status["services"].values())
    assert status["workers"] == 1
    (endpoint,) = status["endpoints"]
    assert endpoint["requests"] > 0
    assert endpoint["processes"] == 2, "the worker and the gateway"


def test_an_ended_order_cannot_be_cancelled(orderctl: Orderctl) -> None:
    orderctl("submit", "SOL", "USDC", "0.1", "--client-order-id", "too-late", "--watch")

    outcome = orderctl("cancel", "too-late")

    assert outcome.code == 1
    assert "error[ORDER_NOT_CANCELLABLE]" in outcome.err


@pytest.mark.parametrize(
    ("trade", "exit_code", "code"),
    [
        (("SOL", "USDC", "-1"), 2, "AMOUNT_NOT_POSITIVE"),
        (("SOL", "USDC", "0"), 2, "AMOUNT_NOT_POSITIVE"),
        (("SOL", "USDC", "NaN"), 2, "AMOUNT_INVALID"),
        (("SOL", "USDC", "0.0000000001"), 2, "AMOUNT_TOO_PRECISE"),
        (("SOL", "USDC", "99999999999"), 2, "AMOUNT_TOO_LARGE"),
        (("SOL", "SOL", "1"), 2, "TOKEN_SAME"),
        (("SOL", "USDD", "1"), 2, "TOKEN_UNKNOWN"),
        (("SOL", "USDC", "1", "--slippage", "100.01"), 2, "SLIPPAGE_OUT_OF_RANGE"),
    ],
)
def test_bad_input_is_refused_and_changes_nothing(
    orderctl: Orderctl, trade: tuple[str, ...], exit_code: int, code: str
) -> None:
    before = orders(orderctl)

    outcome = orderctl("submit", *trade)

    assert outcome.code == exit_code
    assert f"error[{code}]" in outcome.err
    assert orders(orderctl) == before


@pytest.mark.parametrize(("amount", "code"), [("5000", "FUNDS_INSUFFICIENT"), ("90000", "ROUTE_PRICE_IMPACT")])
def test_an_order_that_the_market_or_the_wallet_refuses_fails_with_its_code(
    orderctl: Orderctl, amount: str, code: str
) -> None:
    outcome = orderctl("submit", "SOL", "USDC", amount, "--watch")

    assert outcome.code == 1
    assert code in outcome.out


@pytest.mark.parametrize("verb", ["watch", "show", "cancel"])
def test_an_unknown_order_exits_with_6(orderctl: Orderctl, verb: str) -> None:
    outcome = orderctl(verb, str(uuid4()))

    assert outcome.code == 6
    assert "error[ORDER_NOT_FOUND]" in outcome.err


def test_the_list_is_filtered_by_the_daemon(orderctl: Orderctl) -> None:
    orderctl("submit", "SOL", "USDC", "0.1", "--watch")

    confirmed = json.loads(orderctl("list", "--status", "confirmed", "-o", "json").out)["orders"]

    assert confirmed
    assert {order["status"] for order in confirmed} == {"confirmed"}
    assert orderctl("list", "--token", "CHILLGUY").err == "no orders match\n"
