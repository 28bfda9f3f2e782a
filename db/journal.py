"""The one place where an order changes: each change and its event in one statement, so in one commit.

A change names the fact that has happened. The statement moves the order along the transition table, numbers the event
and, in the same breath, writes the attempt or the failure that belongs to it. Where another was faster (a cancel, a
newer claim) it matches no row and changes nothing: the caller sees that its order is not among the returned ones.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import orjson
from peewee import BooleanField, DataError, IntegerField, IntegrityError, TextField
from playhouse.postgres_ext import BinaryJSONField, DateTimeTZField
from uuid_utils import uuid7

from db import alerts
from db.accounts import name_of
from db.audit import DAEMON, OK, SUBMIT, Actor
from db.connection import database, transaction
from db.halts import MAY_SIGN
from db.models import IS_FAMILY, Order, in_states, listed
from db.prepared import Prepared
from db.terms import TERMS, columns_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import (
    ENTRY_FILL,
    RATE_LIMIT,
    Accepted,
    AnyFact,
    Cancelled,
    CancelRequested,
    Deferred,
    OrderEvent,
    Started,
    Unknown,
)
from orderd.domain.exits import exit_of
from orderd.domain.order import (
    HELD,
    LEASED,
    RESTING,
    SIGNED,
    TRANSITIONS,
    WAITING,
    EventKind,
    OrderStatus,
    sources,
    target,
)
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatting import shown_values

_TYPES: Final = {field.column_name: field.field_type for field in Order._meta.sorted_fields}
Objection = IntegrityError | DataError | ValueError | orjson.JSONEncodeError
"""What the database, its driver and their language say of values that they cannot take."""
OBJECTIONS: Final = (IntegrityError, DataError, ValueError, orjson.JSONEncodeError)
IN_LINE_SECONDS: Final = 30
"""How long an order may lie in the queue before dispatch sends it again, whatever happened to the process that sent
it."""
IN_LINE: Final = f"interval '{IN_LINE_SECONDS} seconds'"
_UNTIL_IN_LINE: Final = "interval '2.5 seconds'"
"""The same for a new order. Its sender puts it in the queue at once, unless it never heard that the order was stored:
an answer that is not there within 2 s never comes. An order that is in the queue for longer has two messages there."""
_LAMPORTS_A_SOL: Final = 10**9
_VALID_UNTIL: Final = f"""
    valid_until + CASE WHEN waits_for = '{RATE_LIMIT}' AND expires_at IS NULL
                  THEN clock_timestamp() - waits_since ELSE interval '0' END"""
"""The time that an order waits for a start does not count against its validity, unless that was given as a date. NULL
if the validity has no end."""
_IS_VALID: Final = f"AND (valid_until IS NULL OR {_VALID_UNTIL} > clock_timestamp())"
_VALIDITY: Final = {None: "", True: _IS_VALID, False: f"AND {_VALID_UNTIL} <= clock_timestamp()"}


def _due(delay_ms: str, latest: str = "valid_until") -> str:
    """So many milliseconds from now, or when the order is no longer valid. A ``latest`` of NULL means no limit."""
    return f"LEAST(clock_timestamp() + {delay_ms} * interval '1 millisecond', {latest})"


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
    """What became of the live attempt; ``slot`` where it landed, in a block that may yet ``awaits_finality``."""

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

    ``to`` is the state that the order is in afterwards; it need not be said where the fact leads to one only.
    ``before`` is what happened right before the fact, and is stored with it: an event of its own.
    ``delay_ms`` is how long from now, by Postgres' clock, an order that goes back in line waits, though not longer than
    it is valid, or one that rests again is not looked at; the fact's ``until`` is set from it. ``waits_for`` says what
    for, where there is more to it than time.
    ``valid``: only where the order still is, or is no longer. ``unless_withdrawn``: only where no cancel was requested.
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
        """Changes of one shape are written by one statement."""
        attached = (self.new_attempt is None, self.attempt_end is None, self.failure is None)
        before = None if self.before is None else self.before.kind
        return (self.fact.kind, self.to, before, tuple(self.columns), self.valid, self.unless_withdrawn, *attached)

    def values(self) -> list[tuple[str, str, Any]]:
        """Name, type and value of all that the statement is given."""
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
        row += [(f"new_{name}", _TYPES[name], value) for name, value in self.columns.items()]
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


@dataclass(frozen=True, slots=True)
class Moved:
    """An order after a change, and the event that says so; ``before`` is that of what happened right before."""

    order: Order
    event: OrderEvent
    before: OrderEvent | None = None


def apply(changes: Sequence[Change]) -> list[Moved]:
    """Write the changes in one transaction; returns those that took effect. At most one change an order."""
    if not changes:
        return []
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        groups.setdefault(change.shape, []).append(change)
    return _write(changes) if len(groups) == 1 else _write_all(groups.values())


@transaction
def _write_all(groups: Iterable[Sequence[Change]]) -> list[Moved]:
    ids = [str(change.order_id) for group in groups for change in group]
    database.execute_sql(in_order("id = ANY(%s::uuid[])"), (ids,))
    return [moved for group in groups for moved in _write(group)]


def in_order(which: str) -> str:
    """The ids of the orders ``which`` says, locked in the one order in which everybody locks them."""
    return f"SELECT id FROM orders WHERE {which} ORDER BY id FOR NO KEY UPDATE"


def apply_each(changes: Sequence[Change]) -> list[Moved | Objection | None]:
    """As ``apply``, with an answer for each change: what moved, or None where another was faster.

    Where the database objects to one of them, that one alone stays behind, and its answer is the objection.
    """
    try:
        moved = {each.order.id: each for each in apply(changes)}
        return [moved.get(change.order_id) for change in changes]
    except OBJECTIONS as objection:
        if len(changes) == 1:
            return [objection]
        return [answer for change in changes for answer in apply_each([change])]


def _write(changes: Sequence[Change]) -> list[Moved]:
    """In one statement; all are of one shape."""
    first = changes[0]
    rows = [change.values() for change in changes]
    given = orjson.dumps([{name: value for name, _, value in row} for row in rows]).decode()
    columns = [(name, sql_type) for name, sql_type, _ in rows[0]]
    by_order = {change.order_id: change for change in changes}

    def told(order: Order) -> AnyFact:
        fact = by_order[order.id].fact
        return fact.model_copy(update={"until": order.due_at or order.looks_from}) if _has_until(fact) else fact

    # A lone row has no order.
    moved = _moved(_prepared(first, columns, locks=len(rows) > 1).execute(given).fetchall(), told)
    return moved if first.before is None else [_with_before(each, by_order[each.order.id].before) for each in moved]


def _has_until(fact: AnyFact) -> bool:
    return "until" in type(fact).model_fields


def _prepared(change: Change, columns: Sequence[tuple[str, str]], *, locks: bool) -> Prepared:
    """The statement for changes of this one's shape, made once."""
    key = (change.shape, locks)
    if key not in _statements:
        _statements[key] = Prepared("change", ("json",), _statement(change, columns, locks=locks))
    return _statements[key]


