"""orderctl show"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, console, print_data
from orderctl.trading.lookup import OneOrder, order_detail
from orderd.client.connection import Client


def run(
    ctx: typer.Context,
    order: OneOrder,
    output: Annotated[Format, OUTPUT] = "table",
) -> ExitCode:
    """Show all that is known of an order.

    Its route, the timeline with every pool's quote and the choice, each attempt, the fill, and the failures with their
    logs. -o wide shortens no signature and no address.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        detail = order_detail(client, order)
    if not print_data(output, detail, ids=(str(detail.order.id),)):
        from orderctl.display.detail import print_detail

        print_detail(detail, console(settings), wide=output == "wide")
    return ExitCode.OK
