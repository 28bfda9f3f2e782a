"""The swaps of Meteora DLMM.

Source: MeteoraAg/dlmm-sdk, ``idls/dlmm.json`` (lb_clmm 0.12.0). Anchor discriminators are the first 8 bytes of
sha256("global:<instruction>").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.meteora_dlmm.addresses import (
    EVENT_AUTHORITY_ADDRESS,
    bin_array_address,
    bitmap_extension_address,
)
from orderd.pools.meteora_dlmm.program import PROGRAM_ID
from orderd.solana.programs import memo
from orderd.solana.programs.layout import (
    U64,
    Record,
    Tail,
)
from orderd.solana.programs.metas import readonly, signer, writable

# Account indices of swap2 and swap_exact_out2; the bin arrays follow.
(
    LB_PAIR,
    BITMAP_EXTENSION,
    RESERVE_X,
    RESERVE_Y,
    USER_TOKEN_IN,
    USER_TOKEN_OUT,
    TOKEN_X_MINT,
    TOKEN_Y_MINT,
    ORACLE,
    HOST_FEE_IN,
    USER,
    TOKEN_X_PROGRAM,
    TOKEN_Y_PROGRAM,
    MEMO_PROGRAM,
    EVENT_AUTHORITY,
    OWN_PROGRAM,
    BIN_ARRAYS,
) = range(17)


NO_SLICES: Final = bytes(4)
"""RemainingAccountsInfo without slices: no accounts for transfer hooks."""


@dataclass(frozen=True, slots=True)
class Swap2(Record):
    """Swap exactly ``amount_in`` base units for at least ``min_amount_out``."""

    DISCRIMINATOR = bytes.fromhex("414b3f4ceb5b5b88")
    amount_in: U64
    min_amount_out: U64
    remaining_accounts_info: Tail = NO_SLICES


@dataclass(frozen=True, slots=True)
class SwapExactOut2(Record):
    """Swap at most ``max_in_amount`` base units for exactly ``out_amount``."""

    DISCRIMINATOR = bytes.fromhex("2bd7f784893cf351")
    max_in_amount: U64
    out_amount: U64
    remaining_accounts_info: Tail = NO_SLICES


def swap(
    order: Swap2 | SwapExactOut2,
    lb_pair: Pubkey,
    state: LbPair,
    user: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    bin_arrays: Sequence[int],
    has_bitmap_extension: bool,
) -> Instruction:
    """Swap between ``source`` and ``destination``; the direction follows from the accounts' mints. ``user`` signs.

    ``bin_arrays`` are indices in the order in which the swap crosses them; the program requires this order.
    """
    extension = writable(bitmap_extension_address(lb_pair)) if has_bitmap_extension else readonly(PROGRAM_ID)
    accounts = [
        writable(lb_pair),
        extension,
        writable(state.reserve_x),
        writable(state.reserve_y),
        writable(source),
        writable(destination),
        readonly(state.mint_x),
        readonly(state.mint_y),
        writable(state.oracle),
        readonly(PROGRAM_ID),  # no host fee account
        signer(user),
        readonly(state.token_x_program),
        readonly(state.token_y_program),
        readonly(memo.PROGRAM_ID),
        readonly(EVENT_AUTHORITY_ADDRESS),
        readonly(PROGRAM_ID),
        *(writable(bin_array_address(lb_pair, index)) for index in bin_arrays),
    ]
    return Instruction(PROGRAM_ID, order.encode(), accounts)
