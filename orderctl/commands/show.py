"""orderctl show"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, OrderFormat, console, document, print_json, print_line
from orderctl.protocol import params_of
from orderctl.settings import settings_of
from orderd.wire import GetParams, Method, OrderDetail

OrderArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The order's id, a unique prefix of it, or its client order id.")
]


def run(
    ctx: typer.Context,
    order: OrderArgument,
    output: Annotated[OrderFormat, OUTPUT] = "table",
) -> ExitCode:
    """Show all that is known of an order.

    Its timeline with both venues' quotes and the choice, each attempt, the fill, and the failures with their logs.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        detail = client.call(Method.ORDER_GET, params_of(GetParams, order=order), OrderDetail)
    if output == "json":
        print_json(document("order_detail", detail))
    elif output == "id":
        print_line(str(detail.order.id))
    else:
        from orderctl.detail import print_detail

        print_detail(detail, console(settings))
    return ExitCode.OK
