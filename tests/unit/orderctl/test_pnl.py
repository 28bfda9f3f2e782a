"""orderctl pnl, portfolio and export: the daemon's figures as tables and documents."""

import io

import pytest
from rich.console import Console

from orderctl.display.profit import holdings_table
from orderd.gateway.docs import record_examples as examples
from orderd.wire.fills import HistoryResult
from orderd.wire.rpc import Method
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.test_history import fill


def test_profits_are_a_table_with_totals(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.PNL, examples.PNL)
    code, out, err = orderctl("pnl", "--method", "average", "--since", "2026-11-01")
    assert (code, out.splitlines()[1].split()[:3]) == (0, ["SOL", "12.40911", "~1669.884"])
    assert err == "realised 12.302, unrealised 102.459546, fees 0.000885, rent 0: net 114.760661 USDC\n"
    assert daemon.calls[0][1] == {"method": "average", "since": "2026-11-01T00:00:00Z"}


def test_unknown_values_are_question_marks_with_a_next_step(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    (token,), totals = examples.PNL.tokens, examples.PNL.totals
    unknown = token.model_copy(update={"price": None, "value": None, "unrealised": None, "uncovered": "3"})
    pnl = examples.PNL.model_copy(
        update={"tokens": (unknown,), "totals": totals.model_copy(update={"unrealised": None, "net": None})}
    )
    daemon.answers(Method.PNL, pnl)
    _, out, err = orderctl("pnl", "-o", "wide")
    assert out.splitlines()[1].split()[3:] == ["?", "?", "12.302", "?", "0.000885", "0", "3"]
    assert "unrealised unknown" in err
    assert "orderd reconcile" in err


def test_days_are_listed(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.PNL, examples.PNL)
    assert orderctl("pnl", "--days").out.splitlines()[1].split() == ["2026-11-21", "SOL", "12.302", "0.000885", "0"]
    assert orderctl("pnl", "-o", "csv").out.splitlines() == [
        "realised,fees,rent,day,token",
        "12.302,0.000885,0,2026-11-21,SOL",
    ]


def test_holdings_are_shown_without_bars_and_then_without_changes_where_there_is_little_room() -> None:
    def drawn(width: int) -> str:
        console = Console(width=width, file=io.StringIO(), record=True)
        console.print(holdings_table(examples.PORTFOLIO, bars=True))
        return console.export_text()

    wide, middle, narrow = (drawn(width) for width in (120, 75, 55))
    assert ("━" in wide, "24H" in wide) == (True, True)
    assert ("━" in middle, "24H" in middle) == (False, True)
    assert ("━" in narrow, "24H" in narrow) == (False, False)
    assert "…" not in wide + middle + narrow


def test_a_history_without_trades_is_reported(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.PNL, examples.PNL.model_copy(update={"tokens": ()}))
    assert orderctl("pnl").err == "nothing was traded\n"


def test_the_portfolio_is_a_table_with_its_value(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.PORTFOLIO, examples.PORTFOLIO)
    outcome = orderctl("portfolio")
    assert outcome.out.splitlines()[1].split()[-4:] == ["89.22", "%", "1.36", "%"]
    assert "1986.445544 USDC, 1.21 % in 24 hours" in outcome.err
    first, *others = examples.PORTFOLIO.holdings
    unpriced = first.model_copy(update={"price": None, "value": None, "share": None, "change": None})
    changes = {"holdings": (unpriced, *others), "change": None}
    daemon.answers(Method.PORTFOLIO, examples.PORTFOLIO.model_copy(update=changes))
    assert "ORDERD_WATCH_PAIRS" in orderctl("portfolio").err
    assert orderctl("portfolio", "-o", "csv").out.count("\n") == 3


@pytest.mark.parametrize(("form", "lines"), [("csv", 3), ("jsonl", 2)])
def test_an_export_has_all_fills_oldest_first(daemon: FakeDaemon, orderctl: Orderctl, form: str, lines: int) -> None:
    daemon.answers(Method.HISTORY, HistoryResult(fills=(fill(2), fill(1)), totals=None, next_cursor=None))
    out = orderctl("export", form).out
    assert len(out.splitlines()) == lines
    assert out.index("order-1") < out.index("order-2")
