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
    """Show what the wallet holds and what it is worth.

    \b
    orderctl portfolio
    orderctl portfolio --unit SOL -o csv

    By the prices that the daemon keeps: name pairs in ORDERD_WATCH_PAIRS to have theirs at all times.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        portfolio = client.call(Method.PORTFOLIO, PortfolioParams(unit=unit), PortfolioResult)
    if print_records(output, portfolio, Holding, portfolio.holdings):
        return ExitCode.OK
    from orderctl.display.profit import holdings_table
    from orderctl.display.tables import print_whole

    print_whole(holdings_table(portfolio), console(settings))
    change = "" if portfolio.change is None else f", {portfolio.change} % within a day"
    narrate(settings, f"wallet {portfolio.wallet}: {portfolio.value} {portfolio.unit}{change}")
    if any(each.price is None for each in portfolio.holdings):
        narrate(settings, "next: to know all prices, have the daemon keep them with ORDERD_WATCH_PAIRS")
    return ExitCode.OK
