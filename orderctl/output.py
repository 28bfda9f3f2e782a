"""Where words go: stdout is data, stderr is narration.

JSON carries a ``schema`` that names the kind of the document and its version; amounts are decimal strings, times are
ISO-8601 UTC. Colours only where a terminal reads: flag > NO_COLOR > FORCE_COLOR / CLICOLOR_FORCE > what the stream is.
"""

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Literal, TextIO

import typer

from orderctl.errors import OrderctlError, RefusedError
from orderctl.exit_codes import ExitCode, exit_code_of
from orderctl.origins import Colour
from orderctl.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

SCHEMA_VERSION = 1

DocumentFormat = Literal["table", "json"]
QuoteFormat = Literal["table", "wide", "json"]
OrderFormat = Literal["table", "json", "id"]
SubmitFormat = Literal["table", "json", "jsonl", "id"]
ListFormat = Literal["table", "wide", "json", "jsonl", "id"]
StreamFormat = Literal["table", "json", "jsonl"]

OUTPUT = typer.Option("--output", "-o", help="How to print it.")


def schema(kind: str) -> str:
    """The name of a kind of document, with its version."""
    return f"orderctl.{kind}/{SCHEMA_VERSION}"


def document(kind: str, body: "BaseModel") -> dict[str, Any]:
    return {"schema": schema(kind), **body.model_dump(mode="json")}


def print_json(content: dict[str, Any]) -> None:
    """One document, for reading and for jq."""
    print_line(json.dumps(content, indent=2, ensure_ascii=False))


def print_json_line(content: dict[str, Any]) -> None:
    """One document of a stream, a line of its own."""
    print_line(json.dumps(content, ensure_ascii=False))


def print_line(text: str) -> None:
    """Seen at once, also through a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def narrate(settings: Settings, text: str) -> None:
    """What happens meanwhile, for the human. Nothing where -q was given."""
    if not settings.quiet:
        sys.stderr.write(f"{text}\n")


def is_live(stream: TextIO) -> bool:
    """Whether lines can be drawn anew: a terminal, and not a dumb one."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def has_colour(stream: TextIO, colour: Colour) -> bool:
    if colour != "auto":
        return colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_live(stream)


def console(settings: Settings) -> "Console":
    """Rich on stdout. Imported here because half of the commands' runs never draw a table."""
    from rich.console import Console

    colour = has_colour(sys.stdout, settings.color)
    live = is_live(sys.stdout)
    return Console(
        file=sys.stdout,
        force_terminal=live or colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        # Nothing is cut or wrapped for a reader that is a program.
        width=None if sys.stdout.isatty() else 10_000,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
    )


def report(error: OrderctlError | OrderdError, output: str, colour: Colour) -> ExitCode:
    """Tells an error on stderr, as a JSON document where JSON was asked for, and returns what it exits with."""
    code: ErrorCode | None
    if isinstance(error, OrderdError):
        title, next_step, code, exit_code = error.spec.title, error.spec.next_step, error.code, exit_code_of(error.code)
    else:
        code = error.problem.code if isinstance(error, RefusedError) else None
        title, next_step, exit_code = error.title, error.next_step, error.exit_code
    if output in ("json", "jsonl"):
        members = {"code": code, "title": title, "detail": error.detail, "next_step": next_step, "exit_code": exit_code}
        content = {"schema": schema("error"), **members}
        sys.stderr.write(f"{json.dumps(content, ensure_ascii=False)}\n")
    else:
        sys.stderr.write(_in_words(title, error.detail, next_step, code, has_colour(sys.stderr, colour)))
    return exit_code


def _in_words(title: str, detail: str, next_step: str, code: str | None, coloured: bool) -> str:
    def styled(text: str, fg: str) -> str:
        return typer.style(text, fg=fg, bold=True) if coloured else text

    label = f"error[{code}]" if code else "error"
    return (
        f"{styled(label, 'red')}: {title}\n"
        f"  {styled('why', 'cyan')}:  {detail}\n"
        f"  {styled('next', 'cyan')}: {next_step}\n"
    )
