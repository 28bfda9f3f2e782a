"""The transfer fee of Token-2022: how much is withheld, and where the account records it.

Source: solana-program/token-2022, ``program/src/{processor.rs,extension}``. Only the fee extension has an effect here;
simnet's mints have no other active extensions.
"""

import struct
from typing import Final

from orderd.amm.transfer_fee import NO_FEE, TransferFee
from orderd.simnet.codec import decoded
from orderd.simnet.errors import InstructionError
from orderd.simnet.invoke import Invocation
from orderd.simnet.programs.token.errors import MINT_REQUIRED_FOR_TRANSFER
from orderd.solana.mints import fee_schedule
from orderd.solana.programs import token
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import Extension, Mint

_WITHHELD: Final = 2
_IMMUTABLE_OWNER: Final = 7
_FIRST: Final = token.ACCOUNT_SIZE + 1
_HEADER: Final = struct.Struct("<HH")


def fee_of(invocation: Invocation, index: int) -> TransferFee:
    """The current transfer fee of the mint at ``index``. Raises InstructionError."""
    account = invocation.account(index)
    if account.owner != token.TOKEN_2022_PROGRAM_ID:
        return NO_FEE
    try:
        schedule = fee_schedule(decoded(Mint, account.data))
    except LayoutError as error:
        raise InstructionError("InvalidAccountData") from error
    return NO_FEE if schedule is None else schedule.at(invocation.clock.epoch)


def withheld_fee(invocation: Invocation, amount: int, *, checked: bool) -> int:
    """The withheld fee of a transfer, in base units. Raises InstructionError if the token has a fee and the transfer
    does not name its mint."""
    if invocation.program_id != token.TOKEN_2022_PROGRAM_ID:
        return 0
    if checked:
        return fee_of(invocation, 1).of(amount)
    if _place_of(invocation.account(0).data, _WITHHELD) is not None:
        raise InstructionError(MINT_REQUIRED_FOR_TRANSFER)
    return 0


def withhold(invocation: Invocation, index: int, fee: int) -> None:
    """Add the fee to the withheld amount of the receiving account."""
    data = invocation.account(index).data
    place = _place_of(data, _WITHHELD)
    if fee and place is not None:
        (before,) = struct.unpack_from("<Q", data, place)
        invocation.store_data(index, data[:place] + struct.pack("<Q", before + fee) + data[place + 8 :])


def with_fixed_owner(blank: bytes) -> bytes:
    """A blank account with the immutable-owner extension."""
    noted = blank[: token.ACCOUNT_SIZE] + b"\0" + _HEADER.pack(_IMMUTABLE_OWNER, 0)
    return noted.ljust(len(blank), b"\0")


def added_to(mint: Mint, blank: bytes) -> bytes:
    """The extension bytes of the account that ``blank`` becomes. Raises LayoutError, or InstructionError if it is too
    small."""
    noted = b"" if _place_of(blank, _IMMUTABLE_OWNER) is None else _HEADER.pack(_IMMUTABLE_OWNER, 0)
    if Extension.TRANSFER_FEE in mint.extensions_by_type():
        noted += _HEADER.pack(_WITHHELD, 8) + bytes(8)
    if not noted and len(blank) == token.ACCOUNT_SIZE:
        return b""
    if len(blank) < _FIRST + len(noted):
        raise InstructionError("InvalidAccountData")
    return (bytes([token.EXTENDED_ACCOUNT]) + noted).ljust(len(blank) - token.ACCOUNT_SIZE, b"\0")


def of_new_account(mint: Mint) -> bytes:
    """The extension bytes of an account of this mint as pools create it. Raises LayoutError."""
    if Extension.TRANSFER_FEE not in mint.extensions_by_type():
        return b""
    return bytes([token.EXTENDED_ACCOUNT]) + _HEADER.pack(_WITHHELD, 8) + bytes(8)


def _place_of(data: bytes, wanted: int) -> int | None:
    """The offset of an extension's content; None if the account does not have it."""
    place = _FIRST
    while place + _HEADER.size <= len(data):
        kind, length = _HEADER.unpack_from(data, place)
        if kind == wanted:
            return place + _HEADER.size
        if kind == 0:
            return None
        place += _HEADER.size + length
    return None
