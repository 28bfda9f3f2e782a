"""The pools that a pair had when they were last looked up on the chain. All here needs a connection."""

from collections.abc import Sequence

from db.connection import database


def recall(kind: str, mint_a: str, mint_b: str) -> list[str]:
    """Their addresses, the deepest first; none where they were never looked up."""
    row = database.execute_sql(
        "SELECT pools FROM pools_found WHERE mint_a = %s AND mint_b = %s AND kind = %s", (mint_a, mint_b, kind)
    ).fetchone()
    return [] if row is None else list(row[0])


def keep(kind: str, mint_a: str, mint_b: str, pools: Sequence[str]) -> None:
    """These are the ones that there are now."""
    database.execute_sql(
        """
        INSERT INTO pools_found (kind, mint_a, mint_b, pools) VALUES (%s, %s, %s, %s)
        ON CONFLICT (mint_a, mint_b, kind) DO UPDATE SET pools = EXCLUDED.pools, found_at = clock_timestamp()""",
        (kind, mint_a, mint_b, list(pools)),
    )
