"""Handler of Raydium CLMM swaps (swap_v2), with ``orderd.pools.raydium_clmm.maths.pool``.

Source: raydium-io/raydium-clmm, ``programs/amm/src/instructions/{swap_v2,swap}.rs``. Anchor checks the accounts in the
order of the list before the handler runs; the limit of the other amount is checked last, after the transfers.
"""

import hashlib
import struct
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.amm.transfer_fee import TransferFee
from orderd.pools.raydium_clmm.accounts import AmmConfig, PoolState, PoolStatus, TickArrayState
from orderd.pools.raydium_clmm.instructions import (
    AMM_CONFIG,
    INPUT_TOKEN_ACCOUNT,
    INPUT_VAULT,
    INPUT_VAULT_MINT,
    MEMO_PROGRAM,
    OBSERVATION_STATE,
    OUTPUT_TOKEN_ACCOUNT,
    OUTPUT_VAULT,
    OUTPUT_VAULT_MINT,
    PAYER,
    POOL_STATE,
    TICK_ARRAYS,
    TOKEN_PROGRAM,
    TOKEN_PROGRAM_2022,
    SwapV2,
)
from orderd.pools.raydium_clmm.maths import pool as clmm
from orderd.pools.raydium_clmm.simnet.arrays import given_accounts, pool_of, walk_arrays
from orderd.pools.raydium_clmm.simnet.observation import ObservationState
from orderd.pools.raydium_clmm.simnet.write_back import crossed, filled, pool_after
from orderd.pools.raydium_clmm.tick_arrays import array_start, own_bit
from orderd.simnet.codec import decoded
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail
from orderd.simnet.programs.token import TRANSFER_CHECKED_UNITS, transfer_checked
from orderd.simnet.programs.token.extensions import fee_of
from orderd.solana.pool_programs import SwapUnits
from orderd.solana.programs import memo, token
from orderd.solana.programs.derived import signing_address
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import TokenAccount

UNITS: Final = {
    (True, False): SwapUnits(51_800, per_step=15_200),
    (True, True): SwapUnits(60_700, per_step=18_900),
    (False, False): SwapUnits(57_900, per_step=16_400),
    (False, True): SwapUnits(53_900, per_step=17_100),
}
"""Compute units, by whether the input is exact and whether token 0 is paid, measured on the release of April 2026; they
vary by 10 %."""

POOL_DISABLED: Final = 6001
"""NotApproved."""

PRICE_LIMIT: Final = 6013
SLIPPAGE: Final = 6022
TOO_MUCH_PAID: Final = 6023
ZERO_AMOUNT: Final = 6024
INVALID_VAULT: Final = 6025
AMOUNT_TOO_SMALL: Final = 6026
OVERFLOW: Final = 6043
_MATH_ERRORS: Final = {
    SwapErrorKind.ZERO_INPUT: AMOUNT_TOO_SMALL,
    SwapErrorKind.ZERO_OUTPUT: AMOUNT_TOO_SMALL,
    SwapErrorKind.INVALID_PRICE_LIMIT: PRICE_LIMIT,
}

FROZEN: Final = 255
"""The status that the program sets when a vault becomes empty."""

_SWAP_EVENT: Final = hashlib.sha256(b"event:SwapEvent").digest()[:8]


def decode_instruction(data: bytes) -> SwapV2:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    if data.startswith(SwapV2.DISCRIMINATOR):
        return SwapV2.decode(data)
    raise LayoutError(f"not a swap of Raydium CLMM: {data[:8].hex() or 'empty'}")


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    try:
        order = decode_instruction(invocation.data)
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.INSTRUCTION_FALLBACK_NOT_FOUND) from error
    invocation.log("Instruction: SwapV2")
    config, pool, observation = _check_accounts(invocation)
    _swap(invocation, order, config, pool, observation)


