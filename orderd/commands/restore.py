"""``orderd restore``: restores a backup into an empty database, in a way that no order is executed twice."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from orderd.commands.database import database_of, served
from orderd.commands.options import ArgumentError, Config, DaemonsStateDir
from orderd.config.loading import database_url, load_settings

_WORD = "stopped"


def restore(
    file: Annotated[Path | None, typer.Argument(help="A file written by orderd backup")] = None,
    stopped: Annotated[
        bool,
        typer.Option(
            "--old-daemon-is-stopped", help="Confirm that the daemon of the backup is stopped on all machines"
        ),
    ] = False,
    unchecked: Annotated[
        bool,
        typer.Option(
            "--unchecked",
            help="End the check of an earlier restore that cannot complete; you have checked the trades yourself",
        ),
    ] = False,
    config: Config = None,
    state_dir: DaemonsStateDir = None,
) -> None:
    """Restore FILE into an empty database. Trading is halted when the daemon starts.

    The worker then reads all trades since the backup from the chain: fills of orders in the backup, and transactions of
    orders that are not in it. If a client submits such a lost order again, it is refused with ORDER_TRADED. Afterwards,
    check the orders and resume trading with: orderctl halt --lift. An order that was cancelled after the backup is
    active again; orderctl halt --cancel-open cancels all.

    \b
    orderd restore /var/backups/orderd/orderd-20261127T101500000000Z.dump --old-daemon-is-stopped
    """
    if (file is None) == (not unchecked):
        raise ArgumentError("give either a backup or --unchecked")
    if file is None:
        _end_check(config, state_dir)
        return
    if not file.is_file():
        raise ArgumentError(f"{file}: no such file")
    if not stopped:
        typer.echo("A daemon that still uses the wallet would execute the same orders a second time.", err=True)
        if not sys.stdin.isatty():
            raise ArgumentError("there is no terminal to ask whether it is stopped: add --old-daemon-is-stopped")
        if typer.prompt(f"Is the daemon of this backup stopped on all machines? Type {_WORD}", err=True) != _WORD:
            raise typer.Abort
    _restore(file, config, state_dir)
    typer.echo("restored; trading stays halted until you run: orderctl halt --lift")


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
                    raise ArgumentError("the database is not empty: restore into a new one, or a new --state-dir")
                # Nothing may be signed once the tables exist, even if a worker is waiting for them.
                with halts.signing_paused():
                    read(database_url(settings), file)
                    migrate()
                    restoring.begin(f"restored from {file.name}: check the orders before you resume trading")
        finally:
            database.close_all()


def _end_check(config: Path | None, state_dir: Path | None) -> None:
    from db import halts
    from db.audit import Actor
    from orderd.domain.halt import HaltCause

    if (
        typer.prompt(
            "Orders that were executed since the backup may be executed again. Type unchecked to accept this", err=True
        )
        != "unchecked"
    ):
        raise typer.Abort
    with database_of(config, state_dir):
        lifted = halts.lift(Actor("operator"), HaltCause.RESTORE)
    typer.echo("the check is ended; next: orderctl halt --lift" if lifted else "there is no check to end")
