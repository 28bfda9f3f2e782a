"""orderctl status"""

from typing import Annotated

import typer

from orderctl.client import Client
from orderctl.exit_codes import ExitCode
from orderctl.output import OUTPUT, DocumentFormat, console, print_data
from orderctl.settings import settings_of
from orderctl.version import warn_of_another_version
from orderd.wire import Method, NoParams, StatusResult


def run(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show how the daemon and its services are.

    Exits with 3 when a service is not well.
    """
    settings = settings_of(ctx, output)
    with Client(settings) as client:
        status = client.call(Method.STATUS, NoParams(), StatusResult)
    if not print_data(output, status):
        from orderctl.health import status_view
        from orderctl.tables import print_whole

        print_whole(status_view(status, settings.url), console(settings))
    warn_of_another_version(settings, status)
    return ExitCode.OK if all(service.ok for service in status.services.values()) else ExitCode.CONNECTION
