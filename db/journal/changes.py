"""A change of an order: the fact that happened, and what is stored together with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import orjson
from uuid_utils import uuid7

from db.journal.rows import TYPES
from orderd.domain.errors import ErrorCode
from orderd.domain.events import AnyFact
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

    def values(self) -> list[tuple[str, str, Any]]:
        """Name, type and value of each parameter of the statement."""
        fact = self.fact.model_dump_json(exclude={"until"})
        row: list[tuple[str, str, Any]] = [
            ("order_id", "uuid", self.order_id),
            ("fence", "integer", self.version),
            ("fact", "jsonb", orjson.Fragment(fact)),
            ("delay_ms", "bigint", self.delay_ms),
            ("new_waits_for", "text", self.waits_for),
        ]
        if self.before is not None:
            row.append(("fact_before", "jsonb", orjson.Fragment(self.before.model_dump_json())))
        row += [(f"new_{name}", TYPES[name], value) for name, value in self.columns.items()]
        if attempt := self.new_attempt:
            row += [
                ("attempt_id", "uuid", str(uuid7())),
                ("number", "integer", attempt.number),
                ("attempt_signature", "text", attempt.signature),
                ("signed_bytes", "bytea", f"\\x{attempt.signed_bytes.hex()}"),
                ("last_valid_block_height", "bigint", attempt.last_valid_block_height),
                ("attempt_venue", "text", attempt.venue),
                ("attempt_pool", "text", attempt.pool),
                ("attempt_min_amount_out", "numeric", attempt.min_amount_out),
                ("attempt_max_amount_in", "numeric", attempt.max_amount_in),
                ("blockhash_slot", "bigint", attempt.blockhash_slot),
                ("pool_fee", "numeric", attempt.pool_fee),
                ("mid", "numeric", attempt.mid),
            ]
        if end := self.attempt_end:
            row += [
                ("outcome", "attempt_outcome", end.outcome),
                ("slot", "bigint", end.slot),
                ("sends", "integer", end.sends),
                ("awaits_finality", "boolean", end.awaits_finality),
            ]
        if failure := self.failure:
            row += [
                ("failed_attempt", "integer", failure.attempt),
                ("code", "text", failure.code),
                ("detail", "text", failure.detail),
                ("failed_signature", "text", failure.signature),
                ("logs", "text[]", list(failure.logs)),
            ]
        return row
