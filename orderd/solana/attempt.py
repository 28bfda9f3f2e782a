"""The transaction of one attempt: simulated with the maximum compute units, and signed with the units that it needs.

Version 0 names its compute budget by two instructions, version 1 in the message (SIMD-0385, TransactionConfigMask):
there the priority fee is in lamports for the whole transaction, and missing values are 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction
from solders.message import TransactionConfig
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.solana.keys import Signer
from orderd.solana.programs import compute_budget, memo
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.transaction import SignedTransaction, TransactionVersion, draft, signed, version_of

_KEYS_AT: Final = 5
"""Offset of the keys in a message of version 0: after the version, three counts, and the number of keys."""
_LIMIT_HEAD: Final = bytes((0, 5)) + compute_budget.SetComputeUnitLimit.DISCRIMINATOR
"""The start of the limit instruction after its program index: no accounts, five bytes of data, of which the tag is the
first."""
_MASK_AT: Final = 4
_KEYS_OF_V1_AT: Final = 42
"""Offset of the keys in version 1: after the version, three counts, the mask, the blockhash, and the numbers of
instructions and keys."""
_FEE_UNITS_AND_DATA: Final = (0b1111).to_bytes(4, "little")
"""The mask of a config with the fee (u64), the units and the bytes of accounts (u32 each)."""


@dataclass(frozen=True, slots=True)
class AttemptDraft:
    """An unsigned transaction for a simulation. ``instructions`` are all its instructions, ``unit_price`` is in
    micro-lamports per compute unit."""

    instructions: Sequence[Instruction]
    unit_price: int
    unsigned: bytes

    @property
    def version(self) -> TransactionVersion:
        return version_of(self.unsigned)

    def sign(self, wallet: Signer, units: int) -> SignedTransaction:
        """The draft with this compute unit limit, signed."""
        return sign_draft(self.unsigned, wallet, units, self.unit_price)


def draft_attempt(
    attempt_id: str,
    instructions: Sequence[Instruction],
    payer: Pubkey,
    blockhash: Hash,
    *,
    unit_price: int,
    version: TransactionVersion,
    tables: Sequence[AddressLookupTableAccount] = (),
) -> AttemptDraft:
    """Draft an attempt's transaction. Raises OrderdError TX_TOO_LARGE, and ValueError if an instruction requires
    another signer."""
    if version == TransactionVersion.V1:
        named = [memo.memo(attempt_id), *instructions]
        config = budget_config(MAX_COMPUTE_UNITS, unit_price)
        return AttemptDraft(named, unit_price, draft(named, payer, blockhash, config=config))
    budgeted = attempt_instructions(
        attempt_id, instructions, units=MAX_COMPUTE_UNITS, micro_lamports_per_unit=unit_price
    )
    return AttemptDraft(budgeted, unit_price, draft(budgeted, payer, blockhash, tables))


def attempt_instructions(
    attempt_id: str, instructions: Sequence[Instruction], *, units: int, micro_lamports_per_unit: int
) -> list[Instruction]:
    """An attempt's instructions, preceded by its compute budget and its memo, for version 0.

    The memo holds the attempt's id, so that two equal orders with the same blockhash give different bytes. The chain
    would treat equal bytes as the same transaction.
    """
    return [*compute_budget.budget(units, micro_lamports_per_unit), memo.memo(attempt_id), *instructions]


def budget_config(units: int, micro_lamports_per_unit: int) -> TransactionConfig:
    """The compute budget for version 1. The limit of loaded bytes is the default of other versions."""
    return TransactionConfig(
        priority_fee=compute_budget.priority_fee(units, micro_lamports_per_unit),
        compute_unit_limit=units,
        loaded_accounts_data_size_limit=compute_budget.MAX_LOADED_ACCOUNTS_BYTES,
    )


def sign_draft(unsigned: bytes, wallet: Signer, units: int, unit_price: int) -> SignedTransaction:
    """Sign a draft of an attempt, after replacing its compute unit limit by ``units``.

    Patching the bytes saves compiling again, which takes as long as signing. Raises ValueError if the draft has another
    form.
    """
    is_v1 = version_of(unsigned) == TransactionVersion.V1
    budgeted = _with_config(unsigned, units, unit_price) if is_v1 else _with_limit(unsigned, units)
    return signed(budgeted, wallet)


def _with_config(unsigned: bytes, units: int, unit_price: int) -> bytes:
    if unsigned[_MASK_AT : _MASK_AT + 4] != _FEE_UNITS_AND_DATA:
        raise ValueError("the draft's config does not hold its fee and its compute units")
    start = _KEYS_OF_V1_AT + Pubkey.LENGTH * unsigned[_KEYS_OF_V1_AT - 1]
    fee = compute_budget.priority_fee(units, unit_price)
    return unsigned[:start] + fee.to_bytes(8, "little") + units.to_bytes(4, "little") + unsigned[start + 12 :]


def _with_limit(unsigned: bytes, units: int) -> bytes:
    start = 1 + Signature.LENGTH
    message = bytearray(unsigned[start:])
    keys = message[_KEYS_AT - 1]
    budget = _KEYS_AT + Pubkey.LENGTH * keys + Hash.LENGTH + 1  # after the blockhash and the number of instructions
    program = _KEYS_AT + Pubkey.LENGTH * message[budget]
    is_limit = message[budget + 1 : budget + 4] == _LIMIT_HEAD and message[budget] < keys
    if not is_limit or message[program : program + Pubkey.LENGTH] != bytes(compute_budget.PROGRAM_ID):
        raise ValueError("the draft does not begin with its compute units")
    message[budget + 4 : budget + 8] = units.to_bytes(4, "little")
    return unsigned[:start] + bytes(message)
