"""Stores new orders with their first events, their submitters and their places in the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID

import orjson
from uuid_utils import uuid7

from db.accounts import name_of
from db.audit import DAEMON, OK, SUBMIT, Actor
from db.connection import transaction
from db.journal.rows import COLUMNS, TYPES, Moved, given, given_json, moved_by
from db.models import Order, listed
from db.prepared import Prepared
from db.terms import TERMS, columns_of
from orderd.domain.events import ENTRY_FILL, Accepted
from orderd.domain.exits import exit_of
from orderd.domain.order import HELD, RESTING, TRANSITIONS, WAITING, EventKind, OrderStatus
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatting import format_terms, formatted_values

_UNTIL_IN_LINE: Final = "interval '2.5 seconds'"
"""How long a new order may wait until dispatch enqueues it again. Its sender enqueues it at once, unless it never
learns that the order was stored; a response that has not arrived within 2 s never does. An order that waits longer in
the queue has two messages there."""


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be accepted."""

    id: UUID
    account_id: UUID
    client_order_id: str
    terms: OrderTerms
    by: Actor
    valid_seconds: int | None = None
    """The validity of an order that does not rest and whose terms do not limit it; None: unlimited."""
    parent_id: UUID | None = None
    label: str | None = None
    entry_id: UUID | None = None
    """The entry order, which buys what this order sells."""
    first_terms: OrderTerms | None = None
    """The submitted terms, if they differ from ``terms``."""

    @property
    def status(self) -> OrderStatus:
        """The initial state."""
        phase = HELD if self.entry_id is not None else RESTING if self.terms.rests else WAITING
        return _accepted(phase)

    @property
    def fact(self) -> Accepted:
        terms = formatted_values(self.terms)
        return Accepted(
            client_order_id=self.client_order_id,
            account=name_of(self.account_id),
            label=self.label,
            parent_id=self.parent_id,
            entry_id=self.entry_id,
            **terms,
        )

    def values(self, fact: bytes) -> dict[str, Any]:
        """The parameters of the statement by name; ``fact`` is the JSON of the order's first fact."""
        return {
            "id": self.id,
            "account_id": self.account_id,
            "client_order_id": self.client_order_id,
            **columns_of(self.terms),
            "parent_id": self.parent_id,
            "entry_id": self.entry_id,
            "first_terms": None if self.first_terms is None else format_terms(self.first_terms).model_dump(mode="json"),
            "fact": orjson.Fragment(fact),
            "status": self.status,
            "holds_seconds": self._holds_seconds,
            "actor": self.by.name,
            "token_id": self.by.key_id,
            "address": self.by.address,
        }

    @property
    def _holds_seconds(self) -> int | None:
        by_default = None if self.terms.rests else self.valid_seconds
        return by_default if self.terms.valid_seconds is None else self.terms.valid_seconds


def submitted_as(account_id: UUID, client_order_id: str) -> Order | None:
    """The order with this client order id; None if there is none."""
    found: Order | None = Order.get_or_none(
        (Order.account_id == account_id) & (Order.client_order_id == client_order_id)
    )
    return found


def accept(orders: Sequence[NewOrder], sender: str | None = None, *, unless_halted: bool = False) -> list[Moved]:
    """Store new orders, their first events, their submitters and their place in the queue: all or none, in one
    statement.

    ``sender`` is the process that enqueues them; if it dies, they are enqueued again. An order whose client order id is
    taken, even by another order of this call, is not among the returned ones; with ``unless_halted``, none is during a
    halt. Exit orders are stored together with their entries.
    """
    if any(each.terms.is_entry for each in orders):
        return _accept_with_exits(orders, sender, unless_halted)
    return _accept(orders, sender, unless_halted) if orders else []


@transaction
def _accept_with_exits(orders: Sequence[NewOrder], sender: str | None, unless_halted: bool) -> list[Moved]:
    added = _accept(orders, sender, unless_halted)
    stored = {moved.order.id for moved in added}
    entries = [each for each in orders if each.terms.is_entry and each.id in stored]
    return added + accept_exits([(each.id, each.account_id, each.terms) for each in entries])


