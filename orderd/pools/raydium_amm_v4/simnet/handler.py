"""Handler of Raydium AMM v4 swaps, with ``orderd.pools.raydium_amm_v4.maths.pool``.

Source: raydium-io/raydium-amm, ``program/src/processor.rs`` of July 2026, which no longer counts what was swapped.
The program does not use Anchor: it checks the accounts itself, in the order below, and logs no error names. Supported
are SwapBaseInV2 and SwapBaseOutV2; the older instructions with an order book are refused.
"""

import base64
import struct
from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.pools.raydium_amm_v4.accounts import AmmInfo, AmmStatus
from orderd.pools.raydium_amm_v4.addresses import authority_address
from orderd.pools.raydium_amm_v4.instructions import SwapBaseInV2, SwapBaseOutV2, SwapV2Account
from orderd.pools.raydium_amm_v4.maths import pool as amm_v4
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail
from orderd.simnet.programs.token import TRANSFER_UNITS
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import AccountState, TokenAccount

UNITS: Final = 21_000 - 2 * TRANSFER_UNITS

INVALID_PROGRAM_ADDRESS: Final = 1
EXPECTED_ACCOUNT: Final = 3
INVALID_COIN_VAULT: Final = 4
INVALID_PC_VAULT: Final = 5
INVALID_SIGN_ACCOUNT: Final = 21
INVALID_AMM_ACCOUNT_OWNER: Final = 27
POOL_DISABLED: Final = 22
"""InvalidStatus."""

INVALID_INPUT: Final = 29
SLIPPAGE: Final = 30
INVALID_TOKEN_PROGRAM: Final = 38
INSUFFICIENT_FUNDS: Final = 40
CONVERSION_FAILURE: Final = 41
INVALID_USER_TOKEN: Final = 42
_MATH_ERRORS: Final = {
    SwapErrorKind.ZERO_INPUT: INVALID_INPUT,
    SwapErrorKind.ZERO_OUTPUT: INVALID_INPUT,
    SwapErrorKind.INSUFFICIENT_LIQUIDITY: INSUFFICIENT_FUNDS,
}
_NOTHING: Final = (SwapErrorKind.ZERO_INPUT, SwapErrorKind.ZERO_OUTPUT)
_LOG_BASE_IN, _LOG_BASE_OUT = 3, 4
_PC_TO_COIN, _COIN_TO_PC = 1, 2


def decode_instruction(data: bytes) -> SwapBaseInV2 | SwapBaseOutV2:
    """A swap's data as its record. Raises LayoutError for any other instruction, also the older swaps."""
    for kind in (SwapBaseInV2, SwapBaseOutV2):
        if data.startswith(kind.DISCRIMINATOR):
            return kind.decode(data)
    raise LayoutError(f"not a swap of Raydium AMM v4: {data[:1].hex() or 'empty'}")


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    try:
        order = decode_instruction(invocation.data)
    except LayoutError as error:
        raise InstructionError("InvalidInstructionData") from error
    invocation.consume(UNITS)
    amm = _check_accounts(invocation)
    _swap(invocation, amm, order)


def _check_accounts(invocation: Invocation) -> AmmInfo:
    """The program's checks of accounts, in its order. Raises InstructionError."""
    key = invocation.key
    invocation.require(len(SwapV2Account))
    account = invocation.account(SwapV2Account.AMM)
    if account.owner != invocation.program_id:
        raise InstructionError(INVALID_AMM_ACCOUNT_OWNER)
    try:
        amm = decoded(AmmInfo, account.data)
    except LayoutError as error:
        raise InstructionError(EXPECTED_ACCOUNT) from error
    if not invocation.is_signer(SwapV2Account.USER):
        raise InstructionError(INVALID_SIGN_ACCOUNT)
    if key(SwapV2Account.TOKEN_PROGRAM) != token.PROGRAM_ID:
        raise InstructionError(INVALID_TOKEN_PROGRAM)
    if (key(SwapV2Account.AUTHORITY), amm.nonce) != authority_address(invocation.program_id):
        raise InstructionError(INVALID_PROGRAM_ADDRESS)
    if key(SwapV2Account.COIN_VAULT) != amm.coin_vault:
        raise InstructionError(INVALID_COIN_VAULT)
    if key(SwapV2Account.PC_VAULT) != amm.pc_vault:
        raise InstructionError(INVALID_PC_VAULT)
    for index in (SwapV2Account.USER_SOURCE, SwapV2Account.USER_DESTINATION):
        if key(index) in (amm.coin_vault, amm.pc_vault):
            raise InstructionError(INVALID_USER_TOKEN)
    return amm


def _held(invocation: Invocation, index: int) -> TokenAccount:
    account = invocation.account(index)
    if account.owner != token.PROGRAM_ID:
        raise InstructionError(INVALID_TOKEN_PROGRAM)
    try:
        state = decoded(TokenAccount, account.data)
    except LayoutError as error:
        raise InstructionError(EXPECTED_ACCOUNT) from error
    if state.state == AccountState.UNINITIALIZED:
        raise InstructionError(EXPECTED_ACCOUNT)
    return state


