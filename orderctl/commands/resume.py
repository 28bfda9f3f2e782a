"""orderctl resume"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.display.formats import moment
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, narrate
from orderctl.trading.amending import amend
from orderctl.trading.lookup import OneOrder
from orderd.client.protocol import params_of
from orderd.wire.submissions import AmendParams


def run(ctx: typer.Context, order: OneOrder, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Continue the executions of a paused order."""
    settings = settings_of(ctx, output)
    resumed = amend(settings, params_of(AmendParams, order=order, paused=False), output)
    if resumed and resumed.next_at is not None:
        narrate(settings, f"the next execution is due at {moment(resumed.next_at)}")
    return ExitCode.OK
