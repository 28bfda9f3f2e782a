"""orderctl version"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.documents import Release, Versions
from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import report
from orderctl.output.streams import OUTPUT, DocumentFormat, print_data, print_line
from orderctl.version import client_version, warn_of_another_version
from orderd.client.connection import Client
from orderd.client.errors import ClientError
from orderd.wire.message import NoParams
from orderd.wire.rpc import WIRE_VERSION, Method
from orderd.wire.status import StatusResult


def run(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show the versions of this client and of the daemon.

    Warns when they differ. Without a daemon it shows the client's own, and exits with 3.
    """
    settings = settings_of(ctx, output)
    status, trouble = None, None
    try:
        with Client(settings) as client:
            status = client.call(Method.STATUS, NoParams(), StatusResult)
    except ClientError as error:
        trouble = error
    mine = Release(version=client_version(), wire_version=WIRE_VERSION)
    theirs = None if status is None else Release(version=status.version, wire_version=status.wire_version)
    if not print_data(output, Versions(orderctl=mine, orderd=theirs)):
        print_line(f"orderctl {mine.version} (wire {mine.wire_version})")
        if theirs is not None:
            print_line(f"orderd   {theirs.version} (wire {theirs.wire_version})")
    if status is not None:
        warn_of_another_version(settings, status)
    return ExitCode.OK if trouble is None else report(trouble, output, settings.color)
