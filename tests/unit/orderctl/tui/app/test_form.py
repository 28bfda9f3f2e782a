"""The form for a new order: quotes, the button, and refusals."""

import asyncio
from typing import Any

import pytest
from textual.widgets import Input

from orderctl.tui.desk import Desk
from orderctl.tui.requests import PeriodicRequests
from orderctl.tui.screens.new_order import UNARMED, UNTYPED, NewOrderScreen
from orderctl.tui.screens.orders import OrdersScreen
from orderd.client.handshake import connection_lost
from orderd.client.news import Opened
from orderd.domain.errors import ErrorCode
from orderd.domain.halt import HaltCause
from orderd.domain.tokens import WSOL_MINT
from orderd.wire.balances import Balance
from orderd.wire.halts import HaltView
from orderd.wire.message import Message
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitResult
from orderd.wire.subscriptions import Ready
from orderd.wire.tokens import TokensResult, TokenView
from tests.samples.orders import FILLED, QUOTE
from tests.unit.orderctl.tui.app.forms import answer_of, filled_in, quoting
from tests.unit.orderctl.tui.app.pilots import drawn, refusal, running, table
from tests.unit.orderctl.tui.desks import NOW, STATUS, WALLET, ScriptedCaller, busy, order, order_id

pytestmark = pytest.mark.asyncio


async def test_a_form_shows_prices_while_filled_in_and_is_sent_by_its_button() -> None:
    caller = busy()
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        assert caller.called(Method.QUOTE)[-1].amount_in == "1.5"
        assert str(screen.send.label) == "Sell 1.5 SOL for at least 151.54866 USDC"
        assert not screen.send.disabled

        await pilot.click("#send")
        await drawn(pilot)
        (sent,) = caller.called(Method.ORDER_SUBMIT)
        assert (sent.token_in, sent.token_out, sent.amount_in, sent.slippage) == ("SOL", "USDC", "1.5", None)
        assert sent.min_out == "151.54866", "the minimum on the button"
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert table(pilot).selected == order_id(77)


async def test_an_order_is_sent_once_however_often_its_button_is_pressed_before_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caller = busy()
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    begun, is_due = [], asyncio.Event()

    async def late(method: Method, params: Message, answer: type[Any]) -> Any:
        if method is Method.ORDER_SUBMIT:
            begun.append(params)
            await is_due.wait()
        return await ScriptedCaller.call(caller, method, params, answer)

    monkeypatch.setattr(caller, "call", late)
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        for _ in range(2):
            screen.send.press()
            await pilot.pause()
        is_due.set()
        await drawn(pilot)
        assert len(begun) == 1
        assert isinstance(pilot.app.screen, OrdersScreen)


async def test_a_deleted_amount_takes_its_answer_along() -> None:
    async with running(busy()) as pilot:
        screen = await filled_in(pilot)
        assert "152.310211" in answer_of(screen)
        await pilot.press(*["backspace"] * 3)
        await drawn(pilot)
        assert answer_of(screen).strip() == UNTYPED


WITH_WRAPPED = WALLET.model_copy(
    update={
        "balances": (
            Balance(token="SOL", mint=WSOL_MINT, amount="3.5", tradable="1", wrapped="2.5", elsewhere="0"),
            *WALLET.balances[1:],
        )
    }
)


async def test_wrapped_sol_is_sold_if_the_box_is_ticked() -> None:
    caller = busy()
    caller.answers[Method.BALANCES] = WITH_WRAPPED
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update={"use_wrapped": params.use_wrapped})
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        assert str(screen.use_wrapped.label) == "Sell what is wrapped: 2.5 SOL"
        assert "the wallet holds only 1 SOL" in answer_of(screen)

        await pilot.click("#use-wrapped")
        await drawn(pilot)
        assert str(screen.send.label) == "Sell 1.5 wrapped SOL for at least 151.54866 USDC"
        assert "the wallet holds only" not in answer_of(screen)

        await pilot.click("#send")
        await drawn(pilot)
        (sent,) = caller.called(Method.ORDER_SUBMIT)
        assert sent.use_wrapped


async def test_the_box_for_wrapped_sol_needs_a_wrapped_balance() -> None:
    async with running(busy()) as pilot:
        assert not (await filled_in(pilot)).use_wrapped.display, "the wallet has no wrapped SOL"
    caller = busy()
    caller.answers[Method.BALANCES] = WITH_WRAPPED
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.use_wrapped.value = True
        screen.query_one("#token-in", Input).value = "USDC"
        await drawn(pilot)
        assert not screen.use_wrapped.display
        assert not caller.called(Method.QUOTE)[-1].use_wrapped


