"""The statement that writes changes of one shape: the order, its event, its attempt, failure or fill, and alerts."""

from collections.abc import Iterable
from typing import Final

from db import alerts
from db.halts import MAY_SIGN
from db.journal.changes import Change, has_until, type_of
from db.journal.due import VALIDITY, due
from db.journal.rows import COLUMNS, given
from db.models import listed
from db.prepared import Prepared
from orderd.domain.events import ENTRY_FILL
from orderd.domain.money import LAMPORTS_PER_SOL
from orderd.domain.order import HELD, LEASED, RESTING, SIGNED, WAITING, EventKind, OrderStatus, sources, target


def prepared_for(change: Change, parameters: Iterable[str], *, is_one: bool) -> Prepared:
    """The cached statement for changes of this shape, which have parameters of these names.

    Its value is a JSON array of their values, or an object if it ``is_one`` change.
    """
    key = (change.shape, is_one)
    if key not in _statements:
        _statements[key] = Prepared("change", ("json",), _statement(change, parameters, is_one=is_one))
    return _statements[key]


_statements: Final[dict[tuple[object, bool], Prepared]] = {}


def _statement(change: Change, parameters: Iterable[str], *, is_one: bool) -> str:
    """The SQL for changes of this shape. The values are $1, so the text does not depend on the number of changes."""
    kind, status = change.fact.kind, target(change.fact.kind, change.to)
    events = 1 if change.before is None else 2
    sets = [f"status = '{status}'", f"seq = o.seq + {events}", "updated_at = clock_timestamp()"]
    sets += ["version = o.version + (CASE WHEN given.fence IS NULL THEN 1 ELSE 0 END)"]
    sets += [f"{name} = given.new_{name}" for name in change.columns]
    is_due = due("given.delay_ms") if status in WAITING else "NULL"
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
    until = "|| jsonb_build_object('until', coalesce(o.due_at, o.looks_from))" if has_until(change.fact) else ""
    # The given values travel with the locks: if the two were joined later, Postgres would compare each row with all
    # others.
    locked = (
        []
        if is_one
        else [
            "locked AS (SELECT given.* FROM given JOIN orders ON id = order_id ORDER BY id FOR NO KEY UPDATE OF orders)"
        ]
    )
    typed = ", ".join(f"{name} {type_of(name)}" for name in parameters)
    ctes = [
        f"""given AS (
            SELECT * FROM {given(typed, is_one=is_one)}
            {f"WHERE {MAY_SIGN}" if kind is EventKind.SUBMITTED else ""})""",
        *locked,
        f"""moved AS (
            UPDATE orders o SET {", ".join(sets)} FROM {"given" if is_one else "locked AS given"}
            WHERE o.id = given.order_id AND o.status IN ({listed(_from(change))})
              AND (given.fence IS NULL OR o.version = given.fence) {VALIDITY[change.valid]}
              {"AND NOT o.cancel_requested" if change.unless_withdrawn else ""}
            RETURNING o.*, given.*, given.fact {until} AS event_data)""",
        f"""event AS (
            INSERT INTO order_events (order_id, seq, at, status, kind, data)
            {_event_before(change)}
            SELECT id, seq, updated_at, status, '{kind}', event_data FROM moved)""",
        *_attachments(change),
    ]
    return f"WITH {', '.join(ctes)} SELECT {COLUMNS} FROM moved"


def _event_before(change: Change) -> str:
    if change.before is None:
        return ""
    kind = change.before.kind
    return f"SELECT id, seq - 1, updated_at, '{target(kind)}', '{kind}', fact_before FROM moved UNION ALL"


def _from(change: Change) -> frozenset[OrderStatus]:
    """The states that the order may be in. A signed order leaves its state only together with the end of its
    attempt."""
    allowed = sources(change.fact.kind, change.to)
    if change.before is not None:
        assert target(change.before.kind) in allowed, "the fact before leads to no state in which the fact may happen"
        allowed = sources(change.before.kind)
    return allowed & SIGNED if change.attempt_end else allowed - SIGNED


def _is_revived(change: Change) -> bool:
    """Whether the change makes a landed attempt live again, after its block was rolled back."""
    return change.fact.kind is EventKind.ROLLED_BACK


def _attachments(change: Change) -> list[str]:
    ctes = [] if (alerted := alerts.clause_for(change.fact.kind)) is None else [alerted]
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
        # If another transaction than the attempt's own has landed, the decision for its route is unknown.
        ctes.append(f"""filled AS (
            INSERT INTO fills (order_id, attempt, signature, slot, at, amount_in, amount_out, network_fee, rent,
                               pool_fee, mid)
            SELECT m.id, (m.fact->>'attempt')::integer, m.signature, (m.fact->>'slot')::bigint, m.updated_at,
                   m.filled_in, m.filled_out, m.network_fee,
                   coalesce((m.fact->>'rent')::numeric * {LAMPORTS_PER_SOL}, 0)::bigint, e.pool_fee, e.mid
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
