"""orderctl resume"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, print_data, print_line
from orderctl.trading.lookup import OneOrder, suggesting
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.wire import AmendParams, AmendResult, Method


def run(ctx: typer.Context, order: OneOrder, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Go on with the executions of an order that was paused."""
    settings = settings_of(ctx, output)
    params = params_of(AmendParams, order=order, paused=False)
    with Client(settings) as client, suggesting(client):
        amended = client.call(Method.ORDER_AMEND, params, AmendResult).order
    if not print_data(output, amended):
        print_line(f"{amended.id}  {amended.status}")
    return ExitCode.OK