def accept_exits(entries: Sequence[tuple[UUID, UUID, OrderTerms]]) -> list[Moved]:
    """Store the exit orders of these entries, held until the entries are filled, unless they are stored already.

    Each entry is given by its id, its account and its terms with exit prices.
    """
    exits = [
        NewOrder(UUID(str(uuid7())), account_id, f"{entry_id}-exit", exit_of(terms), DAEMON, entry_id=entry_id)
        for entry_id, account_id, terms in entries
    ]
    return _accept(exits) if exits else []


def _accept(
    orders: Sequence[NewOrder],
    sender: str | None = None,
    unless_halted: bool = False,
) -> list[Moved]:
    # Sorted, so that two calls with the same orders cannot deadlock.
    ranked = sorted(orders, key=lambda each: (each.account_id, each.client_order_id))
    facts = {order.id: order.fact for order in ranked}
    encoded = {order_id: Accepted.__pydantic_serializer__.to_json(fact) for order_id, fact in facts.items()}
    values = [order.values(encoded[order.id]) for order in ranked]
    statement = _accepting(is_one=len(values) == 1)
    rows = statement.execute(given_json(values), sender, unless_halted).fetchall()
    return moved_by(rows, lambda order: facts[order.id], lambda order: encoded[order.id])


@cache
def _accepting(*, is_one: bool) -> Prepared:
    """Parameters: $1 the new orders, or the only one, $2 their sender, $3 whether to refuse all during a halt, and
    orders that were executed before a restore but are missing in the backup."""
    columns = ("id", "account_id", "client_order_id", "parent_id", "entry_id", "token_id", "first_terms", *TERMS)
    names, typed = ", ".join(columns), ", ".join(f"{name} {TYPES[name]}" for name in columns)
    typed += ", status order_status, fact jsonb, holds_seconds integer, actor text, address text"
    waits, rests = f"status IN ({listed(WAITING)})", f"status IN ({listed(RESTING)})"
    return Prepared(
        "accept",
        ("json", "text", "boolean"),
        f"""
        WITH given AS (
            SELECT *, memo_tag(account_id, client_order_id) AS own_tag FROM {given(typed, is_one=is_one)}),
        added AS (
            INSERT INTO orders ({names}, memo_tag, status, seq, looks_from, due_at, waits_for,
                                lease_owner, lease_until, valid_until)
            SELECT {names}, coalesce(
                       (SELECT o.memo_tag FROM orders o WHERE o.id = coalesce(given.parent_id, given.entry_id)),
                       own_tag), status, 1,
                   CASE WHEN {rests} THEN clock_timestamp() END, CASE WHEN {waits} THEN clock_timestamp() END,
                   CASE WHEN status IN ({listed(HELD)}) THEN '{ENTRY_FILL}' END,
                   CASE WHEN {waits} THEN $2 END, CASE WHEN {waits} THEN clock_timestamp() + {_UNTIL_IN_LINE} END,
                   coalesce(expires_at, clock_timestamp() + holds_seconds * interval '1 second')
            FROM given WHERE NOT ($3 AND (EXISTS (SELECT FROM halts) OR EXISTS (
                SELECT FROM lost_orders WHERE tag = own_tag)))
            ON CONFLICT (account_id, client_order_id) DO NOTHING RETURNING *),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, 1, updated_at, added.status, '{EventKind.ACCEPTED}', given.fact
            FROM added JOIN given USING (id)),
        audited AS (
            INSERT INTO audit (actor, token_id, address, action, outcome, order_id)
            SELECT actor, given.token_id, address, '{SUBMIT}', '{OK}', id FROM added JOIN given USING (id))
        SELECT {COLUMNS} FROM added""",
    )


@cache
def _accepted(phase: frozenset[OrderStatus]) -> OrderStatus:
    (status,) = phase & {after for before, kind, after in TRANSITIONS if (before, kind) == (None, EventKind.ACCEPTED)}
    return status