_TOKEN_ACCOUNTS: Final = (
    (INPUT_TOKEN_ACCOUNT, "input_token_account"),
    (OUTPUT_TOKEN_ACCOUNT, "output_token_account"),
    (INPUT_VAULT, "input_vault"),
    (OUTPUT_VAULT, "output_vault"),
)
_PROGRAMS: Final = (
    (TOKEN_PROGRAM, token.PROGRAM_ID, "token_program"),
    (TOKEN_PROGRAM_2022, token.TOKEN_2022_PROGRAM_ID, "token_program_2022"),
    (MEMO_PROGRAM, memo.PROGRAM_ID, "memo_program"),
)
_MINTS: Final = (
    (INPUT_VAULT_MINT, INPUT_VAULT, "input_vault_mint"),
    (OUTPUT_VAULT_MINT, OUTPUT_VAULT, "output_vault_mint"),
)


def _check_accounts(invocation: Invocation) -> tuple[AmmConfig, PoolState, ObservationState]:
    """Anchor's checks: first the type of each account, then the constraints between them."""
    if len(invocation.uses) < TICK_ARRAYS:
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_ENOUGH_KEYS)
    if not invocation.is_signer(PAYER):
        raise anchor.account_error(invocation, "payer", *anchor.ACCOUNT_NOT_SIGNER)
    config = anchor.load(invocation, AMM_CONFIG, AmmConfig, "amm_config")
    pool = anchor.load(invocation, POOL_STATE, PoolState, "pool_state")
    for index, name in _TOKEN_ACCOUNTS:
        anchor.token_account(invocation, index, name)
    observation = anchor.load(invocation, OBSERVATION_STATE, ObservationState, "observation_state")
    for index, program, name in _PROGRAMS:
        if invocation.key(index) != program:
            raise anchor.account_error(invocation, name, *anchor.INVALID_PROGRAM_ID)
    for index, _, name in _MINTS:
        anchor.mint(invocation, index, name)
    for name, error in _broken_constraints(invocation, pool):
        raise anchor.account_error(invocation, name, *error)
    return config, pool, observation


def _broken_constraints(invocation: Invocation, pool: PoolState) -> Iterator[tuple[str, tuple[str, int]]]:
    """The account and the error of each constraint that does not hold."""
    key = invocation.key
    if key(AMM_CONFIG) != pool.amm_config:
        yield "amm_config", anchor.CONSTRAINT_ADDRESS
    for index, name in ((POOL_STATE, "pool_state"), *_TOKEN_ACCOUNTS, (OBSERVATION_STATE, "observation_state")):
        if not invocation.is_writable(index):
            yield name, anchor.CONSTRAINT_MUT
    if key(OBSERVATION_STATE) != pool.observation:
        yield "observation_state", anchor.CONSTRAINT_ADDRESS
    for index, vault, name in _MINTS:
        if key(index) != _held(invocation, vault).mint:
            yield name, anchor.CONSTRAINT_ADDRESS


