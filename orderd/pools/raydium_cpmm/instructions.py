"""The swaps of Raydium CPMM.

Source: raydium-io/raydium-cp-swap, ``programs/cp-swap/src/instructions/swap_base_{input,output}.rs``. Anchor
discriminators are the first 8 bytes of sha256("global:<instruction>").
"""

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.pools.raydium_cpmm.accounts import PoolState
from orderd.pools.raydium_cpmm.addresses import authority_address
from orderd.pools.raydium_cpmm.program import (
    PROGRAM_ID,
)
from orderd.solana.programs.layout import (
    U64,
    Record,
)
from orderd.solana.programs.metas import readonly, signer, writable

# Account indices of swap_base_input and swap_base_output.
(
    PAYER,
    AUTHORITY,
    AMM_CONFIG,
    POOL_STATE,
    INPUT_TOKEN_ACCOUNT,
    OUTPUT_TOKEN_ACCOUNT,
    INPUT_VAULT,
    OUTPUT_VAULT,
    INPUT_TOKEN_PROGRAM,
    OUTPUT_TOKEN_PROGRAM,
    INPUT_TOKEN_MINT,
    OUTPUT_TOKEN_MINT,
    OBSERVATION_STATE,
) = range(13)


@dataclass(frozen=True, slots=True)
class SwapBaseInput(Record):
    """Swap exactly ``amount_in`` base units for at least ``minimum_amount_out``."""

    DISCRIMINATOR = bytes.fromhex("8fbe5adac41e33de")
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOutput(Record):
    """Swap at most ``max_amount_in`` base units for exactly ``amount_out``."""

    DISCRIMINATOR = bytes.fromhex("37d96256a34ab4ad")
    max_amount_in: U64
    amount_out: U64


def swap(
    order: SwapBaseInput | SwapBaseOutput,
    pool: Pubkey,
    state: PoolState,
    payer: Pubkey,
    source: Pubkey,
    destination: Pubkey,
    *,
    zero_for_one: bool,
    program_id: Pubkey = PROGRAM_ID,
) -> Instruction:
    """Swap token 0 for token 1, or the other way, from ``source`` to ``destination``; ``payer`` owns the source and
    signs."""
    side_0 = (state.vault_0, state.token_0_program, state.mint_0)
    side_1 = (state.vault_1, state.token_1_program, state.mint_1)
    paid, bought = (side_0, side_1) if zero_for_one else (side_1, side_0)
    accounts = [
        signer(payer),
        readonly(authority_address(program_id)[0]),
        readonly(state.amm_config),
        writable(pool),
        writable(source),
        writable(destination),
        writable(paid[0]),
        writable(bought[0]),
        readonly(paid[1]),
        readonly(bought[1]),
        readonly(paid[2]),
        readonly(bought[2]),
        writable(state.observation),
    ]
    return Instruction(program_id, order.encode(), accounts)
