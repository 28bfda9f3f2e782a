"""Orders from a file: read and checked as a whole before the first is sent."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

from orderctl.trading.terms import DUE, Given, check
from orderd.client.errors import ConfigError
from orderd.client.protocol import params_of
from orderd.domain.errors import OrderdError
from orderd.wire import SubmitParams

COLUMNS: Final = tuple(SubmitParams.model_fields)
_IF_WANTED: Final = [name for name in COLUMNS if name not in DUE]
STDIN = "-"


def read_orders(source: str, given: Given, batch: str) -> list[SubmitParams]:
    """The orders of a CSV file with a line of headings, or of one with a JSON object a line; ``-`` is stdin.

    ``given`` are the terms of those that name none; one without a client order id gets ``batch`` and its place in the
    file, so that the same file under the same name is the same orders. Raises ConfigError that names the line, so that
    nothing of a file that is wrong somewhere is traded.
    """
    if source == STDIN:
        return list(_orders(sys.stdin, "stdin", given, batch))
    try:
        with Path(source).open(newline="", encoding="utf-8") as file:
            return list(_orders(file, source, given, batch))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("The file of orders cannot be read", str(error), "give another --file") from error


def _orders(file: TextIO, name: str, given: Given, batch: str) -> Iterator[SubmitParams]:
    lines = file.read().splitlines()
    is_json = next((line.lstrip().startswith("{") for line in lines if line.strip()), False)
    ids: set[str] = set()
    rows = _json_rows(lines, name) if is_json else _csv_rows(lines, name)
    for place, (line, row) in enumerate(rows, start=1):
        try:
            order = _order(row, given, f"{batch}-{place}")
        except OrderdError as error:
            raise _wrong(name, line, f"{error.spec.title}: {error.detail}") from error
        if order.client_order_id in ids:
            raise _wrong(name, line, f"the client order id {order.client_order_id} stands there twice")
        ids.add(order.client_order_id)
        yield order


def _order(row: dict[str, Any], given: Given, client_order_id: str) -> SubmitParams:
    """Raises OrderdError."""
    own = {name: str(value).strip() for name, value in row.items() if value not in (None, "")}
    order = params_of(SubmitParams, **{"client_order_id": client_order_id, **given, **own})
    check(order)
    return order


def _json_rows(lines: Iterable[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            # A number stays as it was written: 0.1 is no binary fraction.
            row = json.loads(line, parse_float=str, parse_int=str)
        except ValueError as error:
            raise _wrong(name, number, f"this is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise _wrong(name, number, "this is no JSON object")
        yield number, row


def _csv_rows(lines: list[str], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(lines)
    headings = reader.fieldnames or ()
    if not {*DUE} <= {*headings} <= {*COLUMNS}:
        wanted = f"{','.join(DUE)}, and if wanted {', '.join(_IF_WANTED[:-1])} and {_IF_WANTED[-1]}"
        raise _wrong(name, 1, f"the headings are {','.join(headings) or 'missing'}; they must be {wanted}")
    for row in reader:
        if None in row or None in row.values():
            raise _wrong(name, reader.line_num, f"{len(headings)} values are due")
        yield reader.line_num, row


def _wrong(name: str, line: int, why: str) -> ConfigError:
    return ConfigError(
        "The file of orders is wrong; nothing was sent", f"{name}, line {line}: {why}", "correct it and run it again"
    )
