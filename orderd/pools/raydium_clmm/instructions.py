"""The swap of Raydium CLMM.

Source: raydium-io/raydium-clmm, ``programs/amm/src/instructions/swap_v2.rs`` of 2026. Anchor discriminators are the
first 8 bytes of sha256("global:<instruction>").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_clmm.accounts import PoolState
from orderd.pools.raydium_clmm.addresses import (
    bitmap_extension_address,
    tick_array_address,
)
from orderd.pools.raydium_clmm.program import PROGRAM_ID
from orderd.solana.programs import memo, token
from orderd.solana.programs.layout import (
    U64,
    U128,
    FieldLayout,
    Record,
)
from orderd.solana.programs.metas import readonly, signer, writable

# Account indices of swap_v2. The tick arrays follow, after the bitmap extension if it is named.
(
    PAYER,
    AMM_CONFIG,
    POOL_STATE,
    INPUT_TOKEN_ACCOUNT,
    OUTPUT_TOKEN_ACCOUNT,
    INPUT_VAULT,
    OUTPUT_VAULT,
    OBSERVATION_STATE,
    TOKEN_PROGRAM,
    TOKEN_PROGRAM_2022,
    MEMO_PROGRAM,
    INPUT_VAULT_MINT,
    OUTPUT_VAULT_MINT,
    TICK_ARRAYS,
) = range(14)

Bool = Annotated[bool, FieldLayout("?")]


@dataclass(frozen=True, slots=True)
class SwapV2(Record):
    """Swap ``amount`` base units. With ``is_base_input`` the amount is the exact input and the threshold the minimum
    output; otherwise the amount is the exact output and the threshold the maximum input.

    With a price limit (Q64.64; 0 for none) the program may swap only a part of the amount.
    """

    DISCRIMINATOR = bytes.fromhex("2b04ed0b1ac91e62")
    amount: U64
    other_amount_threshold: U64
    sqrt_price_limit_x64: U128 = 0
    is_base_input: Bool = True


def swap(
    order: SwapV2,
    pool: Pubkey,
    state: PoolState,
    payer: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    zero_for_one: bool,
    tick_arrays: Sequence[int],
    names_bitmap_extension: bool,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Swap token 0 for token 1, or the other way, from ``source`` to ``destination``; ``payer`` owns the source and
    signs.

    ``tick_arrays`` are start indices in the order in which the swap crosses them; the program requires this order.
    """
    side_0, side_1 = (state.vault_0, state.mint_0), (state.vault_1, state.mint_1)
    paid, bought = (side_0, side_1) if zero_for_one else (side_1, side_0)
    accounts = [
        signer(payer),
        readonly(state.amm_config),
        writable(pool),
        writable(source),
        writable(destination),
        writable(paid[0]),
        writable(bought[0]),
        writable(state.observation),
        readonly(token.PROGRAM_ID),
        readonly(token.TOKEN_2022_PROGRAM_ID),
        readonly(memo.PROGRAM_ID),
        readonly(paid[1]),
        readonly(bought[1]),
    ]
    if names_bitmap_extension:
        accounts.append(writable(bitmap_extension_address(pool, program_id)))
    accounts += [writable(tick_array_address(pool, start, program_id)) for start in tick_arrays]
    return Instruction(program_id, order.encode(), accounts)
