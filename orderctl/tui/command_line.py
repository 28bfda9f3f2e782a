"""The ``:`` command line: the verbs of orderctl, and the names of screens."""

import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from orderctl.verbs import CHANGING, VERBS

Candidate = tuple[str, str]
"""A word, and what it means."""
Complete = Callable[[Sequence[str], str], Iterable[Candidate]]
"""What may stand after some words, given the beginning of it; it may ask the daemon, and wait for it."""


def nothing_to_complete(before: Sequence[str], present: str) -> Iterable[Candidate]:  # noqa: ARG001
    return ()


PLACES: Final = {
    "orders": "The blotter, the price and the daemon's load.",
    "profit": "What was earned, and what the wallet holds.",
    "venues": "How venues and services answer.",
    "depth": "What each size of the pair at hand would pay.",
    "quit": "Leave; orders go on without you.",
}
"""What is on the screen itself, by the word that leads there."""
_SHOWN: Final = {"list": "orders", "pnl": "profit", "portfolio": "profit", "status": "venues", "q": "quit"}
"""Verbs that have a screen, unless they are given options."""
_READING: Final = frozenset({"list", "search", "show", "path", "validate"})
"""Second words after which a verb that may change something does not."""


@dataclass(frozen=True, slots=True)
class Place:
    name: str


@dataclass(frozen=True, slots=True)
class Verb:
    """``changes``: it trades, or changes something else, so the trader is asked first."""

    words: tuple[str, ...]
    changes: bool


@dataclass(frozen=True, slots=True)
class Mistake:
    message: str


def understood(line: str) -> Place | Verb | Mistake | None:
    """None if nothing was typed."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        return Mistake(f"{error}")
    if not words:
        return None
    if len(words) == 1 and (place := _SHOWN.get(words[0], words[0])) in PLACES:
        return Place(place)
    if words[0] == "tui":
        return Mistake("this is the full screen already")
    if words[0] not in VERBS:
        from difflib import get_close_matches

        near = get_close_matches(words[0], [*VERBS, *PLACES], n=1)
        return Mistake(f"there is no command {words[0]!r}" + (f"; did you mean {near[0]}?" if near else ""))
    is_reading = {"-h", "--help", "--dry-run"} & {*words} or (len(words) > 1 and words[1] in _READING)
    return Verb(tuple(words), words[0] in CHANGING and not is_reading)


def completions(line: str, complete: Complete) -> Sequence[Candidate]:
    """Whole lines that may follow from this one, and what each means."""
    words = line.split()
    present = "" if not words or line.endswith(" ") else words.pop()
    before = line[: len(line) - len(present)]
    found = [one for one in complete(words, present) if one[0].startswith(present) and one[0] != "tui"]
    if not words:
        places = [(name, description) for name, description in PLACES.items() if name.startswith(present)]
        found = sorted({*found, *places})
    return [(before + word, meaning) for word, meaning in found]
