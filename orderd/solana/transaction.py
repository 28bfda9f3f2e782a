"""Transactions as bytes: their versions and limits, signing and reading.

Wire format: https://solana.com/docs/core/transactions. Signatures come first, and a transaction has at most 1,232
bytes, so that it fits in one IPv6 packet. Version 1 is that of SIMD-0385
(solana-foundation/solana-improvement-documents, ``proposals/0385-transaction-v1.md``), with the size of SIMD-0296:
4,096 bytes, no lookup tables, the compute budget in the message's head, and signatures at the end.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import Message, MessageV0, MessageV1, TransactionConfig
from solders.message.v1 import MAX_TRANSACTION_SIZE, V1_PREFIX
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.keys import Signer

MAX_SIZE: Final = 1232
MAX_ACCOUNTS: Final = 64
"""Maximum accounts of a transaction of any version, including those named by lookup tables."""
LAMPORTS_PER_SIGNATURE: Final = 5000
AnyMessage = Message | MessageV0 | MessageV1


class TransactionVersion(IntEnum):
    """The versions that attempts are signed in."""

    V0 = 0
    V1 = 1

    @property
    def max_size(self) -> int:
        """Bytes, with signatures."""
        return MAX_TRANSACTION_SIZE if self is TransactionVersion.V1 else MAX_SIZE


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """Bytes that can be sent any number of times and land at most once."""

    signature: Signature
    raw: bytes

    @property
    def base64(self) -> str:
        return base64.b64encode(self.raw).decode()


def sign(
    instructions: Sequence[Instruction],
    wallet: Signer,
    blockhash: Hash,
    *,
    config: TransactionConfig | None = None,
    legacy: bool = False,
) -> SignedTransaction:
    """Compile and sign a transaction with ``wallet`` as the payer and only signer: of version 1 with a ``config`` (its
    compute budget), otherwise of version 0, or of the older format if ``legacy``.

    Raises OrderdError TX_TOO_LARGE, and ValueError if an instruction requires another signer.
    """
    message = _compiled(instructions, wallet.address, blockhash, config=config, legacy=legacy)
    return signed(packed(message, Signature.default()), wallet)


def draft(
    instructions: Sequence[Instruction],
    payer: Pubkey,
    blockhash: Hash,
    tables: Sequence[AddressLookupTableAccount] = (),
    *,
    config: TransactionConfig | None = None,
) -> bytes:
    """The transaction of ``sign`` without a signature, for a simulation. Raises the errors of ``sign``.

    Accounts in one of the lookup ``tables`` are named by their place in it, except in version 1, which has no tables.
    """
    message = _compiled(instructions, payer, blockhash, config=config, legacy=False, tables=tables)
    return packed(message, Signature.default())


def signed(unsigned: bytes, wallet: Signer) -> SignedTransaction:
    """A transaction with its only signature replaced by the wallet's."""
    if version_of(unsigned) == TransactionVersion.V1:
        message = unsigned[: -Signature.LENGTH]
        signature = wallet.sign(message)
        return SignedTransaction(signature, message + bytes(signature))
    message = unsigned[1 + Signature.LENGTH :]
    signature = wallet.sign(message)
    return SignedTransaction(signature, unsigned[:1] + bytes(signature) + message)


def _compiled(
    instructions: Sequence[Instruction],
    payer: Pubkey,
    blockhash: Hash,
    *,
    config: TransactionConfig | None,
    legacy: bool,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> AnyMessage:
    message: AnyMessage
    if config is not None:
        message = MessageV1.try_compile(payer, list(instructions), blockhash, config)
    elif legacy:
        message = Message.new_with_blockhash(list(instructions), payer, blockhash)
    else:
        message = MessageV0.try_compile(payer, list(instructions), list(tables), blockhash)
    if message.header.num_required_signatures != 1:
        raise ValueError(f"{message.header.num_required_signatures} signers are required, only the wallet signs")
    return message


def packed(message: AnyMessage, signature: Signature) -> bytes:
    """Raises OrderdError TX_TOO_LARGE for more bytes or accounts than a transaction of this version may have."""
    raw = bytes(VersionedTransaction.populate(message, [signature]))
    most = version_of(raw).max_size
    if len(raw) > most:
        raise OrderdError(ErrorCode.TX_TOO_LARGE, f"the transaction takes {len(raw)} bytes, {most} are allowed")
    named = len(message.account_keys)
    if isinstance(message, MessageV0):
        tables = message.address_table_lookups
        named += sum(len(each.writable_indexes) + len(each.readonly_indexes) for each in tables)
    if named > MAX_ACCOUNTS:
        raise OrderdError(ErrorCode.TX_TOO_LARGE, f"the transaction names {named} accounts, {MAX_ACCOUNTS} are allowed")
    return raw


def version_of(raw: bytes) -> TransactionVersion:
    """The version by the first byte, which is the number of signatures except in version 1. The older format counts as
    version 0."""
    return TransactionVersion.V1 if raw[0] == V1_PREFIX else TransactionVersion.V0


def unsigned(raw: bytes) -> bytes:
    """The same transaction with empty signatures: a node can simulate it, and it cannot land."""
    if version_of(raw) == TransactionVersion.V1:
        size = Signature.LENGTH * raw[1]  # the first byte of the header is their number
        return raw[:-size] + bytes(size)
    count = raw[0]  # one byte: two would be needed from 128 signatures on, which do not fit
    return raw[:1] + bytes(64 * count) + raw[1 + 64 * count :]


def decode(raw: bytes) -> VersionedTransaction:
    """Decode a transaction. Raises ValueError if the bytes are not exactly one transaction."""
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except Exception as error:  # solders raises BincodeError and others, without a common base class
        raise ValueError(f"these {len(raw)} bytes are not a transaction: {error}") from error
    if bytes(transaction) != raw:
        raise ValueError("bytes follow the transaction")
    return transaction
