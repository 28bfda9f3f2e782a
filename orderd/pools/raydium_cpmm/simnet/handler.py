"""Handler of Raydium CPMM swaps, with ``orderd.pools.raydium_cpmm.maths.pool``.

Source: raydium-io/raydium-cp-swap, ``programs/cp-swap/src/instructions/swap_base_{input,output}.rs``. Anchor checks
the accounts in the order of the list, before the handler runs.
"""

from collections.abc import Iterator
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.amm.transfer_fee import TransferFee
from orderd.pools.raydium_cpmm.accounts import AmmConfig, PoolState
from orderd.pools.raydium_cpmm.addresses import authority_address
from orderd.pools.raydium_cpmm.instructions import (
    AMM_CONFIG,
    AUTHORITY,
    INPUT_TOKEN_ACCOUNT,
    INPUT_TOKEN_MINT,
    INPUT_TOKEN_PROGRAM,
    INPUT_VAULT,
    OBSERVATION_STATE,
    OUTPUT_TOKEN_ACCOUNT,
    OUTPUT_TOKEN_MINT,
    OUTPUT_TOKEN_PROGRAM,
    OUTPUT_VAULT,
    PAYER,
    POOL_STATE,
    SwapBaseInput,
    SwapBaseOutput,
)
from orderd.pools.raydium_cpmm.maths import pool as cpmm
from orderd.pools.raydium_cpmm.simnet.observation import ObservationState
from orderd.pools.raydium_cpmm.simnet.write_back import pool_after
from orderd.simnet.account import TOKEN_PROGRAMS
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail
from orderd.simnet.programs.token import TRANSFER_CHECKED_UNITS, transfer_checked
from orderd.simnet.programs.token.extensions import fee_of
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import TokenAccount

UNITS: Final = 33_300 - 2 * TRANSFER_CHECKED_UNITS

POOL_DISABLED: Final = 6000
"""NotApproved."""

SLIPPAGE: Final = 6005
INVALID_VAULT: Final = 6008


def decode_instruction(data: bytes) -> SwapBaseInput | SwapBaseOutput:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    for kind in (SwapBaseInput, SwapBaseOutput):
        if data.startswith(kind.DISCRIMINATOR):
            return kind.decode(data)
    raise LayoutError(f"not a swap of Raydium CPMM: {data[:8].hex() or 'empty'}")


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    try:
        order = decode_instruction(invocation.data)
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.INSTRUCTION_FALLBACK_NOT_FOUND) from error
    invocation.log(f"Instruction: {type(order).__name__}")
    invocation.consume(UNITS)
    config, pool, observation = _check_accounts(invocation)
    _swap(invocation, order, config, pool, observation)


def _check_accounts(invocation: Invocation) -> tuple[AmmConfig, PoolState, ObservationState]:
    """Anchor's checks: first the type of each account, then the constraints between them."""
    if len(invocation.uses) <= OBSERVATION_STATE:
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_ENOUGH_KEYS)
    if not invocation.is_signer(PAYER):
        raise anchor.account_error(invocation, "payer", *anchor.ACCOUNT_NOT_SIGNER)
    config = anchor.load(invocation, AMM_CONFIG, AmmConfig, "amm_config")
    pool = anchor.load(invocation, POOL_STATE, PoolState, "pool_state")
    for index, name in _TOKEN_ACCOUNTS:
        anchor.token_account(invocation, index, name)
    for index, name in ((INPUT_TOKEN_PROGRAM, "input_token_program"), (OUTPUT_TOKEN_PROGRAM, "output_token_program")):
        if invocation.key(index) not in TOKEN_PROGRAMS:
            raise anchor.account_error(invocation, name, *anchor.INVALID_PROGRAM_ID)
    observation = anchor.load(invocation, OBSERVATION_STATE, ObservationState, "observation_state")
    for name, error in _broken_constraints(invocation, pool):
        raise anchor.account_error(invocation, name, *error)
    return config, pool, observation


def _broken_constraints(invocation: Invocation, pool: PoolState) -> Iterator[tuple[str, tuple[str, int]]]:
    """The account and the error of each constraint that does not hold."""
    key = invocation.key
    if key(AUTHORITY) != authority_address(invocation.program_id)[0]:
        yield "authority", anchor.CONSTRAINT_SEEDS
    if key(AMM_CONFIG) != pool.amm_config:
        yield "amm_config", anchor.CONSTRAINT_ADDRESS
    for index, name in ((POOL_STATE, "pool_state"), *_TOKEN_ACCOUNTS, (OBSERVATION_STATE, "observation_state")):
        if not invocation.is_writable(index):
            yield name, anchor.CONSTRAINT_MUT
    for vault, mint, side in ((INPUT_VAULT, INPUT_TOKEN_MINT, "input"), (OUTPUT_VAULT, OUTPUT_TOKEN_MINT, "output")):
        if key(vault) not in (pool.vault_0, pool.vault_1):
            yield f"{side}_vault", anchor.CONSTRAINT_RAW
        if decoded(TokenAccount, invocation.account(vault).data).mint != key(mint):
            yield f"{side}_token_mint", anchor.CONSTRAINT_ADDRESS
    if key(OBSERVATION_STATE) != pool.observation:
        yield "observation_state", anchor.CONSTRAINT_ADDRESS


_TOKEN_ACCOUNTS: Final = (
    (INPUT_TOKEN_ACCOUNT, "input_token_account"),
    (OUTPUT_TOKEN_ACCOUNT, "output_token_account"),
    (INPUT_VAULT, "input_vault"),
    (OUTPUT_VAULT, "output_vault"),
)


