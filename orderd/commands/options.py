"""Options that several commands share."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from orderd.config.loading import ConfigurationError

_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}

Config = Annotated[Path | None, typer.Option(help="The configuration file [default: orderd.toml]")]
StateDir = Annotated[Path | None, typer.Option(help="The directory for the wallet and the data of embedded services")]
DaemonsStateDir = Annotated[
    Path | None, typer.Option("--state-dir", help="The daemon's state directory, if its database is embedded")
]
Host = Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="The port for websocket and HTTP; 0 selects a free one [default: 3000]")]
Chain = Annotated[str | None, typer.Option(help="simnet, localnet, devnet or mainnet [default: simnet]")]
Wallet = Annotated[Path | None, typer.Option(help="The keypair file [default: wallet.json in the state directory]")]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error [default: info]")]
LogFormat = Annotated[str | None, typer.Option(help="json or console [default: json]")]


class ArgumentError(ConfigurationError):
    """Arguments that a command cannot use; the settings are not at fault."""


def time_of(option: str, text: str | None) -> datetime | None:
    """Parse a duration (ago) or a date; a date without a zone is in UTC. Raises ArgumentError."""
    if text is None:
        return None
    if ago := re.fullmatch(r"(\d{1,6})([mhd])", text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentError(f"--{option} {text}: write it like 30m, 24h, 7d or 2026-01-31T12:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
