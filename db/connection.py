"""The connection pool, and whether the database has the tables that this program expects."""

from pathlib import Path

from playhouse.migrations import Runner
from playhouse.pool import PooledPostgresqlDatabase

MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATION_LOCK = 7_140_051_903_117

database = PooledPostgresqlDatabase(None)
"""Bound by ``connect``. Each thread has its own connection, taken with ``database.connection_context()``."""


class SchemaError(Exception):
    """The database's tables are not those of this program; the text says which way and what to do."""


def connect(url: str, *, max_connections: int = 32, application: str = "orderd") -> None:
    """Point the pool at ``url`` (postgresql://...). Nothing is opened yet.

    Statements are cut after 30 s and waits for locks after 10 s, so that no thread hangs for ever on a peer.
    """
    if not database.deferred:
        database.close_all()
    database.init(
        url.replace("postgres://", "postgresql://", 1),
        max_connections=max_connections,
        stale_timeout=300,
        timeout=10,
        application_name=application,
        connect_timeout=10,
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        options="-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=10000",
    )


def migrate() -> list[str]:
    """Bring the tables up to date; returns what was applied. Safe to run from several hosts at once."""
    with database.connection_context():
        database.execute_sql("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        try:
            applied: list[str] = Runner(database, str(MIGRATIONS)).up()
        finally:
            database.execute_sql("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))
    return applied


def check_schema() -> None:
    """Raises SchemaError when the tables are behind or ahead of this program."""
    with database.connection_context():
        rows = Runner(database, str(MIGRATIONS)).status()
    if unknown := [row.name for row in rows if row.path is None]:
        raise SchemaError(
            f"the database is ahead of this orderd: it has {', '.join(unknown)}, which this version does not know. "
            "Run the version of orderd that made it, or a newer one."
        )
    if missing := [row.name for row in rows if row.applied is None]:
        raise SchemaError(f"the database is behind this orderd: it lacks {', '.join(missing)}. Run: orderd migrate")
