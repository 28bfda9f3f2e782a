"""orderctl history"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, RecordFormat, console, narrate, print_records
from orderctl.trading.fills import read_fills
from orderctl.trading.lookup import OfAccount
from orderctl.trading.period import Since, Until, moment
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.domain.order import OrderKind
from orderd.wire.fills import HistoryFill, HistoryParams


def run(
    ctx: typer.Context,
    token: Annotated[
        str | None, typer.Option("--token", metavar="TOKEN", help="Only fills that sold or bought this token.")
    ] = None,
    kind: Annotated[
        list[OrderKind] | None,
        typer.Option("--kind", help="Only fills of orders of this kind, or of their parts; can be repeated."),
    ] = None,
    account: OfAccount = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="Maximum number of fills.", min=1)] = 20,
    everything: Annotated[bool, typer.Option("--all", help="Show all fills.")] = False,
    output: Annotated[RecordFormat, OUTPUT] = "table",
) -> ExitCode:
    """List fills, newest first, with their totals.

    \b
    orderctl history --since 7d
    orderctl history --token SOL --all -o csv

    Slippage is in basis points and positive if the fill was worse than the quote of the route, and than the mid price
    when the route was chosen. The totals below the table include fills that are not shown.
    """
    settings = settings_of(ctx, output)
    wanted = params_of(
        HistoryParams, token=token, kind=kind or (), account=account, since=moment(since), until=moment(until)
    )
    with Client(settings) as client:
        found = read_fills(client, wanted, None if everything else limit)
    if not print_records(output, found, HistoryFill, found.fills) and found.fills:
        from orderctl.display.history import fills_table, totals_lines
        from orderctl.display.tables import print_whole

        out = console(settings)
        print_whole(fills_table(found.fills, wide=output == "wide"), out)
        for line in totals_lines(found):
            narrate(settings, line)
    if not found.fills:
        narrate(settings, "no fills match" if token or kind or account or since or until else "no fills")
    elif found.next_cursor is not None:
        narrate(settings, "there are more; show them with --limit N or --all")
    return ExitCode.OK
