"""orderctl portfolio"""

from typing import Annotated, Literal

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, RecordFormat, console, narrate, print_records
from orderd.client.connection import Client
from orderd.wire.profit import Holding, PortfolioParams, PortfolioResult
from orderd.wire.rpc import Method


def run(
    ctx: typer.Context,
    unit: Annotated[Literal["USDC", "SOL"], typer.Option("--unit", help="The unit of values.")] = "USDC",
    output: Annotated[RecordFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show the wallet's holdings and their value.

    \b
    orderctl portfolio
    orderctl portfolio --unit SOL -o csv

    Values use the prices that the daemon records. Pairs in ORDERD_WATCH_PAIRS are recorded at all times.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        portfolio = client.call(Method.PORTFOLIO, PortfolioParams(unit=unit), PortfolioResult)
    if print_records(output, portfolio, Holding, portfolio.holdings):
        return ExitCode.OK
    from orderctl.display.profit import holdings_table
    from orderctl.display.tables import print_whole

    print_whole(holdings_table(portfolio), console(settings))
    change = "" if portfolio.change is None else f", {portfolio.change} % in 24 hours"
    narrate(settings, f"wallet {portfolio.wallet}: {portfolio.value} {portfolio.unit}{change}")
    if any(each.price is None for each in portfolio.holdings):
        narrate(settings, "next: set ORDERD_WATCH_PAIRS, so that the daemon records all prices")
    return ExitCode.OK
