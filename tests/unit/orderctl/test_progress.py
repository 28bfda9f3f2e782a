import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from orderctl.config.settings import Settings
from orderctl.display.progress import LiveProgress
from orderctl.display.timeline import OrderTimeline
from orderd.client.following import Lost, Resumed
from orderd.domain.events import AnyFact, Reclaimed, Routed, Started
from tests.samples.orders import (
    FILLED,
    FIRED,
    LIMIT,
    RAYDIUM,
    REFUSED_FOR_FUNDS,
    RETRIED,
    SIGNATURE,
    WITHDRAWN,
    history,
    order_after,
)


def picture(facts: tuple[AnyFact, ...], *news: Lost | Resumed, height: int = 50, **changes: object) -> list[str]:
    """The screen after these facts, without the icons of an active stage."""
    events = history(facts)
    with pytest.MonkeyPatch.context() as terminal:
        terminal.setenv("LINES", str(height))
        progress = LiveProgress(Settings())
    with progress:
        progress.begin(OrderTimeline(order_after(events, **changes), events))
        for item in news:
            progress.connection(item)
        out = io.StringIO()
        Console(file=out, width=100, color_system=None).print(progress.render())
    lines = out.getvalue().splitlines()
    assert len(lines[-1]) < 100, "the terminal would echo the ^C of Ctrl-C into a new line, and the first line twice"
    return [line.rstrip() for line in lines]


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())


def test_a_fill_shows_stages_with_times_quotes_and_the_received_amount() -> None:
    assert picture(FILLED) == [
        "0199d3a0-1234  sell 1.5 SOL for USDC, slippage at most 0.5 %",
        f"{'━' * 44}  confirmed  1.0 s",
        "✓  queued       250 ms",
        "✓  routing      250 ms",
        "   → raydium_cpmm    152.310211 USDC at 101.540141, impact 0.021 %",
        "     meteora_dlmm    152.104 USDC at 101.402667, impact 0.05 %",
        "     chosen: raydium_cpmm 7Xawhb…mX, for at least 151.54866 USDC",
        "✓  building     250 ms",
        "✓  submitted    250 ms",
        "   signature 5Xk3aaaaaaaaaaaa…aaa9fQa",
        "   expires at block 960",
        "✓  confirmed",
        "   received 152.310211 USDC at 101.540141 USDC per SOL",
        "   fee 0.000005 SOL, slot 815",
    ]


def test_a_resting_order_shows_its_condition_and_no_bar() -> None:
    first, *rest = picture((LIMIT,))

    assert first == "0199d3a0-1234  sell 1.5 SOL for USDC, limit 105 USDC per SOL"
    assert rest[0].lstrip("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ").startswith("open ")
    assert rest[0].endswith("  waits for 105 USDC per SOL = at least 157.5 USDC")
    assert rest[1:] == [
        "   then it is filled at this price or a better one",
        "   valid until it is filled or cancelled",
        "   Ctrl-C stops watching; to cancel: orderctl cancel 0199d3a0-1234",
    ]


def test_an_order_that_expires_counts_down() -> None:
    line = picture((LIMIT,), valid_until=datetime.now(UTC) + timedelta(minutes=30))[3]

    assert re.fullmatch(r"   expires in (30:00|29:\d\d), at .*\d\d:\d\d.*", line)


def test_resting_is_the_first_stage_of_a_triggered_order() -> None:
    lines = picture(FIRED)

    assert lines[1] == f"{'━' * 44}  confirmed  1.2 s"
    assert lines[2:4] == [
        "✓  open         250 ms  the market pays 157.8 USDC, 105.2 USDC per SOL, at slot 811",
        "✓  queued       250 ms",
    ]


def test_a_small_terminal_shows_the_best_quotes_and_counts_the_others() -> None:
    quotes = tuple(RAYDIUM.model_copy(update={"amount_out": f"15{number}"}) for number in range(9))
    lines = picture((*FILLED[:2], FILLED[2].model_copy(update={"quotes": quotes})), height=20)

    shown = [line.split()[1] for line in lines if "raydium_cpmm" in line and "impact" in line]
    assert shown == ["158", "157", "156", "155", "154"]
    assert "     and 4 pools with worse quotes" in lines


def test_a_terminal_too_small_for_quotes_shows_the_running_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    lines = picture(FILLED[:4], height=12)
    assert len(lines) <= 12
    assert "raydium_cpmm" not in "".join(lines)
    assert [line for line in lines if "submitted  " in line and "━" not in line]


def test_future_stages_are_listed_while_the_order_is_active() -> None:
    lines = picture(FILLED[:2])

    assert lines[4:] == ["·  building", "·  submitted", "·  confirmed"]


def test_a_failure_shows_where_it_ended_its_code_and_the_next_step() -> None:
    assert picture(REFUSED_FOR_FUNDS)[2:] == [
        "✓  queued       250 ms",
        "✓  routing      250 ms",
        "✗  failed               FUNDS_INSUFFICIENT: the wallet holds 0.2 SOL, the order needs 1.500015",
        "next: see: orderctl balances; then trade less or add funds",
    ]


def test_a_cancelled_order_shows_that_nothing_was_traded() -> None:
    assert picture(WITHDRAWN)[-1] == "✗  cancelled            on request; nothing was traded"


def test_a_wait_shows_its_reason_and_remaining_time() -> None:
    until = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1)
    waiting = RETRIED[1].model_copy(update={"until": until})

    queued = next(line for line in picture((RETRIED[0], waiting)) if "queued" in line)
    assert "continues in" in queued
    assert queued.endswith(": the rate limit of 100 starts in 60 s is reached")


def test_a_second_route_replaces_the_first() -> None:
    routed = FILLED[2]
    assert isinstance(routed, Routed)
    other = routed.model_copy(update={"quotes": (RAYDIUM,), "chosen": RAYDIUM})
    lines = picture((*FILLED[:2], routed, other))

    stages = [line for line in lines if "building" in line and not line.startswith("━")]
    assert len(stages) == 1
    quotes = [line for line in lines if "impact" in line]
    assert len(quotes) == 1
    assert RAYDIUM.amount_out in quotes[0]


def test_failed_attempts_remain_visible() -> None:
    lines = picture(RETRIED)
    assert lines[-1] == "! attempt 1 failed: TX_EXPIRED: block height 1,013 passed without the transaction"
    assert "attempt 2" in lines[1]

    assert picture((FILLED[0], Started(attempt=1), Reclaimed()))[-1] == "! a worker died before signing"


def test_connection_problems_are_shown_while_relevant() -> None:
    assert picture(FILLED[:2], Lost("refused", 4.0))[-1].startswith("connection lost: refused; reconnecting in ")
    for replayed, message in ((0, "nothing was missed"), (1, "1 event replayed"), (3, "3 events replayed")):
        assert picture(FILLED[:2], Lost("refused", 4.0), Resumed(replayed))[-1] == f"reconnected, {message}"


def test_the_whole_signature_remains_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    events = history(FILLED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        with LiveProgress(Settings()) as progress:
            progress.begin(OrderTimeline(order_after(events), events))

    assert f"signature {SIGNATURE}\n" in out.getvalue()
