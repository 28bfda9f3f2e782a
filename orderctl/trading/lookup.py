"""Command-line parameters that name orders, and suggestions for misspelled ids."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import Annotated

import typer

from orderd.client.connection import Client
from orderd.client.errors import ClientError, ConfigError, RefusedError
from orderd.client.protocol import params_of
from orderd.domain.errors import ErrorCode
from orderd.wire.orders import GetParams, ListParams, ListResult
from orderd.wire.rpc import Method

SEARCHED_ORDERS = 200
"""The number of newest orders among which a similar id is searched."""
OneOrder = Annotated[
    str, typer.Argument(metavar="ID", help="The order's id, a unique prefix of it, or its client order id.")
]
Orders = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="Ids, unique prefixes of them, or client order ids.")
]
AllActive = Annotated[bool, typer.Option("--all", help="All active orders.")]
OfAccount = Annotated[
    str | None,
    typer.Option("--account", metavar="ACCOUNT", help="Only orders of this account."),
]


def named(orders: list[str] | None, *, everything: bool, account: str | None = None) -> list[GetParams]:
    """The orders that a command names; empty with ``everything``, which stands for all (of an ``account``).

    Raises ConfigError unless exactly one of both is given, and OrderdError REQUEST_INVALID for an invalid id.
    """
    if bool(orders) == everything:
        raise ConfigError("Which orders?", "give either ids or --all", "see: orderctl list")
    if account is not None and not everything:
        raise ConfigError("Which orders?", "--account needs --all, but ids are given", "leave out --account")
    return [params_of(GetParams, order=order) for order in orders or ()]


@contextmanager
def suggesting(client: Client) -> Iterator[None]:
    """Add the most similar id to an error about an order that is not found."""
    try:
        yield
    except RefusedError as error:
        if error.problem.code is ErrorCode.ORDER_NOT_FOUND and error.order is not None:
            with suppress(ClientError):  # without a response there is no suggestion
                if near := _nearest(client, error.order):
                    error.detail += f"; did you mean {near[0]}?"
        raise


def _nearest(client: Client, order: str) -> list[str]:
    orders = client.call(Method.ORDERS_LIST, ListParams(limit=SEARCHED_ORDERS), ListResult).orders
    names = [name for known in orders for name in (known.client_order_id, str(known.id)[: len(order)])]
    return get_close_matches(order, names, n=1, cutoff=0.75)
