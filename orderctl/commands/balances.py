"""orderctl balances"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, narrate, print_data
from orderd.client.connection import Client
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method

if TYPE_CHECKING:
    from rich.table import Table


def run(ctx: typer.Context, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """Show the balances of the wallet."""
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        answer = client.call(Method.BALANCES, NoParams(), BalancesResult)
    if print_data(output, answer, answer.balances, (balance.mint for balance in answer.balances)):
        return ExitCode.OK
    from orderctl.display.formats import ADDRESS_WIDTH, POOL_WIDTH
    from orderctl.display.tables import IfItFits, print_whole

    narrate(settings, f"wallet {answer.wallet}")
    whole, short = (_table(answer.balances, width) for width in (ADDRESS_WIDTH, POOL_WIDTH))
    print_whole(IfItFits(whole, short), console(settings))
    return ExitCode.OK


def _table(balances: Sequence[Balance], mint_width: int) -> "Table":
    from orderctl.display.formats import shorten
    from orderctl.display.tables import plain_table

    table = plain_table(("TOKEN", "left"), ("AMOUNT", "right"), ("MINT", "left"))
    is_reserved = any(balance.reserved not in (None, "0") for balance in balances)
    if is_reserved:
        table.add_column("RESERVED", justify="right", no_wrap=True)
        table.add_column("AVAILABLE", justify="right", no_wrap=True)
    beside = [_beside(balance) for balance in balances]
    if any(beside):
        table.add_column("NOT TRADED", no_wrap=True)
    for balance, rest in zip(balances, beside, strict=True):
        amount = balance.amount if balance.tradable is None else balance.tradable
        left = (balance.reserved or "", balance.available or "") if is_reserved else ()
        mint = shorten(balance.mint, mint_width)
        table.add_row(balance.token, amount, mint, *left, *([rest] if any(beside) else []))
    return table


def _beside(balance: Balance) -> str:
    """The part of the balance that an order cannot sell."""
    parts = ((balance.wrapped, "wrapped"), (balance.elsewhere, "in other accounts"))
    return ", ".join(f"{amount} {where}" for amount, where in parts if amount not in (None, "0"))
