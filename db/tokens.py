"""Facts of mints from the chain, and the operator's symbols. All functions need a connection."""

from collections.abc import Sequence

from db.connection import database, transaction
from orderd.domain.mint import MintFacts, Trait
from orderd.domain.tokens import Listing

_FACTS = "mint, decimals, program, traits, name, transfer_fee_bps"


def mints_known(mints: Sequence[str]) -> list[MintFacts]:
    """The stored facts of these mints."""
    rows = database.execute_sql(f"SELECT {_FACTS} FROM mints WHERE mint = ANY(%s)", (list(mints),))  # noqa: S608
    return [_facts(*row) for row in rows]


def last_mints(most: int) -> list[MintFacts]:
    """The mints that were read last."""
    return [
        _facts(*row)
        for row in database.execute_sql(f"SELECT {_FACTS} FROM mints ORDER BY read_at DESC LIMIT %s", (most,))  # noqa: S608
    ]


def keep_mints(mints: Sequence[MintFacts]) -> None:
    """Store the current facts of mints."""
    for facts in sorted(mints, key=lambda each: each.mint):
        traits = sorted(facts.traits)
        database.execute_sql(
            f"""
            INSERT INTO mints ({_FACTS}) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (mint) DO UPDATE SET
                decimals = EXCLUDED.decimals, program = EXCLUDED.program, traits = EXCLUDED.traits,
                name = EXCLUDED.name, transfer_fee_bps = EXCLUDED.transfer_fee_bps, read_at = clock_timestamp()""",  # noqa: S608
            (facts.mint, facts.decimals, facts.program, traits, facts.name, facts.transfer_fee_bps),
        )


def names() -> list[Listing]:
    """The operator's symbols."""
    rows = database.execute_sql("SELECT symbol, mint, pinned FROM token_names ORDER BY named_at")
    return [Listing(symbol, mint, verified=True, pinned=pinned) for symbol, mint, pinned in rows]


@transaction
def keep_name(symbol: str, mint: str, *, pinned: bool) -> None:
    """Assign a symbol to a mint; with ``pinned``, the symbol means only this mint."""
    if pinned:
        database.execute_sql("UPDATE token_names SET pinned = false WHERE upper(symbol) = upper(%s)", (symbol,))
    database.execute_sql(
        """
        INSERT INTO token_names (symbol, mint, pinned) VALUES (%s, %s, %s)
        ON CONFLICT (upper(symbol), mint) DO UPDATE SET symbol = EXCLUDED.symbol, pinned = EXCLUDED.pinned""",
        (symbol, mint, pinned),
    )


def forget_name(symbol: str) -> int:
    """Remove a symbol. Returns the number of mints that had it."""
    gone = database.execute_sql("DELETE FROM token_names WHERE upper(symbol) = upper(%s)", (symbol,))
    return int(gone.rowcount)


def _facts(mint: str, decimals: int, program: str, traits: list[str], name: str, transfer_fee_bps: int) -> MintFacts:
    return MintFacts(mint, decimals, program, frozenset(map(Trait, traits)), name, transfer_fee_bps)
