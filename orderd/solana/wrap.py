"""Native SOL around a trade: pools trade wrapped SOL, people hold lamports.

The wrapped SOL account lives for one transaction: made before the swaps, and filled where SOL is sold; closed after
them, so that what is left in it comes back to the wallet as lamports, and its rent with it.
"""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs import associated_token, system, token


def swap_with_accounts(
    swaps: Sequence[Instruction],
    owner: Pubkey,
    mint_in: Pubkey,
    bought: Sequence[tuple[Pubkey, Pubkey]],
    amount_in: int,
) -> list[Instruction]:
    """`swaps` between the owner's associated accounts, which exist by then; SOL is wrapped once and unwrapped once.

    `bought` are the mints that are received, each with its token program: the one between two hops, if any, and the
    last one. Their accounts are created where they do not exist; that of `mint_in` must. `amount_in` in base units.
    """
    before: list[Instruction] = []
    if mint_in == token.NATIVE_MINT:
        account = associated_token.address(owner, mint_in)
        before += [
            associated_token.create_idempotent(owner, owner, mint_in),
            system.transfer(owner, account, amount_in),
            token.sync_native(account),
        ]
    before += [associated_token.create_idempotent(owner, owner, mint, program) for mint, program in bought]
    after: list[Instruction] = []
    if token.NATIVE_MINT in (mint_in, *(mint for mint, _ in bought)):
        after.append(token.close_account(associated_token.address(owner, token.NATIVE_MINT), owner, owner))
    return [*before, *swaps, *after]
