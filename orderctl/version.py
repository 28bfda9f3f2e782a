"""What to say of a daemon that is not of this client's release, or that is of several."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orderd.release import Release, this_release

if TYPE_CHECKING:
    from orderctl.config.settings import Settings
    from orderd.wire.status import StatusResult


def daemon_release(status: "StatusResult") -> Release:
    """That of the gateway that answered."""
    return Release(status.version, status.commit)


def mismatches(status: "StatusResult") -> Iterator[tuple[str, str]]:
    """What does not fit together, and what to do about it.

    Of the client and the daemon the version counts, and how they speak; the daemon's own processes share a database and
    a queue, so there another commit counts too.
    """
    from orderd.wire.rpc import WIRE_VERSION

    daemon, mine = daemon_release(status), this_release()
    if (daemon.version, status.wire_version) != (mine.version, WIRE_VERSION):
        difference = (
            f"the versions differ: orderd {daemon.version} (wire {status.wire_version}),"
            f" orderctl {mine.version} (wire {WIRE_VERSION})"
        )
        yield difference, "install the same on both sides"
    workers = [Release(each.version, each.commit) for each in status.worker_releases]
    if others := [each.description for each in workers if not each.is_like(daemon)]:
        yield f"the gateway is {daemon.description}, and workers are {', '.join(others)}", "restart what is older"


def warn_of_another_version(settings: "Settings", status: "StatusResult") -> None:
    from orderctl.output.streams import narrate

    for difference, fix in mismatches(status):
        narrate(settings, f"warning: {difference}; {fix}")
