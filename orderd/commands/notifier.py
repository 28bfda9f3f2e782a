"""``orderd notifier``: runs a notifier only."""

from orderd.commands.options import Config, LogFormat, LogLevel
from orderd.commands.prepare import prepare_role


def notifier(config: Config = None, log_level: LogLevel = None, log_format: LogFormat = None) -> None:
    """Run a notifier, which sends alerts. Needs ORDERD_ALERTS, ORDERD_DATABASE_URL and ORDERD_RPC_URL."""
    from orderd.alerts.notifier import run_notifier

    run_notifier(prepare_role(needs_redis=False, config=config, log_level=log_level, log_format=log_format))
