"""Handler of Meteora DAMM v2 swaps, with ``orderd.pools.meteora_damm_v2.maths.pool``: swap, and swap2 in its three
modes.

Source: MeteoraAg/damm-v2, ``programs/cp-amm/src/instructions/swap/``. The program checks the accounts itself, in the
order below, and names no account in its errors. Referral accounts are not supported.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.stretch import Stretch
from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind
from orderd.amm.transfer_fee import TransferFee
from orderd.amm.volatility import fee_on_top
from orderd.pools.meteora_damm_v2.accounts import BaseFeeMode, Pool
from orderd.pools.meteora_damm_v2.addresses import EVENT_AUTHORITY_ADDRESS, POOL_AUTHORITY_ADDRESS
from orderd.pools.meteora_damm_v2.instructions import (
    EVENT_AUTHORITY,
    INPUT_TOKEN_ACCOUNT,
    INSTRUCTIONS,
    INSTRUCTIONS_SYSVAR,
    OUTPUT_TOKEN_ACCOUNT,
    OWN_PROGRAM,
    PAYER,
    POOL,
    POOL_AUTHORITY,
    REFERRAL_TOKEN_ACCOUNT,
    TOKEN_A_MINT,
    TOKEN_A_PROGRAM,
    TOKEN_A_VAULT,
    TOKEN_B_MINT,
    TOKEN_B_PROGRAM,
    TOKEN_B_VAULT,
    Swap,
    Swap2,
    SwapMode,
)
from orderd.pools.meteora_damm_v2.maths import pool as damm_v2
from orderd.pools.meteora_damm_v2.simnet.write_back import pool_after
from orderd.simnet.account import TOKEN_PROGRAMS
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail
from orderd.simnet.programs.token import TRANSFER_CHECKED_UNITS, transfer_checked
from orderd.simnet.programs.token.extensions import fee_of
from orderd.solana.programs import system
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import TokenAccount

UNITS_OF_EVENT: Final = 1_600
UNITS: Final = 18_500 - UNITS_OF_EVENT - 2 * TRANSFER_CHECKED_UNITS
UNITS_OF_FEE: Final[Mapping[tuple[int, bool], int]] = {
    (BaseFeeMode.TIME_EXPONENTIAL, False): 2_500,
    (BaseFeeMode.TIME_EXPONENTIAL, True): 2_500,
    (BaseFeeMode.MARKET_CAP_EXPONENTIAL, False): 2_500,
    (BaseFeeMode.MARKET_CAP_EXPONENTIAL, True): 2_500,
    (BaseFeeMode.RATE_LIMITER, False): 3_000,
    (BaseFeeMode.RATE_LIMITER, True): 22_000,
}
"""Compute units for a base fee other than the cliff, by fee mode and whether the output is exact; measured on release
0.2.0."""

OVERFLOW: Final = 6000
SLIPPAGE: Final = 6002
POOL_DISABLED: Final = 6003
AMOUNT_IS_ZERO: Final = 6006
TYPE_CAST_FAILED: Final = 6007
PRICE_RANGE: Final = 6015
INVALID_INPUT: Final = 6018
NOT_ALONE: Final = 6049
"""FailToValidateSingleSwapInstruction."""

_SWAP_EVENT: Final = hashlib.sha256(b"event:EvtSwap2").digest()[:8]


def decode_instruction(data: bytes) -> Swap2:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    if data.startswith(Swap2.DISCRIMINATOR):
        return Swap2.decode(data)
    if data.startswith(Swap.DISCRIMINATOR):
        order = Swap.decode(data)
        return Swap2(order.amount_in, order.minimum_amount_out, SwapMode.EXACT_IN)
    raise LayoutError(f"not a swap of Meteora DAMM v2: {data[:8].hex() or 'empty'}")


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    if anchor.is_event(invocation):
        invocation.consume(UNITS_OF_EVENT)
        return
    try:
        order = decode_instruction(invocation.data)
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.INSTRUCTION_FALLBACK_NOT_FOUND) from error
    invocation.log(f"Instruction: {'Swap' if invocation.data.startswith(Swap.DISCRIMINATOR) else 'Swap2'}")
    invocation.consume(UNITS)
    pool = _check_accounts(invocation)
    slot, now = invocation.clock
    if not pool.accepts_swaps(slot=slot, unix_time=now):
        raise fail(invocation, POOL_DISABLED)
    if order.amount_0 == 0:
        raise fail(invocation, AMOUNT_IS_ZERO)
    if invocation.key(REFERRAL_TOKEN_ACCOUNT) != invocation.program_id:
        raise fail(invocation, INVALID_INPUT)
    _swap(invocation, pool, order)


def _check_accounts(invocation: Invocation) -> Pool:
    """The program's checks of accounts, in its order. Raises InstructionError."""
    invocation.require(OWN_PROGRAM + 1)
    pool = _check_pool(invocation)
    for index in (INPUT_TOKEN_ACCOUNT, OUTPUT_TOKEN_ACCOUNT):
        _check_token_account(invocation, index)
    for index, program in ((TOKEN_A_VAULT, TOKEN_A_PROGRAM), (TOKEN_B_VAULT, TOKEN_B_PROGRAM)):
        _check_token_account(invocation, index)
        if invocation.account(index).owner != invocation.key(program):
            raise anchor.error(invocation, *anchor.CONSTRAINT_TOKEN_TOKEN_PROGRAM)
    for index, mint in ((TOKEN_A_VAULT, TOKEN_A_MINT), (TOKEN_B_VAULT, TOKEN_B_MINT)):
        if _mint(invocation, index) != invocation.key(mint):
            raise anchor.error(invocation, *anchor.CONSTRAINT_TOKEN_MINT)
    if not invocation.is_signer(PAYER):
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_SIGNER)
    if invocation.key(EVENT_AUTHORITY) != EVENT_AUTHORITY_ADDRESS:
        raise anchor.error(invocation, *anchor.CONSTRAINT_SEEDS)
    return pool


