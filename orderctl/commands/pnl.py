"""orderctl pnl"""

from typing import Annotated, Literal

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, RecordFormat, console, narrate, print_records
from orderctl.trading.lookup import OfAccount
from orderctl.trading.period import Since, moment
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.wire.profit import PnlDay, PnlParams, PnlResult
from orderd.wire.rpc import Method


def run(
    ctx: typer.Context,
    unit: Annotated[Literal["USDC", "SOL"], typer.Option("--unit", help="The unit of values.")] = "USDC",
    method: Annotated[
        Literal["fifo", "average"],
        typer.Option("--method", help="The lots that a sale consumes: the oldest first, or a share of all."),
    ] = "fifo",
    account: OfAccount = None,
    since: Since = None,
    by_day: Annotated[bool, typer.Option("--days", help="Show one line per day and token.")] = False,
    output: Annotated[RecordFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show profit and loss, by token or by day.

    \b
    orderctl pnl --since 30d
    orderctl pnl --unit SOL --method average --days
    orderctl pnl -o csv

    Realised: proceeds of sales minus the cost of what was sold. Unrealised: current value minus cost. Deposits are
    included once the daemon has read the wallet's transactions, by default every ten minutes; their cost is the mid
    price at their arrival. -o jsonl and -o csv print the days.
    """
    settings = settings_of(ctx, output)
    params = params_of(PnlParams, unit=unit, method=method, account=account, since=moment(since))
    with Client(settings) as client:
        pnl = client.call(Method.PNL, params, PnlResult)
    if print_records(output, pnl, PnlDay, pnl.days):
        return ExitCode.OK
    from orderctl.display.profit import days_table, tokens_table, totals_line
    from orderctl.display.tables import print_whole

    if not pnl.tokens:
        narrate(settings, "nothing was traded")
        return ExitCode.OK
    print_whole(days_table(pnl) if by_day else tokens_table(pnl, wide=output == "wide"), console(settings))
    narrate(settings, totals_line(pnl))
    if any(each.uncovered != "0" for each in pnl.tokens):
        narrate(
            settings,
            "more was sold than is recorded as received; the operator can update the records: orderd reconcile",
        )
    return ExitCode.OK
