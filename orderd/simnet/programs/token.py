"""The SPL Token program: mints, accounts, transfers, wrapped SOL. No multisig owners, no freezing.

Source: solana-program/token, `program/src/processor.rs` and `pinocchio/program`. Compute units as measured on the
latter, which is what clusters run.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet.account import rent_exempt_minimum
from orderd.simnet.codec import decoded, encoded
from orderd.simnet.errors import InstructionError, RuntimeViolation
from orderd.simnet.invoke import Invocation
from orderd.solana.programs import system, token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import AccountState, Mint, OptionalKey, TokenAccount

U64_MAX: Final = (1 << 64) - 1

(
    NOT_RENT_EXEMPT,
    INSUFFICIENT_FUNDS,
    INVALID_MINT,
    MINT_MISMATCH,
    OWNER_MISMATCH,
    FIXED_SUPPLY,
    ALREADY_IN_USE,
    _,
    _,
    UNINITIALIZED_STATE,
    NATIVE_NOT_SUPPORTED,
    NON_NATIVE_HAS_BALANCE,
    INVALID_INSTRUCTION,
    INVALID_STATE,
    OVERFLOW,
    AUTHORITY_TYPE_NOT_SUPPORTED,
    MINT_CANNOT_FREEZE,
    ACCOUNT_FROZEN,
    MINT_DECIMALS_MISMATCH,
    NON_NATIVE_NOT_SUPPORTED,
) = range(20)

_TEXT: Final = {
    NOT_RENT_EXEMPT: "Lamport balance below rent-exempt threshold",
    INSUFFICIENT_FUNDS: "insufficient funds",
    INVALID_MINT: "Invalid Mint",
    MINT_MISMATCH: "Account not associated with this Mint",
    OWNER_MISMATCH: "owner does not match",
    FIXED_SUPPLY: "the total supply of this token is fixed",
    ALREADY_IN_USE: "account or token already in use",
    UNINITIALIZED_STATE: "State is uninitialized",
    NATIVE_NOT_SUPPORTED: "Instruction does not support native tokens",
    NON_NATIVE_HAS_BALANCE: "Non-native account can only be closed if its balance is zero",
    INVALID_INSTRUCTION: "Invalid instruction",
    INVALID_STATE: "Invalid account state for operation",
    OVERFLOW: "Operation overflowed",
    AUTHORITY_TYPE_NOT_SUPPORTED: "Account does not support specified authority type",
    MINT_CANNOT_FREEZE: "This token mint cannot freeze accounts",
    ACCOUNT_FROZEN: "Account is frozen",
    MINT_DECIMALS_MISMATCH: "decimals different from the Mint decimals",
    NON_NATIVE_NOT_SUPPORTED: "Instruction does not support non-native tokens",
}

_UNITS_OF_FAILURE: Final = 200

_AUTHORITY_MINT, _AUTHORITY_FREEZE, _AUTHORITY_OWNER, _AUTHORITY_CLOSE = range(4)


def process(invocation: Invocation) -> None:
    """Raises InstructionError."""
    if not invocation.data:
        raise InstructionError(INVALID_INSTRUCTION)
    handler, units = _HANDLERS.get(invocation.data[0], (_unknown, _UNITS_OF_FAILURE))
    invocation.consume(units)
    try:
        handler(invocation)
    except RuntimeViolation:
        raise
    except InstructionError as error:
        invocation.log(f"Error: {_TEXT[error.code] if isinstance(error.code, int) else error.code}")
        raise


def _unknown(_: Invocation) -> None:
    raise InstructionError(INVALID_INSTRUCTION)


def _initialize_mint(invocation: Invocation) -> None:
    invocation.require(2 if invocation.data[0] == 0 else 1)
    data = invocation.data[1:]
    has_freeze = data[33:34]
    if (has_freeze, len(data)) not in ((b"\0", 34), (b"\1", 66)):
        raise InstructionError(INVALID_INSTRUCTION)
    account = invocation.account(0)
    if _mint_of(account.data).is_initialized:
        raise InstructionError(ALREADY_IN_USE)
    if account.lamports < rent_exempt_minimum(len(account.data)):
        raise InstructionError(NOT_RENT_EXEMPT)
    freeze = Pubkey.from_bytes(data[34:]) if has_freeze == b"\1" else None
    mint = Mint.new(data[0], authority=Pubkey.from_bytes(data[1:33]))
    invocation.store_data(0, encoded(replace(mint, freeze_authority=OptionalKey.of(freeze))))


def _initialize_account(invocation: Invocation) -> None:
    """All three forms: the owner as an account (1), or in the data, with the rent sysvar (16) or without (18)."""
    tag = invocation.data[0]
    invocation.require({1: 4, 16: 3, 18: 2}[tag])
    if tag != 1 and len(invocation.data) < 33:
        raise InstructionError(INVALID_INSTRUCTION)
    owner = invocation.key(2) if tag == 1 else Pubkey.from_bytes(invocation.data[1:33])
    account = invocation.account(0)
    if _account_of(account.data).state != AccountState.UNINITIALIZED:
        raise InstructionError(ALREADY_IN_USE)
    reserve = rent_exempt_minimum(len(account.data))
    if account.lamports < reserve:
        raise InstructionError(NOT_RENT_EXEMPT)
    mint = invocation.key(1)
    if mint == token.NATIVE_MINT:
        state = TokenAccount.new(mint, owner, account.lamports - reserve, native_rent=reserve)
    else:
        if invocation.account(1).owner != invocation.program_id:
            raise InstructionError("IncorrectProgramId")
        try:
            if not decoded(Mint, invocation.account(1).data).is_initialized:
                raise InstructionError(INVALID_MINT)
        except LayoutError as error:
            raise InstructionError(INVALID_MINT) from error
        state = TokenAccount.new(mint, owner)
    invocation.store_data(0, encoded(state))


def _transfer(invocation: Invocation) -> None:
    checked = invocation.data[0] == token.TransferChecked.DISCRIMINATOR[0]
    amount = _amount(invocation, 1 if checked else 0)
    invocation.require(4 if checked else 3)
    to, by = (2, 3) if checked else (1, 2)
    source = _token_account(invocation, 0)
    destination = _token_account(invocation, to)
    if AccountState.FROZEN in (source.state, destination.state):
        raise InstructionError(ACCOUNT_FROZEN)
    if source.amount < amount:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if source.mint != destination.mint:
        raise InstructionError(MINT_MISMATCH)
    if checked:
        _check_decimals(invocation, 1, source)
    to_itself = invocation.key(0) == invocation.key(to)
    after = _spend_allowance(invocation, by, source, amount, spent=not to_itself)
    if to_itself or amount == 0:
        _check_program(invocation, 0, to)
    if to_itself:
        return
    invocation.store_data(0, encoded(replace(after, amount=source.amount - amount)))
    invocation.store_data(to, encoded(replace(destination, amount=destination.amount + amount)))
    if source.is_native.tag:
        lamports = invocation.account(0).lamports
        invocation.store_lamports(0, lamports - amount)
        invocation.store_lamports(to, invocation.account(to).lamports + amount)


def _approve(invocation: Invocation) -> None:
    checked = invocation.data[0] == 13
    amount = _amount(invocation, 1 if checked else 0)
    invocation.require(4 if checked else 3)
    to, by = (2, 3) if checked else (1, 2)
    source = _token_account(invocation, 0)
    if source.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if checked:
        _check_decimals(invocation, 1, source)
    _check_owner(invocation, by, source.owner)
    delegate = OptionalKey.of(invocation.key(to))
    invocation.store_data(0, encoded(replace(source, delegate=delegate, delegated_amount=amount)))


def _revoke(invocation: Invocation) -> None:
    invocation.require(2)
    source = _token_account(invocation, 0)
    if source.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    _check_owner(invocation, 1, source.owner)
    invocation.store_data(0, encoded(replace(source, delegate=_gone(source.delegate), delegated_amount=0)))


def _set_authority(invocation: Invocation) -> None:
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
    account = _token_account(invocation, 0)
    if account.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if kind == _AUTHORITY_OWNER:
        _check_owner(invocation, 1, account.owner)
        if new is None:
            raise InstructionError(INVALID_INSTRUCTION)
        close = _gone(account.close_authority) if account.is_native.tag else account.close_authority
        delegate = _gone(account.delegate)
        return replace(account, owner=new, delegate=delegate, delegated_amount=0, close_authority=close)
    if kind == _AUTHORITY_CLOSE:
        _check_owner(invocation, 1, account.close_authority.key or account.owner)
        return replace(account, close_authority=_changed(account.close_authority, new))
    raise InstructionError(AUTHORITY_TYPE_NOT_SUPPORTED)


def _mint_authority(invocation: Invocation, kind: int, new: Pubkey | None) -> Mint:
    mint = _mint(invocation, 0)
    if kind == _AUTHORITY_MINT:
        if mint.mint_authority.key is None:
            raise InstructionError(FIXED_SUPPLY)
        _check_owner(invocation, 1, mint.mint_authority.key)
        return replace(mint, mint_authority=_changed(mint.mint_authority, new))
    if kind == _AUTHORITY_FREEZE:
        if mint.freeze_authority.key is None:
            raise InstructionError(MINT_CANNOT_FREEZE)
        _check_owner(invocation, 1, mint.freeze_authority.key)
        return replace(mint, freeze_authority=_changed(mint.freeze_authority, new))
    raise InstructionError(AUTHORITY_TYPE_NOT_SUPPORTED)


def _mint_to(invocation: Invocation) -> None:
    amount = _amount(invocation, 1 if invocation.data[0] == 14 else 0)
    invocation.require(3)
    destination = _token_account(invocation, 1)
    if destination.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if destination.is_native.tag:
        raise InstructionError(NATIVE_NOT_SUPPORTED)
    if destination.mint != invocation.key(0):
        raise InstructionError(MINT_MISMATCH)
    mint = _mint(invocation, 0)
    if invocation.data[0] == 14 and invocation.data[9] != mint.decimals:
        raise InstructionError(MINT_DECIMALS_MISMATCH)
    if mint.mint_authority.key is None:
        raise InstructionError(FIXED_SUPPLY)
    _check_owner(invocation, 2, mint.mint_authority.key)
    if amount == 0:
        _check_program(invocation, 0, 1)
    if mint.supply + amount > U64_MAX:
        raise InstructionError(OVERFLOW)
    invocation.store_data(0, encoded(replace(mint, supply=mint.supply + amount)))
    invocation.store_data(1, encoded(replace(destination, amount=destination.amount + amount)))


def _burn(invocation: Invocation) -> None:
    amount = _amount(invocation, 1 if invocation.data[0] == 15 else 0)
    invocation.require(3)
    source = _token_account(invocation, 0)
    mint = _mint(invocation, 1)
    if source.state == AccountState.FROZEN:
        raise InstructionError(ACCOUNT_FROZEN)
    if source.is_native.tag:
        raise InstructionError(NATIVE_NOT_SUPPORTED)
    if source.amount < amount:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if source.mint != invocation.key(1):
        raise InstructionError(MINT_MISMATCH)
    if invocation.data[0] == 15 and invocation.data[9] != mint.decimals:
        raise InstructionError(MINT_DECIMALS_MISMATCH)
    after = _spend_allowance(invocation, 2, source, amount, spent=True)
    if amount == 0:
        _check_program(invocation, 0, 1)
    invocation.store_data(0, encoded(replace(after, amount=source.amount - amount)))
    invocation.store_data(1, encoded(replace(mint, supply=mint.supply - amount)))


def _close_account(invocation: Invocation) -> None:
    invocation.require(3)
    if invocation.key(0) == invocation.key(1):
        raise InstructionError("InvalidAccountData")
    source = _token_account(invocation, 0)
    if not source.is_native.tag and source.amount:
        raise InstructionError(NON_NATIVE_HAS_BALANCE)
    _check_owner(invocation, 2, source.close_authority.key or source.owner)
    lamports = invocation.account(0).lamports
    invocation.store_lamports(1, invocation.account(1).lamports + lamports)
    invocation.store_lamports(0, 0)
    invocation.store_data(0, b"")
    invocation.store_owner(0, system.PROGRAM_ID)


def _sync_native(invocation: Invocation) -> None:
    invocation.require(1)
    _check_program(invocation, 0)
    account = _token_account(invocation, 0)
    if not account.is_native.tag:
        raise InstructionError(NON_NATIVE_NOT_SUPPORTED)
    amount = invocation.account(0).lamports - account.is_native.value
    if amount < 0:
        raise InstructionError(OVERFLOW)
    if amount < account.amount:
        raise InstructionError(INVALID_STATE)
    invocation.store_data(0, encoded(replace(account, amount=amount)))


def _get_account_data_size(invocation: Invocation) -> None:
    invocation.require(1)
    if invocation.account(0).owner != invocation.program_id:
        raise InstructionError("IncorrectProgramId")
    try:
        decoded(Mint, invocation.account(0).data)
    except LayoutError as error:
        raise InstructionError(INVALID_MINT) from error
    invocation.return_data = token.ACCOUNT_SIZE.to_bytes(8, "little")


def _initialize_immutable_owner(invocation: Invocation) -> None:
    invocation.require(1)
    if _account_of(invocation.account(0).data).state != AccountState.UNINITIALIZED:
        raise InstructionError(ALREADY_IN_USE)


def _amount(invocation: Invocation, more: int) -> int:
    """The u64 behind the tag; `more` bytes must follow it."""
    if len(invocation.data) < 9 + more:
        raise InstructionError(INVALID_INSTRUCTION)
    return int.from_bytes(invocation.data[1:9], "little")


def _account_of(data: bytes) -> TokenAccount:
    if len(data) != token.ACCOUNT_SIZE:
        raise InstructionError("InvalidAccountData")
    return decoded(TokenAccount, data)


def _mint_of(data: bytes) -> Mint:
    if len(data) != token.MINT_SIZE:
        raise InstructionError("InvalidAccountData")
    return decoded(Mint, data)


def _token_account(invocation: Invocation, index: int) -> TokenAccount:
    account = _account_of(invocation.account(index).data)
    if account.state == AccountState.UNINITIALIZED:
        raise InstructionError("UninitializedAccount")
    return account


def _mint(invocation: Invocation, index: int) -> Mint:
    mint = _mint_of(invocation.account(index).data)
    if not mint.is_initialized:
        raise InstructionError("UninitializedAccount")
    return mint


def _check_decimals(invocation: Invocation, index: int, account: TokenAccount) -> None:
    """That the mint given is the account's, and the decimals behind the amount are the mint's."""
    if account.mint != invocation.key(index):
        raise InstructionError(MINT_MISMATCH)
    if invocation.data[9] != _mint(invocation, index).decimals:
        raise InstructionError(MINT_DECIMALS_MISMATCH)


def _check_owner(invocation: Invocation, index: int, owner: Pubkey) -> None:
    if invocation.key(index) != owner:
        raise InstructionError(OWNER_MISMATCH)
    if not invocation.is_signer(index):
        raise InstructionError("MissingRequiredSignature")


def _check_program(invocation: Invocation, *indices: int) -> None:
    if any(invocation.account(index).owner != invocation.program_id for index in indices):
        raise InstructionError("IncorrectProgramId")


def _spend_allowance(
    invocation: Invocation, index: int, account: TokenAccount, amount: int, *, spent: bool
) -> TokenAccount:
    """Check that the authority at `index` may spend: the owner, or the delegate, whose allowance shrinks."""
    if account.delegate.key != invocation.key(index):
        _check_owner(invocation, index, account.owner)
        return account
    if not invocation.is_signer(index):
        raise InstructionError("MissingRequiredSignature")
    if account.delegated_amount < amount:
        raise InstructionError(INSUFFICIENT_FUNDS)
    if not spent:
        return account
    left = account.delegated_amount - amount
    return replace(account, delegated_amount=left, delegate=account.delegate if left else _gone(account.delegate))


def _gone(key: OptionalKey) -> OptionalKey:
    """An optional key that is taken away: the program resets the tag and leaves the bytes."""
    return OptionalKey(0, key.value)


def _changed(key: OptionalKey, new: Pubkey | None) -> OptionalKey:
    return _gone(key) if new is None else OptionalKey.of(new)


_HANDLERS: Final[dict[int, tuple[Callable[[Invocation], None], int]]] = {
    0: (_initialize_mint, 210),
    1: (_initialize_account, 250),
    3: (_transfer, 76),
    4: (_approve, 126),
    5: (_revoke, 108),
    6: (_set_authority, 127),
    7: (_mint_to, 119),
    8: (_burn, 123),
    9: (_close_account, 120),
    12: (_transfer, 105),
    13: (_approve, 164),
    14: (_mint_to, 165),
    15: (_burn, 168),
    16: (_initialize_account, 240),
    17: (_sync_native, 150),
    18: (_initialize_account, 235),
    20: (_initialize_mint, 201),
    21: (_get_account_data_size, 183),
    22: (_initialize_immutable_owner, 38),
}
"""By tag: the handler, and the compute units of a success."""
