"""orderctl export"""

from typing import Annotated, Literal

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import print_records
from orderctl.trading.fills import read_fills
from orderctl.trading.lookup import OfAccount
from orderctl.trading.period import Since, Until, moment
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.wire.fills import HistoryFill, HistoryParams


def run(
    ctx: typer.Context,
    form: Annotated[Literal["csv", "jsonl"], typer.Argument(metavar="csv|jsonl", help="The output format.")],
    account: OfAccount = None,
    since: Since = None,
    until: Until = None,
) -> ExitCode:
    """Print all fills as CSV or JSON lines.

    \b
    orderctl export csv > fills.csv
    orderctl export jsonl --since 2026-01-01 --until 2027-01-01

    Oldest first, with the same fields as orderctl history.
    """
    settings = settings_of(ctx, form)
    wanted = params_of(HistoryParams, account=account, since=moment(since), until=moment(until))
    with Client(settings) as client:
        found = read_fills(client, wanted)
    print_records(form, found, HistoryFill, found.fills[::-1])
    return ExitCode.OK
