"""The swap instructions of Raydium AMM v4. Their discriminator is one byte.

Source: raydium-io/raydium-amm, ``program/src/instruction.rs``. The program no longer trades on an order book. The older
instructions (``SwapBaseIn``, ``SwapBaseOut``) still name the accounts of its market; the ones here do not.
"""

from dataclasses import dataclass
from enum import IntEnum

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_amm_v4.accounts import (
    AmmInfo,
)
from orderd.pools.raydium_amm_v4.addresses import authority_address
from orderd.pools.raydium_amm_v4.program import (
    PROGRAM_ID,
)
from orderd.solana.programs import token
from orderd.solana.programs.layout import U64, Record
from orderd.solana.programs.metas import readonly, signer, writable


class SwapV2Account(IntEnum):
    """Account indices of ``SwapBaseInV2`` and ``SwapBaseOutV2``."""

    TOKEN_PROGRAM = 0
    AMM = 1
    AUTHORITY = 2
    COIN_VAULT = 3
    PC_VAULT = 4
    USER_SOURCE = 5
    USER_DESTINATION = 6
    USER = 7


@dataclass(frozen=True, slots=True)
class SwapBaseInV2(Record):
    """Swap exactly ``amount_in`` base units for at least ``minimum_amount_out``."""

    DISCRIMINATOR = b"\x10"
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOutV2(Record):
    """Swap at most ``max_amount_in`` base units for exactly ``amount_out``."""

    DISCRIMINATOR = b"\x11"
    max_amount_in: U64
    amount_out: U64


def swap(
    order: SwapBaseInV2 | SwapBaseOutV2,
    amm: Pubkey,
    state: AmmInfo,
    user: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Swap between ``source`` and ``destination``; the direction follows from the accounts' mints. ``user`` signs."""
    accounts = [
        readonly(token.PROGRAM_ID),
        writable(amm),
        readonly(authority_address(program_id)[0]),
        writable(state.coin_vault),
        writable(state.pc_vault),
        writable(source),
        writable(destination),
        signer(user),
    ]
    return Instruction(program_id, order.encode(), accounts)
