"""The pools of pairs, as last discovered on the chain. All functions need a connection."""

from collections.abc import Sequence

from db.connection import database


def recall(kind: str, mint_a: str, mint_b: str) -> list[str]:
    """The addresses of a pair's pools, deepest first; empty if they were never discovered."""
    row = database.execute_sql(
        "SELECT pools FROM pools_found WHERE mint_a = %s AND mint_b = %s AND kind = %s", (mint_a, mint_b, kind)
    ).fetchone()
    return [] if row is None else list(row[0])


def keep(kind: str, mint_a: str, mint_b: str, pools: Sequence[str]) -> None:
    """Replace the stored pools of a pair."""
    database.execute_sql(
        """
        INSERT INTO pools_found (kind, mint_a, mint_b, pools) VALUES (%s, %s, %s, %s)
        ON CONFLICT (mint_a, mint_b, kind) DO UPDATE SET pools = EXCLUDED.pools, found_at = clock_timestamp()""",
        (kind, mint_a, mint_b, list(pools)),
    )