def _check_pool(invocation: Invocation) -> Pool:
    key = invocation.key
    if key(POOL_AUTHORITY) != POOL_AUTHORITY_ADDRESS:
        raise anchor.error(invocation, *anchor.CONSTRAINT_ADDRESS)
    account = invocation.account(POOL)
    if account.owner != invocation.program_id:
        raise anchor.error(invocation, *anchor.ACCOUNT_OWNED_BY_WRONG_PROGRAM)
    if not invocation.is_writable(POOL):
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_MUTABLE)
    try:
        pool = decoded(Pool, account.data)
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.ACCOUNT_DISCRIMINATOR_MISMATCH) from error
    if (key(TOKEN_A_VAULT), key(TOKEN_B_VAULT)) != (pool.token_a_vault, pool.token_b_vault):
        raise anchor.error(invocation, *anchor.CONSTRAINT_HAS_ONE)
    return pool


def _check_token_account(invocation: Invocation, index: int) -> None:
    if not invocation.is_writable(index):
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_MUTABLE)
    account = invocation.account(index)
    if account.owner == system.PROGRAM_ID and account.lamports == 0:
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_INITIALIZED)
    if account.owner not in TOKEN_PROGRAMS:
        raise anchor.error(invocation, *anchor.ACCOUNT_OWNED_BY_WRONG_PROGRAM)


def _mint(invocation: Invocation, index: int) -> Pubkey:
    """The mint of a token account."""
    try:
        return decoded(TokenAccount, invocation.account(index).data).mint
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.ACCOUNT_DID_NOT_DESERIALIZE) from error


