"""The SOL/USDC pools as a trader sees them: a price, a quote, and the instruction that swaps."""

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple, Protocol

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.simnet.account import LedgerAccount
from orderd.simnet.codec import decoded
from orderd.simnet.genesis import USDC
from orderd.simnet.genesis.accounts import FirstAccounts
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import TokenAccount

ARRAYS_A_SWAP = 2
"""Of bins or ticks: far more than a trade of the market's runs through."""

Read = Callable[[Pubkey], LedgerAccount]
"""Where the pools' accounts are read from; they all exist."""


class MarketPool(Protocol):
    """One SOL/USDC pool at its newest state."""

    @property
    def address(self) -> Pubkey: ...

    def price(self) -> float:
        """USDC base units a lamport, before fees: a trader's view, not an amount of money."""
        ...

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        """What ``amount_in`` base units buy. Raises SwapError."""
        ...

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        """Swap between the trader's associated accounts."""
        ...


class TradedPool(NamedTuple):
    """A pool to trade in: how often noise traders come to it, and with how many lamports: less where it is shallow.

    ``add`` gives the accounts that it has in the first block, or would have there at another price: base units of USDC
    a lamport.
    """

    address: Pubkey
    kind: Callable[[Pubkey, Read], MarketPool]
    weight: int
    median_trade: int
    add: Callable[[FirstAccounts, Fraction], None]


def held(read: Read, vault: Pubkey) -> int:
    return decoded(TokenAccount, read(vault).data).amount


def squared(sqrt_price: int) -> float:
    """The price behind a Q64.64 square root."""
    root: float = sqrt_price / (1 << 64)
    return root * root


def accounts_of(trader: Pubkey, *, sells_sol: bool) -> tuple[Pubkey, Pubkey]:
    """What the trader pays from, and receives on."""
    sol, usdc = associated_token.address(trader, token.NATIVE_MINT), associated_token.address(trader, USDC)
    return (sol, usdc) if sells_sol else (usdc, sol)
