"""The chain that the orders of this database belong to."""

from db.connection import database


def bind_to(genesis_hash: str) -> str:
    """The genesis hash of the chain of the orders: the stored one, or the given one if none is stored yet."""
    with database.connection_context():
        database.execute_sql("INSERT INTO chain (genesis_hash) VALUES (%s) ON CONFLICT DO NOTHING", (genesis_hash,))
        (found,) = database.execute_sql("SELECT genesis_hash FROM chain").fetchone()
    return str(found)


def stored() -> str | None:
    """The genesis hash of the chain of the orders; None before it is known."""
    with database.connection_context():
        row = database.execute_sql("SELECT genesis_hash FROM chain").fetchone()
    return None if row is None else str(row[0])
