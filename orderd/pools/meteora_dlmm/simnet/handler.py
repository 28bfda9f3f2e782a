"""Handler of Meteora DLMM swaps, with ``orderd.pools.meteora_dlmm.maths.pool``: swap2 and swap_exact_out2.

Sources: MeteoraAg/dlmm-sdk, ``idls/dlmm.json``, for accounts and errors. Which error follows which mistake was measured
on the deployed program.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.amm.transfer_fee import TransferFee
from orderd.pools.meteora_dlmm.accounts import BitmapExtension, LbPair, PairStatus
from orderd.pools.meteora_dlmm.addresses import (
    EVENT_AUTHORITY_ADDRESS,
    bin_array_address,
    bitmap_extension_address,
)
from orderd.pools.meteora_dlmm.bin_array import BinArray
from orderd.pools.meteora_dlmm.bitmap import array_index, arrays_in_order
from orderd.pools.meteora_dlmm.instructions import (
    BIN_ARRAYS,
    BITMAP_EXTENSION,
    EVENT_AUTHORITY,
    LB_PAIR,
    MEMO_PROGRAM,
    ORACLE,
    OWN_PROGRAM,
    RESERVE_X,
    RESERVE_Y,
    TOKEN_X_MINT,
    TOKEN_X_PROGRAM,
    TOKEN_Y_MINT,
    TOKEN_Y_PROGRAM,
    USER,
    USER_TOKEN_IN,
    USER_TOKEN_OUT,
    Swap2,
    SwapExactOut2,
)
from orderd.pools.meteora_dlmm.maths import pool as dlmm
from orderd.pools.meteora_dlmm.simnet.bins import BINS, pool_of
from orderd.pools.meteora_dlmm.simnet.oracle import Oracle
from orderd.pools.meteora_dlmm.simnet.write_back import array_after, is_empty, pair_after, without
from orderd.simnet.account import TOKEN_PROGRAMS
from orderd.simnet.codec import decoded
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail
from orderd.simnet.programs.token import TRANSFER_CHECKED_UNITS, transfer_checked
from orderd.simnet.programs.token.extensions import fee_of
from orderd.solana.pool_programs import SwapUnits
from orderd.solana.programs import memo
from orderd.solana.programs.derived import signing_address
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import Mint

UNITS_OF_EVENT: Final = 2_100
UNITS: Final = {
    Swap2: SwapUnits(40_250, per_step=5_550),
    SwapExactOut2: SwapUnits(42_900, per_step=6_750),
}
"""Compute units, measured on lb_clmm 0.12.0; they vary by 7 %."""

INVALID_INPUT: Final = 6002
SLIPPAGE: Final = 6003
INVALID_MINT: Final = 6010
BITMAP_EXTENSION_NOT_PROVIDED: Final = 6036
NO_BIN_ARRAY_WITH_LIQUIDITY: Final = 6037
INSUFFICIENT_OUT_AMOUNT: Final = 6039
MATH_OVERFLOW: Final = 6018
POOL_DISABLED: Final = 6042
NOT_EXACT_AMOUNT_OUT: Final = 6057
UNDETERMINED: Final = 6085
INSUFFICIENT_IN_AMOUNT: Final = 6104
_MATH_ERRORS: Final = {
    SwapErrorKind.ZERO_INPUT: INVALID_INPUT,
    SwapErrorKind.ZERO_OUTPUT: INSUFFICIENT_OUT_AMOUNT,
    SwapErrorKind.OUTPUT_FALLS_SHORT: UNDETERMINED,
}

_SWAP_EVENT: Final = hashlib.sha256(b"event:Swap").digest()[:8]

_NAMES: Final = {Swap2: "Swap2", SwapExactOut2: "SwapExactOut2"}


def decode_instruction(data: bytes) -> Swap2 | SwapExactOut2:
    """A swap's data as its record. Raises LayoutError for any other instruction."""
    for kind in (Swap2, SwapExactOut2):
        if data.startswith(kind.DISCRIMINATOR):
            return kind.decode(data)
    raise LayoutError(f"not a swap of Meteora DLMM: {data[:8].hex() or 'empty'}")


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    if anchor.is_event(invocation):
        invocation.consume(UNITS_OF_EVENT)
        return
    try:
        order = decode_instruction(invocation.data)
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.INSTRUCTION_FALLBACK_NOT_FOUND) from error
    invocation.log(f"Instruction: {_NAMES[type(order)]}")
    invocation.consume(UNITS[type(order)].swap - UNITS_OF_EVENT - 2 * TRANSFER_CHECKED_UNITS)
    pair = _check_accounts(invocation)
    swap_for_y = _direction(invocation, pair)
    if pair.status != PairStatus.ENABLED or not pair.is_open(
        slot=invocation.clock.slot, unix_time=invocation.clock.unix_time
    ):
        raise fail(invocation, POOL_DISABLED)
    _swap(invocation, pair, order, swap_for_y=swap_for_y)


