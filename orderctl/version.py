"""Warnings about different versions of the client, the daemon and its processes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orderd.release import Release, this_release

if TYPE_CHECKING:
    from orderctl.config.settings import Settings
    from orderd.wire.status import StatusResult


def daemon_release(status: "StatusResult") -> Release:
    """The release of the gateway that responded."""
    return Release(status.version, status.commit)


def mismatches(status: "StatusResult") -> Iterator[tuple[str, str]]:
    """Yield each version mismatch, and how to fix it.

    Client and daemon must have the same version and wire version. The daemon's processes share a database and a queue,
    so they must also have the same commit.
    """
    from orderd.wire.rpc import WIRE_VERSION

    daemon, mine = daemon_release(status), this_release()
    if (daemon.version, status.wire_version) != (mine.version, WIRE_VERSION):
        difference = (
            f"the versions differ: orderd {daemon.version} (wire {status.wire_version}),"
            f" orderctl {mine.version} (wire {WIRE_VERSION})"
        )
        yield difference, "install the same version on both sides"
    workers = [Release(each.version, each.commit) for each in status.worker_releases]
    if others := [each.description for each in workers if not each.is_like(daemon)]:
        yield f"the gateway is {daemon.description}, but workers are {', '.join(others)}", "restart the older processes"


def warn_of_another_version(settings: "Settings", status: "StatusResult") -> None:
    from orderctl.output.streams import narrate

    for difference, fix in mismatches(status):
        narrate(settings, f"warning: {difference}; {fix}")
