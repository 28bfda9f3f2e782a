"""Rights to spend, mint and close: delegates and authorities. All functions raise InstructionError."""

from dataclasses import replace

from solders.pubkey import Pubkey

from orderd.simnet.codec import encoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs.token.checks import (
    amount_of,
    changed,
    check_decimals,
    check_owner,
    gone,
    mint_at,
    token_account,
)
from orderd.simnet.programs.token.errors import (
    ACCOUNT_FROZEN,
    AUTHORITY_TYPE_NOT_SUPPORTED,
    FIXED_SUPPLY,
    INVALID_INSTRUCTION,
    MINT_CANNOT_FREEZE,
)
from orderd.solana.programs import token
from orderd.solana.programs.token import AccountState, Mint, OptionalKey, TokenAccount

_AUTHORITY_MINT, _AUTHORITY_FREEZE, _AUTHORITY_OWNER, _AUTHORITY_CLOSE = range(4)


def approve(invocation: Invocation) -> None:
    checked = invocation.data[0] == 13
    amount = amount_of(invocation, 1 if checked else 0)
    invocation.require(4 if checked else 3)
    to, by = (2, 3) if checked else (1, 2)
    source = token_account(invocation, 0)
    if source.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if checked:
        check_decimals(invocation, 1, source)
    check_owner(invocation, by, source.owner)
    delegate = OptionalKey.of(invocation.key(to))
    invocation.store_data(0, encoded(replace(source, delegate=delegate, delegated_amount=amount)))


def revoke(invocation: Invocation) -> None:
    invocation.require(2)
    source = token_account(invocation, 0)
    if source.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    check_owner(invocation, 1, source.owner)
    invocation.store_data(0, encoded(replace(source, delegate=gone(source.delegate), delegated_amount=0)))


def set_authority(invocation: Invocation) -> None:
    data = invocation.data[1:]
    if len(data) < 2 or data[0] > _AUTHORITY_CLOSE or (data[1] and len(data) < 34):
        raise InstructionError(INVALID_INSTRUCTION)
    invocation.require(2)
    kind = data[0]
    new = Pubkey.from_bytes(data[2:34]) if data[1] else None
    match len(invocation.account(0).data):
        case token.ACCOUNT_SIZE:
            invocation.store_data(0, encoded(_account_authority(invocation, kind, new)))
        case token.MINT_SIZE:
            invocation.store_data(0, encoded(_mint_authority(invocation, kind, new)))
        case _:
            raise InstructionError("InvalidArgument")


def _account_authority(invocation: Invocation, kind: int, new: Pubkey | None) -> TokenAccount:
    account = token_account(invocation, 0)
    if account.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if kind == _AUTHORITY_OWNER:
        check_owner(invocation, 1, account.owner)
        if new is None:
            raise InstructionError(INVALID_INSTRUCTION)
        close = gone(account.close_authority) if account.is_native.tag else account.close_authority
        delegate = gone(account.delegate)
        return replace(account, owner=new, delegate=delegate, delegated_amount=0, close_authority=close)
    if kind == _AUTHORITY_CLOSE:
        check_owner(invocation, 1, account.close_authority.key or account.owner)
        return replace(account, close_authority=changed(account.close_authority, new))
    raise InstructionError(AUTHORITY_TYPE_NOT_SUPPORTED)


def _mint_authority(invocation: Invocation, kind: int, new: Pubkey | None) -> Mint:
    mint = mint_at(invocation, 0)
    if kind == _AUTHORITY_MINT:
        if mint.mint_authority.key is None:
            raise InstructionError(FIXED_SUPPLY)
        check_owner(invocation, 1, mint.mint_authority.key)
        return replace(mint, mint_authority=changed(mint.mint_authority, new))
    if kind == _AUTHORITY_FREEZE:
        if mint.freeze_authority.key is None:
            raise InstructionError(MINT_CANNOT_FREEZE)
        check_owner(invocation, 1, mint.freeze_authority.key)
        return replace(mint, freeze_authority=changed(mint.freeze_authority, new))
    raise InstructionError(AUTHORITY_TYPE_NOT_SUPPORTED)