def _check_accounts(invocation: Invocation) -> LbPair:
    """Anchor's checks: first the type of each account, then the constraints between them."""
    if len(invocation.uses) < BIN_ARRAYS:
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_ENOUGH_KEYS)
    pair = anchor.load(invocation, LB_PAIR, LbPair, "lb_pair")
    for index, name in _TOKEN_ACCOUNTS:
        anchor.token_account(invocation, index, name)
    if not invocation.is_signer(USER):
        raise anchor.account_error(invocation, "user", *anchor.ACCOUNT_NOT_SIGNER)
    for name, error in _broken_constraints(invocation, pair):
        raise anchor.account_error(invocation, name, *error)
    return pair


_TOKEN_ACCOUNTS: Final = (
    (RESERVE_X, "reserve_x"),
    (RESERVE_Y, "reserve_y"),
    (USER_TOKEN_IN, "user_token_in"),
    (USER_TOKEN_OUT, "user_token_out"),
)


def _broken_constraints(invocation: Invocation, pair: LbPair) -> Iterator[tuple[str, tuple[str, int]]]:
    """The account and the error of each constraint that does not hold."""
    key = invocation.key
    for index, name in ((LB_PAIR, "lb_pair"), *_TOKEN_ACCOUNTS, (ORACLE, "oracle")):
        if not invocation.is_writable(index):
            yield name, anchor.CONSTRAINT_MUT
    for index, wanted, name in (
        (RESERVE_X, pair.reserve_x, "lb_pair"),
        (RESERVE_Y, pair.reserve_y, "lb_pair"),
        (TOKEN_X_MINT, pair.mint_x, "lb_pair"),
        (TOKEN_Y_MINT, pair.mint_y, "lb_pair"),
        (ORACLE, pair.oracle, "lb_pair"),
    ):
        if key(index) != wanted:
            yield name, anchor.CONSTRAINT_HAS_ONE
    extension = (invocation.program_id, bitmap_extension_address(key(LB_PAIR)))
    if key(BITMAP_EXTENSION) not in extension:
        yield "bin_array_bitmap_extension", anchor.CONSTRAINT_SEEDS
    for index, name in ((TOKEN_X_PROGRAM, "token_x_program"), (TOKEN_Y_PROGRAM, "token_y_program")):
        if key(index) not in TOKEN_PROGRAMS:
            yield name, anchor.INVALID_PROGRAM_ID
    if key(MEMO_PROGRAM) != memo.PROGRAM_ID:
        yield "memo_program", anchor.INVALID_PROGRAM_ID
    if key(EVENT_AUTHORITY) != EVENT_AUTHORITY_ADDRESS:
        yield "event_authority", anchor.CONSTRAINT_SEEDS
    if key(OWN_PROGRAM) != invocation.program_id:
        yield "program", anchor.INVALID_PROGRAM_ID


def _direction(invocation: Invocation, pair: LbPair) -> bool:
    """Whether x is paid for y, by the mints of the user's accounts."""
    paid = anchor.token_account(invocation, USER_TOKEN_IN, "user_token_in").mint
    bought = anchor.token_account(invocation, USER_TOKEN_OUT, "user_token_out").mint
    if (paid, bought) == (pair.mint_x, pair.mint_y):
        return True
    if (paid, bought) == (pair.mint_y, pair.mint_x):
        return False
    raise fail(invocation, INVALID_MINT)