def _swap(
    invocation: Invocation, order: SwapV2, config: AmmConfig, pool: PoolState, observation: ObservationState
) -> None:
    now = invocation.clock.unix_time
    zero_for_one = _held(invocation, INPUT_VAULT).mint == pool.mint_0
    if now <= pool.open_time:
        raise anchor.error(invocation, *anchor.REQUIRE_GT_VIOLATED)
    vaults = (pool.vault_0, pool.vault_1) if zero_for_one else (pool.vault_1, pool.vault_0)
    if (invocation.key(INPUT_VAULT), invocation.key(OUTPUT_VAULT)) != vaults:
        raise fail(invocation, INVALID_VAULT)
    units = UNITS[order.is_base_input, zero_for_one]
    invocation.consume(units.swap - 2 * TRANSFER_CHECKED_UNITS)
    signed_by = signing_address(tuple(pool.seeds), pool.bump, invocation.program_id)
    if signed_by is None:
        raise anchor.panic(invocation, "the pool's seeds and bump must give an address")
    given = given_accounts(invocation)
    fee_in, fee_out = fee_of(invocation, INPUT_VAULT_MINT), fee_of(invocation, OUTPUT_VAULT_MINT)
    net = _without_transfer_fees(order, fee_in, fee_out)
    if net.amount == 0:
        raise fail(invocation, ZERO_AMOUNT)
    if pool.status & PoolStatus.SWAP_DISABLED:
        raise fail(invocation, POOL_DISABLED)
    walk = walk_arrays(invocation, pool, given, zero_for_one=zero_for_one)
    before = pool_of(pool, config, (invocation.account(index).data for index in walk.arrays))
    try:
        swap = _quote(before, net, now, zero_for_one=zero_for_one)
    except SwapError as error:
        if error.kind is SwapErrorKind.INSUFFICIENT_LIQUIDITY:
            invocation.consume(units.per_step * _ticks_ahead(before, zero_for_one=zero_for_one))
            raise walk.exhausted(invocation) from error
        raise fail(invocation, _MATH_ERRORS.get(error.kind, OVERFLOW)) from error
    invocation.consume(units.per_step * swap.steps)
    _store(invocation, pool, swap, walk.arrays)
    if swap.pool.tick_current != pool.tick_current:
        updated = observation.updated(now, pool.tick_current)
        if updated is not observation:
            invocation.store_record(OBSERVATION_STATE, observation, updated)
    is_whole = order.is_base_input and swap.amount_in == net.amount
    sent = order.amount if is_whole else fee_in.before(swap.amount_in)
    _pay(invocation, swap, sent, signed_by)
    _emit(invocation, swap, sent - swap.amount_in, fee_out.of(swap.amount_out), zero_for_one=zero_for_one)
    # The program compares the amount that leaves the vault with the requested one, so that an exact output of a token

    # with a transfer fee always fails.
    if fee_out.bps and not order.is_base_input and order.sqrt_price_limit_x64 == 0:
        raise anchor.error(invocation, *anchor.REQUIRE_EQ_VIOLATED)
    _check_outcome(invocation, net, before, swap)


def _without_transfer_fees(order: SwapV2, fee_in: TransferFee, fee_out: TransferFee) -> SwapV2:
    """The order with the amounts at the curve: the input that arrives, and the output that must leave the vault."""
    amount, other = order.amount, order.other_amount_threshold
    if order.is_base_input:
        return replace(order, amount=amount - fee_in.of(amount), other_amount_threshold=fee_out.before(other))
    return replace(order, amount=fee_out.before(amount), other_amount_threshold=other - fee_in.of(other))


def _ticks_ahead(pool: clmm.ClmmPool, *, zero_for_one: bool) -> int:
    """Number of ticks that a swap crosses before it runs out of liquidity."""
    return sum((each.tick <= pool.tick_current) == zero_for_one for each in pool.ticks)


def _quote(pool: clmm.ClmmPool, order: SwapV2, now: int, *, zero_for_one: bool) -> clmm.ClmmSwap:
    swap = clmm.swap_exact_in if order.is_base_input else clmm.swap_exact_out
    limit = order.sqrt_price_limit_x64 or None
    return swap(pool, order.amount, zero_for_one=zero_for_one, now=now, sqrt_price_limit=limit)


def _store(invocation: Invocation, pool: PoolState, swap: clmm.ClmmSwap, arrays: dict[int, TickArrayState]) -> None:
    """Write the swap's changes to the pool, and to the tick arrays with crossed ticks or filled orders."""
    epoch = invocation.clock.epoch
    after = pool_after(pool, swap.pool, epoch)
    if _held(invocation, OUTPUT_VAULT).amount <= swap.amount_out:
        after = replace(after, status=FROZEN)
    places = {array.start_tick_index: index for index, array in arrays.items()}
    changed: dict[int, TickArrayState] = {}
    for tick in swap.filled:
        index = places[array_start(tick.tick, pool.tick_spacing)]
        changed[index] = filled(changed.get(index, arrays[index]), tick, pool, epoch=epoch)
        if changed[index].initialized_tick_count == 0:
            after = _without_array(after, changed[index].start_tick_index)
    for crossing in swap.crossings:
        index = places[array_start(crossing.tick, pool.tick_spacing)]
        growths = {"fee_growth_0": crossing.fee_growth_global_0, "fee_growth_1": crossing.fee_growth_global_1}
        changed[index] = crossed(changed.get(index, arrays[index]), crossing.tick, pool, **growths, epoch=epoch)
    invocation.store_record(POOL_STATE, pool, after)
    for index, array in changed.items():
        invocation.store_record(index, arrays[index], array)


