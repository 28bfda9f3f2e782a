"""Accounts: the owners of orders, within which client order ids are unique. An account outlives its keys."""

from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError

DEFAULT: Final = "default"
"""The account of clients that need no key, and of all orders and keys from before there were several accounts."""
MAX_NAME: Final = 64


def checked_name(name: str) -> str:
    """A name that an account may have. Raises OrderdError REQUEST_INVALID."""
    if name and len(name) <= MAX_NAME and name.isprintable() and name == name.strip():
        return name
    raise OrderdError(
        ErrorCode.REQUEST_INVALID,
        f"{name[:MAX_NAME]!r} cannot be an account's name: it has 1 to {MAX_NAME} printable characters,"
        " and no space at its ends",
    )