def _swap(invocation: Invocation, pair: LbPair, order: Swap2 | SwapExactOut2, *, swap_for_y: bool) -> None:
    if isinstance(order, SwapExactOut2) and order.out_amount == 0:
        raise fail(invocation, INSUFFICIENT_OUT_AMOUNT)
    extension = None
    if invocation.key(BITMAP_EXTENSION) != invocation.program_id:
        extension = anchor.load(invocation, BITMAP_EXTENSION, BitmapExtension, "bin_array_bitmap_extension")
    # If the program finds no further array, it searches the extension, and fails first if this is missing.
    exhausted = BITMAP_EXTENSION_NOT_PROVIDED if extension is None else NO_BIN_ARRAY_WITH_LIQUIDITY
    expected = list(arrays_in_order(pair, extension, swap_for_y=swap_for_y))
    if not expected:
        raise fail(invocation, exhausted)
    given = _given_arrays(invocation, expected)
    before = _load_pool(invocation, pair, given)
    now = invocation.clock.unix_time
    mints = (TOKEN_X_MINT, TOKEN_Y_MINT) if swap_for_y else (TOKEN_Y_MINT, TOKEN_X_MINT)
    fee_in, fee_out = (fee_of(invocation, mint) for mint in mints)
    net = _without_transfer_fees(order, fee_in, fee_out)
    try:
        if isinstance(net, Swap2):
            swap = dlmm.swap_exact_in(before, net.amount_in, swap_for_y=swap_for_y, now=now)
        else:
            swap = _bought(invocation, before, net, swap_for_y=swap_for_y, now=now)
    except SwapError as error:
        if error.kind is SwapErrorKind.INSUFFICIENT_LIQUIDITY:
            if len(given) < len(expected):
                raise anchor.error(invocation, *anchor.ACCOUNT_NOT_ENOUGH_KEYS) from error
            raise fail(invocation, exhausted) from error
        raise fail(invocation, _MATH_ERRORS.get(error.kind, MATH_OVERFLOW)) from error
    invocation.consume(UNITS[type(order)].per_step * max(len(swap.changed_bins) - 1, 0))
    if isinstance(net, Swap2) and swap.amount_out < net.min_amount_out:
        raise fail(invocation, SLIPPAGE)
    _store(invocation, pair, extension, swap, given, swap_for_y=swap_for_y)
    oracle = anchor.load(invocation, ORACLE, Oracle, "oracle")
    invocation.store_data(ORACLE, oracle.updated(now, pair.active_id).encode())
    sent = order.amount_in if isinstance(order, Swap2) else fee_in.before(swap.amount_in)
    _pay(invocation, pair, swap, sent, swap_for_y=swap_for_y)
    _emit(invocation, swap, swap_for_y=swap_for_y)


def _without_transfer_fees(
    order: Swap2 | SwapExactOut2, fee_in: TransferFee, fee_out: TransferFee
) -> Swap2 | SwapExactOut2:
    """The order with the amounts at the bins: the input that arrives, and the output that must leave the reserve."""
    if isinstance(order, Swap2):
        arrives = order.amount_in - fee_in.of(order.amount_in)
        return replace(order, amount_in=arrives, min_amount_out=fee_out.before(order.min_amount_out))
    arrives = order.max_in_amount - fee_in.of(order.max_in_amount)
    return replace(order, max_in_amount=arrives, out_amount=fee_out.before(order.out_amount))


def _given_arrays(invocation: Invocation, expected: Sequence[int]) -> dict[int, int]:
    """The bin arrays after the fixed accounts, as long as they are in the order of the swap: array index to account
    position."""
    given: dict[int, int] = {}
    for position, index in enumerate(expected, start=BIN_ARRAYS):
        if position >= len(invocation.uses):
            break
        if invocation.key(position) != bin_array_address(invocation.key(LB_PAIR), index):
            break
        if not invocation.is_writable(position):
            raise anchor.error(invocation, *anchor.ACCOUNT_NOT_MUTABLE)
        given[index] = position
    if not given:
        raise anchor.error(invocation, *anchor.ACCOUNT_NOT_ENOUGH_KEYS)
    return given


def _bought(
    invocation: Invocation, pool: dlmm.DlmmPool, order: SwapExactOut2, *, swap_for_y: bool, now: int
) -> dlmm.DlmmSwap:
    """Quote a swap with an exact output.

    The program spends up to ``max_in_amount``, bin by bin. If that is not enough, the error depends on whether the last
    bin reached has all of the remaining output. Raises InstructionError, SwapError.
    """
    try:
        swap = dlmm.swap_exact_out(pool, order.out_amount, swap_for_y=swap_for_y, now=now)
    except SwapError as error:
        if error.kind is not SwapErrorKind.INSUFFICIENT_LIQUIDITY:
            raise
    else:
        if swap.amount_in <= order.max_in_amount:
            return swap
    try:
        spent = dlmm.swap_exact_in(pool, order.max_in_amount, swap_for_y=swap_for_y, now=now)
    except SwapError as error:
        if error.kind is SwapErrorKind.ZERO_OUTPUT:
            first = next(iter(pool.bins.walk(pool.active_id, downwards=swap_for_y)))
            enough = _available(pool, first.bin_id, swap_for_y=swap_for_y) > order.out_amount
            number = INSUFFICIENT_IN_AMOUNT if enough else INSUFFICIENT_OUT_AMOUNT
            raise fail(invocation, number) from error
        raise
    last = spent.end_bin_id
    had, has = _available(pool, last, swap_for_y=swap_for_y), _available(spent.pool, last, swap_for_y=swap_for_y)
    wanted_there = order.out_amount - (spent.gross_out - (had - has))
    raise fail(invocation, INSUFFICIENT_IN_AMOUNT if wanted_there < had else NOT_EXACT_AMOUNT_OUT)