def _swap(
    invocation: Invocation,
    order: SwapBaseInput | SwapBaseOutput,
    config: AmmConfig,
    pool: PoolState,
    observation: ObservationState,
) -> None:
    now = invocation.clock.unix_time
    if isinstance(order, SwapBaseOutput) and order.amount_out == 0:
        raise anchor.error(invocation, *anchor.REQUIRE_GT_VIOLATED)
    if not pool.accepts_swaps(now):
        raise fail(invocation, POOL_DISABLED)
    sides = (invocation.key(INPUT_VAULT), invocation.key(OUTPUT_VAULT))
    if sides not in ((pool.vault_0, pool.vault_1), (pool.vault_1, pool.vault_0)):
        raise fail(invocation, INVALID_VAULT)
    zero_for_one = sides[0] == pool.vault_0
    vault_in = decoded(TokenAccount, invocation.account(INPUT_VAULT).data)
    vault_out = decoded(TokenAccount, invocation.account(OUTPUT_VAULT).data)
    vault_0, vault_1 = (vault_in, vault_out) if zero_for_one else (vault_out, vault_in)
    before = pool.to_pool(config, vault_0.amount, vault_1.amount)
    fee_in, fee_out = fee_of(invocation, INPUT_TOKEN_MINT), fee_of(invocation, OUTPUT_TOKEN_MINT)
    net = _without_transfer_fees(order, fee_in, fee_out)
    try:
        swap = _quote(before, net, zero_for_one=zero_for_one)
    except SwapError as error:
        raise _refusal(invocation, error, order, pool, zero_for_one=zero_for_one) from error
    within = (
        swap.amount_out >= net.minimum_amount_out
        if isinstance(net, SwapBaseInput)
        else swap.amount_in <= net.max_amount_in
    )
    if not within:
        raise fail(invocation, SLIPPAGE)
    sent = order.amount_in if isinstance(order, SwapBaseInput) else fee_in.before(swap.amount_in)
    _settle(invocation, pool, swap, sent, zero_for_one=zero_for_one)
    updated = observation.updated(now, before.reserve_0, before.reserve_1)
    if updated is not observation:
        invocation.store_record(OBSERVATION_STATE, observation, updated)


def _without_transfer_fees(
    order: SwapBaseInput | SwapBaseOutput, fee_in: TransferFee, fee_out: TransferFee
) -> SwapBaseInput | SwapBaseOutput:
    """The order with the amounts at the curve: the input that arrives, and the output that must leave the vault."""
    if isinstance(order, SwapBaseInput):
        arrives = order.amount_in - fee_in.of(order.amount_in)
        return SwapBaseInput(arrives, fee_out.before(order.minimum_amount_out))
    arrives = order.max_amount_in - fee_in.of(order.max_amount_in)
    return SwapBaseOutput(arrives, fee_out.before(order.amount_out))


def _quote(pool: cpmm.CpmmPool, order: SwapBaseInput | SwapBaseOutput, *, zero_for_one: bool) -> cpmm.CpmmSwap:
    if isinstance(order, SwapBaseInput):
        return cpmm.swap_exact_in(pool, order.amount_in, zero_for_one=zero_for_one)
    return cpmm.swap_exact_out(pool, order.amount_out, zero_for_one=zero_for_one)


def _refusal(
    invocation: Invocation,
    error: SwapError,
    order: SwapBaseInput | SwapBaseOutput,
    pool: PoolState,
    *,
    zero_for_one: bool,
) -> InstructionError:
    """The program's error for an error of the maths.

    For an amount that overflows the vault, the program first tries to take it from the user, who does not have it.
    """
    match error.kind:
        case SwapErrorKind.ZERO_INPUT | SwapErrorKind.ZERO_OUTPUT:
            return anchor.error(invocation, *anchor.REQUIRE_GT_VIOLATED)
        case SwapErrorKind.VAULT_BALANCE_OVERFLOW if isinstance(order, SwapBaseInput):
            _take(invocation, pool, order.amount_in, zero_for_one=zero_for_one)
    return anchor.panic(invocation, f"the curve has no answer: {error.kind}")


def _settle(invocation: Invocation, pool: PoolState, swap: cpmm.CpmmSwap, sent: int, *, zero_for_one: bool) -> None:
    """Store the fees, transfer ``sent`` from the user, and pay the output from the vault."""
    after = pool_after(pool, swap.pool, invocation.clock.epoch)
    invocation.store_record(POOL_STATE, pool, after)
    _take(invocation, pool, sent, zero_for_one=zero_for_one)
    key = invocation.key
    decimals = pool.mint_1_decimals if zero_for_one else pool.mint_0_decimals
    bought: tuple[Pubkey, Pubkey, Pubkey] = (key(OUTPUT_VAULT), key(OUTPUT_TOKEN_MINT), key(OUTPUT_TOKEN_ACCOUNT))
    authority = key(AUTHORITY)
    program = key(OUTPUT_TOKEN_PROGRAM)
    transfer_checked(invocation, *bought, authority, swap.amount_out, decimals, program, signed_by=(authority,))


def _take(invocation: Invocation, pool: PoolState, amount: int, *, zero_for_one: bool) -> None:
    """Transfer the input from the user's account to the vault."""
    key = invocation.key
    decimals = pool.mint_0_decimals if zero_for_one else pool.mint_1_decimals
    paid: tuple[Pubkey, Pubkey, Pubkey] = (key(INPUT_TOKEN_ACCOUNT), key(INPUT_TOKEN_MINT), key(INPUT_VAULT))
    transfer_checked(invocation, *paid, key(PAYER), amount, decimals, key(INPUT_TOKEN_PROGRAM))
