"""Parses the ``:`` command line: commands of orderctl and names of screens."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from orderctl.verbs import CHANGING, VERBS
from orderd.wire.orders import OrderView

Candidate = tuple[str, str]
"""A word and its description."""
Complete = Callable[[Sequence[str], str], Iterable[Candidate]]
"""Returns the candidates after some words for a typed prefix. It may block on a request to the daemon."""


def nothing_to_complete(before: Sequence[str], present: str) -> Iterable[Candidate]:  # noqa: ARG001
    return ()


PLACES: Final = {
    "orders": "The blotter, the prices and the daemon's load.",
    "profit": "Profit and loss, and the portfolio.",
    "venues": "Latencies and errors of venues and services.",
    "depth": "The depth of the current pair.",
    "quit": "Quit; orders continue.",
}
"""The screens of the TUI by name, and quit."""
_SHOWN: Final = {"list": "orders", "pnl": "profit", "portfolio": "profit", "status": "venues", "q": "quit"}
"""Commands that open a screen if they have no options."""
_READING: Final = frozenset({"list", "search", "show", "path", "validate"})
"""Subcommands that only read, of commands that can change something."""


@dataclass(frozen=True, slots=True)
class Place:
    name: str


@dataclass(frozen=True, slots=True)
class Verb:
    """A command; ``changes``: it trades or changes something, so it needs a confirmation."""

    words: tuple[str, ...]
    changes: bool


@dataclass(frozen=True, slots=True)
class Mistake:
    message: str


def understood(line: str) -> Place | Verb | Mistake | None:
    """Parse a line; None if it is empty."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        return Mistake(f"{error}")
    if not words:
        return None
    if len(words) == 1 and (place := _SHOWN.get(words[0], words[0])) in PLACES:
        return Place(place)
    if words[0] == "tui":
        return Mistake("the full screen is already open")
    if words[0] not in VERBS:
        from difflib import get_close_matches

        near = get_close_matches(words[0], [*VERBS, *PLACES], n=1)
        return Mistake(f"there is no command {words[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
    is_reading = {"-h", "--help", "--dry-run"} & {*words} or (len(words) > 1 and words[1] in _READING)
    return Verb(tuple(words), words[0] in CHANGING and not is_reading)


def amendment(order: OrderView) -> str:
    """The line that amends a resting order, with its present prices."""
    prices = {
        "--limit": order.limit_price,
        "--stop": order.stop_price,
        "--take-profit": order.take_profit_price,
        "--trail": order.trail,
    }
    given = "".join(f" {option} {price}" for option, price in prices.items() if price is not None)
    return f"amend {order.id}{given}"


def completions(line: str, complete: Complete) -> Sequence[Candidate]:
    """The completed lines for a typed line, with descriptions."""
    words = line.split()
    present = "" if not words or line.endswith(" ") else words.pop()
    before = line[: len(line) - len(present)]
    found = [one for one in complete(words, present) if one[0].startswith(present) and one[0] != "tui"]
    if not words:
        places = [(name, description) for name, description in PLACES.items() if name.startswith(present)]
        found = sorted({*found, *places})
    return [(before + word, meaning) for word, meaning in found]
