"""Preparation of a command: loads the settings from flags, environment and file, and configures the log."""

from orderd.config.loading import ConfigurationError, load_settings
from orderd.config.settings import Settings
from orderd.telemetry import configure_logging


def prepare(*, serves: bool = False, **flags: object) -> Settings:
    """Load the settings and configure the log. Raises ConfigurationError; see ``load_settings``."""
    settings = load_settings(serves=serves, **flags)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def prepare_role(*, serves: bool = False, needs_redis: bool = True, **flags: object) -> Settings:
    """The same for a single role, which needs configured services. Raises ConfigurationError."""
    settings = prepare(serves=serves, **flags)
    needed = ("database_url", "redis_url", "rpc_url") if needs_redis else ("database_url", "rpc_url")
    missing = [name for name in needed if getattr(settings, name) is None]
    if missing:
        names = ", ".join(f"ORDERD_{name.upper()}" for name in missing)
        raise ConfigurationError(f"this role needs {names}; or start everything with: orderd run")
    return settings
