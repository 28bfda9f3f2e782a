"""What the simulated market needs from a SOL/USDC pool: a price, a quote, and a swap instruction."""

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

ARRAYS_PER_SWAP = 2
"""Bin or tick arrays per swap: far more than a trade of the market crosses."""

Read = Callable[[Pubkey], LedgerAccount]
"""Reads an account, which must exist."""


class MarketPool(Protocol):
    """One SOL/USDC pool at its newest state."""

    @property
    def address(self) -> Pubkey: ...

    def price(self) -> float:
        """Base units of USDC per lamport, before fees. A float, because it is not an amount."""
        ...

    def quote(self, amount_in: int, *, sells_sol: bool, now: int) -> int:
        """The amount out for ``amount_in``, both in base units. Raises SwapError."""
        ...

    def swap(self, trader: Pubkey, amount_in: int, minimum_out: int, *, sells_sol: bool) -> Instruction:
        """The instruction for a swap between the trader's associated token accounts."""
        ...


class TradedPool(NamedTuple):
    """A pool of the simulated market. ``weight`` is the relative frequency of noise trades; ``median_trade`` their size
    in lamports, smaller for shallow pools.

    ``add`` adds the pool's accounts of the first block at a given price, in base units of USDC per lamport.
    """

    address: Pubkey
    kind: Callable[[Pubkey, Read], MarketPool]
    weight: int
    median_trade: int
    add: Callable[[FirstAccounts, Fraction], None]


def held(read: Read, vault: Pubkey) -> int:
    return decoded(TokenAccount, read(vault).data).amount


def squared(sqrt_price: int) -> float:
    """The price for a square root in Q64.64."""
    root: float = sqrt_price / (1 << 64)
    return root * root


def accounts_of(trader: Pubkey, *, sells_sol: bool) -> tuple[Pubkey, Pubkey]:
    """The trader's token accounts: (source, destination)."""
    sol, usdc = associated_token.address(trader, token.NATIVE_MINT), associated_token.address(trader, USDC)
    return (sol, usdc) if sells_sol else (usdc, sol)
