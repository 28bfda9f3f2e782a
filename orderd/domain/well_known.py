"""The tokens that orderd knows on each chain without a request.

The mints are those published by the issuers. All belong to the SPL Token program, and their decimals never change.
"""

from typing import Final

from orderd.domain.tokens import DEVNET_USDC_MINT, USDC_MINT, WSOL_MINT, Token, TokenRegistry

SOL: Final = Token("SOL", WSOL_MINT, 9)
USDC: Final = Token("USDC", USDC_MINT, 6)
CHILLGUY: Final = Token("CHILLGUY", "Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump", 6)

STACC: Final = Token("STACC", "73edX6xoGY4v5y2hzuKdrUbJXLntqgmo74au1Ki1pump", 6)

WELL_KNOWN: Final[dict[str, tuple[Token, ...]]] = {
    "simnet": (SOL, USDC, CHILLGUY, STACC),
    "localnet": (SOL, USDC),
    "devnet": (SOL, Token("USDC", DEVNET_USDC_MINT, 6)),
    "mainnet": (
        SOL,
        USDC,
        Token("USDT", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6),
        Token("JitoSOL", "J1toso1uCk3RLmjorhTtrVwY9HJ7X8V9yYac6Y7kGCPn", 9),
        Token("mSOL", "mSoLzYCxHdYgdzU16g5QSh3i5K3z3KZK7ytfqcJm7So", 9),
        Token("JUP", "JUPyiwrYJFskUPiHa7hkeR8VUtAeFoSYbKedZNsDvCN", 6),
        Token("RAY", "4k3Dyjzvzp8eMZWUXbBCjEvwSkkk59S5iCNLY3QrkX6R", 6),
        Token("BONK", "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263", 5),
        Token("WIF", "EKpQGSJtjMFqKZ9KQanSqYXRcF8fBopzLHYxdM65zcjm", 6),
        Token("PYTH", "HZ1JovNiVvGrGNiiYvEozEVgZ58xaU3RKwX8eACQBCt3", 6),
        CHILLGUY,
        STACC,
    ),
}
"""By the value of ``ORDERD_CHAIN``."""
EVERYWHERE: Final = tuple({token.mint: token for tokens in WELL_KNOWN.values() for token in tokens}.values())
"""The tokens of all chains. On every chain, one of these symbols means a token with these decimals, and no other token
may have it, so code that does not know the chain can use the decimals."""


def registry_of(chain: str) -> TokenRegistry:
    """A registry with the chain's built-in tokens."""
    return TokenRegistry(WELL_KNOWN[chain], {token.symbol for token in EVERYWHERE})
