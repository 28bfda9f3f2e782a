"""Text from the chain, which anyone can write. It is shortened and marked, because a model could mistake it for
instructions."""

import re
from typing import Final
from unicodedata import category

NAME_CHARACTERS: Final = 32
DETAIL_CHARACTERS: Final = 300
_MAX_MARKS: Final = 2
"""Maximum number of combining marks per character; more would overlap the adjacent lines."""
_INVISIBLE: Final = re.compile(
    "[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2800\\u3164\\ufe00-\\ufe0f\\uffa0\\U000e0100-\\U000e01ef]"
)
"""Printable for Python, but without a glyph: variation selectors, fillers, the empty Braille pattern. Unicode,
Default_Ignorable_Code_Point."""


def name(text: str) -> str:
    """A token's name, limited to 32 printable characters."""
    return _visible(text)[:NAME_CHARACTERS]


def detail(text: str) -> str:
    """An error detail, limited to 300 printable characters; programs on the chain may have written a part of it."""
    return _visible(text)[:DETAIL_CHARACTERS]


def _visible(text: str) -> str:
    """The text without what cannot be seen: a hidden message would reach the model, but not the user who confirms."""
    shown, marks = list[str](), 0
    for each in text:
        marks = marks + 1 if category(each) in ("Mn", "Me") else 0
        if each.isprintable() and marks <= _MAX_MARKS and not _INVISIBLE.match(each):
            shown.append(each)
    return "".join(shown)