def _swap(invocation: Invocation, pool: Pool, order: Swap2) -> None:
    """Execute a swap. The mint of the user's source determines the direction; the token program checks the
    destination."""
    a_to_b = _mint(invocation, INPUT_TOKEN_ACCOUNT) == pool.token_a_mint
    slot, now = invocation.clock
    before, point = pool.to_pool(), pool.point(slot=slot, unix_time=now)
    if damm_v2.is_rate_limited(before, a_to_b=a_to_b, point=point):
        _check_instructions(invocation)
    mints = (TOKEN_A_MINT, TOKEN_B_MINT) if a_to_b else (TOKEN_B_MINT, TOKEN_A_MINT)
    fee_in, fee_out = (fee_of(invocation, mint) for mint in mints)
    net = _without_transfer_fees(order, fee_in, fee_out)
    try:
        swap = _quote(before, net, a_to_b=a_to_b, now=now, point=point)
    except SwapError as error:
        raise fail(invocation, _code(error, before, net, a_to_b=a_to_b, point=point)) from error
    is_purchase = order.swap_mode == SwapMode.EXACT_OUT
    if swap.fee_numerator != pool.fees.base_fee.cliff_fee_numerator + before.dynamic_fee.numerator:
        invocation.consume(UNITS_OF_FEE.get((pool.fees.base_fee.base_fee_mode, is_purchase), 0))
    if not (swap.amount_in <= net.amount_1 if is_purchase else swap.amount_out >= net.amount_1):
        raise fail(invocation, SLIPPAGE)
    after = pool_after(pool, swap, a_to_b=a_to_b)
    invocation.store_record(POOL, pool, after)
    is_whole = not is_purchase and swap.amount_in == net.amount_0
    sent = order.amount_0 if is_whole else fee_in.before(swap.amount_in)
    _pay(invocation, swap, sent, a_to_b=a_to_b)
    arrives = swap.amount_out - fee_out.of(swap.amount_out)
    _emit(invocation, after, order, swap, (sent, net.amount_0 - swap.amount_in, arrives), a_to_b=a_to_b)


def _check_instructions(invocation: Invocation) -> None:
    """Check that the instructions sysvar is given, in which the program looks for other swaps in this pool.

    Its content is not checked here."""
    if len(invocation.uses) <= INSTRUCTIONS:
        raise fail(invocation, NOT_ALONE)
    if invocation.key(INSTRUCTIONS) != INSTRUCTIONS_SYSVAR:
        raise InstructionError("UnsupportedSysvar")


def _without_transfer_fees(order: Swap2, fee_in: TransferFee, fee_out: TransferFee) -> Swap2:
    """The order with the amounts at the curve: the input that arrives, and the output that must leave the vault."""
    first, second = order.amount_0, order.amount_1
    if order.swap_mode == SwapMode.EXACT_OUT:
        return replace(order, amount_0=fee_out.before(first), amount_1=second - fee_in.of(second))
    return replace(order, amount_0=first - fee_in.of(first), amount_1=fee_out.before(second))


def _quote(before: damm_v2.DammV2Pool, order: Swap2, *, a_to_b: bool, now: int, point: int) -> damm_v2.DammV2Swap:
    """Quote the swap in its mode. An unknown mode counts as EXACT_IN, as in the program."""
    match order.swap_mode:
        case SwapMode.PARTIAL_FILL:
            return damm_v2.swap_partial_fill(before, order.amount_0, a_to_b=a_to_b, now=now, point=point)
        case SwapMode.EXACT_OUT:
            return damm_v2.swap_exact_out(before, order.amount_0, a_to_b=a_to_b, now=now, point=point)
        case _:
            return damm_v2.swap_exact_in(before, order.amount_0, a_to_b=a_to_b, now=now, point=point)


def _code(error: SwapError, pool: damm_v2.DammV2Pool, order: Swap2, *, a_to_b: bool, point: int) -> int:
    """The program's error number for an error of the maths. The real program executes swaps that buy nothing."""
    match error.kind:
        case SwapErrorKind.ZERO_OUTPUT if order.swap_mode != SwapMode.EXACT_OUT and order.amount_1 > 0:
            return SLIPPAGE
        case SwapErrorKind.ZERO_INPUT | SwapErrorKind.ZERO_OUTPUT:
            return AMOUNT_IS_ZERO
        case SwapErrorKind.AMOUNT_IN_EXCEEDS_U64:
            return TYPE_CAST_FAILED
        case SwapErrorKind.INSUFFICIENT_LIQUIDITY if pool.collect_fee_mode != damm_v2.COLLECT_FEE_COMPOUNDING:
            if order.swap_mode != SwapMode.EXACT_OUT:
                return PRICE_RANGE
            return _beyond(pool, order.amount_0, a_to_b=a_to_b, point=point)
        case _:
            return OVERFLOW


