"""Reading the settings again while a process runs: which changes take effect, and which need a restart."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from orderd.config.loading import load_settings
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError
from orderd.embedded.notify import reloading, service_manager
from orderd.telemetry import set_log_level

RELOADABLE: Final = frozenset(
    {"log_level", "rate_limit", "max_connections", "max_connections_per_address"}
    | {"max_notional_per_order", "max_notional_per_day", "traded_tokens"}
)
"""No order, connection or service of a running process depends on the former value of these."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The settings in force from now on: the former ones with the changes that can take effect."""

    settings: Settings
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]
    """Settings that have changed and take effect at the next start."""


def reread(current: Settings) -> Reloaded:
    """Read all settings again. Raises ConfigurationError if any is invalid; then all keep their values."""
    found = load_settings()
    differs = [name for name in Settings.model_fields if getattr(found, name) != getattr(current, name)]
    changed = tuple(name for name in differs if name in RELOADABLE)
    return Reloaded(
        settings=current.model_copy(update={name: getattr(found, name) for name in changed}),
        changed=changed,
        needs_restart=tuple(name for name in differs if name not in RELOADABLE),
    )


def reload(current: Settings, apply: Callable[[Settings], object]) -> Settings:
    """Reload the settings when the service manager sends SIGHUP, and report the end of the reload.

    ``apply`` lets the new ones take effect; it raises OrderdError, before anything has changed, if they cannot. Returns
    the settings in force: the new ones, or all former ones if any is invalid.
    """
    service_manager().notify(*reloading())
    in_force = current
    try:
        found = reread(current)
        apply(found.settings)
    except OrderdError as error:
        log.error("the settings are invalid and keep their values", action="reload_refused", error=error.detail)  # noqa: TRY400
    else:
        in_force = found.settings
        set_log_level(in_force.log_level)
        log.info("settings read again", action="reloaded", changed=found.changed, needs_restart=found.needs_restart)
    service_manager().notify("READY=1")
    return in_force
