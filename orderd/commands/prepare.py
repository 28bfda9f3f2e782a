"""What a verb does before its work: settings from flags, environment and file, and the log as they say."""

from orderd.config.loading import ConfigurationError, load_settings
from orderd.config.settings import Settings
from orderd.telemetry import configure_logging


def prepare(**flags: object) -> Settings:
    """The settings, with the log configured by them. Raises ConfigurationError."""
    settings = load_settings(**flags)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def prepare_role(*, needs_redis: bool = True, **flags: object) -> Settings:
    """As ``prepare``, for a role on its own, which brings no services along. Raises ConfigurationError."""
    settings = prepare(**flags)
    needed = ("database_url", "redis_url", "rpc_url") if needs_redis else ("database_url", "rpc_url")
    missing = [name for name in needed if getattr(settings, name) is None]
    if missing:
        names = ", ".join(f"ORDERD_{name.upper()}" for name in missing)
        raise ConfigurationError(f"this role needs {names}; or start everything with: orderd run")
    return settings
