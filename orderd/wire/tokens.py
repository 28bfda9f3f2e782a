"""Tokens, and what their symbols mean."""

from pydantic import Field

from orderd.domain.mint import Trait
from orderd.wire.message import Message, Name


class TokenWarning(Message):
    """What to beware of."""

    code: Trait
    detail: str


class TokenView(Message):
    """A token that this daemon trades; ``symbol`` is its mint where no symbol is known that means it."""

    symbol: str
    mint: str
    decimals: int
    name: str | None = Field(
        None, exclude_if=lambda name: name is None, description="what the mint calls itself: it proves nothing"
    )
    warnings: tuple[TokenWarning, ...] = Field(
        (), exclude_if=lambda warnings: not warnings, description="none of tokens that orderd knows by itself"
    )


class TokensResult(Message):
    """Those that the daemon knows by itself, and those that were named. Any other is traded by its mint's address."""

    tokens: tuple[TokenView, ...]


class TokensSearchParams(Message):
    text: str = Field(min_length=1, max_length=64, description="a part of a symbol or of a name, or a mint's address")


class TokenFound(Message):
    """A symbol of a mint; ``verified``: the list's maintainer has checked it, or the operator has pinned it."""

    symbol: str
    mint: str
    name: str = ""
    verified: bool = False
    pinned: bool = Field(False, description="whether the operator has said that the symbol means this mint")


class TokensFound(Message):
    tokens: tuple[TokenFound, ...]


class TokensNameParams(Message):
    symbol: str = Field(max_length=64)
    mint: str = Field(max_length=64)
    pinned: bool = Field(False, strict=True, description="whether the symbol means this mint where others have it too")


class TokensNameResult(Message):
    token: TokenView


class TokensUnnameParams(Message):
    symbol: Name


class TokensUnnameResult(Message):
    removed: int = Field(description="mints that had the symbol from the operator")
