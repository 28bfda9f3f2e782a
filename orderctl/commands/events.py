"""orderctl events"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.commands.show import OrderArgument
from orderctl.documents import Events
from orderctl.exit_codes import ExitCode
from orderctl.lookup import order_detail
from orderctl.output import OUTPUT, DocumentFormat, console, print_data
from orderctl.settings import settings_of


def run(ctx: typer.Context, order: OrderArgument, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show an order's events.

    Those that there are until now; orderctl watch waits for the ones to come.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        detail = order_detail(client, order)
    if not print_data(output, Events(order_id=str(detail.order.id), events=detail.events), detail.events):
        from orderctl.detail import timeline_lines
        from orderctl.tables import print_whole

        out = console(settings)
        for line in timeline_lines(detail, wide=output == "wide"):
            print_whole(line, out)
    return ExitCode.OK
