"""orderctl events"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.documents import Events
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, print_data
from orderctl.trading.lookup import OneOrder, order_detail
from orderd.client.connection import Client


def run(ctx: typer.Context, order: OneOrder, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show an order's events.

    Those that there are until now; orderctl watch waits for the ones to come.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        detail = order_detail(client, order)
    if not print_data(output, Events(order_id=str(detail.order.id), events=detail.events), detail.events):
        from orderctl.display.detail import timeline_lines
        from orderctl.display.tables import print_whole

        out = console(settings)
        for line in timeline_lines(detail, wide=output == "wide"):
            print_whole(line, out)
    return ExitCode.OK
