"""``orderd migrate``: brings the database's tables up to date."""

import typer

from orderd.commands.options import Config, StateDir
from orderd.commands.prepare import prepare
from orderd.config.loading import database_url


def migrate(config: Config = None, state_dir: StateDir = None) -> None:
    """Bring the database's tables up to date. Safe to run from several hosts at once."""
    from db.connection import connect, database, translated_database_errors
    from db.connection import migrate as apply

    connect(database_url(prepare(config=config, state_dir=state_dir)), max_connections=1)
    try:
        with translated_database_errors():
            applied = apply()
    finally:
        database.close_all()
    for name in applied:
        typer.echo(f"applied {name}")
    if not applied:
        typer.echo("the tables are up to date")
