"""Native SOL around a swap: pools trade wrapped SOL, people hold lamports.

The wrapped SOL account lives for one transaction: made and filled before the swap, closed after it, so what is left of
either side comes back to the wallet as lamports, and its rent with it.
"""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs import associated_token, system, token


def swap_with_accounts(
    swap: Sequence[Instruction],
    owner: Pubkey,
    mint_in: Pubkey,
    mint_out: Pubkey,
    amount_in: int,
    *,
    program_out: Pubkey = token.PROGRAM_ID,
) -> list[Instruction]:
    """`swap` between the owner's associated accounts, which exist by then; SOL is wrapped before and unwrapped after.

    `amount_in` in base units. The destination account is created where it does not exist; the source must.
    """
    before: list[Instruction] = []
    after: list[Instruction] = []
    if mint_in == token.NATIVE_MINT:
        account = associated_token.address(owner, mint_in)
        before += [
            associated_token.create_idempotent(owner, owner, mint_in),
            system.transfer(owner, account, amount_in),
            token.sync_native(account),
        ]
        after.append(token.close_account(account, owner, owner))
    before.append(associated_token.create_idempotent(owner, owner, mint_out, program_out))
    if mint_out == token.NATIVE_MINT:
        after.append(token.close_account(associated_token.address(owner, mint_out), owner, owner))
    return [*before, *swap, *after]
