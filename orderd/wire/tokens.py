"""Messages about tokens and their symbols."""

from pydantic import Field

from orderd.domain.mint import Trait
from orderd.wire.message import Message, Name


class TokenWarning(Message):
    """A risk of a token."""

    code: Trait
    detail: str


class TokenView(Message):
    """A token that this daemon trades; without a known symbol, ``symbol`` is the mint address."""

    symbol: str
    mint: str
    decimals: int
    name: str | None = Field(
        None,
        exclude_if=lambda name: name is None,
        description="the name in the mint's own metadata, which is not verified",
    )
    warnings: tuple[TokenWarning, ...] = Field(
        (), exclude_if=lambda warnings: not warnings, description="empty for built-in tokens"
    )


class TokensResult(Message):
    """The built-in tokens and those that the operator has named. Any other token is traded by its mint address."""

    tokens: tuple[TokenView, ...]


class TokensSearchParams(Message):
    text: str = Field(min_length=1, max_length=64, description="a part of a symbol or name, or a mint address")


class TokenFound(Message):
    """A symbol of a mint; ``verified``: the maintainer of the token list has checked it, or the operator has pinned
    it."""

    symbol: str
    mint: str
    name: str = ""
    verified: bool = False
    pinned: bool = Field(False, description="whether the operator has assigned the symbol to this mint")


class TokensFound(Message):
    tokens: tuple[TokenFound, ...]


class TokensNameParams(Message):
    symbol: str = Field(max_length=64)
    mint: str = Field(max_length=64)
    pinned: bool = Field(
        False, strict=True, description="assigns the symbol to this mint even if other mints use it too"
    )


class TokensNameResult(Message):
    token: TokenView


class TokensUnnameParams(Message):
    symbol: Name


class TokensUnnameResult(Message):
    removed: int = Field(description="number of mints to which the operator had assigned the symbol")
