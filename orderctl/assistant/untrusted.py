"""Text that strangers wrote to the chain. A model may take it for an instruction, so it is cut and marked."""

from typing import Final

NAME_CHARACTERS: Final = 32
DETAIL_CHARACTERS: Final = 300


def name(text: str) -> str:
    """The first printable characters of a token's name."""
    return _printable(text)[:NAME_CHARACTERS]


def detail(text: str) -> str:
    """Of what went wrong: programs on the chain may have written a part of it."""
    return _printable(text)[:DETAIL_CHARACTERS]


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
