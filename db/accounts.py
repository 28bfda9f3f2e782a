"""Accounts by id and by name. Neither changes, and no account is removed, so each is read only once."""

from contextlib import nullcontext
from functools import cache
from uuid import UUID

from uuid_utils.compat import uuid7

from db.connection import database
from db.models import DEFAULT_ACCOUNT, Account, ApiKey
from orderd.domain import accounts


def name_of(account_id: UUID) -> str:
    """The name of the account. Opens a connection if the thread has none."""
    return accounts.DEFAULT if account_id == DEFAULT_ACCOUNT else _read_name(account_id)


@cache
def _read_name(account_id: UUID) -> str:
    with database.connection_context() if database.is_closed() else nullcontext():
        return str(Account.get_by_id(account_id).name)


def called(name_or_id: str) -> UUID | None:
    """The account with this name or, if there is none, with this id. Needs a connection."""
    is_it = (Account.name == name_or_id) | (Account.id.cast("text") == name_or_id.lower())
    found = Account.select().where(is_it).order_by((Account.name == name_or_id).desc()).first()
    return None if found is None else UUID(str(found.id))


def lock() -> None:
    """Block other callers until the end of this transaction. Orders are not blocked."""
    database.execute_sql("LOCK TABLE accounts IN SHARE ROW EXCLUSIVE MODE")


def of_key(name: str) -> UUID | None:
    """The account of the last API key with this name, valid or not. Needs a connection."""
    last = ApiKey.select().where(ApiKey.name == name).order_by(ApiKey.created_at.desc()).first()
    return None if last is None else UUID(str(last.account_id))


def add(name: str) -> UUID:
    """Create an account. Needs a connection; the caller ensures that no other process creates one with this name."""
    return UUID(str(Account.insert(id=uuid7(), name=name).returning(Account.id).execute()[0].id))
