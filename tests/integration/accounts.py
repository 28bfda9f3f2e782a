"""Accounts and orders that belong to them. Both functions need a database connection."""

from dataclasses import replace
from uuid import UUID

from db import accounts, journal
from tests.integration.orders import new_order


def order_of(account_id: UUID, client_order_id: str | None = None) -> UUID:
    """Create an order of this account."""
    (moved,) = journal.accept([replace(new_order(client_order_id), account_id=account_id)])
    return moved.order.id


def account(name: str = "desk") -> UUID:
    """Create an account."""
    return accounts.add(name)