def _beyond(pool: damm_v2.DammV2Pool, amount_out: int, *, a_to_b: bool, point: int) -> int:
    """The error number for an output beyond the pool's liquidity: the gross amount exceeds u64, or is beyond any price,
    or beyond the pool's range. The program checks in this order."""
    fee_on_input = damm_v2.takes_fee_on_input(pool, a_to_b)
    gross = amount_out + (
        0 if fee_on_input else fee_on_top(amount_out, damm_v2.rate_of_net(pool, amount_out, a_to_b, point))
    )
    if gross > U64_MAX:
        return TYPE_CAST_FAILED
    try:
        is_beyond_any_price = Stretch(pool.liquidity, pool.sqrt_price, a_to_b).after_output(gross) < 0
    except SwapError:
        is_beyond_any_price = True
    return OVERFLOW if is_beyond_any_price else PRICE_RANGE


def _pay(invocation: Invocation, swap: damm_v2.DammV2Swap, sent: int, *, a_to_b: bool) -> None:
    """Transfer ``sent`` from the user to one vault, and the output from the other vault to the user."""
    key = invocation.key
    a, b = (TOKEN_A_VAULT, TOKEN_A_MINT, TOKEN_A_PROGRAM), (TOKEN_B_VAULT, TOKEN_B_MINT, TOKEN_B_PROGRAM)
    (vault_in, mint_in, program_in), (vault_out, mint_out, program_out) = (a, b) if a_to_b else (b, a)
    source, destination = key(INPUT_TOKEN_ACCOUNT), key(OUTPUT_TOKEN_ACCOUNT)
    decimals_in = anchor.mint(invocation, mint_in, "token_in_mint").decimals
    decimals_out = anchor.mint(invocation, mint_out, "token_out_mint").decimals
    transfer_checked(invocation, source, key(mint_in), key(vault_in), key(PAYER), sent, decimals_in, key(program_in))
    authority = key(POOL_AUTHORITY)
    transfer_checked(
        invocation,
        key(vault_out),
        key(mint_out),
        destination,
        authority,
        swap.amount_out,
        decimals_out,
        key(program_out),
        signed_by=(authority,),
    )


def _emit(
    invocation: Invocation,
    after: Pool,
    order: Swap2,
    swap: damm_v2.DammV2Swap,
    transferred: tuple[int, int, int],
    *,
    a_to_b: bool,
) -> None:
    """Send the EvtSwap2 event to the program itself, so that it is recorded among the inner instructions.

    ``transferred`` is the amount sent, the unused rest, and the amount received.
    """
    sent, rest, arrived = transferred
    left = rest if order.swap_mode == SwapMode.PARTIAL_FILL else 0
    fields = struct.pack("<BB?", not a_to_b, after.collect_fee_mode, False)
    fields += struct.pack("<QQB", order.amount_0, order.amount_1, order.swap_mode)
    fields += struct.pack("<QQQQ", swap.amount_in, swap.net_in, left, swap.amount_out)
    fields += after.sqrt_price.to_bytes(16, "little")
    fields += struct.pack("<QQQQ", swap.claiming_fee, swap.protocol_fee, swap.compounding_fee, 0)
    fields += struct.pack("<QQQ", sent, swap.amount_out, arrived)
    fields += struct.pack("<QQQ", invocation.clock.unix_time, after.token_a_amount, after.token_b_amount)
    anchor.emit(invocation, _SWAP_EVENT + bytes(invocation.key(POOL)) + fields, EVENT_AUTHORITY_ADDRESS)
