"""The kill switch, and the limits that apply to all orders together."""

from typing import Final

from tests.mutants.mutant import Mutant

_HALTS: Final = "tests/integration/db/test_halts.py::"
_SHARING: Final = "tests/integration/engine/test_wallet_sharing.py::"
_LIMITS: Final = "tests/integration/engine/test_allowance.py::TestDaemonLimits::"
_HALTING: Final = "tests/integration/engine/test_halting.py::"

MUTANTS: Final = (
    Mutant(
        "signed-while-halted",
        14,
        "db/journal/statement.py",
        '{f"WHERE {MAY_SIGN}" if kind is EventKind.SUBMITTED else ""}',
        "",
        (
            f"{_HALTS}test_nothing_is_signed_during_a_halt_and_signing_resumes_after_it",
            f"{_HALTS}test_a_batch_of_signatures_is_refused_by_a_concurrent_halt",
        ),
        "The kill switch does not stop trading.",
    ),
    Mutant(
        "signed-concurrently-with-a-halt",
        14,
        "db/migrations/0043_timeline.py",
        "    PERFORM pg_advisory_xact_lock_shared(7140051903123);\n    RETURN NOT EXISTS (SELECT FROM halts) AND",
        "    RETURN NOT EXISTS (SELECT FROM halts) AND",
        (f"{_HALTS}test_a_signature_in_progress_is_refused_by_a_concurrent_halt",),
        "Orders that are being signed during a halt are traded after the halt was confirmed.",
        hangs=True,
    ),
    Mutant(
        "signing-reads-an-old-snapshot",
        14,
        "db/migrations/0043_timeline.py",
        "may_sign() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$\n"
        "BEGIN\n"
        "    PERFORM pg_advisory_xact_lock_shared(7140051903123);\n"
        "    RETURN NOT EXISTS (SELECT FROM halts) AND",
        "may_sign() RETURNS boolean LANGUAGE plpgsql STABLE AS $$\n"
        "BEGIN\n"
        "    PERFORM pg_advisory_xact_lock_shared(7140051903123);\n"
        "    RETURN NOT EXISTS (SELECT FROM halts) AND",
        (f"{_HALTS}test_a_signature_in_progress_is_refused_by_a_concurrent_halt",),
        "A signature that waited for the commit of a halt does not see the halt.",
    ),
    Mutant(
        "halt-does-not-wait-for-signatures",
        14,
        "db/halts.py",
        '    database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))\n',
        "",
        (f"{_HALTS}test_a_halt_waits_for_signatures_that_are_being_stored",),
        "A halt is confirmed while signatures are still being stored.",
        hangs=True,
    ),
    Mutant(
        "halt-blocked-by-a-worker",
        14,
        "db/halts.py",
        "    _end_those_in_the_way()\n",
        "",
        (f"{_HALTS}test_a_worker_suspended_while_storing_a_signature_does_not_block_a_halt",),
        "A suspended worker prevents an operator from halting the other workers.",
    ),
    Mutant(
        "accepted-while-halted",
        14,
        "db/journal/acceptance.py",
        "(EXISTS (SELECT FROM halts) OR EXISTS (",
        "(false OR EXISTS (",
        (f"{_HALTING}test_new_orders_are_refused_and_resubmitted_ones_are_answered_during_a_halt",),
        "Orders are accepted that are traded at an unknown later time.",
    ),
    Mutant(
        "halt-not-recognized",
        6,
        "orderd/engine/execution/turn.py",
        "elif isinstance(written, LeaseLostError) and (halt := self._halt()) is not None:",
        "elif (halt := None) is not None:",
        (f"{_HALTING}test_an_order_halted_between_signing_and_storing_waits_and_is_not_sent",),
        "An order that was being executed stays idle until its lease expires, and its client gets no event.",
    ),
    Mutant(
        "dispatched-while-halted",
        14,
        "orderd/engine/dispatch.py",
        "            if self._was_halted:\n                return 0",
        "            if self._was_halted is self:\n                return 0",
        (f"{_HALTING}test_dispatch_sends_halted_orders_only_after_the_halt_and_without_a_check",),
        "Orders are dispatched and deferred repeatedly during a halt.",
    ),
    Mutant(
        "halt-never-over",
        14,
        "orderd/engine/dispatch.py",
        "            if work.halts or self._was_halted:\n",
        "            if work.halts:\n",
        (f"{_HALTING}test_a_halt_is_known_as_long_as_it_lasts",),
        "After a halt was lifted, the worker executes nothing until it is restarted.",
    ),
    Mutant(
        "fires-while-halted",
        14,
        "orderd/engine/triggers/watch.py",
        "        if self._halted():\n            return 0\n",
        "",
        (f"{_HALTING}test_no_order_fires_during_a_halt",),
        "A stop fires while it cannot be sold, and is sold at any price when the halt is lifted.",
    ),
    Mutant(
        "shared-wallet-not-detected",
        14,
        "orderd/engine/wallet_sharing.py",
        "            if paid:\n",
        "            if not paid and new is None:\n",
        (f"{_SHARING}test_a_transaction_of_another_installation_halts_trading",),
        "Two daemons spend the same money, and each takes the other's trades for changes of its balance.",
    ),
    Mutant(
        "past-installation-never-ends",
        1,
        "db/installation.py",
        "slot <= self.past.get(installation, -1)",
        "installation in self.past",
        (f"{_SHARING}test_transactions_under_a_past_installation_id_are_own_up_to_its_last_slot",),
        "A daemon whose backup was restored elsewhere goes on trading unnoticed.",
    ),
    Mutant(
        "child-without-the-parents-tag",
        1,
        "db/journal/acceptance.py",
        "(SELECT o.memo_tag FROM orders o WHERE o.id = coalesce(given.parent_id, given.entry_id)),",
        "NULL,",
        ("tests/integration/db/test_installation.py::test_children_have_the_tag_of_their_parent",),
        "After a restore, a partly traded TWAP is traded again when its client submits it again.",
    ),
    Mutant(
        "daily-limit-not-checked",
        10,
        "db/spending.py",
        "        WHERE d.notional + excluded.notional <= %(limit)s\n",
        "",
        (
            f"{_LIMITS}test_orders_of_all_clients_count_toward_the_daemons_daily_limit",
            f"{_LIMITS}test_concurrent_orders_stay_within_the_daemons_limit",
        ),
        "The orders of all keys together exceed the operator's daily limit.",
    ),
    Mutant(
        "first-order-of-the-day-not-checked",
        10,
        "db/spending.py",
        " WHERE %(notional)s <= %(limit)s",
        "",
        (f"{_LIMITS}test_the_first_order_of_a_day_is_checked_too",),
        "The first order of a day may have any size.",
    ),
    Mutant(
        "order-limit-not-checked",
        10,
        "orderd/engine/allowance.py",
        "    spending.of_daemon.check_order(notional)\n",
        "",
        (f"{_LIMITS}test_no_order_is_larger_than_its_limit",),
        "An order with a misplaced decimal point is traded.",
    ),
    Mutant(
        "executions-started-while-halted",
        14,
        "orderd/engine/families.py",
        "not parent.paused and not self._halted() and",
        "not parent.paused and",
        (f"{_HALTING}test_a_twap_starts_no_execution_during_a_halt",),
        "The executions of a TWAP queue up during a halt and start together when it is lifted.",
    ),
    Mutant(
        "copied-database-not-detected",
        1,
        "orderd/engine/wallet_sharing.py",
        "        if own and not is_restoring:\n",
        "        if False:\n",
        (f"{_SHARING}test_a_transaction_under_the_own_id_that_is_not_stored_halts_trading",),
        "A copied database is started beside the original, and all resting orders are executed twice.",
    ),
    Mutant(
        "copy-seen-during-a-restore",
        14,
        "orderd/engine/wallet_sharing.py",
        "        if own and not is_restoring:\n",
        "        if own:\n",
        (f"{_SHARING}test_a_restore_decides_about_transactions_that_may_be_missing",),
        "A promoted standby halts trading for another installation that does not exist.",
    ),
)
