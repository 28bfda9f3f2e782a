"""Toasts, totals, figures of venues and services, explorer links, and exported rows."""

import csv
from collections import deque
from datetime import timedelta
from pathlib import Path

import pytest

from orderctl.tui.answers import AnswerTimes, lost, middle, worst
from orderctl.tui.book import Book
from orderctl.tui.explorer import explorer_url
from orderctl.tui.export import export
from orderctl.tui.sums import outcomes, sold_by
from orderctl.tui.toasts import FLOOD, toasts
from orderctl.tui.widgets.running import running_text
from orderd.domain.pool_kind import VenueName
from orderd.wire.orders import OrderView
from orderd.wire.status import ServiceHealth
from tests.samples.orders import FILLED, METEORA, QUOTE, REFUSED_FOR_FUNDS, WITHDRAWN
from tests.unit.orderctl.tui.desks import NOW, STATUS, order, twenty


def test_an_ended_order_is_a_toast() -> None:
    shown = toasts([order(1, FILLED), order(2, REFUSED_FOR_FUNDS), order(3, WITHDRAWN)])
    assert [toast.severity for toast in shown] == ["information", "error", "information"]
    assert "filled: 1.5 SOL → " in shown[0].text


def test_many_ended_orders_are_one_toast_and_a_flood_is_none() -> None:
    (one,) = toasts([*(order(number, FILLED) for number in range(4)), order(9, WITHDRAWN)])
    assert (one.text, one.severity) == ("4 orders filled, 1 ended otherwise", "warning")
    assert toasts([order(number, FILLED) for number in range(FLOOD + 1)]) == []


def test_totals_are_by_token_and_by_outcome() -> None:
    assert sold_by(twenty()) == "11.25 SOL, 1750 USDC"
    assert outcomes([order(1, FILLED), order(2, FILLED), order(3, WITHDRAWN)]) == "2 confirmed, 1 cancelled"


def test_active_orders_are_summed_by_stage_and_a_single_one_is_named() -> None:
    book = Book()
    assert str(running_text(book)) == ""
    book.put(order(1, FILLED[:4]))
    assert str(running_text(book)) == "━━━━━━━━── submitted 1.5 SOL"
    book.put_all([order(2, FILLED[:2]), order(3, FILLED[:2])])
    assert str(running_text(book)) == "2 routing · 1 submitted"
    book.put_all([order(number, FILLED) for number in (1, 2, 3)])
    assert str(running_text(book)) == ""


def test_quotes_are_counted_per_venue() -> None:
    answers = AnswerTimes()
    answers.quoted(QUOTE)
    answers.quoted(QUOTE.model_copy(update={"quotes": (METEORA,)}))
    assert (answers.venues[VenueName.METEORA].answered, answers.venues[VenueName.METEORA].best) == (2, 1)
    assert answers.venues[VenueName.RAYDIUM].answered == 1


def test_latencies_of_services_and_slot_times_are_recorded() -> None:
    answers = AnswerTimes()
    well = {"rpc": ServiceHealth(ok=True, latency_ms=4.0), "redis": ServiceHealth(ok=False, detail="refused")}
    answers.record(STATUS.model_copy(update={"services": well, "slot": 800}), NOW, 2.0)
    answers.record(STATUS.model_copy(update={"services": well, "slot": 805}), NOW + timedelta(seconds=2), 3.0)
    assert answers.slots_per_second == 2.5
    assert [*answers.services["rpc"]] == [4.0, 4.0]
    assert lost(answers.services["redis"]) == 2
    assert middle(deque([3.0, None, 1.0, 9.0])) == 3.0
    assert worst(deque([3.0, None, 1.0])) == 3.0


@pytest.mark.parametrize(
    ("chain", "url"),
    [
        ("mainnet", "https://explorer.solana.com/tx/5Xk3"),
        ("devnet", "https://explorer.solana.com/tx/5Xk3?cluster=devnet"),
        ("simnet", None),
    ],
)
def test_an_explorer_link_exists_for_public_networks(chain: str, url: str | None) -> None:
    assert explorer_url("5Xk3", STATUS.model_copy(update={"chain": chain})) == url
    assert explorer_url("5Xk3", None) is None


def test_rows_are_written_into_a_new_file(tmp_path: Path) -> None:
    rows = [order(1, FILLED), order(2, WITHDRAWN)]
    path = export(rows, OrderView, "history", NOW, tmp_path)
    with path.open() as file:
        written = list(csv.DictReader(file))
    assert [row["status"] for row in written] == ["confirmed", "cancelled"]
    with pytest.raises(FileExistsError):
        export(rows, OrderView, "history", NOW, tmp_path)
