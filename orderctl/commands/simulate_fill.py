"""orderctl simulate-fill"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, narrate, print_data
from orderctl.trading.lookup import OneOrder, suggesting
from orderd.client.connection import Client
from orderd.client.protocol import params_of
from orderd.wire.orders import GetParams
from orderd.wire.quotes import SimulatedFill
from orderd.wire.rpc import Method


def run(ctx: typer.Context, order: OneOrder, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Simulate what an order would do now, even if it waits for a price.

    \b
    orderctl simulate-fill 01a21c38

    Shows the order's condition and the distance of the market, and routes and simulates what it would execute now: the
    next execution of a TWAP, the part of a --partial order that gets its limit price, or the nearer side of an OCO.
    Nothing is traded.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client, suggesting(client):
        preview = client.call(Method.ORDER_SIMULATE_FILL, params_of(GetParams, order=order), SimulatedFill)
    if not print_data(output, preview):
        from orderctl.display.simulated import simulated_view
        from orderctl.display.tables import print_whole

        print_whole(simulated_view(preview, wide=output == "wide"), console(settings))
    narrate(settings, "nothing was traded")
    return ExitCode.OK if preview.succeeds else ExitCode.ORDER_FAILED
