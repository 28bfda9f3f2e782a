"""The swap of Meteora DAMM v2.

Source: MeteoraAg/damm-v2, ``programs/cp-amm/src/instructions/swap``, release 0.2. Anchor discriminators are the first 8
bytes of sha256("global:<instruction>"); Meteora DLMM uses the same one for its ``swap2``, so the program id must be
checked.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_damm_v2.accounts import BaseFeeMode, Pool
from orderd.pools.meteora_damm_v2.addresses import (
    EVENT_AUTHORITY_ADDRESS,
    POOL_AUTHORITY_ADDRESS,
)
from orderd.pools.meteora_damm_v2.program import PROGRAM_ID
from orderd.solana.programs.layout import U8, U64, Record
from orderd.solana.programs.metas import readonly, signer, writable

# Account indices of swap2.
(
    POOL_AUTHORITY,
    POOL,
    INPUT_TOKEN_ACCOUNT,
    OUTPUT_TOKEN_ACCOUNT,
    TOKEN_A_VAULT,
    TOKEN_B_VAULT,
    TOKEN_A_MINT,
    TOKEN_B_MINT,
    PAYER,
    TOKEN_A_PROGRAM,
    TOKEN_B_PROGRAM,
    REFERRAL_TOKEN_ACCOUNT,
    EVENT_AUTHORITY,
    OWN_PROGRAM,
    INSTRUCTIONS,
) = range(15)

INSTRUCTIONS_SYSVAR: Final = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
"""The account in which the program looks for other swaps in the same pool while a rate limiter applies."""


class SwapMode(IntEnum):
    """The meaning of the two amounts of a swap."""

    EXACT_IN = 0
    PARTIAL_FILL = 1
    """As EXACT_IN, but if the pool's price range ends before the amount is used up, the rest is not paid."""
    EXACT_OUT = 2


@dataclass(frozen=True, slots=True)
class Swap2(Record):
    """A swap, in base units.

    EXACT_IN and PARTIAL_FILL: ``amount_0`` in, at least ``amount_1`` out. EXACT_OUT: ``amount_0`` out, at most
    ``amount_1`` in.
    """

    DISCRIMINATOR = bytes.fromhex("414b3f4ceb5b5b88")
    amount_0: U64
    amount_1: U64
    swap_mode: U8 = SwapMode.EXACT_IN


@dataclass(frozen=True, slots=True)
class Swap(Record):
    """The older instruction: exactly ``amount_in`` for at least ``minimum_amount_out``, with the same accounts as
    ``Swap2``."""

    DISCRIMINATOR = bytes.fromhex("f8c69e91e17587c8")
    amount_in: U64
    minimum_amount_out: U64


def swap(
    order: Swap2,
    pool: Pubkey,
    state: Pool,
    payer: Pubkey,
    source: Pubkey,
    destination: Pubkey,
) -> Instruction:
    """Swap between ``source`` and ``destination``; the direction follows from the accounts' mints. ``payer`` signs."""
    accounts = [
        readonly(POOL_AUTHORITY_ADDRESS),
        writable(pool),
        writable(source),
        writable(destination),
        writable(state.token_a_vault),
        writable(state.token_b_vault),
        readonly(state.token_a_mint),
        readonly(state.token_b_mint),
        signer(payer),
        readonly(state.token_a_program),
        readonly(state.token_b_program),
        readonly(PROGRAM_ID),  # no referral account
        readonly(EVENT_AUTHORITY_ADDRESS),
        readonly(PROGRAM_ID),
    ]
    if state.fees.base_fee.base_fee_mode == BaseFeeMode.RATE_LIMITER:
        accounts.append(readonly(INSTRUCTIONS_SYSVAR))
    return Instruction(PROGRAM_ID, order.encode(), accounts)
