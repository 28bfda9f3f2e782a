"""The parts around the tables: connection, wallet, daemon and market."""

from datetime import timedelta

import pytest
from rich.style import Style
from rich.text import Text

from orderctl.tui import requests
from orderctl.tui.widgets.banner import Banner
from orderctl.tui.widgets.blotter import Blotter
from orderctl.tui.widgets.gauges import Gauges
from orderctl.tui.widgets.price_panel import PricePanel
from orderd.client.news import Closed
from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderKind
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Heartbeat
from tests.samples.orders import QUOTE
from tests.unit.orderctl.tui.app.pilots import NO_POOLS, drawn, lines, refusal, running, words
from tests.unit.orderctl.tui.desks import NOW, STATUS, Clock, at_rest, busy, order_id

pytestmark = pytest.mark.asyncio


async def test_the_banner_shows_connection_network_and_wallet() -> None:
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


async def test_five_seconds_of_silence_make_all_data_stale() -> None:
    clock = Clock()
    async with running(busy(), clock) as pilot:
        clock.advance(4)
        await drawn(pilot)
        assert not pilot.app.screen.has_class("-stale")
        clock.advance(1)
        await drawn(pilot)
        assert pilot.app.screen.has_class("-stale")
        assert words(pilot, Banner).startswith(" simnet  ◌ no response, stale since ")


async def test_a_daemon_without_its_database_is_reported() -> None:
    caller = busy()
    async with running(caller) as pilot:
        caller.send(Heartbeat(at=NOW, as_of=NOW - timedelta(seconds=9), subscriptions=()))
        await drawn(pilot)
        assert words(pilot, Banner).startswith(" simnet  ◌ the daemon cannot reach its database, stale since ")
        assert pilot.app.screen.has_class("-stale")


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


async def test_the_gauges_show_rate_limit_queue_workers_and_failures() -> None:
    caller = busy()
    ill = {"redis": STATUS.services["redis"].model_copy(update={"ok": False, "detail": "connection refused"})}
    limit = STATUS.rate_limit.model_copy(update={"waiting": 1_900})
    caller.answers[Method.STATUS] = STATUS.model_copy(update={"services": ill, "rate_limit": limit})
    async with running(caller) as pilot:
        shown = words(pilot, Gauges)
        for part in ("33/100", "3 waiting, 1900 limited", "workers    2", "redis: connection refused"):
            assert part in shown


async def test_a_refused_query_is_reported_in_its_place() -> None:
    caller = busy()
    caller.answers[Method.BALANCES] = refusal(ErrorCode.RPC_UNAVAILABLE, "no answer in 2 s")
    async with running(caller) as pilot:
        assert "wallet: The Solana RPC endpoint does not answer: no answer in 2 s" in words(pilot, Banner)


async def test_prices_keep_their_direction_for_either_side_of_an_order() -> None:
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


async def test_a_token_too_cheap_for_a_price_is_quoted_with_a_larger_amount(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(requests, "PRICE_SECONDS", 0.01)
    caller = busy()
    caller.answers[Method.QUOTE] = lambda asked: (
        QUOTE if asked.amount_in == "1.00" else refusal(ErrorCode.ROUTE_AMOUNT_TOO_SMALL, "it buys nothing")
    )
    async with running(caller) as pilot:
        while len(caller.called(Method.QUOTE)) < 3:
            await drawn(pilot)
        assert [asked.amount_in for asked in caller.called(Method.QUOTE)[:3]] == ["0.01", "1.00", "1.00"]


async def test_a_permanent_error_ends_the_program() -> None:
    caller = busy()
    error = refusal(ErrorCode.AUTH_INVALID, "the token is revoked")
    async with running(caller) as pilot:
        caller.fail(error)
        await pilot.pause()
    assert pilot.app.return_value is error


async def test_open_orders_show_their_distance_to_the_market_if_known() -> None:
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