_statements: Final[dict[tuple[object, bool], Prepared]] = {}


def _statement(change: Change, columns: Sequence[tuple[str, str]], *, locks: bool) -> str:
    """For changes of this one's shape, whose values are given as one JSON array, $1: the same text for any number."""
    kind, status = change.fact.kind, target(change.fact.kind, change.to)
    events = 1 if change.before is None else 2
    sets = [f"status = '{status}'", f"seq = o.seq + {events}", "updated_at = clock_timestamp()"]
    sets += ["version = o.version + (CASE WHEN given.fence IS NULL THEN 1 ELSE 0 END)"]
    sets += [f"{name} = given.new_{name}" for name in change.columns]
    is_due = _due("given.delay_ms") if status in WAITING else "NULL"
    looks_from = "clock_timestamp() + given.delay_ms * interval '1 millisecond'" if status in RESTING else "NULL"
    waits_for = f"'{ENTRY_FILL}'" if status in HELD else "given.new_waits_for"
    sets += [f"due_at = {is_due}", f"looks_from = {looks_from}", f"waits_for = {waits_for}"]
    sets += ["waits_since = CASE WHEN given.new_waits_for IS NOT NULL THEN clock_timestamp() END"]
    if status not in LEASED or _is_revived(change):
        sets += ["lease_owner = NULL", "lease_until = NULL"]
    if change.attempt_end:
        sets.append("unknown_since = NULL")
    if kind is EventKind.TRIGGERED:
        sets.append("triggered_at = clock_timestamp()")
    until = "|| jsonb_build_object('until', coalesce(o.due_at, o.looks_from))" if _has_until(change.fact) else ""
    # What is given goes along with the locks, as with ``in_order``: were the two joined later, each row would be looked
    # for among all of them.
    locked = (
        ["locked AS (SELECT given.* FROM given JOIN orders ON id = order_id ORDER BY id FOR NO KEY UPDATE OF orders)"]
        if locks
        else []
    )
    ctes = [
        f"""given AS (
            SELECT * FROM json_to_recordset($1) AS _({", ".join(f"{name} {of}" for name, of in columns)})
            {f"WHERE {MAY_SIGN}" if kind is EventKind.SUBMITTED else ""})""",
        *locked,
        f"""moved AS (
            UPDATE orders o SET {", ".join(sets)} FROM {"locked AS given" if locks else "given"}
            WHERE o.id = given.order_id AND o.status IN ({listed(_from(change))})
              AND (given.fence IS NULL OR o.version = given.fence) {_VALIDITY[change.valid]}
              {"AND NOT o.cancel_requested" if change.unless_withdrawn else ""}
            RETURNING o.*, given.*, given.fact {until} AS told)""",
        f"""event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            {_event_before(change)}
            SELECT id, seq, updated_at, status, '{kind}', told FROM moved)""",
        *_attachments(change),
    ]
    return f"WITH {', '.join(ctes)} SELECT {_COLUMNS} FROM moved"


