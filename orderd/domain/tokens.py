"""Tokens by symbol or mint address, and the registry that resolves names.

A mint address means itself. Several mints may have the same symbol. Then it means the one that the operator has pinned,
otherwise the one of the built-in list, otherwise the only verified one. A symbol is never guessed. A token's decimals
are read from the chain, not from a list.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import chain
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.frozen import dataclass
from orderd.domain.mint import MintFacts

WSOL_MINT: Final = "So11111111111111111111111111111111111111112"
USDC_MINT: Final = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
DEVNET_USDC_MINT: Final = "4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"
MINT_ADDRESS: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")
SYMBOL: Final = re.compile(r"[!-+\--~]{1,20}")
"""Printable ASCII without blanks and commas: other letters may look the same and be others."""
_Table = dict[str, tuple["Listing", ...]]
_CHOICES: Final = 5
"""Maximum number of mints that are named if a symbol may mean several."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that orderd trades. ``SOL`` stands for native lamports; on chain it swaps as wrapped SOL.

    If it has no symbol, ``symbol`` is the mint address.
    """

    symbol: str
    mint: str
    decimals: int

    @property
    def is_native(self) -> bool:
        return self.mint == WSOL_MINT


@dataclass(frozen=True, slots=True)
class Listing:
    """A symbol of a mint. ``verified``: the list's maintainer has checked it, or the operator has pinned it."""

    symbol: str
    mint: str
    name: str = ""
    verified: bool = False
    pinned: bool = False


