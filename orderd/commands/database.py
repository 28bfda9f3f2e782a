"""Database access for commands on the daemon's machine, whether or not the daemon runs."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from orderd.config.loading import ConfigurationError, database_url, load_settings
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError


@contextmanager
def database_of(config: Path | None, state_dir: Path | None) -> Iterator[Settings]:
    """Connect to the daemon's database and check its schema version. Yields the settings.

    If the database is embedded and no daemon runs, it is started for the duration of the block. So a first API key can
    be created before the first start of the daemon.

    Raises ConfigurationError, SchemaError, and OrderdError if the database does not respond.
    """
    from db.connection import check_schema, connect, database, translated_database_errors

    settings = load_settings(config=config, state_dir=state_dir)
    with translated_database_errors(), served(settings):
        connect(database_url(settings), max_connections=1)
        try:
            check_schema()
            with database.connection_context():
                yield settings
        finally:
            database.close_all()


@contextmanager
def served(settings: Settings, *, migrates: bool = True) -> Iterator[None]:
    """Keep the embedded database running during the block. With ``migrates``, its tables are brought up to date."""
    if settings.database_url is not None:
        yield
        return
    from db.connection import connect, database, migrate
    from orderd.embedded.lock import instance_lock
    from orderd.embedded.postgres import Postgres

    os.umask(0o077)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    _check_owner(settings.state_dir)
    with ExitStack() as stack:
        try:
            stack.enter_context(instance_lock(settings.state_dir))
        except OrderdError:
            pass  # a daemon is running, and so is its database
        else:
            postgres = Postgres(settings.state_dir)
            stack.callback(postgres.start().stop)
            if migrates:
                connect(postgres.url, max_connections=1)
                migrate()
                database.close_all()
        yield


def _check_owner(state_dir: Path) -> None:
    """Raises ConfigurationError for another user's directory: its database refuses this one, and would not survive
    files of another owner."""
    import pwd  # only Unix has it, and every command loads this module

    owner = state_dir.stat().st_uid
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    raise ConfigurationError(
        f"{state_dir} belongs to user {name}; run the command as that user, such as with: sudo -u {name}"
    )
