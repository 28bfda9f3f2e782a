"""Transfers to and from the wallet that are not fills, and the resulting balances."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.connection import database, transaction
from orderd.domain.movements import Known, Movement, MovementKind
from orderd.domain.tokens import WSOL_MINT


@dataclass(frozen=True, slots=True)
class KeptMovement:
    """A transfer. ``usdc`` and ``sol`` are the price of one whole token at that time, None if unknown."""

    signature: str
    slot: int
    at: datetime
    movement: Movement
    usdc: Decimal | None = None
    sol: Decimal | None = None


@dataclass(frozen=True, slots=True)
class KeptFill:
    """A fill. Amounts are in base units, fee and rent in lamports."""

    at: datetime
    mint_in: str
    amount_in: int
    mint_out: str
    amount_out: int
    network_fee: int
    rent: int


def reconciled_slot(wallet: str) -> int | None:
    """The slot up to which the wallet's transactions have been read. Needs a connection, like all functions here."""
    row = database.execute_sql("SELECT slot FROM reconciled WHERE wallet = %s", (wallet,)).fetchone()
    return None if row is None else int(row[0])


def is_settled(signatures: Sequence[str]) -> dict[str, bool]:
    """Whether the orders of these own transactions have a final outcome."""
    rows = database.execute_sql(
        """
        SELECT a.signature, a.outcome NOT IN ('live') AND NOT a.awaits_finality AND (
                   a.outcome <> 'landed' OR EXISTS (SELECT FROM fills f WHERE f.order_id = a.order_id))
        FROM attempts a WHERE a.signature = ANY(%s)""",
        (list(signatures),),
    )
    return {signature: bool(settled) for signature, settled in rows}


def known(signatures: Sequence[str]) -> dict[str, Known]:
    """The recorded fills of these transactions."""
    rows = database.execute_sql(
        """
        SELECT f.signature, o.mint_in, f.amount_in, o.mint_out, f.amount_out, f.network_fee + coalesce(f.rent, 0)
        FROM fills f JOIN orders o ON o.id = f.order_id
        WHERE f.signature = ANY(%s) AND f.rolled_back_at IS NULL""",
        (list(signatures),),
    )
    found: dict[str, Known] = {}
    for signature, mint_in, amount_in, mint_out, amount_out, lamports in rows:
        deltas = Counter({mint_in: -int(amount_in)})
        deltas[mint_out] += int(amount_out)
        deltas[WSOL_MINT] -= int(lamports)
        found[signature] = Known(deltas)
    return found


@transaction
def keep(wallet: str, movements: Iterable[KeptMovement], slot: int) -> None:
    """Store transfers that were read up to a slot. Existing rows stay unchanged."""
    for each in movements:
        database.execute_sql(
            """
            INSERT INTO movements (signature, mint, kind, slot, at, amount, usdc, sol)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            (
                each.signature,
                each.movement.mint,
                each.movement.kind,
                each.slot,
                each.at,
                each.movement.amount,
                each.usdc,
                each.sol,
            ),
        )
    database.execute_sql(
        """
        INSERT INTO reconciled AS r (wallet, slot) VALUES (%s, %s)
        ON CONFLICT (wallet) DO UPDATE SET slot = greatest(r.slot, excluded.slot)""",
        (wallet, slot),
    )


def all_movements() -> list[KeptMovement]:
    """All transfers, oldest first."""
    rows = database.execute_sql(
        "SELECT signature, slot, at, mint, amount, kind, usdc, sol FROM movements ORDER BY at, signature, mint, kind"
    )
    return [
        KeptMovement(signature, slot, at, Movement(mint, int(amount), MovementKind(kind)), usdc, sol)
        for signature, slot, at, mint, amount, kind, usdc, sol in rows
    ]


def all_fills(account_id: UUID | None) -> list[KeptFill]:
    """The valid fills of one account or of all, oldest first."""
    account_condition, values = (
        ("", list[Any]()) if account_id is None else ("AND o.account_id = %s", [str(account_id)])
    )
    rows = database.execute_sql(
        f"""
        SELECT f.at, o.mint_in, f.amount_in, o.mint_out, f.amount_out, f.network_fee, coalesce(f.rent, 0)
        FROM fills f JOIN orders o ON o.id = f.order_id WHERE f.rolled_back_at IS NULL {account_condition}
        ORDER BY f.at, f.order_id""",  # noqa: S608
        values,
    )
    return [
        KeptFill(at, mint_in, int(amount_in), mint_out, int(amount_out), int(fee), int(rent))
        for at, mint_in, amount_in, mint_out, amount_out, fee, rent in rows
    ]


def sums(up_to: int) -> Counter[str]:
    """The recorded balance of each mint from all fills and transfers up to a slot, in base units."""
    held = Counter[str]()
    rows = database.execute_sql(
        """
        SELECT mint, sum(amount) FROM (
            SELECT mint, amount FROM movements WHERE slot <= %(slot)s
            UNION ALL SELECT o.mint_in, -f.amount_in FROM fills f JOIN orders o ON o.id = f.order_id
                WHERE f.rolled_back_at IS NULL AND f.slot <= %(slot)s
            UNION ALL SELECT o.mint_out, f.amount_out FROM fills f JOIN orders o ON o.id = f.order_id
                WHERE f.rolled_back_at IS NULL AND f.slot <= %(slot)s
            UNION ALL SELECT %(sol)s, -(network_fee + coalesce(rent, 0)) FROM fills
                WHERE rolled_back_at IS NULL AND slot <= %(slot)s) AS each
        GROUP BY mint""",
        {"slot": up_to, "sol": WSOL_MINT},
    )
    held.update({mint: int(amount) for mint, amount in rows})
    return held