class TokenRegistry:
    """Names of tokens, and the known properties of their mints. Symbols are case-insensitive.

    Threads may share one: each of its tables is replaced as a whole.
    """

    def __init__(self, well_known: Iterable[Token], reserved: Iterable[str] = ()) -> None:
        """``reserved`` are further symbols that no other token may have."""
        self._well_known = tuple(well_known)
        self._by_mint = {token.mint: token for token in self._well_known}
        self._by_symbol = {token.symbol.upper(): token for token in self._well_known}
        self._reserved = {symbol.upper() for symbol in reserved} | self._by_symbol.keys()
        self._named: _Table = {}
        self._listed: _Table = {}
        self._named_by_mint: _Table = {}
        self._listed_by_mint: _Table = {}
        self._facts: dict[str, MintFacts] = {}

    def __iter__(self) -> Iterator[Token]:
        """The built-in tokens, and those named by the operator whose mints were read."""
        yield from self._well_known
        for mint in dict.fromkeys(listing.mint for listing in _all(self._named)):
            if mint not in self._by_mint and (token := self.find(mint)) is not None:
                yield token

    # What is known

    def set_named(self, listings: Iterable[Listing]) -> None:
        """Replace the operator's listings."""
        self._named = self._table(listings)
        self._named_by_mint = _by_mint(_all(self._named))

    def set_listed(self, listings: Iterable[Listing]) -> None:
        """Replace the listings of the token list."""
        self._listed = self._table(listings)
        self._listed_by_mint = _by_mint(_all(self._listed))

    def learn(self, facts: MintFacts) -> None:
        """Store the properties of a mint."""
        self._facts[facts.mint] = facts

    # Look-up

    def find(self, mint: str) -> Token | None:
        """The token of this mint; None if its decimals are not known."""
        known = self._by_mint.get(mint)
        if known is not None:
            return known
        facts = self._facts.get(mint)
        return None if facts is None else Token(self.symbol_of(mint), mint, facts.decimals)

    def facts(self, mint: str) -> MintFacts | None:
        """The mint's properties; None if it was not read, as for tokens of the built-in list."""
        return self._facts.get(mint)

    def resolve(self, name: str) -> Token:
        """The token with this symbol or mint.

        Raises the errors of ``mint_of``, OrderdError TOKEN_UNREAD if its decimals are not known, and TOKEN_* if orderd
        does not trade such a mint.
        """
        known = self._by_mint.get(name) or self._well_known_as(name)
        if known is not None:
            return known
        mint = self.mint_of(name)
        token = self.find(mint)
        if token is None:
            raise OrderdError(ErrorCode.TOKEN_UNREAD, f"the mint {mint} has not been read from the chain")
        facts = self._facts.get(mint)
        if facts is not None and facts.objection is not None:
            raise facts.objection
        return token

    def mint_of(self, name: str) -> str:
        """The mint that a name means, whether or not it was read from the chain.

        Raises OrderdError TOKEN_UNKNOWN, with a suggestion if a name is similar, and TOKEN_AMBIGUOUS.
        """
        if (known := self._well_known_as(name)) is not None:
            return known.mint
        if MINT_ADDRESS.fullmatch(name):
            return name
        meant = self._meant_by(name.upper())
        if len(meant) == 1:
            return meant[0].mint
        if meant:
            choice = "; ".join(_listing_text(each) for each in meant[:_CHOICES])
            more = f"; and {len(meant) - _CHOICES} more" if len(meant) > _CHOICES else ""
            raise OrderdError(ErrorCode.TOKEN_AMBIGUOUS, f"{name} may be {choice}{more}")
        near = get_close_matches(name.upper(), {**self._by_symbol, **self._named}, n=1, cutoff=0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise OrderdError(ErrorCode.TOKEN_UNKNOWN, f"there is no token {name[:50]!r}{hint}")

    def named_pair(self, name: str) -> tuple[Token, Token]:
        """Both tokens of a pair such as ``SOL/USDC``. Raises OrderdError: TOKEN_UNKNOWN or TOKEN_SAME."""
        return self.pair(*self.pair_mints(name))

    def pair_mints(self, name: str) -> tuple[str, str]:
        """The mints of both tokens, whose decimals need not be known. Raises OrderdError TOKEN_UNKNOWN."""
        first, slash, second = name.partition("/")
        if not slash:
            raise OrderdError(ErrorCode.TOKEN_UNKNOWN, f"{name[:50]!r} is not a pair of tokens, such as SOL/USDC")
        return self.mint_of(first), self.mint_of(second)

    def symbol_of(self, mint: str) -> str:
        """The symbol that means this mint; the mint itself if there is none."""
        known = self._by_mint.get(mint)
        if known is not None:
            return known.symbol
        for listing in (*self._named_by_mint.get(mint, ()), *self._listed_by_mint.get(mint, ())):
            if [each.mint for each in self._meant_by(listing.symbol.upper())] == [mint]:
                return listing.symbol
        return mint

    def pair(self, token_in: str, token_out: str) -> tuple[Token, Token]:
        """Both tokens of a trade. Raises the errors of ``resolve``, or OrderdError TOKEN_SAME."""
        sold, bought = self.resolve(token_in), self.resolve(token_out)
        if sold == bought:
            raise OrderdError(ErrorCode.TOKEN_SAME, f"{sold.symbol} cannot be traded for itself")
        return sold, bought

    def search(self, text: str, most: int) -> list[Listing]:
        """Tokens with the text in symbol, name or mint; first those that start with it, then the verified ones."""
        wanted = text.upper()
        own = (Listing(each.symbol, each.mint, verified=True) for each in self._well_known)
        everything = dict.fromkeys(chain(own, _all(self._named), _all(self._listed)))
        found = [each for each in everything if wanted in each.symbol.upper() or wanted in each.name.upper()]
        found += [each for each in everything if each.mint == text and each not in found]

        def rank(listing: Listing) -> tuple[bool, bool, bool, str]:
            symbol = listing.symbol.upper()
            return symbol != wanted, not symbol.startswith(wanted), not listing.verified, symbol

        return sorted(found, key=rank)[:most]

    def check_free(self, symbol: str) -> None:
        """Whether the operator may give a mint this symbol. Raises OrderdError TOKEN_NAME_REFUSED."""
        why = None
        if not SYMBOL.fullmatch(symbol) or MINT_ADDRESS.fullmatch(symbol):
            why = "a symbol is up to 20 letters, digits and signs of ASCII, without blanks and commas"
        elif symbol.upper() in self._reserved:
            why = f"{symbol} is a symbol of a token that orderd knows by itself"
        if why is not None:
            raise OrderdError(ErrorCode.TOKEN_NAME_REFUSED, why)

    def _table(self, listings: Iterable[Listing]) -> _Table:
        """The listings by symbol, without those of reserved symbols."""
        table: _Table = {}
        for listing in listings:
            symbol = listing.symbol.upper()
            if symbol not in self._reserved:
                table[symbol] = (*table.get(symbol, ()), listing)
        return table

    def _well_known_as(self, name: str) -> Token | None:
        return self._by_symbol.get(name.upper())

    def _meant_by(self, symbol: str) -> list[Listing]:
        """The tokens that a symbol may mean, if it is not reserved; one if it is clear."""
        named = self._named.get(symbol, ())
        pinned = [each for each in named if each.pinned]
        everything = {each.mint: each for each in (*self._listed.get(symbol, ()), *named)}
        verified = [each for each in everything.values() if each.verified]
        return pinned[:1] or (verified if len(verified) == 1 else [*everything.values()])


def _by_mint(listings: Iterable[Listing]) -> _Table:
    table: _Table = {}
    for listing in listings:
        table[listing.mint] = (*table.get(listing.mint, ()), listing)
    return table


def _all(table: _Table) -> Iterator[Listing]:
    return chain.from_iterable(table.values())


def _listing_text(listing: Listing) -> str:
    what = " ".join(word for word in ("verified" if listing.verified else "", listing.name) if word)
    return f"{listing.mint} ({what or 'not verified'})"
