"""A transaction as it came over the wire, checked for form and laid open for the runtime.

Rules: anza-xyz/solana-sdk, `message` (sanitising, writability) and agave's `compute-budget-instruction`.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from solders.hash import Hash
from solders.message import Message, MessageHeader, MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.simnet import sysvars
from orderd.simnet.errors import FailedInstructionError, InstructionError, TransactionError
from orderd.solana.programs import associated_token, compute_budget, memo, system, token
from orderd.solana.programs.layout import LayoutError

MAX_SIZE: Final = 1_232
"""Bytes of one packet, and so of one transaction."""

LAMPORTS_A_SIGNATURE: Final = 5_000
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
"""Programs and sysvars are never written, whatever a message claims."""


@dataclass(frozen=True, slots=True)
class CompiledInstruction:
    """One instruction; accounts and program are indices into the transaction's keys."""

    program: int
    accounts: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Transaction:
    """A well-formed transaction. `fee` in lamports, `unit_limit` in compute units, `unit_price` in micro-lamports."""

    raw: bytes
    signatures: tuple[Signature, ...]
    version: Literal["legacy", 0]
    header: tuple[int, int, int]
    keys: tuple[Pubkey, ...]
    writable: tuple[bool, ...]
    blockhash: Hash
    instructions: tuple[CompiledInstruction, ...]
    unit_limit: int
    unit_price: int
    parsed: VersionedTransaction

    @property
    def signature(self) -> Signature:
        """The first signature, which is the transaction's name."""
        return self.signatures[0]

    @property
    def payer(self) -> Pubkey:
        return self.keys[0]

    @property
    def priority_fee(self) -> int:
        return compute_budget.priority_fee(self.unit_limit, self.unit_price)

    @property
    def fee(self) -> int:
        return LAMPORTS_A_SIGNATURE * len(self.signatures) + self.priority_fee

    def verify(self) -> None:
        """Raises TransactionError SignatureFailure."""
        if not all(self.parsed.verify_with_results()):
            raise TransactionError("SignatureFailure")


@lru_cache(maxsize=256)
def decode(raw: bytes) -> Transaction:
    """Read a transaction. Raises ValueError for bytes that are none, TransactionError for one that is malformed.

    Kept by its bytes: what has been sent is soon asked about.
    """
    if len(raw) > MAX_SIZE:
        raise ValueError(f"transaction too large: {len(raw)} bytes (max: raw {MAX_SIZE})")
    try:
        parsed = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise ValueError("failed to deserialize the transaction: the bytes are cut off or no transaction") from error
    if bytes(parsed) != raw:
        raise ValueError("failed to deserialize the transaction: bytes follow its end")
    message = parsed.message
    if not isinstance(message, Message | MessageV0) or (
        isinstance(message, MessageV0) and message.address_table_lookups
    ):
        raise TransactionError("UnsupportedVersion")
    header = message.header
    signers, readonly_signers = header.num_required_signatures, header.num_readonly_signed_accounts
    keys = tuple(message.account_keys)
    instructions = tuple(
        CompiledInstruction(each.program_id_index, bytes(each.accounts), bytes(each.data))
        for each in message.instructions
    )
    _sanitize(len(parsed.signatures), signers, readonly_signers, header.num_readonly_unsigned_accounts, keys)
    for each in instructions:
        if not 0 < each.program < len(keys) or max(each.accounts, default=0) >= len(keys):
            raise TransactionError("SanitizeFailure")
    unit_limit, unit_price = _compute_budget(keys, instructions)
    return Transaction(
        raw=raw,
        signatures=tuple(parsed.signatures),
        version=0 if isinstance(message, MessageV0) else "legacy",
        header=(signers, readonly_signers, header.num_readonly_unsigned_accounts),
        keys=keys,
        writable=_writable(header, keys, instructions),
        blockhash=message.recent_blockhash,
        instructions=instructions,
        unit_limit=unit_limit,
        unit_price=unit_price,
        parsed=parsed,
    )


def _writable(
    header: MessageHeader, keys: tuple[Pubkey, ...], instructions: tuple[CompiledInstruction, ...]
) -> tuple[bool, ...]:
    """Which keys may be written: as the header parts them, but for programs and what is reserved."""
    signers, readonly_signers = header.num_required_signatures, header.num_readonly_signed_accounts
    readonly = header.num_readonly_unsigned_accounts
    parts = ((signers - readonly_signers, True), (readonly_signers, False), (len(keys) - signers - readonly, True))
    writable = [may for count, may in (*parts, (readonly, False)) for _ in range(count)]
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
    if len(set(keys)) != len(keys):
        raise TransactionError("AccountLoadedTwice")


def _compute_budget(keys: tuple[Pubkey, ...], instructions: tuple[CompiledInstruction, ...]) -> tuple[int, int]:
    """The unit limit and price that the transaction asks for, or the defaults."""
    limit, price = None, 0
    seen: Counter[type] = Counter()
    default = 0
    for index, each in enumerate(instructions):
        program = keys[each.program]
        if program != compute_budget.PROGRAM_ID:
            default += _BUILTIN_UNITS if program in BUILTINS else compute_budget.DEFAULT_UNITS_AN_INSTRUCTION
            continue
        default += _BUILTIN_UNITS
        try:
            asked = compute_budget.decode_instruction(each.data)
        except LayoutError as error:
            raise FailedInstructionError(index, InstructionError("InvalidInstructionData")) from error
        seen[type(asked)] += 1
        if seen[type(asked)] > 1:
            raise TransactionError("DuplicateInstruction", index)
        match asked:
            case compute_budget.SetComputeUnitLimit(units):
                limit = units
            case compute_budget.SetComputeUnitPrice(micro_lamports):
                price = micro_lamports
    return min(default if limit is None else limit, compute_budget.MAX_COMPUTE_UNITS), price
