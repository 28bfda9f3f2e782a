"""orderctl pause"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, narrate
from orderctl.trading.amending import amend
from orderctl.trading.lookup import OneOrder
from orderd.client.protocol import params_of
from orderd.wire.submissions import AmendParams


def run(ctx: typer.Context, order: OneOrder, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Pause an order with several executions."""
    settings = settings_of(ctx, output)
    if amend(settings, params_of(AmendParams, order=order, paused=True), output):
        narrate(settings, f"paused: no further execution begins; continue with: orderctl resume {order}")
    return ExitCode.OK
