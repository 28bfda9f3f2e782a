"""Reading the settings again while a process runs: which changes take effect, and which need a restart."""

from dataclasses import dataclass
from typing import Final

from orderd.config.loading import load_settings
from orderd.config.settings import Settings

RELOADABLE: Final = frozenset(
    {"log_level", "rate_limit", "max_connections", "max_connections_per_address"}
    | {"max_notional_per_order", "max_notional_per_day", "traded_tokens"}
)
"""No order, connection or service of a running process depends on the former value of these."""


@dataclass(frozen=True, slots=True)
class Reread:
    """The settings in force from now on: the former ones with the changes that can take effect."""

    settings: Settings
    changed: tuple[str, ...]
    needs_restart: tuple[str, ...]
    """Settings that have changed and take effect at the next start."""


def reread(current: Settings) -> Reread:
    """Read all settings again. Raises ConfigurationError if any is invalid; then all keep their values."""
    found = load_settings()
    differs = [name for name in Settings.model_fields if getattr(found, name) != getattr(current, name)]
    changed = tuple(name for name in differs if name in RELOADABLE)
    return Reread(
        settings=current.model_copy(update={name: getattr(found, name) for name in changed}),
        changed=changed,
        needs_restart=tuple(name for name in differs if name not in RELOADABLE),
    )
