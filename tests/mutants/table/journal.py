"""The one place where an order changes: fences, states, numbers, claims and leases."""

from typing import Final

from tests.mutants.mutant import Mutant

_JOURNAL: Final = "tests/integration/db/test_journal.py::"
_LEASES: Final = "tests/integration/db/test_leases.py::"
_ORDER: Final = "tests/unit/domain/test_order.py::"

MUTANTS: Final = (
    Mutant(
        "journal-no-fence",
        1,
        "db/journal.py",
        "              AND (given.fence IS NULL OR o.version = given.fence)\n",
        "",
        (
            f"{_LEASES}test_a_live_attempt_is_adopted_when_its_holder_is_gone",
            "tests/integration/engine/test_execution.py::"
            "test_a_turn_that_was_taken_for_dead_signs_nothing_beside_the_next",
        ),
        "A worker that was taken for dead wakes up and signs a second transaction beside its successor's.",
    ),
    Mutant(
        "journal-signed-given-up",
        1,
        "db/journal.py",
        "return allowed & SIGNED if change.attempt_end else allowed - SIGNED",
        "return allowed",
        (f"{_JOURNAL}test_what_is_signed_is_neither_cancelled_nor_given_up_without_proof",),
        "An order whose transaction may still land is tried again, and trades twice.",
    ),
    Mutant(
        "journal-any-state",
        3,
        "db/journal.py",
        "WHERE o.id = given.order_id AND o.status IN ({listed(_from(first))})",
        "WHERE o.id = given.order_id",
        (
            f"{_JOURNAL}test_what_is_signed_is_neither_cancelled_nor_given_up_without_proof",
            f"{_JOURNAL}test_a_claim_that_was_overtaken_writes_nothing",
        ),
        "A cancelled or signed order is moved to whatever the late writer thinks.",
    ),
    Mutant(
        "journal-event-gap",
        4,
        "db/journal.py",
        '"seq = o.seq + 1"',
        '"seq = o.seq + 2"',
        (f"{_JOURNAL}test_events_are_numbered_without_gaps_along_the_good_path",),
        "Whoever follows the order asks for an event that never was, and cannot trust what it sees.",
    ),
    Mutant(
        "attempts-many-alive",
        1,
        "db/migrations/0001_orders.py",
        "CREATE UNIQUE INDEX attempts_one_alive",
        "CREATE INDEX attempts_one_alive",
        (f"{_JOURNAL}test_the_database_refuses_a_second_live_attempt",),
        "Whatever else goes wrong, nothing stops a second transaction of the order.",
    ),
    Mutant(
        "fill-below-the-least",
        10,
        "db/migrations/0001_orders.py",
        "filled_out >= 1 AND filled_out >= min_amount_out",
        "filled_out >= 1",
        (f"{_JOURNAL}test_a_fill_below_the_least_accepted_is_not_stored",),
        "A fill that pays less than was agreed passes for a success.",
    ),
    Mutant(
        "claim-anything",
        1,
        "db/journal.py",
        " AND status IN ({listed(sources(EventKind.STARTED))})\n"
        "              AND due_at <= clock_timestamp()\n            RETURNING",
        "\n            RETURNING",
        (
            f"{_JOURNAL}test_of_many_claims_one_wins",
            f"{_JOURNAL}test_a_retry_ends_the_attempt_keeps_the_failure_and_waits",
        ),
        "Two messages of one order give it to two workers, and a signed one is begun again.",
    ),
    Mutant(
        "claim-before-its-time",
        6,
        "db/journal.py",
        "\n              AND due_at <= clock_timestamp()\n            RETURNING",
        "\n            RETURNING",
        (f"{_JOURNAL}test_a_retry_ends_the_attempt_keeps_the_failure_and_waits",),
        "Backoffs and slots of the rate limit are passed over, and attempts used up in vain.",
    ),
    Mutant(
        "claim-keeps-the-version",
        1,
        "db/journal.py",
        "seq = seq + 1, version = version + 1,",
        "seq = seq + 1,",
        (f"{_LEASES}test_orphans_go_back_in_line_and_their_old_holder_is_shut_out",),
        "Two claims carry one fencing token, so the older one can still sign.",
    ),
    Mutant(
        "due-before-its-time",
        6,
        "db/leases.py",
        "WHERE status IN ({listed(WAITING)}) AND due_at <= clock_timestamp()",
        "WHERE status IN ({listed(WAITING)})",
        ("tests/integration/engine/test_dispatch.py::test_a_deferred_order_waits_for_its_slot_and_keeps_its_attempts",),
        "Orders that wait fill the queue, and those that are due wait behind them.",
    ),
    Mutant(
        "orphans-of-the-living",
        1,
        "db/leases.py",
        "WHERE status IN ({listed(sources(EventKind.RECLAIMED))}) AND lease_until < clock_timestamp() LIMIT %s",
        "WHERE status IN ({listed(sources(EventKind.RECLAIMED))}) LIMIT %s",
        (f"{_LEASES}test_orphans_go_back_in_line_and_their_old_holder_is_shut_out",),
        "Orders are taken away from workers that are at it, again and again, until none trades.",
    ),
    Mutant(
        "adopt-from-the-living",
        1,
        "db/leases.py",
        "WHERE status IN ({listed(SIGNED)}) AND (lease_until IS NULL OR lease_until < clock_timestamp())",
        "WHERE status IN ({listed(SIGNED)})",
        (f"{_LEASES}test_a_live_attempt_is_adopted_when_its_holder_is_gone",),
        "Workers take each other's attempts away, and what they have learnt is never written.",
    ),
    Mutant(
        "adopt-keeps-the-version",
        1,
        "db/leases.py",
        "interval '1 second',\n                version = version + 1\n",
        "interval '1 second'\n",
        (f"{_LEASES}test_a_live_attempt_is_adopted_when_its_holder_is_gone",),
        "Two workers settle one attempt under one claim, and may end it in two ways.",
    ),
    Mutant(
        "renew-anothers-lease",
        1,
        "db/leases.py",
        "WHERE lease_owner = %s AND id = ANY(%s::uuid[])",
        "WHERE %s <> '' AND id = ANY(%s::uuid[])",
        (f"{_LEASES}test_leases_are_renewed_only_by_their_owner",),
        "A lost worker's order is kept alive by another that does not work on it: it hangs for ever.",
    ),
    Mutant(
        "signed-may-be-cancelled",
        3,
        "orderd/domain/order.py",
        "    # There is no (SUBMITTED, CANCELLED): signed bytes cannot be called back.\n",
        "    (_S.SUBMITTED, _E.CANCELLED, _S.CANCELLED),\n",
        (f"{_ORDER}test_what_is_signed_cannot_be_cancelled_or_reclaimed",),
        "The trader is told that the order is off, and then it trades.",
    ),
    Mutant(
        "failed-is-tried-again",
        3,
        "orderd/domain/order.py",
        "    # There is no (SUBMITTED, CANCELLED): signed bytes cannot be called back.\n",
        "    (_S.FAILED, _E.RETRYING, _S.PENDING),\n",
        (f"{_ORDER}test_a_terminal_state_is_terminal",),
        "An order that its trader has written off, and perhaps replaced, comes back and trades.",
    ),
    Mutant(
        "commit-not-on-disk",
        2,
        "db/connection.py",
        "-c synchronous_commit=on",
        "-c synchronous_commit=off",
        (
            "tests/integration/db/test_schema.py::"
            "test_what_is_committed_is_on_disk_although_the_server_would_be_content_with_less",
        ),
        "Orders that were acknowledged, and signed bytes that were sent, are gone after a power failure.",
    ),
    Mutant(
        "audit-may-be-rewritten",
        12,
        "db/migrations/0004_access.py",
        "BEFORE UPDATE OR DELETE OR TRUNCATE ON audit",
        "BEFORE DELETE OR TRUNCATE ON audit",
        ("tests/integration/db/test_audit.py::test_what_is_written_is_neither_changed_nor_removed",),
        "Whoever has done harm can write somebody else's name beside it.",
    ),
)