def _event_before(change: Change) -> str:
    if change.before is None:
        return ""
    kind = change.before.kind
    return f"SELECT id, seq - 1, updated_at, '{target(kind)}', '{kind}', fact_before FROM moved UNION ALL"


def _with_before(moved: Moved, fact: AnyFact | None) -> Moved:
    assert fact is not None
    event = moved.event.model_copy(update={"seq": moved.event.seq - 1, "status": target(fact.kind), "data": fact})
    return replace(moved, before=event)


def _from(change: Change) -> frozenset[OrderStatus]:
    """The states that the order may be in. A signed order leaves its state only together with the end of its
    attempt."""
    allowed = sources(change.fact.kind, change.to)
    if change.before is not None:
        assert target(change.before.kind) in allowed, "what comes before does not lead to where the fact may happen"
        allowed = sources(change.before.kind)
    return allowed & SIGNED if change.attempt_end else allowed - SIGNED


def _is_revived(change: Change) -> bool:
    """Whether the attempt that landed may land once more, sent by the worker that adopts it."""
    return change.fact.kind is EventKind.ROLLED_BACK


def _attachments(change: Change) -> list[str]:
    ctes = [] if (alerted := alerts.noted(change.fact.kind)) is None else [alerted]
    if change.new_attempt:
        ctes.append("""signed AS (
            INSERT INTO attempts (id, order_id, number, signature, signed_bytes, last_valid_block_height, venue, pool,
                                  min_amount_out, max_amount_in, blockhash_slot, pool_fee, mid, family_id)
            SELECT attempt_id, id, number, attempt_signature, signed_bytes, last_valid_block_height, attempt_venue,
                   attempt_pool, attempt_min_amount_out, attempt_max_amount_in, blockhash_slot, pool_fee, mid, parent_id
            FROM moved)""")
    if change.attempt_end:
        ctes.append("""ended AS (
            UPDATE attempts a SET outcome = m.outcome, slot = m.slot, sends = m.sends, settled_at = m.updated_at,
                awaits_finality = m.awaits_finality
            FROM moved m WHERE a.order_id = m.id AND a.outcome = 'live'
            RETURNING a.order_id, a.signature, a.pool_fee, a.mid)""")
    if change.attempt_end and change.fact.kind is EventKind.CONFIRMED:
        # If another transaction than the attempt's own landed, what was decided for it is not known.
        ctes.append(f"""filled AS (
            INSERT INTO fills (order_id, attempt, signature, slot, at, amount_in, amount_out, network_fee, rent,
                               pool_fee, mid)
            SELECT m.id, (m.fact->>'attempt')::integer, m.signature, (m.fact->>'slot')::bigint, m.updated_at,
                   m.filled_in, m.filled_out, m.network_fee,
                   coalesce((m.fact->>'rent')::numeric * {_LAMPORTS_A_SOL}, 0)::bigint, e.pool_fee, e.mid
            FROM moved m LEFT JOIN ended e ON e.order_id = m.id AND e.signature = m.signature)""")
    if _is_revived(change):
        ctes.append("""taken_back AS (
            UPDATE fills f SET rolled_back_at = m.updated_at
            FROM moved m WHERE f.order_id = m.id AND f.rolled_back_at IS NULL)""")
        ctes.append("""revived AS (
            UPDATE attempts a SET outcome = 'live', slot = NULL, settled_at = NULL, awaits_finality = false
            FROM moved m WHERE a.order_id = m.id AND a.outcome = 'landed')""")
    if change.failure:
        ctes.append("""failure AS (
            INSERT INTO order_failures (order_id, attempt, code, detail, signature, logs)
            SELECT id, failed_attempt, code, detail, failed_signature, logs FROM moved)""")
    return ctes


