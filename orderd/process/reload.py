"""Reloads the settings of ``orderd run``: checks them first, and then makes the roles reload them."""

import signal
import time
from collections.abc import Sequence
from typing import Final

import structlog

from orderd.config.loading import ConfigurationError
from orderd.config.reloading import reread
from orderd.config.settings import Settings
from orderd.embedded.notify import reloading
from orderd.process.manager_reports import ManagerReports
from orderd.process.roles import Role
from orderd.process.supervisor import Supervisor
from orderd.telemetry import set_log_level

_ROLE_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.02
_log = structlog.get_logger(__name__)


class Reload:
    """Reloads the settings on SIGHUP under a service manager."""

    def __init__(
        self, settings: Settings, supervisor: Supervisor, roles: Sequence[Role], reports: ManagerReports
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._roles = roles
        self._reports = reports

    def run(self) -> None:
        """Reload the settings. If one is invalid, nothing changes. Sends READY=1 at the end."""
        manager = self._reports.manager
        manager.notify(*reloading(), "STATUS=reading the settings again")
        try:
            found = reread(self._settings)
        except ConfigurationError as error:
            first = error.detail.partition("\n")[0]
            _log.error(
                "the new settings are invalid; the old ones stay in force", action="reload_refused", error=error.detail
            )
            manager.notify("READY=1", f"STATUS=not reloaded: {first}")
            return
        self._settings = found.settings
        set_log_level(found.settings.log_level)
        late = [role.name for role in self._roles if not self._reload(role)]
        level = _log.warning if late or found.needs_restart else _log.info
        level(
            "settings read again",
            action="reloaded",
            changed=found.changed,
            needs_restart=found.needs_restart,
            without_answer=late,
        )
        manager.notify("READY=1", "STATUS=settings read again")

    def _reload(self, role: Role) -> bool:
        """Make a role reload, and return whether it did in time. A role that is not running reads the settings at its
        start."""
        if not self._supervisor.is_running(role):
            return True
        is_done = role.watch_reload()
        self._supervisor.send(role, signal.SIGHUP)
        deadline = time.monotonic() + _ROLE_SECONDS
        while not is_done() and time.monotonic() < deadline:
            self._reports.waits(f"{role.name}: reading the settings again")
            time.sleep(_POLL_SECONDS)
        return is_done()
