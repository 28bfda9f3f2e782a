"""The form supports every kind of order."""

import pytest
from textual.widgets import Input, Select

from orderd.domain.order import OrderKind
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitResult
from tests.samples.orders import FILLED, QUOTE
from tests.unit.orderctl.tui.app.forms import answer_of, chosen, filled_in, quoting, sent_by
from tests.unit.orderctl.tui.app.pilots import drawn, running
from tests.unit.orderctl.tui.desks import busy, order

pytestmark = pytest.mark.asyncio


async def test_an_invalid_term_is_reported_by_the_label_of_its_field() -> None:
    caller = busy()
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.query_one("#kind", Select).value = OrderKind.TWAP
        await drawn(pilot)
        for name, value in (("slices", "1"), ("over", "5m")):
            screen.query_one(f"#{name}", Input).value = value
        await drawn(pilot)
        assert "\nParts: Input should be greater than or equal to 2" in str(screen.answer.content)


@pytest.mark.parametrize(
    ("kind", "typed", "sent"),
    [
        (OrderKind.LIMIT, {"limit-price": "105"}, {"limit_price": "105", "time_in_force": "gtc"}),
        (OrderKind.STOP, {"stop-price": "95", "valid": "2h"}, {"stop_price": "95", "valid_for": "2h"}),
        (
            OrderKind.STOP_LIMIT,
            {"stop-price": "95", "limit-price": "94.5"},
            {"stop_price": "95", "limit_price": "94.5"},
        ),
        (
            OrderKind.TAKE_PROFIT,
            {"take-profit-price": "120", "valid": "2999-01-01T00:00:00Z"},
            {"take_profit_price": "120", "expires": "2999-01-01T00:00:00Z"},
        ),
        (OrderKind.TRAILING, {"trail": "3%", "slippage": "1"}, {"trail": "3%", "slippage": "1"}),
        (
            OrderKind.OCO,
            {"take-profit-price": "120", "stop-price": "95", "max-slippage": "3"},
            {"take_profit_price": "120", "stop_price": "95", "max_slippage": "3"},
        ),
        (
            OrderKind.LIMIT,
            {"limit-price": "105", "then-take-profit": "90", "then-stop": "115"},
            {"limit_price": "105", "time_in_force": "gtc", "then_take_profit": "90", "then_stop": "115"},
        ),
    ],
)
async def test_a_form_sends_the_terms_of_every_kind_of_order(
    kind: OrderKind, typed: dict[str, str], sent: dict[str, str]
) -> None:
    caller = busy()
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update=params.model_dump(exclude_none=True))
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.query_one("#kind", Select).value = kind
        await drawn(pilot)
        assert screen.send.disabled, "the price is missing"
        assert "required field" in str(screen.answer.content)
        for name, value in typed.items():
            assert screen.query_one(f"#{name}", Input).display
            screen.query_one(f"#{name}", Input).value = value
        await drawn(pilot)
        assert "would rest" in answer_of(screen)
        assert str(screen.send.label).startswith("Sell 1.5 SOL, ")

        await pilot.click("#send")
        await drawn(pilot)
        (given,) = caller.called(Method.ORDER_SUBMIT)
        terms = given.model_dump(mode="json", exclude_defaults=True, exclude={"client_order_id"})
        own = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "type": kind, **sent}
        assert terms == own, "a resting order must not have a minimum from the current market"


@pytest.mark.parametrize(
    ("shape", "typed", "sent"),
    [
        ("twap", {"slices": "5", "over": "5m", "jitter": "20"}, {"slices": 5, "over": "5m", "jitter": "20"}),
        (
            "dca",
            {"slices": "24", "every": "1h", "limit_price": "105"},
            {"slices": 24, "every": "1h", "limit_price": "105"},
        ),
    ],
)
async def test_a_form_for_a_twap_shows_its_executions(
    shape: str, typed: dict[str, str], sent: dict[str, object]
) -> None:
    caller = quoting()
    answered = {"part_in": "0.3", "every": typed.get("every", "1m")}
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(
        update={**params.model_dump(exclude_none=True), **answered}
    )
    async with running(caller) as pilot:
        screen = await chosen(pilot, shape, **typed)
        assert f"{typed['slices']} times 0.3 SOL, one every {answered['every']}" in answer_of(screen)
        assert "the first at once, in " in answer_of(screen)
        assert str(screen.send.label) == f"Sell 1.5 SOL in {typed['slices']} executions"
        assert await sent_by(pilot, caller) == {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "type": "twap",
            **sent,
        }


async def test_a_form_submits_a_partial_limit_order() -> None:
    caller = quoting()
    async with running(caller) as pilot:
        screen = await chosen(pilot, "limit", limit_price="105")
        screen.query_one("#in-force", Select).value = "parts"
        await drawn(pilot)
        sent = await sent_by(pilot, caller)
        assert (sent["partial"], sent["limit_price"], "time_in_force" in sent) == (True, "105", False)


async def test_a_form_buys_an_exact_amount_at_the_cost_on_its_button() -> None:
    caller = quoting()
    answered = {
        "amount_in": None,
        "max_amount_in": "2.5",
        "chosen": QUOTE.chosen.model_copy(update={"amount_in": "2.4"}),
    }
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(
        update={**params.model_dump(exclude_none=True), **answered}
    )
    async with running(caller) as pilot:
        screen = await chosen(pilot, "buy", then_stop="115")
        assert screen.query_one("#amount", Input).placeholder == "of USDC, like 1.5"
        assert str(screen.send.label) == "Buy 1.5 USDC for at most 2.5 SOL"
        assert "then stop 115, for what was received" in answer_of(screen)
        assert await sent_by(pilot, caller) == {
            "token_in": "SOL",
            "token_out": "USDC",
            "exact_out": "1.5",
            "max_in": "2.5",
            "then_stop": "115",
        }


async def test_an_implausible_exit_is_reported_before_the_entry_is_sent() -> None:
    async with running(quoting()) as pilot:
        screen = await chosen(pilot, "market", then_stop="9000")
        assert "9000" in answer_of(screen)
        assert screen.send.disabled


async def test_values_of_another_kind_are_not_sent() -> None:
    caller = busy()
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        kind = screen.query_one("#kind", Select)
        kind.value = OrderKind.LIMIT
        await drawn(pilot)
        screen.query_one("#limit-price", Input).value = "105"
        kind.value = OrderKind.MARKET
        await drawn(pilot)
        asked = caller.called(Method.QUOTE)[-1]
        assert (asked.limit_price, asked.type) == (None, None)
        assert not screen.query_one("#limit-price", Input).display


async def test_a_price_that_the_daemon_would_refuse_cannot_be_sent() -> None:
    caller = busy()
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update=params.model_dump(exclude_none=True))
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.query_one("#kind", Select).value = OrderKind.STOP
        await drawn(pilot)
        screen.query_one("#stop-price", Input).value = "120"
        await drawn(pilot)
        assert "The order would fire at once" in str(screen.answer.content)
        assert screen.send.disabled