def _without_array(pool: PoolState, start: int) -> PoolState:
    """The pool after the last initialized tick of an array is gone.

    The bitmap extension is not updated, because no pool of simnet has orders that far from the price.
    """
    bit = own_bit(start, pool.tick_spacing)
    return pool if bit is None else replace(pool, tick_array_bitmap=pool.tick_array_bitmap ^ bit)


def _pay(invocation: Invocation, swap: clmm.ClmmSwap, sent: int, signed_by: Pubkey) -> None:
    """Transfer ``sent`` from the user to one vault, and the output from the other vault to the user."""
    payer, pool = invocation.key(PAYER), invocation.key(POOL_STATE)
    _transfer(invocation, INPUT_TOKEN_ACCOUNT, INPUT_VAULT, INPUT_VAULT_MINT, payer, sent, ())
    _transfer(invocation, OUTPUT_VAULT, OUTPUT_TOKEN_ACCOUNT, OUTPUT_VAULT_MINT, pool, swap.amount_out, (signed_by,))


def _transfer(
    invocation: Invocation,
    source: int,
    destination: int,
    mint: int,
    authority: Pubkey,
    amount: int,
    signed_by: Collection[Pubkey],
) -> None:
    key = invocation.key
    decimals = anchor.mint(invocation, mint, "mint").decimals
    program = invocation.account(source).owner
    transfer_checked(
        invocation, key(source), key(mint), key(destination), authority, amount, decimals, program, signed_by
    )


def _emit(invocation: Invocation, swap: clmm.ClmmSwap, fee_in: int, fee_out: int, *, zero_for_one: bool) -> None:
    """Log the SwapEvent: for token 0 and token 1, the amount and its transfer fee."""
    key, end = invocation.key, swap.pool
    accounts = (key(INPUT_TOKEN_ACCOUNT), key(OUTPUT_TOKEN_ACCOUNT))
    amounts = ((swap.amount_in, fee_in), (swap.amount_out - fee_out, fee_out))
    if not zero_for_one:
        accounts, amounts = accounts[::-1], amounts[::-1]
    invocation.log_data(
        _SWAP_EVENT
        + b"".join(map(bytes, (key(POOL_STATE), key(PAYER), *accounts)))
        + struct.pack("<QQQQ?", *amounts[0], *amounts[1], zero_for_one)
        + end.sqrt_price.to_bytes(16, "little")
        + end.liquidity.to_bytes(16, "little")
        + struct.pack("<i", end.tick_current)
    )


def _check_outcome(invocation: Invocation, order: SwapV2, before: clmm.ClmmPool, swap: clmm.ClmmSwap) -> None:
    """Check that the price moved, that without a price limit the whole amount was used, and the limit of the other
    amount."""
    if swap.pool.sqrt_price == before.sqrt_price:
        raise anchor.error(invocation, *anchor.REQUIRE_GT_VIOLATED)
    if swap.partial_fill and order.sqrt_price_limit_x64 == 0:
        raise anchor.error(invocation, *anchor.REQUIRE_EQ_VIOLATED)
    if order.is_base_input and swap.amount_out < order.other_amount_threshold:
        raise fail(invocation, SLIPPAGE)
    if not order.is_base_input and swap.amount_in > order.other_amount_threshold:
        raise fail(invocation, TOO_MUCH_PAID)


def _held(invocation: Invocation, index: int) -> TokenAccount:
    """A token account whose type has been checked."""
    return decoded(TokenAccount, invocation.account(index).data)
