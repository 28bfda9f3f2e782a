"""orderctl status"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, DocumentFormat, console, print_data
from orderctl.version import warn_of_another_version
from orderd.client.connection import Client
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult


def run(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show the status of the daemon and its services.

    Exits with 3 if a service does not respond, or if trading is halted.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        status = client.call(Method.STATUS, NoParams(), StatusResult)
    if not print_data(output, status):
        from orderctl.display.daemon import status_view
        from orderctl.display.tables import print_whole

        print_whole(status_view(status, settings.url), console(settings))
    warn_of_another_version(settings, status)
    return ExitCode.OK if status.is_well else ExitCode.CONNECTION
