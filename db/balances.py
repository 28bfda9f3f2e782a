"""The wallet's balances as a worker last read them, and what orders may spend of them.

Orders that wait for the market reserve from their acceptance to their end, market orders while they are signed. A
parent reserves for its children. Fills that are newer than the stored balances are not part of them, and count as
reserved until the wallet is read again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from db.connection import database
from db.models import in_states, listed
from orderd.domain.money import BPS
from orderd.domain.order import HELD, SIGNED, OrderKind

FRESH_SECONDS: Final = 60
"""An observation older than this is not used."""
_LOCK: Final = 7_140_051_903_122
_IN_THE_MARKET: Final = f"""
    ended_as IS NULL AND kind <> '{OrderKind.MARKET}' AND parent_id IS NULL AND status NOT IN ({listed(HELD)})"""
"""Orders that wait for the market or have triggered; a held order has nothing to sell yet. Must match an index."""
_MARKET: Final = f"kind = '{OrderKind.MARKET}' AND parent_id IS NULL"
_SIGNED: Final = f"{in_states(SIGNED)} AND {_MARKET}"
"""Not before its signature: until then anybody's order can ask for more than there is, and would refuse all others."""
_ACCEPTED: Final = f"ended_as IS NULL AND {_MARKET}"
_EXECUTIONS: Final = f"coalesce(slices, CASE WHEN partial THEN ceil({BPS}.0 / min_fill_bps) END, 1)"
"""SQL for the maximum number of executions of an order."""

_UNSEEN: Final = """
    SELECT o.mint_in, o.use_wrapped, o.mint_out, 1, f.amount_in FROM fills f JOIN orders o ON o.id = f.order_id
    WHERE f.at > statement_timestamp() - interval '5 minutes' AND f.rolled_back_at IS NULL
      AND f.slot > (SELECT min(slot) FROM balances)"""

_BOUGHT: Final = f"""
    SELECT o.mint_out, f.slot, f.amount_out FROM fills f JOIN orders o ON o.id = f.order_id
    WHERE f.at > statement_timestamp() - interval '{FRESH_SECONDS} seconds' AND f.rolled_back_at IS NULL"""  # noqa: S608
"""SQL for recent fills, whether or not the wallet's balance has been read since."""

BalanceKey = tuple[str, bool]
"""A mint, and whether the balance is that of the wrapped SOL account; otherwise SOL means lamports."""


@dataclass(frozen=True, slots=True)
class SellableBalance:
    """Base units that an order can sell; ``has_account``: buying the token needs no new account."""

    mint: str
    wrapped: bool
    amount: int
    has_account: bool


@dataclass(frozen=True, slots=True)
class ReservedSpending:
    """What orders of one pair may spend: base units of ``mint_in``, and the number of transactions."""

    mint_in: str
    wrapped: bool
    mint_out: str
    executions: int
    amount: int


def store(holdings: Sequence[SellableBalance], slot: int) -> None:
    """Store the balances at a slot, unless newer ones are stored. Needs a connection, like all functions here."""
    for each in sorted(holdings, key=lambda held: (held.mint, held.wrapped)):
        database.execute_sql(
            """
            INSERT INTO balances AS b (mint, wrapped, amount, has_account, slot) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (mint, wrapped) DO UPDATE SET amount = excluded.amount, has_account = excluded.has_account,
                slot = excluded.slot, seen_at = excluded.seen_at
            WHERE b.slot <= excluded.slot OR b.seen_at < clock_timestamp() - %s * interval '1 second'""",
            (each.mint, each.wrapped, each.amount, each.has_account, slot, FRESH_SECONDS),
        )


def seconds_since_seen() -> float | None:
    """The age of the stored balances; None if the wallet has not been read yet."""
    (age,) = database.execute_sql(
        "SELECT extract(epoch FROM clock_timestamp() - max(seen_at)) FROM balances"
    ).fetchone()
    return None if age is None else float(age)


def stored() -> dict[BalanceKey, SellableBalance]:
    """The stored balances, if they are recent, plus what was bought since."""
    rows = database.execute_sql(
        f"""
        SELECT mint, wrapped, amount + coalesce(sum(amount_out), 0), has_account OR count(amount_out) > 0
        FROM balances b LEFT JOIN ({_BOUGHT}) bought ON mint_out = mint AND NOT wrapped AND bought.slot > b.slot
        WHERE seen_at > statement_timestamp() - %s * interval '1 second' GROUP BY mint, wrapped""",  # noqa: S608
        (FRESH_SECONDS,),
    )
    return {
        (mint, wrapped): SellableBalance(mint, wrapped, int(amount), exists) for mint, wrapped, amount, exists in rows
    }


def spendings(*, with_unseen: bool = True, from_acceptance: bool = False) -> list[ReservedSpending]:
    """What all orders reserve; ``with_unseen`` includes fills after the last read of the wallet.

    Market orders reserve ``from_acceptance`` on, or only while their transactions may land.
    """
    rows = database.execute_sql(
        f"""
        SELECT mint_in, use_wrapped, mint_out, sum(executions), sum(amount) FROM (
            SELECT mint_in, use_wrapped, mint_out, {_EXECUTIONS} AS executions,
                   amount_in - coalesce(filled_in, 0) AS amount
            FROM orders WHERE {_IN_THE_MARKET}
            UNION ALL
            SELECT mint_in, use_wrapped, mint_out, 1, coalesce(amount_in, max_amount_in, max_in, 0)
            FROM orders WHERE {_ACCEPTED if from_acceptance else _SIGNED}
            {f"UNION ALL {_UNSEEN}" if with_unseen else ""}) AS reserved
        GROUP BY mint_in, use_wrapped, mint_out"""  # noqa: S608
    )
    return [
        ReservedSpending(mint_in, wrapped, out, int(times), int(amount))
        for mint_in, wrapped, out, times, amount in rows
    ]


def open_of_key(key_id: UUID | None) -> int:
    """The number of orders of this key, or of clients without a key, that wait for the market."""
    key_condition = "token_id IS NULL" if key_id is None else "token_id = %s"
    values = None if key_id is None else (str(key_id),)
    sql = f"SELECT count(*) FROM orders WHERE {_IN_THE_MARKET} AND {key_condition}"  # noqa: S608
    (count,) = database.execute_sql(sql, values).fetchone()
    return int(count)


def lock() -> None:
    """Block other reservations until this transaction has ended."""
    database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
