"""The version of this client, and what to say of a daemon of another one."""

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderctl.config.settings import Settings
    from orderd.wire.status import StatusResult


def client_version() -> str:
    return version("orderd")


def warn_of_another_version(settings: "Settings", status: "StatusResult") -> None:
    from orderctl.output.streams import narrate
    from orderd.wire.rpc import WIRE_VERSION

    mine = client_version()
    if (status.version, status.wire_version) != (mine, WIRE_VERSION):
        narrate(
            settings,
            f"warning: the versions differ: orderd {status.version} (wire {status.wire_version}),"
            f" orderctl {mine} (wire {WIRE_VERSION}); install the same on both sides",
        )
