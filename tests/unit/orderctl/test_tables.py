import io

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from orderctl.display.findings import findings_view
from orderctl.display.history import fills_table
from orderctl.display.orders import orders_table
from orderctl.display.profit import tokens_table
from orderctl.display.quotes import offers, quote_view
from orderctl.display.tables import IfItFits, plain_table, print_whole
from orderctl.output.documents import Finding
from orderd.domain.errors import ErrorCode
from orderd.domain.quoted import Refused
from orderd.gateway.docs import record_examples as examples
from tests.samples.orders import OCO, TRAILING, TWAP
from tests.unit.orderctl.test_buying import QUOTED
from tests.unit.orderctl.test_history import fill
from tests.unit.orderctl.test_resting import resting


def test_a_table_wider_than_the_terminal_is_not_cut() -> None:
    table = plain_table(("ID", "left"), ("AMOUNT", "right"))
    table.add_row("x" * 60, "1.5")
    table.add_row("y", "1500")
    out = io.StringIO()
    print_whole(table, Console(file=out, width=40))

    assert out.getvalue().splitlines() == [
        f"{'ID':<60}  AMOUNT",
        f"{'x' * 60}     1.5",
        f"{'y':<60}    1500",
    ]


def test_no_line_has_trailing_blanks() -> None:
    table = plain_table(("ID", "left"), ("WHY", "left"))
    table.add_row("x", "a long explanation of it all, which runs on")
    table.add_row("y", "")
    out = io.StringIO()
    print_whole(table, Console(file=out, width=40))

    assert [line for line in out.getvalue().splitlines() if line != line.rstrip()] == []


def printed(view: RenderableType, width: int) -> list[str]:
    out = io.StringIO()
    print_whole(view, Console(file=out, width=width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize(("width", "shown"), [(20, "x" * 20), (19, "short")])
def test_a_narrow_terminal_shows_the_narrow_view(width: int, shown: str) -> None:
    assert printed(IfItFits(Text("x" * 20), Text("short")), width) == [shown]


def test_an_explained_quote_fits_in_80_columns_with_all_figures() -> None:
    wide, narrow = (printed(offers(QUOTED, wide=True), width) for width in (200, 80))
    assert max(map(len, narrow)) <= 80
    assert {word for line in wide for word in line.split()} <= {word for line in narrow for word in line.split()}


def test_a_list_of_resting_orders_fits_in_80_columns() -> None:
    orders = tuple(resting(terms) for terms in (OCO, TRAILING, TWAP))
    wide, narrow = (printed(orders_table(orders, wide=False), width) for width in (200, 80))
    assert max(map(len, narrow)) <= 80
    assert "take-profit 120 or stop 95 USDC per SOL" in wide[1]
    assert "oco ≥120 ≤95 USDC" in narrow[1]


def test_a_two_hop_quote_hides_venues_without_a_direct_pool() -> None:
    none = Refused(venue="raydium", code=ErrorCode.ROUTE_NOT_FOUND, detail="raydium has no pool for this pair")
    leg = QUOTED.route[0]
    direct = QUOTED.model_copy(update={"refusals": (none,)})
    by_way = direct.model_copy(update={"route": (leg, leg.model_copy(update={"hop": 2}))})
    assert any("ROUTE_NOT_FOUND" in line for line in printed(quote_view(direct), 200))
    assert not any("ROUTE_NOT_FOUND" in line for line in printed(quote_view(by_way), 200))


def test_fills_fit_in_80_columns_by_dropping_whole_columns() -> None:
    view = fills_table([fill(1, quote_slippage_bps="0.31", mid_slippage_bps="-1.27")])
    heading, row = printed(view, 80)
    assert max(len(heading), len(row)) <= 80
    assert row.split()[-3:] == ["USDC", "101.540141", "0.31"]
    heading, row = printed(view, 70)
    assert heading.split()[-2:] == ["RECEIVED", "PRICE"]
    assert row.split()[-2:] == ["USDC", "101.540141"]
    assert printed(fills_table([fill(1)], wide=True), 70) == printed(fills_table([fill(1)], wide=True), 200)


def test_profits_fit_in_80_columns_without_summed_costs() -> None:
    wide, narrow = (printed(tokens_table(examples.PNL), width) for width in (200, 80))
    assert max(map(len, narrow)) <= 80
    assert wide[0].split()[-2:] == ["FEES", "RENT"]
    assert narrow[0].split()[-2:] == ["REALISED", "UNREALISED"]


def test_a_fix_is_below_its_finding_if_both_do_not_fit() -> None:
    well = Finding(check="redis", result="ok", detail="answers")
    ill = Finding(check="wallet", result="warn", detail="0.001 SOL in " + "x" * 44, fix="send it SOL for its fees")
    assert printed(findings_view([well], 80), 80) == ["CHECK      FOUND", "redis  ok  answers"]
    assert printed(findings_view([well, ill], 120), 120)[2].endswith("x  send it SOL for its fees")
    narrow = printed(findings_view([well, ill], 60), 60)
    assert max(map(len, narrow)) <= 60
    assert narrow[2:] == [
        "wallet  warn  0.001 SOL in",
        f"              {'x' * 44}",
        "              next: send it SOL for its fees",
    ]