async def test_a_key_leads_to_the_button_once_there_is_something_to_send() -> None:
    caller = quoting()
    async with running(caller) as pilot:
        await pilot.press("n")
        screen = pilot.app.screen
        await pilot.press("ctrl+s")
        assert screen.focused is screen.query_one("#amount"), "nothing can be sent yet"

        await pilot.press(*"1.5")
        await drawn(pilot)
        await pilot.press("ctrl+s")
        assert screen.focused is screen.query_one("#send")
        assert caller.called(Method.ORDER_SUBMIT) == []

        await pilot.press("enter")
        await drawn(pilot)
        assert len(caller.called(Method.ORDER_SUBMIT)) == 1


async def test_enter_moves_through_fields_and_never_to_the_button() -> None:
    caller = busy()
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        for _ in range(8):
            await pilot.press("enter")
        assert isinstance(screen.focused, Input)
        assert not caller.called(Method.ORDER_SUBMIT)


@pytest.mark.parametrize(
    ("typed", "message"),
    [("-1", "The amount is not above zero"), ("abc", "The amount is not a decimal number")],
)
async def test_an_invalid_value_is_reported_at_once_and_cannot_be_sent(typed: str, message: str) -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("n", *typed)
        await drawn(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, NewOrderScreen)
        assert message in str(screen.answer.content)
        assert screen.send.disabled


async def test_a_changed_value_takes_the_promise_from_the_button() -> None:
    async with running(busy()) as pilot:
        screen = await filled_in(pilot)
        assert str(screen.send.label).startswith("Sell 1.5 SOL for at least")
        await pilot.press(".")
        await drawn(pilot)
        assert (str(screen.send.label), screen.send.disabled) == (UNARMED, True)


async def test_nothing_can_be_sent_while_trading_is_halted() -> None:
    caller = busy()
    halt = HaltView(cause=HaltCause.OPERATOR, actor="alice", reason="maintenance", at=NOW)
    caller.answers[Method.STATUS] = STATUS.model_copy(update={"halts": (halt,)})
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        assert (str(screen.send.label), screen.send.disabled) == (UNARMED, True)
        assert "no order is accepted: halted by alice" in answer_of(screen)
        assert "152.310211 USDC" in answer_of(screen)

        screen._desk.status = STATUS
        screen.query_one("#amount", Input).value = "1.50"
        await drawn(pilot)
        assert not screen.send.disabled
        assert "no order is accepted" not in answer_of(screen)


async def test_a_form_reports_an_insufficient_balance() -> None:
    caller = busy()
    caller.answers[Method.QUOTE] = QUOTE.model_copy(update={"amount_in": "1500"})
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        assert "the wallet holds only 998.499995 SOL" in answer_of(screen)


async def test_a_lost_answer_is_reported_and_retried_under_the_same_id() -> None:
    caller = busy()
    caller.answers[Method.ORDER_SUBMIT] = connection_lost("the network dropped it")
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.send.active_effect_duration = 0  # Textual ignores clicks for as long
        await pilot.click("#send")
        await drawn(pilot)
        assert str(screen.answer.content).startswith("The outcome is unknown: the network dropped it")
        await pilot.click("#send")
        await drawn(pilot)

        first, second = caller.called(Method.ORDER_SUBMIT)
        assert first == second, "the retry has other terms"


async def test_a_refusal_keeps_the_form_and_shows_the_reason() -> None:
    caller = busy()
    caller.answers[Method.ORDER_SUBMIT] = refusal(ErrorCode.FUNDS_INSUFFICIENT, "the wallet holds 0.2 SOL")
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        await pilot.click("#send")
        await drawn(pilot)

        assert "the wallet holds 0.2 SOL" in str(screen.answer.content)
        assert pilot.app.screen is screen


async def test_the_form_offers_the_symbols_that_the_daemon_knows() -> None:
    caller = ScriptedCaller(Opened(), Ready(subscription=1, orders=0))
    known = TokenView(symbol="XYZW", mint="X" * 43, decimals=4)
    caller.answers[Method.TOKENS] = TokensResult(tokens=(*QUOTE.tokens, known))
    desk = Desk(url="ws://127.0.0.1/")
    await PeriodicRequests(desk, caller).catch_up()
    assert desk.symbols == ("SOL", "USDC", "XYZW")
    caller.answers[Method.TOKENS] = refusal(ErrorCode.REQUEST_UNKNOWN_METHOD, "an older daemon")
    await PeriodicRequests(desk, caller).catch_up()
    assert desk.symbols == ("SOL", "USDC", "XYZW")
