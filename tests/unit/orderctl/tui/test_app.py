"""What keys, the mouse and the daemon's news do."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.pilot import Pilot
from textual.widgets import Button, Footer, Input, Select, Static
from textual.widgets._footer import FooterKey

from orderctl.tui import questions
from orderctl.tui.app import OrderctlApp
from orderctl.tui.desk import Desk
from orderctl.tui.questions import Questions
from orderctl.tui.screens.cancel import CancelScreen
from orderctl.tui.screens.confirm import ConfirmScreen
from orderctl.tui.screens.detail import DetailScreen
from orderctl.tui.screens.help import HelpScreen
from orderctl.tui.screens.new_order import NewOrderScreen
from orderctl.tui.screens.orders import OrdersScreen
from orderctl.tui.screens.venues import VenuesScreen
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.blotter import Blotter
from orderctl.tui.widgets.candle_pane import CandlePane
from orderctl.tui.widgets.fill_table import FillTable
from orderctl.tui.widgets.gauges import Gauges
from orderctl.tui.widgets.order_panel import OrderPanel
from orderctl.tui.widgets.order_table import OrderTable
from orderctl.tui.widgets.price_panel import PricePanel
from orderd.client.errors import ClientError, RefusedError
from orderd.client.handshake import connection_lost
from orderd.client.link import Closed, Opened
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.tokens import WSOL_MINT
from orderd.wire.balances import Balance
from orderd.wire.orders import CancelResult, ListResult, SubmitResult
from orderd.wire.prices import CandleChange
from orderd.wire.problem import Problem
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, Heartbeat, Ready, Snapshot, UnsubscribeParams
from orderd.wire.tokens import TokensResult, TokenView
from tests.samples.orders import FILLED, QUOTE, WITHDRAWN, detail_of, history
from tests.unit.orderctl.tui.desks import (
    CANDLES,
    NOW,
    STATUS,
    WALLET,
    Clock,
    ScriptedCaller,
    application,
    ask_once,
    at_rest,
    busy,
    detail,
    families,
    order,
    order_id,
    snapshots,
    twenty,
)

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def _asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ask_once(monkeypatch, read_seconds=0)


@asynccontextmanager
async def running(
    caller: ScriptedCaller,
    clock: Clock | None = None,
    *,
    read_only: bool = False,
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Pilot[ClientError]]:
    app = application(caller, clock, read_only=read_only)
    async with app.run_test(size=size, notifications=True) as pilot:
        await drawn(pilot)
        yield pilot


async def drawn(pilot: Pilot[ClientError]) -> None:
    await pilot.pause()
    app = pilot.app
    assert isinstance(app, OrderctlApp)
    app.draw()
    await pilot.pause()


def words(pilot: Pilot[ClientError], widget: type[Static]) -> str:
    return str(pilot.app.screen_stack[0].query_one(widget).content)


def table(pilot: Pilot[ClientError], name: str = "active") -> OrderTable:
    return pilot.app.screen_stack[0].query_one(f"#{name}", OrderTable)


def title(pilot: Pilot[ClientError], name: str = "active") -> str:
    """Without the sums."""
    return str(table(pilot, name).border_title).partition("  ·  ")[0]


def lines(pilot: Pilot[ClientError], name: str = "active") -> list[str]:
    """What a table shows, without its headings and empty lines."""
    shown = table(pilot, name)
    return [text for y in range(1, shown.size.height) if (text := shown.render_line(y).text.strip())]


def panel_text(panel: OrderPanel) -> str:
    """All that is written about an order, seen or scrolled out of sight."""
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(panel.text.content)
    return console.export_text()


def notices(pilot: Pilot[ClientError]) -> list[str]:
    return [notice.message for notice in pilot.app._notifications]


NO_POOLS = (ErrorCode.ROUTE_NOT_FOUND, "no venue has a pool")


def refusal(code: ErrorCode, detail: str) -> RefusedError:
    return RefusedError(Problem.of(OrderdError(code, detail)))


# News


async def test_active_orders_stand_above_those_that_ended() -> None:
    async with running(busy()) as pilot:
        assert title(pilot) == "Active 20, by age ↓"
        assert lines(pilot)[0].startswith(str(order_id(19))[:13])
        assert [line.split()[1] for line in lines(pilot, "ended")] == ["cancelled", "failed", "confirmed"]


async def test_an_order_moves_with_its_events_and_ends_among_the_ended() -> None:
    caller = ScriptedCaller(*snapshots([]))
    async with running(caller) as pilot:
        for event in history(FILLED)[:3]:
            caller.send(Event(subscription=1, event=event))
        await drawn(pilot)
        assert "building   ━━━━━━────" in lines(pilot)[0]

        for event in history(FILLED)[3:]:
            caller.send(Event(subscription=1, event=event))
        await drawn(pilot)
        assert lines(pilot) == ["none; n makes a new one"]
        assert "152.310211 USDC" in lines(pilot, "ended")[0]


async def test_news_are_drawn_ten_times_a_second_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = ScriptedCaller(*snapshots([]))
    async with running(caller) as pilot:
        shown: list[int] = []
        monkeypatch.setattr(table(pilot), "show", lambda orders, *_, **__: shown.append(len(orders)))
        for number in range(500):
            caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(number))[0]))
        app = pilot.app
        assert isinstance(app, OrderctlApp)
        app.draw()
        app.draw()

        assert shown == [500]


async def test_the_banner_tells_the_state_of_the_connection_the_network_and_the_wallet() -> None:
    clock = Clock()
    caller = busy()
    async with running(caller, clock) as pilot:
        assert words(pilot, Banner).startswith(
            " simnet  ● live  8 pending · 4 routing · 4 building · 4 submitted  ws://"
        )
        assert "998.499995 SOL   152.310211 USDC" in words(pilot, Banner)

        caller.send(Closed("the daemon restarts", 3))
        await drawn(pilot)
        shown = words(pilot, Banner)
        assert shown.startswith(" simnet  ○ the daemon restarts; reconnecting in 3 s, stale since ")
        assert pilot.app.screen.has_class("-stale")

        clock.advance(1)
        await drawn(pilot)
        assert "reconnecting in 2 s" in words(pilot, Banner)


async def test_a_daemon_that_says_nothing_for_five_seconds_makes_all_stale() -> None:
    clock = Clock()
    async with running(busy(), clock) as pilot:
        clock.advance(4)
        await drawn(pilot)
        assert not pilot.app.screen.has_class("-stale")
        clock.advance(1)
        await drawn(pilot)
        assert pilot.app.screen.has_class("-stale")
        assert words(pilot, Banner).startswith(" simnet  ◌ no answer, stale since ")


async def test_a_daemon_that_is_itself_out_of_touch_is_reported() -> None:
    caller = busy()
    async with running(caller) as pilot:
        caller.send(Heartbeat(at=NOW, as_of=NOW - timedelta(seconds=9), subscriptions=()))
        await drawn(pilot)
        assert words(pilot, Banner).startswith(" simnet  ◌ the daemon does not reach its database, stale since ")
        assert pilot.app.screen.has_class("-stale")


async def test_what_ended_while_there_was_no_connection_is_found_among_the_ended() -> None:
    caller = ScriptedCaller(*snapshots([order(1, FILLED[:2]), order(2, FILLED[:2])]))
    async with running(caller) as pilot:
        caller.answers[Method.ORDERS_LIST] = ListResult(orders=(order(1, FILLED),), next_cursor=None)
        caller.send(Closed("the daemon restarts", 1), Opened())
        caller.send(Snapshot(subscription=1, order=order(2, FILLED[:3])), Ready(subscription=1, orders=1))
        await drawn(pilot)

        assert [line.split()[1] for line in lines(pilot)] == ["building"]
        assert [line.split()[1] for line in lines(pilot, "ended")] == ["confirmed"]


async def test_orders_that_the_daemon_knows_no_more_are_dropped() -> None:
    caller = ScriptedCaller(*snapshots([order(1, FILLED[:2])]))
    async with running(caller) as pilot:
        caller.send(Opened(), Ready(subscription=1, orders=0))
        await drawn(pilot)

        assert lines(pilot) == ["none; n makes a new one"]


async def test_mainnet_stands_out_in_red() -> None:
    caller = busy()
    caller.answers[Method.STATUS] = STATUS.model_copy(update={"chain": "mainnet"})
    async with running(caller) as pilot:
        banner = pilot.app.screen.query_one(Banner).content
        assert isinstance(banner, Text)
        start = banner.plain.index("mainnet")
        style = Style.parse(str(next(span.style for span in banner.spans if span.start <= start < span.end)))
        assert style.bgcolor is not None
        red, green, blue = style.bgcolor.get_truecolor()
        assert red > 3 * max(green, blue)


async def test_the_gauges_show_the_rate_limit_the_queue_the_workers_and_what_is_ill() -> None:
    caller = busy()
    ill = {"redis": STATUS.services["redis"].model_copy(update={"ok": False, "detail": "connection refused"})}
    limit = STATUS.rate_limit.model_copy(update={"waiting": 1_900})
    caller.answers[Method.STATUS] = STATUS.model_copy(update={"services": ill, "rate_limit": limit})
    async with running(caller) as pilot:
        shown = words(pilot, Gauges)
        for part in ("33/100", "3 waiting, 1900 limited", "workers    2", "redis: connection refused"):
            assert part in shown


async def test_a_question_that_is_refused_is_reported_in_its_place() -> None:
    caller = busy()
    caller.answers[Method.BALANCES] = refusal(ErrorCode.RPC_UNAVAILABLE, "no answer in 2 s")
    async with running(caller) as pilot:
        assert "wallet: The Solana RPC endpoint does not answer: no answer in 2 s" in words(pilot, Banner)


async def test_prices_keep_their_direction_whichever_way_the_order_under_the_cursor_trades() -> None:
    caller = busy()
    caller.answers[Method.QUOTE] = lambda asked: QUOTE if asked.token_out == "USDC" else refusal(*NO_POOLS)
    async with running(caller) as pilot:
        for pressed in ((), ("down",)):  # SOL for USDC, then USDC for SOL
            await pilot.press(*pressed)
            await drawn(pilot)
            assert pilot.app.screen.query_one(PricePanel).border_title == "1 SOL in USDC"
            assert "raydium  101.540141" in words(pilot, PricePanel)
        await pilot.press("down")  # SOL for CHILLGUY
        await drawn(pilot)
        assert pilot.app.screen.query_one(PricePanel).border_title == "1 CHILLGUY in SOL"
        assert "not known yet" in words(pilot, PricePanel)
        assert "No pool trades this pair" in words(pilot, PricePanel)


async def test_a_token_too_cheap_for_a_price_is_asked_about_with_a_larger_amount(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(questions, "PRICE_SECONDS", 0.01)
    caller = busy()
    caller.answers[Method.QUOTE] = lambda asked: (
        QUOTE if asked.amount_in == "1.00" else refusal(ErrorCode.ROUTE_AMOUNT_TOO_SMALL, "it buys nothing")
    )
    async with running(caller) as pilot:
        while len(caller.called(Method.QUOTE)) < 3:
            await drawn(pilot)
        assert [asked.amount_in for asked in caller.called(Method.QUOTE)[:3]] == ["0.01", "1.00", "1.00"]


async def test_an_error_that_no_new_try_can_mend_ends_the_program_with_it() -> None:
    caller = busy()
    error = refusal(ErrorCode.AUTH_INVALID, "the token is revoked")
    async with running(caller) as pilot:
        caller.fail(error)
        await pilot.pause()
    assert pilot.app.return_value is error


# Looking around


async def test_the_cursor_stays_on_its_order_while_others_come_and_go() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("down", "down")
        chosen = table(pilot).selected
        assert chosen == order_id(17)
        caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(500))[0]))
        caller.send(Snapshot(subscription=1, order=order(18, FILLED)))
        await drawn(pilot)

        assert table(pilot).selected == chosen


async def test_new_orders_are_seen_to_come_by_whoever_is_at_the_top() -> None:
    caller = busy()
    async with running(caller) as pilot:
        for number in range(500, 520):
            caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(number))[0]))
            caller.send(Snapshot(subscription=1, order=order(number - 400, FILLED)))
        await drawn(pilot)
        assert table(pilot).scroll_offset.y == table(pilot, "ended").scroll_offset.y == 0
        assert lines(pilot, "ended")[0].startswith(str(order_id(119))[:13])
        assert lines(pilot)[0].startswith(str(table(pilot).selected)[:13])

        await pilot.press("tab")
        assert table(pilot, "ended").selected == order_id(119)


async def test_what_a_trader_has_scrolled_to_stays_in_its_place() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("end")
        before = lines(pilot)
        for number in range(500, 520):
            caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(number))[0]))
        await drawn(pilot)
        assert lines(pilot) == before


async def test_the_cursor_goes_to_the_next_order_when_its_own_ends() -> None:
    caller = busy()
    async with running(caller) as pilot:
        assert table(pilot).selected == order_id(19)
        caller.send(Snapshot(subscription=1, order=order(19, FILLED)))
        await drawn(pilot)

        assert table(pilot).selected == order_id(18)


@pytest.mark.parametrize(
    ("keys", "number"),
    [(["down"], 18), (["j", "j", "k"], 18), (["end"], 0), (["G", "g"], 19), (["pagedown"], 12), (["up"], 19)],
)
async def test_the_cursor_moves(keys: list[str], number: int) -> None:
    async with running(busy()) as pilot:
        await pilot.press(*keys)
        assert table(pilot).selected == order_id(number)
        assert any(line.startswith(str(order_id(number))[:13]) for line in lines(pilot))


async def test_a_filter_shows_the_orders_with_all_its_words_while_it_is_typed() -> None:
    async with running(busy()) as pilot:
        await pilot.press("slash", *"0.125 rout")
        await drawn(pilot)
        assert title(pilot) == "Active 2 of 20, by age ↓"
        assert {line.split()[1] for line in lines(pilot)} == {"routing"}

        await pilot.press("enter", "escape")
        await drawn(pilot)
        assert title(pilot) == "Active 20, by age ↓"


async def test_sorting_goes_from_column_to_column_and_turns_round() -> None:
    async with running(busy()) as pilot:
        await pilot.press("s")
        assert title(pilot) == "Active 20, by id ↑"
        await pilot.press("s")
        assert title(pilot) == "Active 20, by status ↑"
        assert [line.split()[1] for line in lines(pilot)][:4] == ["building"] * 4
        await pilot.press("S")
        assert [line.split()[1] for line in lines(pilot)][:4] == ["submitted"] * 4


async def test_a_click_on_a_heading_sorts_and_two_on_an_order_open_it() -> None:
    async with running(busy()) as pilot:
        await pilot.click("#active", offset=(3, 1))
        await drawn(pilot)
        assert title(pilot) == "Active 20, by id ↑"
        await pilot.click("#active", offset=(3, 3))
        assert table(pilot).selected == order_id(1)
        await pilot.double_click("#active", offset=(3, 3))
        await drawn(pilot)
        assert isinstance(pilot.app.screen, DetailScreen)


def families_of(pilot: Pilot[ClientError]) -> list[str]:
    """The number of the order in each line, behind the sign that the line begins with."""
    marks = [line[: line.index("0199")] for line in lines(pilot)]
    return [f"{mark}{int(str(each.id)[9:13], 16)}" for mark, each in zip(marks, table(pilot)._orders, strict=True)]


async def test_a_family_is_one_line_until_it_is_opened() -> None:
    async with running(families()) as pilot:
        assert title(pilot) == "Active 3, by age ↓"
        assert families_of(pilot) == ["▸ 2", "▸ 1", "0"]
        assert "40.0%" in lines(pilot)[0]
        assert "→ USDC in 19 s" in lines(pilot)[0]

        await pilot.press("down", "space")
        await drawn(pilot)
        assert families_of(pilot) == ["▸ 2", "▾ 1", "└ 4", "└ 3", "0"]
        await pilot.press("down", "down", "space")
        await drawn(pilot)
        assert families_of(pilot) == ["▸ 2", "▸ 1", "0"]
        assert table(pilot).selected == order_id(1), (
            "of a child the family is folded, and the cursor goes to its parent"
        )


async def test_what_has_ended_of_a_family_is_asked_for_when_it_is_opened() -> None:
    caller = families()
    async with running(caller, size=(80, 30)) as pilot:
        await pilot.press("space")
        await drawn(pilot)
        assert [each.order for each in caller.called(Method.ORDER_GET)] == [str(order_id(2))]
        assert [line.split()[2] for line in lines(pilot)[:4]] == ["open", "building", "confirmed", "confirmed"]
        assert len(lines(pilot, "ended")) == 3, "they stand where their parent does"


async def test_a_click_on_the_sign_opens_a_family() -> None:
    async with running(families()) as pilot:
        await pilot.click("#active", offset=(1, 3))
        await drawn(pilot)
        assert families_of(pilot)[1:4] == ["▾ 1", "└ 4", "└ 3"]
        assert table(pilot).selected == order_id(1)
        await pilot.click("#active", offset=(6, 4))
        await pilot.press("space")
        await drawn(pilot)
        assert len(families_of(pilot)) == 3


async def test_an_order_without_a_family_opens_nothing() -> None:
    caller = families()
    async with running(caller) as pilot:
        await pilot.press("end", "space")
        await drawn(pilot)
        assert len(families_of(pilot)) == 3
        assert caller.called(Method.ORDER_GET) == []


async def test_a_family_is_live() -> None:
    caller = families()
    async with running(caller, size=(80, 30)) as pilot:
        await pilot.press("space")
        await drawn(pilot)
        part = FILLED[0].model_copy(update={"amount_in": "0.3", "parent_id": order_id(2)})
        for event in history((part, *FILLED[1:]), order_id(7))[3:]:
            caller.send(Event(subscription=1, event=event))
        caller.send(Event(subscription=1, event=history((part,), order_id(8))[0]))
        await drawn(pilot)
        assert sorted(line.split()[2] for line in lines(pilot)[1:5]) == ["confirmed"] * 3 + ["pending"]
        assert "└ 8" in families_of(pilot)


async def test_a_family_is_found_by_any_of_its_orders() -> None:
    async with running(families()) as pilot:
        await pilot.press("slash", *"stop", "enter")
        await drawn(pilot)
        assert title(pilot) == "Active 1 of 3, by age ↓"
        assert families_of(pilot) == ["▸ 1", "└ 4"]
        await pilot.press("escape", "s", "space")
        await drawn(pilot)
        assert families_of(pilot)[:1] == ["0"]


async def test_a_detail_is_read_again_when_news_of_its_order_come() -> None:
    caller = busy()
    caller.answers[Method.ORDER_GET] = detail_of(FILLED[:4])
    async with running(caller) as pilot:
        await pilot.press("enter")
        await drawn(pilot)
        assert len(caller.called(Method.ORDER_GET)) == 1
        caller.answers[Method.ORDER_GET] = detail_of(FILLED)
        caller.send(Snapshot(subscription=1, order=order(19, FILLED)))
        await drawn(pilot)
        assert len(caller.called(Method.ORDER_GET)) == 2

        await pilot.press("escape")
        assert isinstance(pilot.app.screen, OrdersScreen)


async def test_beside_the_orders_of_a_wide_terminal_stands_all_of_the_one_under_the_cursor() -> None:
    caller = busy()
    async with running(caller, size=(120, 40)) as pilot:
        panel = pilot.app.screen.query_one(OrderPanel)
        assert panel.border_title == f"Order {str(order_id(19))[:13]}"
        assert "routed" in panel_text(panel)
        await pilot.press("down", "down")
        await drawn(pilot)
        assert panel.border_title == f"Order {str(order_id(17))[:13]}"
        assert caller.called(Method.ORDER_GET)[-1].order == str(order_id(17))

        await pilot.resize_terminal(80, 24)
        await pilot.press("down")
        await drawn(pilot)
        assert not panel.display
        assert caller.called(Method.ORDER_GET)[-1].order == str(order_id(17))


async def test_an_order_that_cannot_be_read_says_why_and_is_read_again() -> None:
    caller = busy()
    caller.answers[Method.ORDER_GET] = refusal(ErrorCode.SERVICE_UNAVAILABLE, "the database is away")
    async with running(caller) as pilot:
        await pilot.press("enter")
        await drawn(pilot)
        panel = pilot.app.screen.query_one(OrderPanel)
        assert "the database is away" in panel_text(panel)
        caller.answers[Method.ORDER_GET] = detail
        await drawn(pilot)
        assert "routed" in panel_text(panel)


async def test_a_table_without_orders_says_why() -> None:
    caller = ScriptedCaller()
    async with running(caller) as pilot:
        assert (lines(pilot), lines(pilot, "ended")) == (["not known yet"], ["not known yet"])
        caller.send(*snapshots([]))
        await drawn(pilot)
        assert (lines(pilot), lines(pilot, "ended")) == (["none; n makes a new one"], ["none yet"])
        caller.send(*snapshots(twenty()))
        await pilot.press("slash", *"nonsense", "enter")
        await drawn(pilot)
        assert lines(pilot) == ["none with these words; esc drops the filter"]


async def test_a_narrow_table_keeps_every_token_and_every_line_within_its_width() -> None:
    long = order(40, FILLED[:3], amount_in="123456789.123456789", token_in="CHILLGUY")
    async with running(ScriptedCaller(*snapshots([long])), size=(70, 24)) as pilot:
        (line,) = lines(pilot)
        assert "… CHILLGUY" in line
        assert table(pilot).render_line(1).cell_length <= 70


async def test_every_key_stands_in_the_footer_of_the_smallest_screen() -> None:
    async with running(busy()) as pilot:
        footer = pilot.app.screen.query_one(Footer)
        keys = [key for key in footer.query(FooterKey) if key.region.right <= 80]
        assert [key.key_display for key in keys] == ["⏎", "␣", "s", "S", "/", "n", "c", "y", "Y", ":", "?", "^p", "q"]


async def test_ids_and_signatures_are_copied_to_the_clipboard() -> None:
    caller = ScriptedCaller(*snapshots([order(1, FILLED[:4], signature="5Xk3")]))
    async with running(caller) as pilot:
        await pilot.press("y")
        assert pilot.app.clipboard == str(order_id(1))
        await pilot.press("Y")
        assert pilot.app.clipboard == "5Xk3"


async def test_help_lists_every_key_of_the_screen() -> None:
    async with running(busy()) as pilot:
        bindings = pilot.app.screen.active_bindings
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        with pilot.app.console.capture() as capture:
            pilot.app.console.print(pilot.app.screen._table())
        printed = capture.get()
        for _, binding, _, _ in bindings.values():
            if binding.show:
                assert binding.tooltip in printed


async def test_every_command_can_be_called_by_its_name() -> None:
    async with running(busy()) as pilot:
        commands = {command.title: command for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"New", "Cancel", "Sort", "Filter", "Copy id", "Help", "Quit", "Theme"} <= set(commands)
        titles = [command.title for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert len(titles) == len(commands), "each is there once"
        await commands["Sort"].callback()
        assert title(pilot) == "Active 20, by id ↑"


# Money


async def filled_in(pilot: Pilot[ClientError]) -> NewOrderScreen:
    await pilot.press("n", *"1.5")
    await drawn(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, NewOrderScreen)
    return screen


async def test_a_form_asks_for_prices_while_it_is_filled_in_and_sends_by_its_button() -> None:
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
        assert sent.min_out == "151.54866", "what the button promised"
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert table(pilot).selected == order_id(77)


WITH_WRAPPED = WALLET.model_copy(
    update={
        "balances": (
            Balance(token="SOL", mint=WSOL_MINT, amount="3.5", tradable="1", wrapped="2.5", elsewhere="0"),
            *WALLET.balances[1:],
        )
    }
)


async def test_what_the_wallet_holds_wrapped_is_sold_where_the_box_is_ticked() -> None:
    caller = busy()
    caller.answers[Method.BALANCES] = WITH_WRAPPED
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update={"use_wrapped": params.use_wrapped})
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        assert str(screen.use_wrapped.label) == "Sell what is wrapped: 2.5 SOL"
        assert "the wallet holds 1 SOL only" in answer_of(screen)

        await pilot.click("#use-wrapped")
        await drawn(pilot)
        assert str(screen.send.label) == "Sell 1.5 wrapped SOL for at least 151.54866 USDC"
        assert "the wallet holds" not in answer_of(screen)

        await pilot.click("#send")
        await drawn(pilot)
        (sent,) = caller.called(Method.ORDER_SUBMIT)
        assert sent.use_wrapped


async def test_only_what_is_wrapped_can_be_sold_so() -> None:
    async with running(busy()) as pilot:
        assert not (await filled_in(pilot)).use_wrapped.display, "the wallet holds none"
    caller = busy()
    caller.answers[Method.BALANCES] = WITH_WRAPPED
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.use_wrapped.value = True
        screen.query_one("#token-in", Input).value = "USDC"
        await drawn(pilot)
        assert not screen.use_wrapped.display
        assert not caller.called(Method.QUOTE)[-1].use_wrapped


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
async def test_a_form_takes_every_kind_of_order_and_sends_its_own_terms(
    kind: OrderKind, typed: dict[str, str], sent: dict[str, str]
) -> None:
    caller = busy()
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update=params.model_dump(exclude_none=True))
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        screen.query_one("#kind", Select).value = kind
        await drawn(pilot)
        assert screen.send.disabled, "its price is missing"
        assert "type what belongs to" in str(screen.answer.content)
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
        assert terms == own, "and no floor from the market of today"


async def chosen(pilot: Pilot[ClientError], shape: str, **typed: str) -> NewOrderScreen:
    """A form of this shape that is filled in."""
    screen = await filled_in(pilot)
    screen.query_one("#kind", Select).value = shape
    await drawn(pilot)
    for name, value in typed.items():
        screen.query_one(f"#{name.replace('_', '-')}", Input).value = value
    await drawn(pilot)
    return screen


def quoting() -> ScriptedCaller:
    """A daemon that quotes what it is asked for."""
    caller = busy()
    caller.answers[Method.QUOTE] = lambda params: QUOTE.model_copy(update=params.model_dump(exclude_none=True))
    caller.answers[Method.ORDER_SUBMIT] = SubmitResult(order=order(77, FILLED[:1]), created=True)
    return caller


async def sent_by(pilot: Pilot[ClientError], caller: ScriptedCaller) -> dict[str, object]:
    await pilot.click("#send")
    await drawn(pilot)
    (given,) = caller.called(Method.ORDER_SUBMIT)
    terms: dict[str, object] = given.model_dump(mode="json", exclude_defaults=True, exclude={"client_order_id"})
    return terms


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
async def test_a_form_of_executions_shows_them_before_they_are_sent(
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


async def test_a_form_sells_a_limit_order_in_parts() -> None:
    caller = quoting()
    async with running(caller) as pilot:
        screen = await chosen(pilot, "limit", limit_price="105")
        screen.query_one("#in-force", Select).value = "parts"
        await drawn(pilot)
        sent = await sent_by(pilot, caller)
        assert (sent["partial"], sent["limit_price"], "time_in_force" in sent) == (True, "105", False)


async def test_a_form_buys_an_exact_amount_for_what_its_button_promises() -> None:
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


async def test_an_exit_that_cannot_be_meant_is_reported_before_the_entry_is_sent() -> None:
    async with running(quoting()) as pilot:
        screen = await chosen(pilot, "market", then_stop="9000")
        assert "9000" in answer_of(screen)
        assert screen.send.disabled


async def test_what_was_typed_for_another_kind_is_not_sent() -> None:
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


async def test_open_orders_show_how_far_the_market_is_where_that_is_known() -> None:
    caller = at_rest()
    async with running(caller, size=(100, 30)) as pilot:
        await drawn(pilot)
        pilot.app.screen_stack[0].query_one(Blotter)._drawn_revision = -1
        await drawn(pilot)
        shown = {line.split()[0]: line for line in lines(pilot)}
        assert "3.40%" in shown[str(order_id(1))[:13]]
        assert "≥ 105 USDC/SOL" in shown[str(order_id(1))[:13]]
        assert "6.44%" in shown[str(order_id(2))[:13]]
        assert "%" not in shown[str(order_id(6))[:13]], "nobody knows the price of that pair"
        assert {(each.token_in, each.token_out) for each in caller.called(Method.QUOTE)} == {
            ("SOL", "USDC"),
            ("SOL", "CHILLGUY"),
            ("CHILLGUY", "SOL"),
        }
        assert [each.kind for each in caller.called(Method.ORDERS_LIST) if each.kind] == [(OrderKind.TRAILING,)]


def answer_of(screen: NewOrderScreen) -> str:
    """What stands where the prices come."""
    console = Console(file=io.StringIO(), record=True)
    console.print(screen.answer.content)
    return console.export_text()


@pytest.mark.parametrize("key", ["n", "c", "enter", "y", "s", "space", "x", "d", "delete", "ctrl+s", "1"])
async def test_no_single_key_sends_or_cancels_however_often_it_is_pressed(key: str) -> None:
    caller = busy()
    async with running(caller) as pilot:
        for _ in range(4):
            await pilot.press(key)
        await drawn(pilot)
        assert not caller.called(Method.ORDER_SUBMIT)
        assert not caller.called(Method.ORDER_CANCEL)


async def test_enter_goes_through_the_fields_of_a_form_and_never_to_its_button() -> None:
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
async def test_what_is_certainly_wrong_is_reported_at_once_and_cannot_be_sent(typed: str, message: str) -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("n", *typed)
        await drawn(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, NewOrderScreen)
        assert message in str(screen.answer.content)
        assert screen.send.disabled


async def test_a_form_says_what_the_wallet_does_not_hold() -> None:
    caller = busy()
    caller.answers[Method.QUOTE] = QUOTE.model_copy(update={"amount_in": "1500"})
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        assert "the wallet holds 998.499995 SOL only" in answer_of(screen)


async def test_a_lost_answer_says_that_the_outcome_is_unknown_and_a_second_try_bears_the_same_id() -> None:
    caller = busy()
    caller.answers[Method.ORDER_SUBMIT] = connection_lost("the network dropped it")
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        await pilot.click("#send")
        await drawn(pilot)
        assert str(screen.answer.content).startswith("The outcome is unknown: the network dropped it")
        await pilot.click("#send")
        await drawn(pilot)

        first, second = caller.called(Method.ORDER_SUBMIT)
        assert first == second, "else it would be another order under the same id"


async def test_a_refusal_keeps_the_form_and_says_why() -> None:
    caller = busy()
    caller.answers[Method.ORDER_SUBMIT] = refusal(ErrorCode.FUNDS_INSUFFICIENT, "the wallet holds 0.2 SOL")
    async with running(caller) as pilot:
        screen = await filled_in(pilot)
        await pilot.click("#send")
        await drawn(pilot)

        assert "the wallet holds 0.2 SOL" in str(screen.answer.content)
        assert pilot.app.screen is screen


async def test_an_order_is_cancelled_after_a_question() -> None:
    caller = busy()
    caller.answers[Method.ORDER_CANCEL] = CancelResult(order=order(19, WITHDRAWN, seq=99))
    async with running(caller) as pilot:
        await pilot.press("c")
        assert isinstance(pilot.app.screen, CancelScreen)
        assert pilot.app.screen.query_one("#keep", Button).has_focus
        await pilot.press("right", "enter")
        await drawn(pilot)

        assert [params.order for params in caller.called(Method.ORDER_CANCEL)] == [str(order_id(19))]
        assert OrderStatus.CANCELLED in lines(pilot, "ended")[0]


async def test_an_order_is_kept_when_the_question_is_left() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("c", "escape")
        await pilot.press("c", "enter")
        await drawn(pilot)

        assert isinstance(pilot.app.screen, OrdersScreen)
        assert not caller.called(Method.ORDER_CANCEL)


async def test_an_order_that_ends_while_the_trader_thinks_can_no_longer_be_cancelled() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("c")
        question = pilot.app.screen
        caller.send(Snapshot(subscription=1, order=order(19, FILLED)))
        await drawn(pilot)

        assert "now confirmed" in str(question.query_one("#state", Static).content)
        assert question.query_one("#cancel", Button).disabled


async def test_what_cannot_be_cancelled_any_more_is_reported() -> None:
    caller = busy()
    caller.answers[Method.ORDER_CANCEL] = refusal(ErrorCode.ORDER_NOT_CANCELLABLE, "it is signed")
    async with running(caller) as pilot:
        await pilot.press("c", "right", "enter")
        await drawn(pilot)

        assert any("it is signed" in notice for notice in notices(pilot))


async def test_read_only_has_neither_keys_nor_commands_that_trade() -> None:
    caller = busy()
    async with running(caller, read_only=True) as pilot:
        assert "read only" in words(pilot, Banner)
        keys = {binding.action for _, binding, _, _ in pilot.app.screen.active_bindings.values()}
        assert not keys & {"new_order", "cancel_order"}
        await pilot.press("n", "c")
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert not {"New", "Cancel"} & {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}


async def test_the_form_offers_the_symbols_that_the_daemon_knows() -> None:
    caller = ScriptedCaller(Opened(), Ready(subscription=1, orders=0))
    known = TokenView(symbol="XYZW", mint="X" * 43, decimals=4)
    caller.answers[Method.TOKENS] = TokensResult(tokens=(*QUOTE.tokens, known))
    desk = Desk(url="ws://127.0.0.1/")
    await Questions(desk, caller).catch_up()
    assert desk.symbols == ("SOL", "USDC", "XYZW")
    caller.answers[Method.TOKENS] = refusal(ErrorCode.REQUEST_UNKNOWN_METHOD, "an older daemon")
    await Questions(desk, caller).catch_up()
    assert desk.symbols == ("SOL", "USDC", "XYZW")


# Tabs, the chart, and other screens


async def test_tabs_show_what_rests_what_ended_and_fills_and_are_remembered() -> None:
    app = application(at_rest())
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        await pilot.press("2")
        await drawn(pilot)
        assert title(pilot) == "Open 6 of 7, by age ↓"
        await pilot.press("3")
        await drawn(pilot)
        assert app.screen.query_one("#ended").has_focus
        assert not table(pilot).display
        await pilot.press("4")
        assert app.screen.query_one(FillTable).has_focus
    assert app._memory.layout.tab == "fills"


async def test_candles_come_and_go_with_a_key_and_are_longer_or_shorter_with_others() -> None:
    caller = busy()
    async with running(caller) as pilot:
        assert not caller.called(Method.PRICES)
        await pilot.press("p")
        await drawn(pilot)
        await drawn(pilot)
        assert caller.called(Method.PRICES)[-1].interval == "1m"
        assert "SOL/USDC 1m" in str(pilot.app.screen.query_one(CandlePane).border_title)
        await pilot.press("minus", "left")
        await drawn(pilot)
        assert caller.called(Method.PRICES)[-1].interval == "5m"
        assert caller.called(Method.PRICES)[-1].until is not None


async def test_candles_are_followed_where_they_end_now_and_no_others() -> None:
    caller = busy()
    async with running(caller) as pilot:
        await pilot.press("p")
        while not caller.called(Method.PRICES_SUBSCRIBE):
            await drawn(pilot)
        asked = len(caller.called(Method.PRICES))
        last = CANDLES[-1]

        def changed(subscription: int, price: str) -> CandleChange:
            candle = last.model_copy(update={"close": price, "high": price})
            return CandleChange(subscription=subscription, base="SOL", quote="USDC", interval="1m", candle=candle)

        caller.send(changed(7, "123.45"), changed(6, "543.21"))
        await drawn(pilot)
        assert "  123.45  " in str(pilot.app.screen.query_one(CandlePane).border_title)
        assert len(caller.called(Method.PRICES)) == asked
        await pilot.press("left")
        while not caller.called(Method.PRICES_UNSUBSCRIBE):
            await drawn(pilot)
        assert caller.called(Method.PRICES_UNSUBSCRIBE) == [UnsubscribeParams(subscription=7)]
        assert len(caller.called(Method.PRICES_SUBSCRIBE)) == 1, "the past does not change"


async def test_the_picture_stands_still_while_it_is_paused() -> None:
    caller, clock = busy(), Clock()
    async with running(caller, clock) as pilot:
        await pilot.press("z")
        caller.send(Event(subscription=1, event=history(FILLED[:1], order_id(500))[0]))
        await drawn(pilot)
        assert "paused" in words(pilot, Banner)
        assert title(pilot) == "Active 20, by age ↓"
        await pilot.press("z")
        clock.advance(1)
        await drawn(pilot)
        assert title(pilot) == "Active 21, by age ↓"


async def test_a_command_that_trades_is_asked_about_first_and_a_name_leads_to_its_screen() -> None:
    async with running(busy()) as pilot:
        await pilot.press("colon", *"submit", "space", *"SOL", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "leave"
        await pilot.press("enter", "colon", *"venues", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, VenuesScreen)
        await pilot.press("escape")
        assert isinstance(pilot.app.screen, OrdersScreen)


async def test_a_screen_that_only_shows_runs_no_command_that_trades() -> None:
    async with running(busy(), read_only=True) as pilot:
        await pilot.press("colon", *"cancel", "enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, OrdersScreen)
        assert notices(pilot) == ["this screen only shows: start it without --read-only"]
