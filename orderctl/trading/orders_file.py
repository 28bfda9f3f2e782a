"""Reads a file of orders, and checks all of it before the first order is sent."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from orderctl.trading.rows import WrongRowError, read_rows
from orderctl.trading.terms import AMOUNTS, REQUIRED, Given, check
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.errors import OrderdError
from orderd.domain.text import NoTextError, text_of
from orderd.wire.submissions import SubmitParams

_OPTIONAL: Final = tuple(name for name in SubmitParams.model_fields if name not in REQUIRED)
STDIN = "-"


def read_orders(source: str, given: Given, batch: str) -> list[SubmitParams]:
    """Read the orders of a file (for formats see ``orderctl.trading.rows``); ``-`` is stdin.

    ``given`` are default terms. An order without a client order id gets ``batch`` and its position, so the same file
    with the same ``batch`` yields the same orders. Raises ConfigError with the line of the first error.
    """
    name = "stdin" if source == STDIN else source
    try:
        data = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
        return list(_orders(text_of(data), given, batch))
    except (OSError, NoTextError) as error:
        why = str(error) if isinstance(error, OSError) else f"{name}: {error}"
        raise ConfigError("The file of orders cannot be read", why, "use another --file") from error
    except WrongRowError as error:
        raise ConfigError(
            "The file of orders is invalid; nothing was sent",
            f"{name}, {error.place}: {error}",
            "correct it and run it again",
        ) from error


def _orders(text: str, given: Given, batch: str) -> Iterator[SubmitParams]:
    ids: set[str] = set()
    for number, (place, row) in enumerate(read_rows(text, REQUIRED, _OPTIONAL, AMOUNTS), start=1):
        try:
            order = _order(row, given, f"{batch}-{number}")
        except OrderdError as error:
            raise WrongRowError(place, f"{error.spec.title}: {error.detail}") from error
        if order.client_order_id in ids:
            raise WrongRowError(place, f"the client order id {order.client_order_id} appears twice")
        ids.add(order.client_order_id)
        yield order


def _order(row: dict[str, Any], given: Given, client_order_id: str) -> SubmitParams:
    """Create the order of a row. Raises OrderdError."""
    own = {name: value.strip() if isinstance(value, str) else value for name, value in row.items() if value is not None}
    order = params_of(SubmitParams, **{"client_order_id": client_order_id, **given, **own})
    check(order)
    return order
