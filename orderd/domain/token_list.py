"""Reads published token lists: symbols and names by mint.

Two shapes are read: Jupiter's (https://dev.jup.ag/docs/tokens: an array of objects with ``id``, ``symbol``, ``name``,
``isVerified``) and that of the old token lists (https://github.com/solana-labs/token-list: an object whose ``tokens``
have ``chainId``, ``address``, ``symbol``, ``name``, ``tags``).
"""

from collections.abc import Iterator
from typing import Any, Final

from orderd.domain.mint import display_name
from orderd.domain.strict_json import read_json
from orderd.domain.tokens import MINT_ADDRESS, SYMBOL, Listing

_CHAIN_IDS: Final = {"mainnet": 101, "devnet": 103}
_VERIFIED: Final = frozenset({"verified", "strict"})


def read_list(text: bytes, chain: str) -> list[Listing]:
    """A list's tokens of this chain. Entries without a mint, or with a symbol that cannot be typed, are skipped.

    Raises ValueError if it is not a list of tokens.
    """
    given = read_json(text)
    entries = given.get("tokens") if isinstance(given, dict) else given
    if not isinstance(entries, list):
        raise ValueError(  # noqa: TRY004  (the text is wrong, not the caller)
            "neither an array of tokens nor an object with one as its member tokens"
        )
    return [*_listings(entries, _CHAIN_IDS.get(chain))]


def _listings(entries: list[Any], chain_id: int | None) -> Iterator[Listing]:
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("chainId") not in (None, chain_id):
            continue
        mint, symbol = entry.get("id", entry.get("address")), entry.get("symbol")
        if not (isinstance(mint, str) and isinstance(symbol, str) and MINT_ADDRESS.fullmatch(mint)):
            continue
        if not SYMBOL.fullmatch(symbol) or MINT_ADDRESS.fullmatch(symbol):
            continue
        name, tags = entry.get("name"), entry.get("tags")
        is_tagged = isinstance(tags, list) and any(each in _VERIFIED for each in tags if isinstance(each, str))
        yield Listing(
            symbol,
            mint,
            display_name(name) if isinstance(name, str) else "",
            verified=entry.get("isVerified") is True or is_tagged,
        )
