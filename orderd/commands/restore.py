"""``orderd restore``: an empty database becomes what it was at a backup, and trades nothing twice."""

from pathlib import Path
from typing import Annotated

import typer

from orderd.commands.database import database_of, served
from orderd.commands.options import Config, DaemonsStateDir
from orderd.config.loading import ConfigurationError, database_url, load_settings

_WORD = "stopped"


def restore(
    file: Annotated[Path | None, typer.Argument(help="A file that orderd backup has written")] = None,
    stopped: Annotated[
        bool, typer.Option("--old-daemon-is-stopped", help="Confirm that no daemon of the backup runs any more")
    ] = False,
    unchecked: Annotated[
        bool,
        typer.Option("--unchecked", help="End the check of a restore that cannot be made; you have checked by hand"),
    ] = False,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Restore FILE into an empty database. The daemon starts halted.

    Its worker then reads from the chain what was traded since the backup: fills of orders that the backup has, and
    transactions of orders that are lost, which are refused with ORDER_TRADED when their clients repeat them. After
    that, look at the orders, and let trading go on: orderctl halt --lift. An order that was cancelled after the backup
    is active again: orderctl halt --cancel-open cancels all.

    \b
    orderd restore /var/backups/orderd/orderd-20261127T101500000000Z.dump --old-daemon-is-stopped
    """
    if (file is None) == (not unchecked):
        raise ConfigurationError("name a backup, or give --unchecked, and not both")
    if file is None:
        _end_check(config, state_dir)
        return
    if not file.is_file():
        raise ConfigurationError(f"{file}: there is no such file")
    if not stopped:
        typer.echo("A daemon that still signs with the wallet would trade the same orders a second time.", err=True)
        if typer.prompt(f"Is the daemon of this backup stopped, everywhere? Type {_WORD}", err=True) != _WORD:
            raise typer.Abort
    _restore(file, config, state_dir)
    typer.echo("restored; trading is halted until you lift it: orderctl halt --lift")


def _restore(file: Path, config: Path | None, state_dir: Path | None) -> None:
    from db import halts, restoring
    from db.connection import connect, database, is_empty, migrate, translated_database_errors
    from orderd.embedded.dump import restore as read

    settings = load_settings(config=config, state_dir=state_dir)
    with translated_database_errors(), served(settings, migrates=False):
        connect(database_url(settings), max_connections=1)
        try:
            with database.connection_context():
                if not is_empty():
                    raise ConfigurationError("the database is not empty: restore into a new one, or a new --state-dir")
                # From the moment in which its tables exist nothing is signed, even if a worker is waiting for them.
                with halts.signing_paused():
                    read(database_url(settings), file)
                    migrate()
                    restoring.begin(f"restored from {file.name}: look at the orders before you let trading go on")
        finally:
            database.close_all()


def _end_check(config: Path | None, state_dir: Path | None) -> None:
    from db import halts
    from db.audit import Actor
    from orderd.domain.halt import HaltCause

    if typer.prompt("May orders be traded that were traded since the backup? Type unchecked", err=True) != "unchecked":
        raise typer.Abort
    with database_of(config, state_dir):
        lifted = halts.lift(Actor("operator"), HaltCause.RESTORE)
    typer.echo("the check is ended; now: orderctl halt --lift" if lifted else "no restore is being checked")
