"""Wraps and unwraps SOL around a trade: pools trade wrapped SOL, wallets hold lamports.

The wrapped SOL account exists for one transaction only. It is created before the swaps, and filled if SOL is sold; it
is closed after them, so that its balance and its rent return to the wallet as lamports. By default it is the owner's
associated account, which takes the fewest bytes. If the owner keeps wrapped SOL there, closing would unwrap that too;
then a separate account is used, at an address derived from a seed that is unique to the trade.

A trade may also sell the wrapped SOL that the owner keeps. Then nothing is wrapped, and the account stays open.
"""

from collections.abc import Sequence

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs import associated_token, system, token


def account_of(
    owner: Pubkey, mint: Pubkey, token_program: Pubkey = token.PROGRAM_ID, seed: str | None = None
) -> Pubkey:
    """The token account of ``owner`` for ``mint`` in a trade; with a ``seed``, a separate account for wrapped SOL."""
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
    """``swaps`` between the accounts of ``account_of``, with the instructions that create, wrap and unwrap around them.

    ``bought`` are the received mints, each with its token program: the intermediate token of two hops, if any, and the
    last one. Their accounts are created if they do not exist; that of ``mint_in`` must exist. ``amount_in`` in base
    units. With ``use_wrapped`` the trade sells wrapped SOL from the owner's associated account.
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
    """Create an account and fill it with wrapped SOL."""
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
