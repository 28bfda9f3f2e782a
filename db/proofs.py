"""The results of ``orderd prove`` per pool kind. All functions need a connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from db.connection import database


class Proof(NamedTuple):
    """The last proof of a kind. It is only valid for the program that was deployed at ``deployed_slot`` and for the
    quoting code ``code``."""

    program: str
    deployed_slot: int
    proved: bool
    pools: int
    swaps: int
    differences: Sequence[str]
    proved_at: datetime
    code: str


def keep(
    kind: str,
    program: str,
    deployed_slot: int,
    *,
    proved: bool,
    pools: int,
    swaps: int,
    differences: Sequence[str],
    version: str,
    code: str,
) -> None:
    """Replace the proof of a kind; ``version`` is the version of orderd, ``code`` identifies the quoting code."""
    database.execute_sql(
        """
        INSERT INTO proofs (kind, program, deployed_slot, proved, pools, swaps, differences, version, code)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (kind) DO UPDATE SET
            program = EXCLUDED.program, deployed_slot = EXCLUDED.deployed_slot, proved = EXCLUDED.proved,
            pools = EXCLUDED.pools, swaps = EXCLUDED.swaps, differences = EXCLUDED.differences,
            version = EXCLUDED.version, code = EXCLUDED.code, proved_at = clock_timestamp()""",
        (kind, program, deployed_slot, proved, pools, swaps, list(differences), version, code),
    )


def stored() -> Mapping[str, Proof]:
    """The proofs by kind."""
    rows = database.execute_sql(
        "SELECT kind, program, deployed_slot, proved, pools, swaps, differences, proved_at, code FROM proofs"
    ).fetchall()
    return {kind: Proof(*columns) for kind, *columns in rows}
