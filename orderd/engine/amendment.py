"""Amends resting orders: an order keeps its identity, and fires either with its old or with its new terms.

Of an order that is held until another one is filled, the prices and the bounds of its stop can be changed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from db import audit, families, journal
from db.audit import AMEND, Actor, Entry
from db.connection import database, transaction
from db.journal import Change, Moved
from db.models import Order
from db.terms import columns_of, terms_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Amended
from orderd.domain.money import format_amount
from orderd.domain.order import HELD, IDLE, RESTING, OrderKind
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatting import format_terms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.tokens import TokenRegistry
from orderd.engine import views
from orderd.engine.allowance import Spending, replace_spending
from orderd.engine.reservation import Reservations

Changes = Mapping[str, str | bool]
"""New values of terms by their names, and ``paused``."""
_WHILE_HELD: Final = frozenset({"stop_price", "take_profit_price", "max_slippage"})
_ANY_AMOUNT: Final = "1"
"""A placeholder for orders without an amount, because prices do not depend on it."""


class Amendments:
    """Thread-safe."""

    def __init__(self, max_total_cost_bps: int, reservations: Reservations) -> None:
        self._max_total_cost_bps = max_total_cost_bps
        self._reservations = reservations

    def terms(self, account_id: UUID, ref: str, changes: Changes, *, sees_all: bool = False) -> OrderTerms:
        """The terms after the amendment, to be compared with the market; for a held order, those of its entry.

        Raises the errors of ``views.find`` and ``understood``, OrderdError ORDER_NOT_AMENDABLE if it does not rest, and
        ORDER_TERMS_CONTRADICT if it would become an order of another kind.
        """
        with database.connection_context():
            order = _idle(views.find(account_id, ref, sees_all=sees_all))
            after = self._changed(order, changes)
            return _as_followed(order.entry_id, after) if order.status in HELD else after

    def amend(
        self,
        account_id: UUID,
        ref: str,
        changes: Changes,
        by: Actor,
        spending: Spending | None = None,
        *,
        sees_all: bool = False,
    ) -> Moved:
        """Change the order, unless it has fired meanwhile. ``spending`` is given where its new worth is limited.

        Raises OrderdError as ``terms`` does, FUNDS_RESERVED, and as ``allowance.accept_within``.
        """
        with database.connection_context():
            return self._amend(views.find(account_id, ref, sees_all=sees_all).id, changes, by, spending)

    @transaction
    def _amend(self, order_id: UUID, changes: Changes, by: Actor, spending: Spending | None) -> Moved:
        database.execute_sql(journal.in_order("id = %s"), (str(order_id),))  # no trigger fires it meanwhile
        order = _idle(Order.get_by_id(order_id))
        before, after = terms_of(order), self._changed(order, changes)
        known = columns_of(before)
        columns: dict[str, Any] = {"paused": changes.get("paused", order.paused)}
        if order.status in RESTING:
            self._reservations.check_more(before, after)
            _check_room(order, after)
        if spending is not None:
            replace_spending(order.id, by.key_id, spending)
        columns |= {name: value for name, value in columns_of(after).items() if value != known[name]}
        if order.first_terms is None:
            columns["first_terms"] = format_terms(before).model_dump(mode="json")
        if after != before:
            columns["min_amount_out"] = None  # the floor of a failed attempt was that of the old terms
        if order.best_out is not None and after.amount != before.amount:
            columns["best_out"] = order.best_out * after.amount // before.amount
        if not changes.keys().isdisjoint({"valid_for", "expires"}):
            columns["valid_until"] = after.expires_at or _now() + timedelta(seconds=after.valid_seconds or 0)
        fact = Amended(**dict(format_terms(after)))
        delay_ms = _wait_ms(order) if order.status in RESTING else 0
        change = Change(order.id, fact, None, columns, to=order.status, delay_ms=delay_ms)
        (moved,) = journal.apply([change])
        audit.record([Entry(by, AMEND, order_id=order.id, detail=", ".join(sorted(changes)))])
        return moved

    def _changed(self, order: Order, changes: Changes) -> OrderTerms:
        before = terms_of(order)
        terms = {name: value for name, value in changes.items() if name != "paused"}
        if "paused" in changes and order.kind is not OrderKind.TWAP:
            raise OrderdError(
                ErrorCode.ORDER_NOT_AMENDABLE, f"only a TWAP pauses between its executions, not {order.kind}"
            )
        if order.status in HELD:
            return self._changed_while_held(before, terms)
        if order.kind is OrderKind.STOP_LIMIT and order.triggered_at is not None:
            raise OrderdError(ErrorCode.ORDER_NOT_AMENDABLE, "its stop has fired")
        if terms and order.kind is OrderKind.OCO:
            raise OrderdError(ErrorCode.ORDER_NOT_AMENDABLE, "its prices are those of the two orders that it made")
        if "amount_in" in terms and order.parent_id is not None:
            raise OrderdError(ErrorCode.ORDER_NOT_AMENDABLE, f"its amount is that of order {order.parent_id}")
        return self._of_one_kind(before, terms)

    def _of_one_kind(self, before: OrderTerms, terms: dict[str, Any]) -> OrderTerms:
        given = format_terms(before).model_dump(include={*GivenTerms.model_fields} - {"over"}) | terms
        slippage = given["slippage"]
        given |= {"slippage": None} if before.slippage_widens else {}
        # A new end of validity replaces the old one, in either notation.
        given |= {"expires": None} if "valid_for" in terms else {"valid_for": None} if "expires" in terms else {}
        own = TokenRegistry((before.token_in, before.token_out))  # even if its symbols mean other mints now
        after = understood(GivenTerms(**given), own, slippage, self._max_total_cost_bps)
        if after.amount_word is not None:
            raise OrderdError(ErrorCode.AMOUNT_INVALID, "an order is amended to an amount, not to a word")
        if after.kind is not before.kind:
            raise OrderdError(
                ErrorCode.ORDER_TERMS_CONTRADICT, f"it would be a {after.kind} order, it is {before.kind}"
            )
        return replace(after, token_in=before.token_in, token_out=before.token_out)

    def _changed_while_held(self, before: OrderTerms, terms: dict[str, Any]) -> OrderTerms:
        if others := sorted(terms.keys() - _WHILE_HELD):
            why = f"it is held until its entry is filled: {', '.join(others)} can be changed from then on"
            raise OrderdError(ErrorCode.ORDER_NOT_AMENDABLE, why)
        return replace(self._of_one_kind(before, terms | {"amount_in": _ANY_AMOUNT}), amount_in=None)


def _idle(order: Order) -> Order:
    if order.status in IDLE:
        return order
    raise OrderdError(ErrorCode.ORDER_NOT_AMENDABLE, f"it is {order.status}")


def _as_followed(entry_id: UUID | None, exit_terms: OrderTerms) -> OrderTerms:
    """The terms of the entry, as if these had been the prices of what follows it."""
    return replace(
        terms_of(Order.get_by_id(entry_id)),
        then_take_profit_price=exit_terms.take_profit_price,
        then_stop_price=exit_terms.stop_price,
    )


def _check_room(order: Order, after: OrderTerms) -> None:
    """Raises OrderdError if the new total is less than what is sold already, or is being sold."""
    if after.is_family and after.amount < (sold := families.committed(order.id)):
        sold_text = f"{format_amount(sold, order.decimals_in)} {order.token_in}"
        raise OrderdError(ErrorCode.ORDER_NOT_AMENDABLE, f"{sold_text} of it are sold already, or are being sold")


def _wait_ms(order: Order) -> int:
    """Milliseconds until the order is checked: the same time as before. A TWAP does not forget missed times."""
    (wait_ms,) = database.execute_sql(
        "SELECT ceil(extract(epoch FROM %s - clock_timestamp()) * 1000)::bigint", (order.looks_from,)
    ).fetchone()
    return int(wait_ms) if order.kind is OrderKind.TWAP else max(int(wait_ms), 0)


def _now() -> datetime:
    (now,) = database.execute_sql("SELECT clock_timestamp()").fetchone()
    assert isinstance(now, datetime)
    return now
