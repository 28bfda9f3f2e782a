import io

import pytest
from rich.console import Console, RenderableType
from rich.text import Text

from orderctl.display.orders import orders_table
from orderctl.display.quotes import offers, quote_view
from orderctl.display.tables import IfItFits, plain_table, print_whole
from orderd.domain.errors import ErrorCode
from orderd.domain.quoted import Refused
from tests.samples.orders import OCO, TRAILING, TWAP
from tests.unit.orderctl.test_buying import QUOTED
from tests.unit.orderctl.test_resting import resting


def test_a_table_wider_than_the_terminal_runs_on_uncut() -> None:
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


def test_no_line_is_longer_than_what_can_be_seen_of_it() -> None:
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
def test_a_terminal_that_is_too_narrow_for_a_view_shows_the_other_one(width: int, shown: str) -> None:
    assert printed(IfItFits(Text("x" * 20), Text("short")), width) == [shown]


def test_an_explained_quote_fits_in_80_columns_and_keeps_all_of_its_figures() -> None:
    wide, narrow = (printed(offers(QUOTED, wide=True), width) for width in (200, 80))
    assert max(map(len, narrow)) <= 80
    assert {word for line in wide for word in line.split()} <= {word for line in narrow for word in line.split()}


def test_a_list_of_orders_that_rest_fits_in_80_columns() -> None:
    orders = tuple(resting(terms) for terms in (OCO, TRAILING, TWAP))
    wide, narrow = (printed(orders_table(orders, wide=False), width) for width in (200, 80))
    assert max(map(len, narrow)) <= 80
    assert "take-profit 120 or stop 95 USDC per SOL" in wide[1]
    assert "oco ≥120 ≤95 USDC" in narrow[1]


def test_a_quote_by_way_of_another_token_refuses_no_venue_for_lack_of_a_pool_of_the_pair() -> None:
    none = Refused(venue="raydium", code=ErrorCode.ROUTE_NOT_FOUND, detail="raydium has no pool for this pair")
    leg = QUOTED.route[0]
    direct = QUOTED.model_copy(update={"refusals": (none,)})
    by_way = direct.model_copy(update={"route": (leg, leg.model_copy(update={"hop": 2}))})
    assert any("ROUTE_NOT_FOUND" in line for line in printed(quote_view(direct), 200))
    assert not any("ROUTE_NOT_FOUND" in line for line in printed(quote_view(by_way), 200))
