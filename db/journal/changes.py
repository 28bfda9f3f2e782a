"""A change of an order: the fact that happened, and what is stored together with it."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from uuid_utils import uuid7

from db.journal.rows import TYPES
from orderd.domain.errors import ErrorCode
from orderd.domain.events import AnyFact
from orderd.domain.frozen import dataclass
from orderd.domain.order import OrderStatus


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """Signed bytes, stored before they are sent. ``min_amount_out`` in base units, and ``max_amount_in`` of an exact
    output.

    ``pool_fee`` (in base units of the token sold) and ``mid`` belong to the decision for this route, where known.
    """

    number: int
    signature: str
    signed_bytes: bytes
    last_valid_block_height: int
    venue: str
    pool: str
    min_amount_out: int
    blockhash_slot: int
    pool_fee: int | None = None
    mid: str | None = None
    max_amount_in: int | None = None


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """The outcome of the live attempt; ``slot`` is where it landed, in a block that may still await finality."""

    outcome: Literal["landed", "failed", "expired", "abandoned"]
    slot: int | None
    sends: int
    awaits_finality: bool = False


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A failed attempt, for the record."""

    attempt: int
    code: ErrorCode
    detail: str
    signature: str | None = None
    logs: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One fact about one order. ``version`` is the writer's fencing token; None writes over any claim and ends it.

    ``to`` is the new state of the order; it may be left out if the fact leads to one state only. ``before`` is a fact
    that happened right before, and is stored with it as a separate event.
    ``delay_ms`` is how long from now, by Postgres' clock, an order that goes back in line waits, but at most as long as
    it is valid, or until a resting order is checked again; the fact's ``until`` is set from it. ``waits_for`` is the
    reason of the wait, if it is more than time.
    ``valid``: only if the order is still valid, or no longer. ``unless_withdrawn``: only if no cancel was requested.
    """

    order_id: UUID
    fact: AnyFact
    version: int | None
    columns: Mapping[str, Any] = field(default_factory=dict)
    to: OrderStatus | None = None
    before: AnyFact | None = None
    delay_ms: int = 0
    waits_for: str | None = None
    valid: bool | None = None
    unless_withdrawn: bool = False
    new_attempt: NewAttempt | None = None
    attempt_end: AttemptEnd | None = None
    failure: FailureRecord | None = None

    @property
    def shape(self) -> tuple[object, ...]:
        """Changes of the same shape are written by one statement."""
        attached = (self.new_attempt is None, self.attempt_end is None, self.failure is None)
        before = None if self.before is None else self.before.kind
        return (self.fact.kind, self.to, before, tuple(self.columns), self.valid, self.unless_withdrawn, *attached)

    def encoded(self) -> tuple[bytes, bytes | None]:
        """The JSON of the fact, and of the one before it, as the statement gets them: it adds ``until`` itself."""
        fact = self.fact.model_dump_json(exclude={"until"}).encode() if has_until(self.fact) else _json(self.fact)
        return fact, None if self.before is None else _json(self.before)

    def values(self, fact: bytes, before: bytes | None) -> dict[str, Any]:
        """The parameters of the statement by name, with the facts as encoded."""
        row: dict[str, Any] = {
            "order_id": self.order_id,
            "fence": self.version,
            "fact": orjson.Fragment(fact),
            "delay_ms": self.delay_ms,
            "new_waits_for": self.waits_for,
        }
        if before is not None:
            row["fact_before"] = orjson.Fragment(before)
        for name, value in self.columns.items():
            row[f"{_NEW}{name}"] = value
        if attempt := self.new_attempt:
            row |= {
                "attempt_id": str(uuid7()),
                "number": attempt.number,
                "attempt_signature": attempt.signature,
                "signed_bytes": f"\\x{attempt.signed_bytes.hex()}",
                "last_valid_block_height": attempt.last_valid_block_height,
                "attempt_venue": attempt.venue,
                "attempt_pool": attempt.pool,
                "attempt_min_amount_out": attempt.min_amount_out,
                "attempt_max_amount_in": attempt.max_amount_in,
                "blockhash_slot": attempt.blockhash_slot,
                "pool_fee": attempt.pool_fee,
                "mid": attempt.mid,
            }
        if end := self.attempt_end:
            row |= {
                "outcome": end.outcome,
                "slot": end.slot,
                "sends": end.sends,
                "awaits_finality": end.awaits_finality,
            }
        if failure := self.failure:
            row |= {
                "failed_attempt": failure.attempt,
                "code": failure.code,
                "detail": failure.detail,
                "failed_signature": failure.signature,
                "logs": list(failure.logs),
            }
        return row


_NEW: Final = "new_"
"""Prefix of the parameters that are columns of the order."""
_TYPES: Final = {
    "order_id": "uuid",
    "fence": "integer",
    "fact": "jsonb",
    "fact_before": "jsonb",
    "delay_ms": "bigint",
    "attempt_id": "uuid",
    "number": "integer",
    "attempt_signature": "text",
    "signed_bytes": "bytea",
    "last_valid_block_height": "bigint",
    "attempt_venue": "text",
    "attempt_pool": "text",
    "attempt_min_amount_out": "numeric",
    "attempt_max_amount_in": "numeric",
    "blockhash_slot": "bigint",
    "pool_fee": "numeric",
    "mid": "numeric",
    "outcome": "attempt_outcome",
    "slot": "bigint",
    "sends": "integer",
    "awaits_finality": "boolean",
    "failed_attempt": "integer",
    "code": "text",
    "detail": "text",
    "failed_signature": "text",
    "logs": "text[]",
}


def type_of(parameter: str) -> str:
    """The SQL type of a parameter."""
    return _TYPES[parameter] if parameter in _TYPES else TYPES[parameter.removeprefix(_NEW)]


def has_until(fact: AnyFact) -> bool:
    """Whether the statement adds to the fact how long its wait is."""
    return "until" in type(fact).model_fields


def _json(fact: AnyFact) -> bytes:
    return fact.__pydantic_serializer__.to_json(fact)
