"""Orders by the words that a trader types, and suggestions if there is no such order."""

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

SEARCHED = 200
"""Of the newest orders: a trader who misspells an id has usually just seen it."""
OneOrder = Annotated[
    str, typer.Argument(metavar="ID", help="The order's id, a unique prefix of it, or its client order id.")
]
Orders = Annotated[
    list[str] | None, typer.Argument(metavar="ID...", help="Ids, unique prefixes of them, or client order ids.")
]
AllActive = Annotated[bool, typer.Option("--all", help="All orders that are active now.")]
OfAccount = Annotated[
    str | None,
    typer.Option("--account", metavar="ACCOUNT", help="Only orders of this account."),
]


def named(orders: list[str] | None, *, everything: bool, account: str | None = None) -> list[GetParams]:
    """The orders that a command names; none if it takes ``everything``, possibly of one ``account``.

    Raises ConfigError unless it has one or the other, OrderdError REQUEST_INVALID for an invalid id.
    """
    if bool(orders) == everything:
        raise ConfigError("Which orders?", "give ids, or --all, and not both", "see: orderctl list")
    if account is not None and not everything:
        raise ConfigError("Which orders?", "--account is for --all, and ids are given", "leave out --account")
    return [params_of(GetParams, order=order) for order in orders or ()]


@contextmanager
def suggesting(client: Client) -> Iterator[None]:
    """Adds to the refusal of an order that is not found the id that resembles it most."""
    try:
        yield
    except RefusedError as error:
        if error.problem.code is ErrorCode.ORDER_NOT_FOUND and error.order is not None:
            with suppress(ClientError):  # without an answer there is no suggestion
                if near := _nearest(client, error.order):
                    error.detail += f"; did you mean {near[0]}?"
        raise


def _nearest(client: Client, order: str) -> list[str]:
    orders = client.call(Method.ORDERS_LIST, ListParams(limit=SEARCHED), ListResult).orders
    names = [name for known in orders for name in (known.client_order_id, str(known.id)[: len(order)])]
    return get_close_matches(order, names, n=1, cutoff=0.75)
