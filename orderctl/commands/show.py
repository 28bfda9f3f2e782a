"""orderctl show"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.exit_codes import ExitCode
from orderctl.lookup import order_detail
from orderctl.output import OUTPUT, Format, console, print_data
from orderctl.settings import settings_of

OrderArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The order's id, a unique prefix of it, or its client order id.")
]


def run(
    ctx: typer.Context,
    order: OrderArgument,
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
        from orderctl.detail import print_detail

        print_detail(detail, console(settings), wide=output == "wide")
    return ExitCode.OK
