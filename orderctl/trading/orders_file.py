"""Orders from a file: read and checked as a whole before the first is sent."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from orderctl.trading.rows import WrongRowError, read_rows
from orderctl.trading.terms import AMOUNTS, DUE, Given, check
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.errors import OrderdError
from orderd.domain.text import NoTextError, text_of
from orderd.wire.submissions import SubmitParams

_IF_WANTED: Final = tuple(name for name in SubmitParams.model_fields if name not in DUE)
STDIN = "-"


def read_orders(source: str, given: Given, batch: str) -> list[SubmitParams]:
    """The orders of a file of rows (see ``orderctl.trading.rows``); ``-`` is stdin.

    ``given`` are the terms of those that name none; one without a client order id gets ``batch`` and its place in the
    file, so that the same file under the same name is the same orders. Raises ConfigError that names the line, so that
    nothing of a file that is wrong somewhere is traded.
    """
    name = "stdin" if source == STDIN else source
    try:
        data = sys.stdin.buffer.read() if source == STDIN else Path(source).read_bytes()
        return list(_orders(text_of(data), given, batch))
    except (OSError, NoTextError) as error:
        why = str(error) if isinstance(error, OSError) else f"{name}: {error}"
        raise ConfigError("The file of orders cannot be read", why, "give another --file") from error
    except WrongRowError as error:
        raise ConfigError(
            "The file of orders is wrong; nothing was sent",
            f"{name}, {error.place}: {error}",
            "correct it and run it again",
        ) from error


def _orders(text: str, given: Given, batch: str) -> Iterator[SubmitParams]:
    ids: set[str] = set()
    for number, (place, row) in enumerate(read_rows(text, DUE, _IF_WANTED, AMOUNTS), start=1):
        try:
            order = _order(row, given, f"{batch}-{number}")
        except OrderdError as error:
            raise WrongRowError(place, f"{error.spec.title}: {error.detail}") from error
        if order.client_order_id in ids:
            raise WrongRowError(place, f"the client order id {order.client_order_id} stands there twice")
        ids.add(order.client_order_id)
        yield order


def _order(row: dict[str, Any], given: Given, client_order_id: str) -> SubmitParams:
    """Raises OrderdError."""
    own = {name: value.strip() if isinstance(value, str) else value for name, value in row.items() if value is not None}
    order = params_of(SubmitParams, **{"client_order_id": client_order_id, **given, **own})
    check(order)
    return order
