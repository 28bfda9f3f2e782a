"""Accounts for the tests, and orders of theirs."""

from dataclasses import replace
from uuid import UUID

from db import accounts, journal
from tests.integration.orders import new_order


def order_of(account_id: UUID, client_order_id: str | None = None) -> UUID:
    """A new order. Needs a connection."""
    (moved,) = journal.accept([replace(new_order(client_order_id), account_id=account_id)])
    return moved.order.id


def account(name: str = "desk") -> UUID:
    """A new account. Needs a connection."""
    return accounts.add(name)
