"""orderctl balances"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, DocumentFormat, console, document, narrate, print_json
from orderctl.settings import settings_of
from orderd.wire import BalancesResult, Method, NoParams


def run(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show what the wallet holds."""
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        answer = client.call(Method.BALANCES, NoParams(), BalancesResult)
    if output == "json":
        print_json(document("balances", answer))
        return ExitCode.OK
    from orderctl.tables import plain_table, print_whole

    table = plain_table(("TOKEN", "left"), ("AMOUNT", "right"), ("MINT", "left"))
    for balance in answer.balances:
        table.add_row(balance.token, balance.amount, balance.mint)
    narrate(settings, f"wallet {answer.wallet}")
    print_whole(table, console(settings))
    return ExitCode.OK
