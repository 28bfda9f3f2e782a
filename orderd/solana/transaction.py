"""Building, signing and reading transactions.

Wire format: https://solana.com/docs/core/transactions. A transaction is at most 1,232 bytes, what fits in one
IPv6 packet.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message, MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.keys import Signer
from orderd.solana.programs import compute_budget, memo

MAX_SIZE: Final = 1232
LAMPORTS_A_SIGNATURE: Final = 5000
_KEYS_AT: Final = 5
"""In a version 0 message: behind the version, three counts, and the number of keys."""
_LIMIT_HEAD: Final = bytes((0, 5)) + compute_budget.SetComputeUnitLimit.DISCRIMINATOR
"""Of the instruction behind its program: no accounts, five bytes of data, of which this is the first."""


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Bytes that can be sent any number of times and land at most once."""

    signature: Signature
    raw: bytes

    @property
    def base64(self) -> str:
        return base64.b64encode(self.raw).decode()


def attempt_instructions(
    attempt_id: str, instructions: Sequence[Instruction], *, units: int, micro_lamports_a_unit: int
) -> list[Instruction]:
    """One attempt's instructions behind its compute budget and its memo.

    The memo holds the attempt's id, so that two equal orders in one slot do not sign the same bytes: the chain would
    take the second for a repetition of the first.
    """
    return [*compute_budget.budget(units, micro_lamports_a_unit), memo.memo(attempt_id), *instructions]


def sign(
    instructions: Sequence[Instruction], wallet: Signer, blockhash: Hash, *, legacy: bool = False
) -> SignedTransaction:
    """Compile a version 0 (or legacy) transaction that ``wallet`` pays for and alone signs.

    Raises OrderdError TX_TOO_LARGE. Raises ValueError if an instruction wants another signer.
    """
    message = _compiled(instructions, wallet.address, blockhash, legacy=legacy)
    signature = wallet.sign(to_bytes_versioned(message))
    return SignedTransaction(signature, _packed(message, signature))


def draft(
    instructions: Sequence[Instruction],
    payer: Pubkey,
    blockhash: Hash,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> bytes:
    """What ``sign`` would make, without its signature, for a simulation. Raises as ``sign`` does.

    Accounts that one of the lookup ``tables`` holds are named by it.
    """
    return _packed(_compiled(instructions, payer, blockhash, legacy=False, tables=tables), Signature.default())


def sign_draft(unsigned: bytes, wallet: Signer, units: int) -> SignedTransaction:
    """Sign what ``draft`` has made of an attempt's instructions, with so many compute units in the place of its own.

    To compile it again takes as long as to sign it. Raises ValueError if it does not begin with its compute units.
    """
    message = bytearray(unsigned[1 + Signature.LENGTH :])
    keys = message[_KEYS_AT - 1]
    budget = _KEYS_AT + Pubkey.LENGTH * keys + Hash.LENGTH + 1  # behind the blockhash and the number of instructions
    program = _KEYS_AT + Pubkey.LENGTH * message[budget]
    is_limit = message[budget + 1 : budget + 4] == _LIMIT_HEAD and message[budget] < keys
    if not is_limit or message[program : program + Pubkey.LENGTH] != bytes(compute_budget.PROGRAM_ID):
        raise ValueError("the draft does not begin with its compute units")
    message[budget + 4 : budget + 8] = units.to_bytes(4, "little")
    signature = wallet.sign(bytes(message))
    return SignedTransaction(signature, unsigned[:1] + bytes(signature) + message)


def _compiled(
    instructions: Sequence[Instruction],
    payer: Pubkey,
    blockhash: Hash,
    *,
    legacy: bool,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> Message | MessageV0:
    message: Message | MessageV0
    if legacy:
        message = Message.new_with_blockhash(list(instructions), payer, blockhash)
    else:
        message = MessageV0.try_compile(payer, list(instructions), list(tables), blockhash)
    if message.header.num_required_signatures != 1:
        raise ValueError(f"{message.header.num_required_signatures} signers are required, only the wallet signs")
    return message


def _packed(message: Message | MessageV0, signature: Signature) -> bytes:
    raw = bytes(VersionedTransaction.populate(message, [signature]))
    if len(raw) > MAX_SIZE:
        raise OrderdError(ErrorCode.TX_TOO_LARGE, f"the transaction takes {len(raw)} bytes, {MAX_SIZE} are allowed")
    return raw


def unsigned(raw: bytes) -> bytes:
    """The same transaction with empty signatures: a node can simulate it, and it cannot land."""
    count = raw[0]  # a single byte: 128 signatures, where a second one begins, are more than fit
    return raw[:1] + bytes(64 * count) + raw[1 + 64 * count :]


def decode(raw: bytes) -> VersionedTransaction:
    """Raises ValueError if the bytes are not a transaction, or more than one."""
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except Exception as error:  # solders raises BincodeError and more, which share no base but Exception
        raise ValueError(f"these {len(raw)} bytes are no transaction: {error}") from error
    if bytes(transaction) != raw:
        raise ValueError("bytes follow the transaction")
    return transaction
