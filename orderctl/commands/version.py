"""orderctl version"""

from typing import Annotated

import typer

from orderctl.config.settings import settings_of
from orderctl.output.documents import ProgramRelease, Versions
from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import report
from orderctl.output.streams import OUTPUT, DocumentFormat, print_data, print_line
from orderctl.version import daemon_release, warn_of_another_version
from orderd.client.connection import Client
from orderd.client.errors import ClientError
from orderd.release import Release, this_release
from orderd.wire.message import NoParams
from orderd.wire.rpc import WIRE_VERSION, Method
from orderd.wire.status import StatusResult


def run(ctx: typer.Context, output: Annotated[DocumentFormat, OUTPUT] = "table") -> ExitCode:
    """Show the versions of this client and of the daemon.

    Warns about incompatible versions of client and daemon, and about different versions of the daemon's processes.
    Without a daemon, shows only the client's version and exits with 3.
    """
    settings = settings_of(ctx, output)
    status, failure = None, None
    try:
        with Client(settings) as client:
            status = client.call(Method.STATUS, NoParams(), StatusResult)
    except ClientError as error:
        failure = error
    mine, theirs = _release_document(this_release(), WIRE_VERSION), None
    if status is not None:
        theirs = _release_document(daemon_release(status), status.wire_version)
    if not print_data(output, Versions(orderctl=mine, orderd=theirs)):
        print_line(f"orderctl {_line(mine)}")
        if theirs is not None:
            print_line(f"orderd   {_line(theirs)}")
    if status is not None:
        warn_of_another_version(settings, status)
    return ExitCode.OK if failure is None else report(failure, output, settings.color)


def _release_document(release: Release, wire_version: int) -> ProgramRelease:
    return ProgramRelease(version=release.version, wire_version=wire_version, commit=release.commit)


def _line(of: ProgramRelease) -> str:
    release = Release(of.version, of.commit)
    commit = f", commit {release.short_commit}" if of.commit else ""
    return f"{of.version} (wire {of.wire_version}{commit})"
