"""Text from the chain, which anyone can write. It is shortened and marked, because a model could mistake it for
instructions."""

from typing import Final

NAME_CHARACTERS: Final = 32
DETAIL_CHARACTERS: Final = 300


def name(text: str) -> str:
    """A token's name, limited to 32 printable characters."""
    return _printable(text)[:NAME_CHARACTERS]


def detail(text: str) -> str:
    """An error detail, limited to 300 printable characters; programs on the chain may have written a part of it."""
    return _printable(text)[:DETAIL_CHARACTERS]


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
