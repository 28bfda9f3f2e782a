"""Tokens by symbol or by mint address, and the registry that knows both."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from orderd.domain.errors import ErrorCode, OrderdError

WSOL_MINT = "So11111111111111111111111111111111111111112"
USDC_MINT = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
_MINT = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token that orderd trades. ``SOL`` stands for native lamports; on chain it swaps as wrapped SOL."""

    symbol: str
    mint: str
    decimals: int

    @property
    def is_native(self) -> bool:
        return self.mint == WSOL_MINT


BUILTIN_TOKENS = (
    Token("SOL", WSOL_MINT, 9),
    Token("USDC", USDC_MINT, 6),
    Token("CHILLGUY", "Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump", 6),
)


class TokenRegistry:
    """The tokens this daemon trades. Symbols are matched without regard to case, mints exactly."""

    def __init__(self, tokens: Iterable[Token] = BUILTIN_TOKENS) -> None:
        self._by_symbol = {token.symbol.upper(): token for token in tokens}
        self._by_mint = {token.mint: token for token in self._by_symbol.values()}

    def __iter__(self) -> Iterator[Token]:
        return iter(self._by_symbol.values())

    def find(self, mint: str) -> Token | None:
        """The token of this mint; None where it is none of them."""
        return self._by_mint.get(mint)

    def resolve(self, name: str) -> Token:
        """The token with this symbol or mint. Raises OrderdError TOKEN_UNKNOWN, with a suggestion where one is near."""
        token = self._by_mint.get(name) or self._by_symbol.get(name.upper())
        if token is not None:
            return token
        if _MINT.fullmatch(name):
            raise OrderdError(ErrorCode.TOKEN_UNKNOWN, f"the mint {name} is not among the tokens of this daemon")
        near = get_close_matches(name.upper(), self._by_symbol, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise OrderdError(ErrorCode.TOKEN_UNKNOWN, f"there is no token {name[:50]!r}{hint}")

    def named_pair(self, name: str) -> tuple[Token, Token]:
        """Both tokens of a pair such as ``SOL/USDC``. Raises OrderdError: TOKEN_UNKNOWN or TOKEN_SAME."""
        first, slash, second = name.partition("/")
        if not slash:
            raise OrderdError(ErrorCode.TOKEN_UNKNOWN, f"{name[:50]!r} is not a pair of tokens, such as SOL/USDC")
        return self.pair(first, second)

    def pair(self, token_in: str, token_out: str) -> tuple[Token, Token]:
        """Both tokens of a trade. Raises OrderdError: TOKEN_UNKNOWN or TOKEN_SAME."""
        sold, bought = self.resolve(token_in), self.resolve(token_out)
        if sold == bought:
            raise OrderdError(ErrorCode.TOKEN_SAME, f"{sold.symbol} cannot be traded for itself")
        return sold, bought
