"""Parses files of orders.

Formats: CSV with commas, semicolons or tabs; a JSON array; and JSON lines. Blank lines and trailing empty columns are
ignored.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from orderd.domain.strict_json import each_once

Row = tuple[str, dict[str, Any]]
"""The position, such as ``line 2``, and the fields: text, booleans or None."""
SEPARATORS: Final = (",", ";", "\t")


class WrongRowError(Exception):
    """A row that cannot be read."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(why)
        self.place = place


def read_rows(text: str, required: Sequence[str], optional: Sequence[str], one_of: Sequence[str] = ()) -> Iterator[Row]:
    """Parse all rows, at least one. A table must have all ``required`` columns and at least one of ``one_of``;
    ``optional`` are all other columns that it may have.

    Raises WrongRowError.
    """
    start = text.lstrip()[:1]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if start == "[":
        rows = _of_array(text)
    elif start == "{":
        rows = _of_lines(lines)
    else:
        rows = _of_table(lines, required, optional, one_of)
    is_empty = True
    for row in rows:
        is_empty = False
        yield row
    if is_empty:
        raise WrongRowError("line 1", "the file contains no order")


def _of_array(text: str) -> Iterator[Row]:
    for number, row in enumerate(_parsed(text, "line 1"), start=1):
        yield f"order {number}", _checked(row, f"order {number}")


def _of_lines(lines: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield f"line {number}", _checked(_parsed(line, f"line {number}"), f"line {number}")


def _parsed(text: str, place: str) -> Any:  # noqa: ANN401
    """Parse JSON; numbers stay text, because 0.1 is not exact in binary."""
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=each_once)
    except json.JSONDecodeError as error:
        raise WrongRowError(place, f"this is not JSON: {error}") from error
    except RecursionError as error:
        raise WrongRowError(place, "this is not JSON: it is nested too deeply") from error
    except ValueError as error:
        raise WrongRowError(place, str(error)) from error


def _checked(row: object, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise WrongRowError(place, "this is not a JSON object")
    for name, value in row.items():
        if value == "":
            raise WrongRowError(place, f"{name[:50]} is empty; leave it out, or write null")
        if not (value is None or isinstance(value, str | bool)):
            raise WrongRowError(place, f"{name[:50]} must be text, a number, true or false")
    return row


def _of_table(
    lines: Sequence[str], required: Sequence[str], optional: Sequence[str], one_of: Sequence[str]
) -> Iterator[Row]:
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    separator = max(SEPARATORS, key=lambda each: lines[first].count(each))
    reader = csv.reader(lines[first:], delimiter=separator, strict=True)
    headings: list[str] = []
    try:
        for cells in reader:
            place = f"line {first + reader.line_num}"
            cells = _trimmed(cells, len(headings))
            if not any(cells):
                continue
            if not headings:
                headings = cells
                _check_headings(headings, place, required, optional, one_of)
                continue
            if len(cells) != len(headings):
                raise WrongRowError(place, f"expected {len(headings)} values")
            yield place, {name: cell or None for name, cell in zip(headings, cells, strict=True)}
    except csv.Error as error:
        raise WrongRowError(f"line {first + reader.line_num}", f"this is not CSV: {error}") from error
    if not headings:
        _check_headings(headings, "line 1", required, optional, one_of)


def _trimmed(cells: Sequence[str], width: int) -> list[str]:
    """Strip the cells, and remove trailing empty cells beyond ``width``."""
    trimmed = [cell.strip() for cell in cells]
    while len(trimmed) > width and not trimmed[-1]:
        trimmed.pop()
    return trimmed


def _check_headings(
    headings: Sequence[str], place: str, required: Sequence[str], optional: Sequence[str], one_of: Sequence[str]
) -> None:
    if twice := next((name for name in headings if headings.count(name) > 1), None):
        raise WrongRowError(place, f"the heading {twice[:50]} appears twice")
    has_due = set(required) <= set(headings) and (not one_of or not set(one_of).isdisjoint(headings))
    if not has_due or not set(headings) <= {*required, *optional}:
        due = ",".join((*required, " or ".join(one_of)) if one_of else required)
        others = [name for name in optional if name not in one_of]
        wanted = f"{due}, and optionally {', '.join(others[:-1])} and {others[-1]}"
        given = ",".join(headings)[:200] or "missing"
        raise WrongRowError(place, f"the headings are {given}; they must be {wanted}")
