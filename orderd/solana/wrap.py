"""Native SOL around a trade: pools trade wrapped SOL, people hold lamports.

The wrapped SOL account lives for one transaction: made before the swaps, and filled where SOL is sold; closed after
them, so that what is left in it comes back to the wallet as lamports, and its rent with it. It is the owner's
associated account, which takes the fewest bytes. Where the owner keeps wrapped SOL there, it would be unwrapped too:
then it is an account of the trade's own, at an address made from a seed that no other trade has.

A trade may also sell the wrapped SOL that the owner keeps: then nothing is wrapped, and the account stays open.
"""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs import associated_token, system, token


def account_of(
    owner: Pubkey, mint: Pubkey, token_program: Pubkey = token.PROGRAM_ID, seed: str | None = None
) -> Pubkey:
    """Where a trade of ``owner`` keeps ``mint``; with a ``seed``, wrapped SOL apart from what the owner has of it."""
    if mint == token.NATIVE_MINT and seed is not None:
        return Pubkey.create_with_seed(owner, seed, token.PROGRAM_ID)
    return associated_token.address(owner, mint, token_program)


def swap_with_accounts(
    swaps: Sequence[Instruction],
    owner: Pubkey,
    mint_in: Pubkey,
    bought: Sequence[tuple[Pubkey, Pubkey]],
    amount_in: int,
    seed: str | None = None,
    *,
    use_wrapped: bool = False,
) -> list[Instruction]:
    """``swaps`` between the accounts of ``account_of``, which exist by then; SOL is wrapped once and unwrapped once.

    ``bought`` are the mints that are received, each with its token program: the one between two hops, if any, and the
    last one. Their accounts are created where they do not exist; that of ``mint_in`` must. ``amount_in`` in base units.
    With ``use_wrapped`` what is sold is wrapped SOL that lies in the owner's associated account.
    """
    sells_native = mint_in == token.NATIVE_MINT and not use_wrapped
    before = _wrapped(owner, amount_in, seed) if sells_native else []
    for mint, program in bought:
        if mint == token.NATIVE_MINT:
            before += _wrapped(owner, 0, seed)
        else:
            before.append(associated_token.create_idempotent(owner, owner, mint, program))
    after: list[Instruction] = []
    if sells_native or token.NATIVE_MINT in (mint for mint, _ in bought):
        after.append(token.close_account(account_of(owner, token.NATIVE_MINT, seed=seed), owner, owner))
    return [*before, *swaps, *after]


def _wrapped(owner: Pubkey, lamports: int, seed: str | None) -> list[Instruction]:
    """An account with so much wrapped SOL."""
    account = account_of(owner, token.NATIVE_MINT, seed=seed)
    if seed is not None:
        return [
            system.create_account_with_seed(
                owner, account, seed, token.ACCOUNT_RENT + lamports, token.ACCOUNT_SIZE, token.PROGRAM_ID
            ),
            token.initialize_account3(account, token.NATIVE_MINT, owner),
        ]
    create = associated_token.create_idempotent(owner, owner, token.NATIVE_MINT)
    if not lamports:
        return [create]
    return [create, system.transfer(owner, account, lamports), token.sync_native(account)]
