"""The swap of the imaginary kind."""

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs import token
from orderd.solana.programs.layout import U64, Record
from orderd.solana.programs.metas import readonly, signer, writable

from .accounts import PoolState
from .program import PROGRAM_ID

USER, POOL, SOURCE, DESTINATION, VAULT_IN, VAULT_OUT, TOKEN_PROGRAM = range(7)


@dataclass(frozen=True, slots=True)
class Swap(Record):
    """Swap exactly ``amount_in`` base units for at least ``min_amount_out``."""

    DISCRIMINATOR = b"exchange"
    amount_in: U64
    min_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapOut(Record):
    """Swap at most ``max_amount_in`` base units for exactly ``amount_out``."""

    DISCRIMINATOR = b"purchase"
    max_amount_in: U64
    amount_out: U64


def swap(
    order: Swap | SwapOut,
    pool: Pubkey,
    state: PoolState,
    user: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    a_to_b: bool,
) -> Instruction:
    vaults = (state.vault_a, state.vault_b) if a_to_b else (state.vault_b, state.vault_a)
    accounts = [
        signer(user),
        readonly(pool),
        writable(source),
        writable(destination),
        *map(writable, vaults),
        readonly(token.PROGRAM_ID),
    ]
    return Instruction(PROGRAM_ID, order.encode(), accounts)
