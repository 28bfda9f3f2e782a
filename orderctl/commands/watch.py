"""orderctl watch"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, StreamFormat
from orderctl.protocol import params_of
from orderctl.settings import settings_of
from orderctl.watching import watch
from orderd.wire import GetParams

OrderArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The order's id, a unique prefix of it, or its client order id.")
]


def run(
    ctx: typer.Context,
    order: OrderArgument,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", help="Stop following after this long.", min=0)
    ] = None,
    output: Annotated[StreamFormat, OUTPUT] = "table",
) -> ExitCode:
    """Follow an order to its end.

    Survives restarts of the daemon. Ctrl-C lets go of the order and does not cancel it. Exits with 0 when the order
    was confirmed, 1 when it failed or was cancelled, 5 when --for ran out. -o json prints each event on its own line.
    """
    settings = settings_of(ctx, output)
    params = params_of(GetParams, order=order)
    with Client(settings) as client:
        return watch(client, settings, params.order, output, seconds)
