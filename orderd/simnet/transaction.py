"""Decodes a transaction from its wire format, and checks its form.

Rules: anza-xyz/solana-sdk, ``message`` (sanitising, writability) and agave's ``compute-budget-instruction``; for
version 1 SIMD-0385.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from solders.hash import Hash
from solders.message import Message, MessageHeader, MessageV0, MessageV1
from solders.message.v1 import (
    MAX_ADDRESSES,
    MAX_HEAP_SIZE,
    MAX_INSTRUCTIONS,
    MAX_TRANSACTION_SIZE,
    MIN_HEAP_SIZE,
    V1_PREFIX,
)
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.simnet import sysvars
from orderd.simnet.errors import FailedInstructionError, InstructionError, TransactionError
from orderd.solana.programs import associated_token, compute_budget, memo, system, token
from orderd.solana.programs.layout import LayoutError

MAX_SIZE: Final = 1_232
"""Maximum bytes of a transaction before version 1: it must fit in one packet."""
_KIB: Final = 1_024
AnyMessage = Message | MessageV0 | MessageV1

LAMPORTS_PER_SIGNATURE: Final = 5_000
_BUILTIN_UNITS: Final = 3_000
BUILTINS: Final = frozenset({system.PROGRAM_ID, compute_budget.PROGRAM_ID})

_RESERVED: Final = frozenset(
    {
        *BUILTINS,
        token.PROGRAM_ID,
        associated_token.PROGRAM_ID,
        memo.PROGRAM_ID,
        sysvars.RENT,
        sysvars.CLOCK,
        Pubkey.from_string("Sysvar1nstructions1111111111111111111111111"),
    }
)
"""Programs and sysvars are never writable, even if a message marks them so."""


class CompiledInstruction(NamedTuple):
    """One instruction; accounts and program are indices into the transaction's keys."""

    program: int
    accounts: bytes
    data: bytes


class Loaded(NamedTuple):
    """The keys that a message names by lookup tables. They follow its static keys, the writable ones first."""

    writable: tuple[Pubkey, ...] = ()
    readonly: tuple[Pubkey, ...] = ()


Tables = Mapping[Pubkey, Sequence[Pubkey]]
"""The addresses in each lookup table, by the table's address."""
NO_TABLES: Final[Tables] = {}


@dataclass(frozen=True, slots=True)
class Transaction:
    """A well-formed transaction. ``unit_limit`` in compute units, ``unit_price`` in micro-lamports for one of them,
    ``priority_fee`` in lamports, ``loaded_limit`` in bytes that its accounts may have; None if that is not limited."""

    raw: bytes
    signatures: tuple[Signature, ...]
    version: Literal["legacy", 0, 1]
    header: tuple[int, int, int]
    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]
    blockhash: Hash
    instructions: tuple[CompiledInstruction, ...]
    unit_limit: int
    unit_price: int
    priority_fee: int
    loaded_limit: int | None
    parsed: VersionedTransaction
    loaded: Loaded

    @property
    def static_keys(self) -> tuple[Pubkey, ...]:
        """The keys that the message itself contains."""
        return self.keys[: len(self.keys) - len(self.loaded.writable) - len(self.loaded.readonly)]

    @property
    def signature(self) -> Signature:
        """The first signature, which identifies the transaction."""
        return self.signatures[0]

    @property
    def payer(self) -> Pubkey:
        return self.keys[0]

    @property
    def fee(self) -> int:
        return LAMPORTS_PER_SIGNATURE * len(self.signatures) + self.priority_fee

    def verify(self) -> None:
        """Raises TransactionError SignatureFailure."""
        if not all(self.parsed.verify_with_results()):
            raise TransactionError("SignatureFailure")


def decode(raw: bytes, tables: Tables = NO_TABLES) -> Transaction:
    """Decode a transaction. Raises ValueError if the bytes are not a transaction, TransactionError if it is malformed.

    Cached, because a transaction that was sent is soon looked up.
    """
    transaction = _decode(raw, NOTHING_LOADED)
    message = transaction.parsed.message
    if not isinstance(message, MessageV0) or not message.address_table_lookups:
        return transaction
    return _decode(raw, _loaded(message, tables))


def _loaded(message: MessageV0, tables: Tables) -> Loaded:
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    for lookup in message.address_table_lookups:
        addresses = tables.get(lookup.account_key)
        if addresses is None:
            raise TransactionError("AddressLookupTableNotFound")
        for indexes, found in ((lookup.writable_indexes, writable), (lookup.readonly_indexes, readonly)):
            if max(indexes, default=0) >= len(addresses):
                raise TransactionError("InvalidAddressLookupTableIndex")
            found += [addresses[index] for index in indexes]
    return Loaded(tuple(writable), tuple(readonly))


NOTHING_LOADED: Final = Loaded()
_KEPT: Final = 1_024
"""What was sent is asked about when its block is on disk, hundreds of transactions later; each was simulated before."""


