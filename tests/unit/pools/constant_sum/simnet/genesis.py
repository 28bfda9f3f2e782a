"""The only pool of the imaginary kind: it pays more USDC for SOL than all others while it has some."""

from fractions import Fraction
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.genesis.accounts import SOL, USDC, FirstAccounts, FirstPool
from orderd.simnet.genesis.renewal import Renewals
from orderd.solana.programs import token

from ..accounts import PoolState
from ..program import PROGRAM_ID

SOL_USDC: Final = Pubkey.find_program_address([b"pool"], PROGRAM_ID)[0]
_VAULT_SOL: Final = Pubkey.find_program_address([b"sol"], PROGRAM_ID)[0]
_VAULT_USDC: Final = Pubkey.find_program_address([b"usdc"], PROGRAM_ID)[0]


_PRICE: Final = Fraction(103, 1_000)


def sol_usdc(first: FirstAccounts, price: Fraction = _PRICE) -> None:
    state = PoolState(token.NATIVE_MINT, USDC, _VAULT_SOL, _VAULT_USDC, price.numerator, price.denominator)
    first.data(SOL_USDC, PROGRAM_ID, state.encode())
    first.tokens(SOL_USDC, token.NATIVE_MINT, 1_000 * SOL, _VAULT_SOL)
    first.tokens(SOL_USDC, USDC, 100_000 * 10**6, _VAULT_USDC)


RENEWALS: Final[Renewals] = {}
POOLS: Final = (FirstPool(USDC, sol_usdc),)