def _available(pool: dlmm.DlmmPool, bin_id: int, *, swap_for_y: bool) -> int:
    return pool.bins[bin_id].available(swap_for_y=swap_for_y, limit_orders=pool.supports_limit_orders)


def _load_pool(invocation: Invocation, pair: LbPair, given: dict[int, int]) -> dlmm.DlmmPool:
    for position in given.values():
        anchor.load(invocation, position, BinArray, "bin_array")
    return pool_of(pair, (invocation.account(position).data for position in given.values()))


def _store(
    invocation: Invocation,
    pair: LbPair,
    extension: BitmapExtension | None,
    swap: dlmm.DlmmSwap,
    given: dict[int, int],
    *,
    swap_for_y: bool,
) -> None:
    """Write the swap's changes to the pair, its bin arrays, and the bitmaps of arrays with liquidity."""
    emptied = []
    for index, position in given.items():
        changed = {each.bin_id: each for each in swap.changed_bins if array_index(each.bin_id) == index}
        if not changed:
            continue
        array = anchor.load(invocation, position, BinArray, "bin_array")
        bins = BINS.of(array, invocation.account(position).data, pair.bin_step)
        after = array_after(array, swap, swap_for_y=swap_for_y)
        invocation.store_record(position, array, after)
        BINS.put(invocation.account(position).data, bins | changed)
        if is_empty(after):
            emptied.append(index)
    after_pair, after_extension = without(pair_after(pair, swap.pool), extension, emptied)
    invocation.store_record(LB_PAIR, pair, after_pair)
    if extension is not None and after_extension is not None and after_extension != extension:
        invocation.store_record(BITMAP_EXTENSION, extension, after_extension)


def _pay(invocation: Invocation, state: LbPair, swap: dlmm.DlmmSwap, sent: int, *, swap_for_y: bool) -> None:
    """Transfer ``sent`` from the user to one reserve, and the output from the other reserve to the user."""
    key = invocation.key
    x = (key(RESERVE_X), key(TOKEN_X_MINT), key(TOKEN_X_PROGRAM), _decimals(invocation, TOKEN_X_MINT))
    y = (key(RESERVE_Y), key(TOKEN_Y_MINT), key(TOKEN_Y_PROGRAM), _decimals(invocation, TOKEN_Y_MINT))
    paid, bought = (x, y) if swap_for_y else (y, x)
    reserve, mint, program, decimals = paid
    transfer_checked(invocation, key(USER_TOKEN_IN), mint, reserve, key(USER), sent, decimals, program)
    reserve, mint, program, decimals = bought
    pair, amount, out = key(LB_PAIR), swap.amount_out, key(USER_TOKEN_OUT)
    signed_by = {signing_address(tuple(state.seeds), state.bump_seed, invocation.program_id)}
    transfer_checked(invocation, reserve, mint, out, pair, amount, decimals, program, signed_by)


def _decimals(invocation: Invocation, index: int) -> int:
    try:
        return decoded(Mint, invocation.account(index).data).decimals
    except LayoutError as error:
        raise anchor.error(invocation, *anchor.ACCOUNT_DID_NOT_DESERIALIZE) from error


def _emit(invocation: Invocation, swap: dlmm.DlmmSwap, *, swap_for_y: bool) -> None:
    """Send the Swap event to the program itself, so that it is recorded among the inner instructions."""
    fields = struct.pack(
        "<iiQQ?QQQQQ",
        swap.start_bin_id,
        swap.end_bin_id,
        swap.amount_in,
        swap.amount_out,
        swap_for_y,
        swap.fee,
        swap.protocol_fee,
        swap.last_fee_rate,
        0,  # the upper half of fee_bps
        0,  # host_fee
    )
    keys: tuple[Pubkey, Pubkey] = (invocation.key(LB_PAIR), invocation.key(USER))
    anchor.emit(invocation, _SWAP_EVENT + b"".join(map(bytes, keys)) + fields, EVENT_AUTHORITY_ADDRESS)
