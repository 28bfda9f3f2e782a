"""Where words go: stdout is data, stderr is narration.

JSON carries a ``schema`` that names the kind of the document and its version; amounts are decimal strings, times are
ISO-8601 UTC. Colours are used only on a terminal: flag > NO_COLOR > FORCE_COLOR / CLICOLOR_FORCE > what the stream is.
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
"""``wide`` is the table with nothing left out or shortened; ``id`` prints what a script hands to the next command."""
DocumentFormat = Literal["table", "wide", "json", "jsonl"]
"""Of what has no id."""
RecordFormat = Literal["table", "wide", "json", "jsonl", "csv"]
"""Of what is kept and reckoned with: ``csv`` has a line of names, and then a row a line."""

OUTPUT = typer.Option("--output", "-o", help="How to print it.")


def print_json(body: "BaseModel") -> None:
    """One document, for reading and for jq."""
    from orderctl.output.schemas import document

    print_line(json.dumps(document(body), indent=2, ensure_ascii=lacks_characters(sys.stdout)))


def print_json_line(body: "BaseModel") -> None:
    """One document of a stream, on its own line."""
    from orderctl.output.schemas import document

    print_line(json.dumps(document(body), ensure_ascii=lacks_characters(sys.stdout)))


def lacks_characters(stream: TextIO) -> bool:
    """JSON has a way to write them all the same, so none is replaced."""
    return (stream.encoding or "utf-8").lower().replace("-", "") != "utf8"


def print_data(
    output: "Format | RecordFormat",
    whole: "BaseModel",
    rows: "Iterable[BaseModel] | None" = None,
    ids: Iterable[str] = (),
) -> bool:
    """Print the form for programs: the document, one row per line, or the ids. False for a table."""
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
    """As ``print_data``, and as CSV (RFC 4180, but with the line ends of this system's shells); ``kind`` is that of the
    rows. False for a table."""
    if output != "csv":
        return print_data(output, whole, rows)
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(kind.model_fields)
    writer.writerows(row.model_dump(mode="json").values() for row in rows)
    sys.stdout.flush()
    return True


def print_line(text: str) -> None:
    """Seen at once, also through a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def narrate(settings: "Settings", text: str) -> None:
    """What happens meanwhile, for the human. Nothing where -q was given."""
    if not settings.quiet:
        sys.stderr.write(f"{text}\n")


def is_live(stream: TextIO) -> bool:
    """Whether lines can be drawn again: a terminal, and not a dumb one."""
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
    """Rich on stdout, or on another stream. Imported here because half of the commands' runs never draw a table."""
    from rich.console import Console

    stream = sys.stdout if stream is None else stream
    colour = has_colour(stream, settings.color)
    live = is_live(stream)
    return Console(
        file=stream,
        force_terminal=live or colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        # Nothing is cut or wrapped for a reader that is a program, unless its environment says how wide it is.
        width=None if stream.isatty() or "COLUMNS" in os.environ else 10_000,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
    )