def _swap(invocation: Invocation, amm: AmmInfo, order: SwapBaseInV2 | SwapBaseOutV2) -> None:
    coin_vault = _held(invocation, SwapV2Account.COIN_VAULT)
    pc_vault = _held(invocation, SwapV2Account.PC_VAULT)
    source = _held(invocation, SwapV2Account.USER_SOURCE)
    destination = _held(invocation, SwapV2Account.USER_DESTINATION)
    if not amm.accepts_swaps(invocation.clock.unix_time):
        raise fail(invocation, POOL_DISABLED)
    if (source.mint, destination.mint) not in ((amm.coin_mint, amm.pc_mint), (amm.pc_mint, amm.coin_mint)):
        raise InstructionError(INVALID_USER_TOKEN)
    coin_to_pc = source.mint == amm.coin_mint
    before = amm.to_pool(coin_vault.amount, pc_vault.amount)
    if isinstance(order, SwapBaseInV2) and source.amount < order.amount_in:
        _log(invocation, before, order, 0, source.amount, coin_to_pc=coin_to_pc)
        raise InstructionError(INSUFFICIENT_FUNDS)
    try:
        swap = _quote(before, order, coin_to_pc=coin_to_pc)
    except SwapError as error:
        if error.kind in _NOTHING:
            _log(invocation, before, order, 0, source.amount, coin_to_pc=coin_to_pc)
        raise _refusal(invocation, error, order) from error
    if isinstance(order, SwapBaseInV2):
        counterpart, kept = swap.amount_out, swap.amount_out >= order.minimum_amount_out
    else:
        counterpart, kept = swap.amount_in, swap.amount_in <= order.max_amount_in
    _log(invocation, before, order, counterpart, source.amount, coin_to_pc=coin_to_pc)
    if source.amount < swap.amount_in:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if not kept:
        raise fail(invocation, SLIPPAGE)
    _pay(invocation, swap, coin_to_pc=coin_to_pc)
    status = AmmStatus.SWAP_ONLY if amm.status == AmmStatus.WAITING_TRADE else amm.status
    after = replace(amm, status=status, recent_epoch=invocation.clock.epoch)
    invocation.store_record(SwapV2Account.AMM, amm, after)


def _quote(pool: amm_v4.AmmV4Pool, order: SwapBaseInV2 | SwapBaseOutV2, *, coin_to_pc: bool) -> amm_v4.AmmV4Swap:
    if isinstance(order, SwapBaseInV2):
        return amm_v4.swap_exact_in(pool, order.amount_in, coin_to_pc=coin_to_pc)
    return amm_v4.swap_exact_out(pool, order.amount_out, coin_to_pc=coin_to_pc)


def _refusal(invocation: Invocation, error: SwapError, order: SwapBaseInV2 | SwapBaseOutV2) -> InstructionError:
    """The program's error for an error of the maths. It checks the minimum output before it checks for amounts of
    nothing."""
    if error.kind is SwapErrorKind.INSUFFICIENT_LIQUIDITY and isinstance(order, SwapBaseOutV2):
        return anchor.panic(invocation, "the pool has less than the requested amount")
    is_nothing = error.kind in _NOTHING
    if is_nothing and isinstance(order, SwapBaseInV2) and order.minimum_amount_out > 0:
        return InstructionError(SLIPPAGE)
    return InstructionError(_MATH_ERRORS.get(error.kind, CONVERSION_FAILURE))


def _log(
    invocation: Invocation,
    before: amm_v4.AmmV4Pool,
    order: SwapBaseInV2 | SwapBaseOutV2,
    counterpart: int,
    user_source: int,
    *,
    coin_to_pc: bool,
) -> None:
    """Log the line "ray_log: ...", as the program does before it checks the limits of a swap.

    ``counterpart`` is what an exact input buys, or what an exact output costs.
    """
    direction = _COIN_TO_PC if coin_to_pc else _PC_TO_COIN
    state = (direction, user_source, before.reserve_coin, before.reserve_pc, counterpart)
    if isinstance(order, SwapBaseInV2):
        fields = (_LOG_BASE_IN, order.amount_in, order.minimum_amount_out, *state)
    else:
        fields = (_LOG_BASE_OUT, order.max_amount_in, order.amount_out, *state)
    invocation.log(f"ray_log: {base64.b64encode(struct.pack('<B7Q', *fields)).decode()}")


def _pay(invocation: Invocation, swap: amm_v4.AmmV4Swap, *, coin_to_pc: bool) -> None:
    """Transfer the input from the user to one vault, and the output from the other vault to the user."""
    key = invocation.key
    vaults: tuple[Pubkey, Pubkey] = (key(SwapV2Account.COIN_VAULT), key(SwapV2Account.PC_VAULT))
    vault_in, vault_out = vaults if coin_to_pc else vaults[::-1]
    authority = key(SwapV2Account.AUTHORITY)
    invocation.call(token.transfer(key(SwapV2Account.USER_SOURCE), vault_in, key(SwapV2Account.USER), swap.amount_in))
    invocation.call(
        token.transfer(vault_out, key(SwapV2Account.USER_DESTINATION), authority, swap.amount_out),
        signed_by={authority},
    )