@lru_cache(maxsize=_KEPT)
def _decode(raw: bytes, loaded: Loaded) -> Transaction:
    most = MAX_TRANSACTION_SIZE if is_of_version_1(raw) else MAX_SIZE
    if len(raw) > most:
        raise ValueError(f"transaction too large: {len(raw)} bytes (max: raw {most})")
    try:
        parsed = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise ValueError(
            "failed to deserialize the transaction: the bytes are truncated or not a transaction"
        ) from error
    if bytes(parsed) != raw:
        raise ValueError("failed to deserialize the transaction: bytes follow its end")
    message = parsed.message
    header = message.header
    signers, readonly_signers = header.num_required_signatures, header.num_readonly_signed_accounts
    static = tuple(message.account_keys)
    keys = (*static, *loaded.writable, *loaded.readonly)
    instructions = tuple(
        CompiledInstruction(each.program_id_index, bytes(each.accounts), bytes(each.data))
        for each in message.instructions
    )
    _sanitize(len(parsed.signatures), signers, readonly_signers, header.num_readonly_unsigned_accounts, static)
    if len(set(keys)) != len(keys):
        raise TransactionError("AccountLoadedTwice")
    most = len(static) + _lookups(message)
    for each in instructions:
        if not 0 < each.program < len(static) or max(each.accounts, default=0) >= most:
            raise TransactionError("SanitizeFailure")
    budget = _config(message) if isinstance(message, MessageV1) else _compute_budget(keys, instructions)
    return Transaction(
        raw=raw,
        signatures=tuple(parsed.signatures),
        version=_VERSIONS[type(message)],
        header=(signers, readonly_signers, header.num_readonly_unsigned_accounts),
        keys=keys,
        writable=_writable(header, static, loaded, instructions),
        blockhash=message.recent_blockhash,
        instructions=instructions,
        unit_limit=budget.unit_limit,
        unit_price=budget.unit_price,
        priority_fee=budget.priority_fee,
        loaded_limit=budget.loaded_limit,
        parsed=parsed,
        loaded=loaded,
    )


def is_of_version_1(raw: bytes) -> bool:
    """By its first byte, which is the number of signatures in others. They have fewer than 129, which do not fit."""
    return raw[:1] == bytes([V1_PREFIX])


_VERSIONS: Final[Mapping[type, Literal["legacy", 0, 1]]] = {Message: "legacy", MessageV0: 0, MessageV1: 1}


def _lookups(message: AnyMessage) -> int:
    """Number of keys that the message names by lookup tables."""
    if not isinstance(message, MessageV0):
        return 0
    return sum(len(each.writable_indexes) + len(each.readonly_indexes) for each in message.address_table_lookups)


def _writable(
    header: MessageHeader, static: tuple[Pubkey, ...], loaded: Loaded, instructions: tuple[CompiledInstruction, ...]
) -> tuple[bool, ...]:
    """For each key, whether it is writable: by header and lookups, except for called programs and reserved keys."""
    signers, readonly_signers = header.num_required_signatures, header.num_readonly_signed_accounts
    readonly = header.num_readonly_unsigned_accounts
    parts = ((signers - readonly_signers, True), (readonly_signers, False), (len(static) - signers - readonly, True))
    writable = [may for count, may in (*parts, (readonly, False)) for _ in range(count)]
    writable += [True] * len(loaded.writable) + [False] * len(loaded.readonly)
    keys = (*static, *loaded.writable, *loaded.readonly)
    for each in instructions:
        writable[each.program] = False
    for key in _RESERVED.intersection(keys):
        writable[keys.index(key)] = False
    return tuple(writable)


def _sanitize(
    signatures: int, signers: int, readonly_signers: int, readonly_unsigned: int, keys: tuple[Pubkey, ...]
) -> None:
    if signatures != signers or readonly_signers >= signers or signers + readonly_unsigned > len(keys):
        raise TransactionError("SanitizeFailure")


class _Budget(NamedTuple):
    unit_limit: int
    unit_price: int
    priority_fee: int
    loaded_limit: int | None = None


def _config(message: MessageV1) -> _Budget:
    """The compute budget in a message of version 1. Values that it does not name are 0. Raises TransactionError."""
    config = message.config
    heap = config.heap_size
    too_many = len(message.account_keys) > MAX_ADDRESSES or len(message.instructions) > MAX_INSTRUCTIONS
    if too_many or not (heap is None or (MIN_HEAP_SIZE <= heap <= MAX_HEAP_SIZE and heap % _KIB == 0)):
        raise TransactionError("SanitizeFailure")
    units = min(config.compute_unit_limit or 0, compute_budget.MAX_COMPUTE_UNITS)
    loaded = min(config.loaded_accounts_data_size_limit or 0, compute_budget.MAX_LOADED_ACCOUNTS_BYTES)
    fee = config.priority_fee or 0
    return _Budget(units, fee * compute_budget.MICRO_LAMPORTS // max(units, 1), fee, loaded)


def _compute_budget(keys: tuple[Pubkey, ...], instructions: tuple[CompiledInstruction, ...]) -> _Budget:
    """The compute budget that the transaction's instructions set, or the defaults."""
    limit, price = None, 0
    seen: Counter[type] = Counter()
    default = 0
    for index, each in enumerate(instructions):
        program = keys[each.program]
        if program != compute_budget.PROGRAM_ID:
            default += _BUILTIN_UNITS if program in BUILTINS else compute_budget.DEFAULT_UNITS_PER_INSTRUCTION
            continue
        default += _BUILTIN_UNITS
        try:
            budget = compute_budget.decode_instruction(each.data)
        except LayoutError as error:
            raise FailedInstructionError(index, InstructionError("InvalidInstructionData")) from error
        seen[type(budget)] += 1
        if seen[type(budget)] > 1:
            raise TransactionError("DuplicateInstruction", index)
        match budget:
            case compute_budget.SetComputeUnitLimit(units):
                limit = units
            case compute_budget.SetComputeUnitPrice(micro_lamports):
                price = micro_lamports
    units = min(default if limit is None else limit, compute_budget.MAX_COMPUTE_UNITS)
    return _Budget(units, price, compute_budget.priority_fee(units, price))
