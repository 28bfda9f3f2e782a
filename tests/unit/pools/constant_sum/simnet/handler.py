"""The program handler of the imaginary kind."""

from typing import Final

from orderd.amm.swap import SwapError
from orderd.simnet.codec import decoded
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs import anchor
from orderd.simnet.programs.refusal import fail
from orderd.simnet.programs.token import TRANSFER_UNITS
from orderd.solana.programs import token
from orderd.solana.programs.token import TokenAccount

from ..accounts import PoolState
from ..instructions import DESTINATION, POOL, SOURCE, USER, VAULT_IN, VAULT_OUT, Swap, SwapOut
from ..program import PROGRAM

SOLD_OUT: Final = 6000
POOL_IS_CLOSED: Final = 6001
TOO_LITTLE_PAID: Final = 6002
NOT_ITS_VAULT: Final = 6003


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    is_purchase = invocation.data.startswith(SwapOut.DISCRIMINATOR)
    order = SwapOut.decode(invocation.data) if is_purchase else Swap.decode(invocation.data)
    invocation.consume(PROGRAM.units.swap - 2 * TRANSFER_UNITS)
    state = anchor.load(invocation, POOL, PoolState, "pool")
    anchor.token_account(invocation, SOURCE, "source")
    if state.is_closed:
        raise fail(invocation, POOL_IS_CLOSED)
    vaults = invocation.key(VAULT_IN), invocation.key(VAULT_OUT)
    if vaults not in ((state.vault_a, state.vault_b), (state.vault_b, state.vault_a)):
        raise fail(invocation, NOT_ITS_VAULT)
    a_to_b = vaults[0] == state.vault_a
    held_in, held_out = (
        decoded(TokenAccount, invocation.account(index).data).amount for index in (VAULT_IN, VAULT_OUT)
    )
    pool = state.to_pool(held_in, held_out) if a_to_b else state.to_pool(held_out, held_in)
    try:
        if isinstance(order, Swap):
            amount_in, amount_out = order.amount_in, pool.swap_exact_in(order.amount_in, a_to_b=a_to_b)
        else:
            amount_in, amount_out = pool.swap_exact_out(order.amount_out, a_to_b=a_to_b), order.amount_out
    except SwapError as error:
        raise fail(invocation, SOLD_OUT) from error
    if isinstance(order, Swap) and amount_out < order.min_amount_out:
        raise fail(invocation, TOO_LITTLE_PAID)
    if isinstance(order, SwapOut) and amount_in > order.max_amount_in:
        raise fail(invocation, TOO_LITTLE_PAID)
    key = invocation.key
    invocation.call(token.transfer(key(SOURCE), vaults[0], key(USER), amount_in))
    invocation.call(token.transfer(vaults[1], key(DESTINATION), key(POOL), amount_out), signed_by={key(POOL)})
