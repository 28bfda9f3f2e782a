"""The options that several verbs take."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option(help="The configuration file [default: orderd.toml]")]
StateDir = Annotated[Path | None, typer.Option(help="Where the services of its own, and the wallet, keep their data")]
DaemonsStateDir = Annotated[
    Path | None, typer.Option("--state-dir", help="The daemon's, where the database is the one it brings along")
]
Host = Annotated[str | None, typer.Option(help="The address to listen on [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="The port for websocket and HTTP; 0 takes a free one [default: 3000]")]
Chain = Annotated[str | None, typer.Option(help="simnet, localnet, devnet or mainnet [default: simnet]")]
Wallet = Annotated[Path | None, typer.Option(help="The keypair file [default: wallet.json in the state directory]")]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error [default: info]")]
LogFormat = Annotated[str | None, typer.Option(help="json or console [default: json]")]
