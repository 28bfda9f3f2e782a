"""``orderd alert``: tests the receivers of alerts, and lists undelivered alerts."""

from typing import Annotated

import typer

from orderd.command_line import CommandLine
from orderd.commands.options import Config, DaemonsStateDir
from orderd.commands.prepare import prepare

alert_app = CommandLine(help="Test the receivers of alerts, and list undelivered alerts.", no_args_is_help=True)


@alert_app.command(name="test")
def send_test(
    receiver: Annotated[str | None, typer.Argument(help="The name of one receiver [default: all]")] = None,
    config: Config = None,
) -> None:
    """Send a test alert to each receiver. Exits with 1 if one does not confirm it."""
    import asyncio
    from datetime import UTC, datetime

    from uuid_utils.compat import uuid7

    from db.alerts import Alert, AlertDelivery
    from orderd.alerts.notifier import send
    from orderd.alerts.webhook import UndeliveredError
    from orderd.config.alerts import required_alerts
    from orderd.config.loading import ConfigurationError
    from orderd.domain.alerts import AlertKind

    receivers = required_alerts(prepare(config=config)).receivers
    if receiver is not None and receiver not in receivers:
        raise ConfigurationError(f"there is no receiver {receiver}; the file contains {', '.join(receivers)}")
    failed = False
    for name in receivers if receiver is None else [receiver]:
        alert = Alert(str(uuid7()), AlertKind.TEST, datetime.now(UTC), {"text": "sent by orderd alert test"})
        try:
            asyncio.run(send(receivers[name], [AlertDelivery(alert, 1)]))
        except UndeliveredError as error:
            failed = True
            typer.echo(f"{name}\tfailed\t{error}")
        else:
            typer.echo(f"{name}\tok\tconfirmed alert {alert.id}")
    raise typer.Exit(1 if failed else 0)


@alert_app.command(name="list")
def list_waiting(config: Config = None, state_dir: DaemonsStateDir = None) -> None:
    """List the number of undelivered alerts per receiver, the time of the oldest one, and the last error."""
    from db.alerts import waiting
    from orderd.commands.database import database_of

    with database_of(config, state_dir):
        found = waiting()
    for receiver, count, since, error in found:
        typer.echo(f"{receiver}\t{count}\tsince {since:%Y-%m-%d %H:%M:%S} UTC\t{error or 'not sent yet'}")
    if not found:
        typer.echo("All alerts have been delivered.")