_READ: Final = {field.column_name: field.python_value for field in Order._meta.sorted_fields}
_COLUMNS: Final = ", ".join(_READ)
_AS_DRIVEN: Final = (BinaryJSONField, BooleanField, DateTimeTZField, IntegerField, TextField)
"""Of these the driver makes what the model has."""
_CONVERTED: Final = [
    (field.column_name, field.python_value) for field in Order._meta.sorted_fields if not isinstance(field, _AS_DRIVEN)
]


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = database.execute_sql(sql, parameters).fetchall()
    return rows


def _moved(rows: Sequence[tuple[Any, ...]], fact_of: Callable[[Order], AnyFact]) -> list[Moved]:
    """The orders that a statement has returned, each with the event that it wrote: the newest, about this fact."""
    # Read by hand: Peewee works out the columns of a raw statement anew each time, longer than all else here takes, and
    # goes to each value by way of a descriptor.
    found = []
    for row in rows:
        order = Order(__no_default__=True)
        values = dict(zip(_READ, row, strict=True))
        for name, read in _CONVERTED:
            values[name] = read(values[name])
        order.__data__ = values
        event = OrderEvent(
            order_id=order.id, seq=order.seq, at=order.updated_at, status=order.status, data=fact_of(order)
        )
        found.append(Moved(order, event))
    return found


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be accepted."""

    id: UUID
    account_id: UUID
    client_order_id: str
    terms: OrderTerms
    by: Actor
    valid_seconds: int | None = None
    """How long it is valid where its terms do not say so and it does not rest; None: without end."""
    parent_id: UUID | None = None
    label: str | None = None
    entry_id: UUID | None = None
    """The order that buys what this one sells."""

    @property
    def status(self) -> OrderStatus:
        """The state that it begins in."""
        phase = HELD if self.entry_id is not None else RESTING if self.terms.rests else WAITING
        return _accepted(phase)

    @property
    def fact(self) -> Accepted:
        terms = shown_values(self.terms)
        return Accepted(
            client_order_id=self.client_order_id,
            account=name_of(self.account_id),
            label=self.label,
            parent_id=self.parent_id,
            entry_id=self.entry_id,
            **terms,
        )

    def values(self, fact: Accepted) -> dict[str, Any]:
        """All that the statement is given, by name; ``fact`` is its own."""
        return {
            "id": self.id,
            "account_id": self.account_id,
            "client_order_id": self.client_order_id,
            **columns_of(self.terms),
            "parent_id": self.parent_id,
            "entry_id": self.entry_id,
            "fact": orjson.Fragment(Accepted.__pydantic_serializer__.to_json(fact)),
            "status": self.status,
            "holds_seconds": self._holds_seconds,
            "actor": self.by.name,
            "token_id": self.by.key_id,
            "address": self.by.address,
        }

    @property
    def _holds_seconds(self) -> int | None:
        by_default = None if self.terms.rests else self.valid_seconds
        return by_default if self.terms.valid_seconds is None else self.terms.valid_seconds


def submitted_as(account_id: UUID, client_order_id: str) -> Order | None:
    """The order that has this client order id."""
    found: Order | None = Order.get_or_none(
        (Order.account_id == account_id) & (Order.client_order_id == client_order_id)
    )
    return found


def accept(orders: Sequence[NewOrder], sender: str | None = None, *, unless_halted: bool = False) -> list[Moved]:
    """Store new orders, their first events, their submitters and their place in the queue: all or none, in one
    statement.

    ``sender`` is the process that puts them in the queue: if it dies, they are sent again. An order whose client order
    id is taken, also by another order of this call, is not among the answers; with ``unless_halted``, none is while a
    halt stands. Orders that follow another one are stored with it.
    """
    if any(each.terms.is_entry for each in orders):
        return _accept_with_exits(orders, sender, unless_halted)
    return _accept(orders, sender, unless_halted) if orders else []


@transaction
def _accept_with_exits(orders: Sequence[NewOrder], sender: str | None, unless_halted: bool) -> list[Moved]:
    added = _accept(orders, sender, unless_halted)
    stored = {moved.order.id for moved in added}
    entries = [each for each in orders if each.terms.is_entry and each.id in stored]
    return added + accept_exits([(each.id, each.account_id, each.terms) for each in entries])


def accept_exits(entries: Sequence[tuple[UUID, UUID, OrderTerms]]) -> list[Moved]:
    """Store the orders that follow these, held until these are filled, where that has not been stored before.

    Each is given by its id, its account and its terms, which have exit prices.
    """
    exits = [
        NewOrder(UUID(str(uuid7())), account_id, f"{entry_id}-exit", exit_of(terms), DAEMON, entry_id=entry_id)
        for entry_id, account_id, terms in entries
    ]
    return _accept(exits) if exits else []


def _accept(
    orders: Sequence[NewOrder],
    sender: str | None = None,
    unless_halted: bool = False,
) -> list[Moved]:
    # Two that store the same ones wait for each other, and never in a circle.
    ranked = sorted(orders, key=lambda each: (each.account_id, each.client_order_id))
    facts = {order.id: order.fact for order in ranked}
    given = orjson.dumps([order.values(facts[order.id]) for order in ranked]).decode()
    rows = _accepting().execute(given, sender, unless_halted).fetchall()
    return _moved(rows, lambda order: facts[order.id])


@cache
def _accepting() -> Prepared:
    """$1 new orders, $2 their sender, $3 whether none is accepted while a halt stands, or that was traded before a
    restore and lost by it."""
    columns = ("id", "account_id", "client_order_id", "parent_id", "entry_id", "token_id", *TERMS)
    names, typed = ", ".join(columns), ", ".join(f"{name} {_TYPES[name]}" for name in columns)
    waits, rests = f"status IN ({listed(WAITING)})", f"status IN ({listed(RESTING)})"
    return Prepared(
        "accept",
        ("json", "text", "boolean"),
        f"""
        WITH given AS (
            SELECT *, memo_tag(account_id, client_order_id) AS own_tag FROM json_to_recordset($1) AS _({typed},
                status order_status, fact jsonb, holds_seconds integer, actor text, address text)),
        added AS (
            INSERT INTO orders ({names}, memo_tag, status, seq, looks_from, due_at, waits_for,
                                lease_owner, lease_until, valid_until)
            SELECT {names}, coalesce(
                       (SELECT o.memo_tag FROM orders o WHERE o.id = coalesce(given.parent_id, given.entry_id)),
                       own_tag), status, 1,
                   CASE WHEN {rests} THEN clock_timestamp() END, CASE WHEN {waits} THEN clock_timestamp() END,
                   CASE WHEN status IN ({listed(HELD)}) THEN '{ENTRY_FILL}' END,
                   CASE WHEN {waits} THEN $2 END, CASE WHEN {waits} THEN clock_timestamp() + {_UNTIL_IN_LINE} END,
                   coalesce(expires_at, clock_timestamp() + holds_seconds * interval '1 second')
            FROM given WHERE NOT ($3 AND (EXISTS (SELECT FROM halts) OR EXISTS (
                SELECT FROM lost_orders WHERE tag = own_tag)))
            ON CONFLICT (account_id, client_order_id) DO NOTHING RETURNING *),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, 1, updated_at, added.status, '{EventKind.ACCEPTED}', given.fact
            FROM added JOIN given USING (id)),
        audited AS (
            INSERT INTO audit (actor, token_id, address, action, outcome, order_id)
            SELECT actor, given.token_id, address, '{SUBMIT}', '{OK}', id FROM added JOIN given USING (id))
        SELECT {_COLUMNS} FROM added""",
    )


@cache
def _accepted(phase: frozenset[OrderStatus]) -> OrderStatus:
    (status,) = phase & {after for before, kind, after in TRANSITIONS if (before, kind) == (None, EventKind.ACCEPTED)}
    return status


def claim(order_ids: Sequence[UUID], owner: str, lease_seconds: float) -> list[Moved]:
    """Take due orders for work. Raises their versions: every other holder's writes are refused from here on.

    Orders that are not due, not waiting for a start, no longer valid or unknown are not among the answers. The time
    that an order has waited for a start does not count against its validity.
    """
    given = f"{{{','.join(map(str, order_ids))}}}"
    rows = _claiming().execute(owner, lease_seconds, given).fetchall()
    return _moved(rows, lambda order: Started(attempt=order.failures + 1))


@cache
def _claiming() -> Prepared:
    """$1 the owner, $2 for how many seconds, $3 which orders."""
    return Prepared(
        "claim",
        ("text", "double precision", "uuid[]"),
        f"""
        WITH moved AS (
            UPDATE orders SET status = '{target(EventKind.STARTED)}', seq = seq + 1, version = version + 1,
                starts = starts + 1, due_at = NULL, waits_for = NULL, waits_since = NULL,
                valid_until = {_VALID_UNTIL}, lease_owner = $1,
                lease_until = clock_timestamp() + $2 * interval '1 second', updated_at = clock_timestamp()
            WHERE id IN ({in_order("id = ANY($3)")})
              AND status IN ({listed(sources(EventKind.STARTED))}) AND due_at <= clock_timestamp() {_IS_VALID}
              AND NOT cancel_requested
            RETURNING *, jsonb_build_object('kind', '{EventKind.STARTED}', 'attempt', failures + 1) AS told),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.STARTED}', told FROM moved)
        SELECT {_COLUMNS} FROM moved""",
    )


@dataclass(frozen=True, slots=True)
class Waits:
    """The order waits. ``moved`` has the event that says so, where it had not been said already."""

    moved: tuple[Moved, ...]


def defer(order_id: UUID, delay_ms: int, reason: str | OrderdError) -> Waits | None:
    """Let an order wait for a start for so long from now; None if it no longer waits for one. This is not an attempt.

    If the reason is an error, the order waits until that is over, while it is valid. An event is written if the order
    waited for something else before, or for nothing. While the reason stays the same, only the estimate changes.
    """
    if isinstance(reason, OrderdError):
        waits_for, until = str(reason.code), _due("%s")
        told = {"reason": reason.spec.title, "code": reason.code, "detail": reason.detail}
    else:
        waits_for, until = reason, _due("%s", "CASE WHEN expires_at IS NOT NULL THEN valid_until END")
        told = {"reason": reason}
    sql = f"""
        WITH before AS (
            SELECT id, waits_for IS DISTINCT FROM %s AS is_news FROM orders
            WHERE id = %s AND status IN ({listed(WAITING & sources(EventKind.DEFERRED))}) FOR NO KEY UPDATE),
        moved AS (
            UPDATE orders o SET due_at = {until}, waits_for = %s, lease_owner = NULL, lease_until = NULL,
                version = o.version + 1, seq = o.seq + is_news::int,
                status = CASE WHEN is_news THEN '{target(EventKind.DEFERRED, OrderStatus.PENDING)}' ELSE o.status END,
                valid_until = CASE WHEN is_news THEN {_VALID_UNTIL} ELSE o.valid_until END,
                waits_since = CASE WHEN is_news THEN clock_timestamp() ELSE o.waits_since END,
                updated_at = CASE WHEN is_news THEN clock_timestamp() ELSE o.updated_at END
            FROM before WHERE o.id = before.id
            RETURNING o.*, is_news),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.DEFERRED}',
                   %s::jsonb || jsonb_build_object('kind', '{EventKind.DEFERRED}', 'until', due_at)
            FROM moved WHERE is_news)
        SELECT is_news, {_COLUMNS} FROM moved"""
    fact = orjson.dumps(told).decode()
    rows = _rows(sql, [waits_for, str(order_id), delay_ms, waits_for, fact])
    if not rows:
        return None
    news = [row[1:] for row in rows if row[0]]
    return Waits(tuple(_moved(news, lambda order: Deferred.model_validate({**told, "until": order.due_at}))))


def flag_unknown(after_seconds: float, limit: int) -> list[Moved]:
    """Mark orders that have been submitted for so long that their outcome is unknown.

    Their claims stay as they are: the worker that holds one continues to follow the order.
    """
    sql = f"""
        WITH moved AS (
            UPDATE orders SET seq = seq + 1, unknown_since = clock.now, updated_at = clock.now
            FROM (SELECT clock_timestamp() AS now) clock WHERE id IN (
                SELECT id FROM orders
                WHERE {in_states(sources(EventKind.UNKNOWN))} AND unknown_since IS NULL
                  AND updated_at < statement_timestamp() - %s * interval '1 second'
                ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
            RETURNING *, jsonb_build_object(
                'kind', '{EventKind.UNKNOWN}', 'attempt', failures + 1, 'signature', signature) AS told),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.UNKNOWN}', told FROM moved),
        {alerts.noted(EventKind.UNKNOWN)}
        SELECT {_COLUMNS} FROM moved"""
    return _moved(
        _rows(sql, [after_seconds, limit]),
        lambda order: Unknown(attempt=order.failures + 1, signature=order.signature or ""),
    )


def request_cancel(order_id: UUID) -> list[Moved]:
    """Prevent further attempts of a signed order. Its claim stays as it is: the holder continues to follow the
    order."""
    sql = f"""
        WITH moved AS (
            UPDATE orders SET seq = seq + 1, cancel_requested = true, updated_at = clock_timestamp()
            WHERE id = %s AND status IN ({listed(sources(EventKind.CANCEL_REQUESTED))}) AND NOT cancel_requested
            RETURNING *),
        event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            SELECT id, seq, updated_at, status, '{EventKind.CANCEL_REQUESTED}',
                   jsonb_build_object('kind', '{EventKind.CANCEL_REQUESTED}') FROM moved)
        SELECT {_COLUMNS} FROM moved"""
    return _moved(_rows(sql, [str(order_id)]), lambda _: CancelRequested())


def withdraw(limit: int) -> list[Moved]:
    """Cancel those of which that was wished while they were signed, and that did not land."""
    rows = database.execute_sql(
        f"""
        SELECT id FROM orders
        WHERE cancel_requested AND ended_as IS NULL AND status IN ({listed(sources(EventKind.CANCELLED))})
          AND NOT {IS_FAMILY}
        ORDER BY id LIMIT %s""",
        (limit,),
    )
    return apply([Change(UUID(str(order_id)), Cancelled(), None) for (order_id,) in rows])


def recent_starts(window_seconds: float) -> list[tuple[UUID, timedelta]]:
    """Which orders were started within the window, and how long ago: what the rate limit asks where Redis forgot.

    Those that Postgres' clock, which was set back, has still before it count as of now. A turn that only found that the
    order has to wait was no start.
    """
    rows = database.execute_sql(
        f"""
        SELECT order_id, greatest(now - at, interval '0') FROM order_events s, (SELECT clock_timestamp() AS now) clock
        WHERE kind = '{EventKind.STARTED}' AND at > statement_timestamp() - %s * interval '1 second' AND NOT EXISTS (
            SELECT FROM order_events d
            WHERE d.order_id = s.order_id AND d.seq > s.seq AND d.kind = '{EventKind.DEFERRED}' AND NOT EXISTS (
                SELECT FROM order_events b
                WHERE b.order_id = s.order_id AND b.seq > s.seq AND b.seq < d.seq AND b.kind <> '{EventKind.ROUTED}'))
        ORDER BY at""",
        (window_seconds,),
    )
    return [(UUID(str(order_id)), age) for order_id, age in rows]
