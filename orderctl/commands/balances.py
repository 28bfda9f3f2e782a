"""orderctl balances"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, narrate, print_data
from orderd.client.connection import Client
from orderd.wire import BalancesResult, Method, NoParams


def run(ctx: typer.Context, output: Annotated[Format, OUTPUT] = "table") -> ExitCode:
    """Show what the wallet holds."""
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        answer = client.call(Method.BALANCES, NoParams(), BalancesResult)
    if print_data(output, answer, answer.balances, (balance.mint for balance in answer.balances)):
        return ExitCode.OK
    from orderctl.display.tables import plain_table, print_whole

    table = plain_table(("TOKEN", "left"), ("AMOUNT", "right"), ("MINT", "left"))
    for balance in answer.balances:
        table.add_row(balance.token, balance.amount, balance.mint)
    narrate(settings, f"wallet {answer.wallet}")
    print_whole(table, console(settings))
    return ExitCode.OK
