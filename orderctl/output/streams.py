"""Writes data to stdout and messages to stderr.

Colours are used on terminals only, unless requested; precedence: flag, NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, kind of
stream.
"""

import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TextIO

import typer

from orderctl.config.flags import Colour

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from orderctl.config.settings import Settings

Format = Literal["table", "wide", "json", "jsonl", "id"]
"""``wide`` is a table with all columns and full values; ``id`` prints only ids, for use in scripts."""
DocumentFormat = Literal["table", "wide", "json", "jsonl"]
"""The formats of documents without ids."""
RecordFormat = Literal["table", "wide", "json", "jsonl", "csv"]
"""The formats of records; ``csv`` has a header line."""

OUTPUT = typer.Option("--output", "-o", help="The output format.")


def print_json(body: "BaseModel") -> None:
    """Print an indented JSON document."""
    from orderctl.output.schemas import document

    print_line(json.dumps(document(body), indent=2, ensure_ascii=needs_escapes(sys.stdout)))


def print_json_line(body: "BaseModel") -> None:
    """Print a JSON document on one line."""
    from orderctl.output.schemas import document

    print_line(json.dumps(document(body), ensure_ascii=needs_escapes(sys.stdout)))


def needs_escapes(stream: TextIO) -> bool:
    """Whether the stream is not UTF-8, so that JSON must escape other characters."""
    return (stream.encoding or "utf-8").lower().replace("-", "") != "utf8"


def print_data(
    output: "Format | RecordFormat",
    whole: "BaseModel",
    rows: "Iterable[BaseModel] | None" = None,
    ids: Iterable[str] = (),
) -> bool:
    """Print JSON, JSON lines or ids. Returns false for a table, which the caller prints."""
    match output:
        case "json":
            print_json(whole)
        case "jsonl":
            for row in (whole,) if rows is None else rows:
                print_json_line(row)
        case "id":
            for one in ids:
                print_line(one)
        case _:
            return False
    return True


def print_records(
    output: RecordFormat, whole: "BaseModel", kind: "type[BaseModel]", rows: "Iterable[BaseModel]"
) -> bool:
    """Like ``print_data``, with CSV in addition (RFC 4180, but with Unix line ends); ``kind`` is the class of the
    rows."""
    if output != "csv":
        return print_data(output, whole, rows)
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(kind.model_fields)
    writer.writerows(row.model_dump(mode="json").values() for row in rows)
    sys.stdout.flush()
    return True


def print_line(text: str) -> None:
    """Print a line and flush, so that a pipe receives it at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def narrate(settings: "Settings", text: str) -> None:
    """Print a message for people on stderr, unless -q was given.

    On a terminal a long line is wrapped between words, so a command to copy needs a line of its own.
    """
    if not settings.quiet:
        sys.stderr.write(f"{_wrapped(text) if sys.stderr.isatty() else text}\n")


def _wrapped(text: str) -> str:
    from shutil import get_terminal_size
    from textwrap import fill

    width = get_terminal_size().columns
    lines = (fill(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n"))
    return "\n".join(lines)


def is_live(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can redraw lines."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def has_colour(stream: TextIO, colour: Colour) -> bool:
    if colour != "auto":
        return colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_live(stream)


def console(settings: "Settings", stream: TextIO | None = None) -> "Console":
    """A Rich console on stdout, or on another stream. Rich is imported here because many runs do not need it."""
    from rich.console import Console

    stream = sys.stdout if stream is None else stream
    colour = has_colour(stream, settings.color)
    live = is_live(stream)
    return Console(
        file=stream,
        force_terminal=live or colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        # Output for programs is neither cut nor wrapped, unless COLUMNS is set.
        width=None if stream.isatty() or "COLUMNS" in os.environ else 10_000,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
    )
