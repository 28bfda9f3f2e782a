"""The kill switch, and the limits of money that hold for all orders together."""

from typing import Final

from tests.mutants.mutant import Mutant

_HALTS: Final = "tests/integration/db/test_halts.py::"
_SHARING: Final = "tests/integration/engine/test_wallet_sharing.py::"
_LIMITS: Final = "tests/integration/engine/test_allowance.py::TestOfTheDaemon::"
_HALTING: Final = "tests/integration/engine/test_halting.py::"

MUTANTS: Final = (
    Mutant(
        "signed-while-halted",
        14,
        "db/journal/statement.py",
        '{f"WHERE {MAY_SIGN}" if kind is EventKind.SUBMITTED else ""}',
        "",
        (
            f"{_HALTS}test_while_a_halt_stands_nothing_is_signed_and_once_it_is_lifted_it_is",
            f"{_HALTS}test_of_many_that_are_stored_together_none_is",
        ),
        "The kill switch stops nothing.",
    ),
    Mutant(
        "signed-beside-a-halt",
        14,
        "db/migrations/0028_halts.py",
        "    PERFORM pg_advisory_xact_lock_shared(7140051903123);\n",
        "",
        (f"{_HALTS}test_who_was_about_to_store_a_signature_when_it_was_halted_stores_none",),
        "Orders that were being signed when somebody halted are traded after the halt was answered.",
        hangs=True,
    ),
    Mutant(
        "signed-by-what-was-before",
        14,
        "db/migrations/0028_halts.py",
        "LANGUAGE plpgsql VOLATILE",
        "LANGUAGE plpgsql STABLE",
        (f"{_HALTS}test_who_was_about_to_store_a_signature_when_it_was_halted_stores_none",),
        "Who waited for a halt to be committed looks at the time before it, and signs.",
    ),
    Mutant(
        "halt-waits-for-nobody",
        14,
        "db/halts.py",
        '    database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))\n',
        "",
        (f"{_HALTS}test_a_halt_waits_for_those_who_are_storing_signatures",),
        "A halt is answered while signatures are still being stored.",
        hangs=True,
    ),
    Mutant(
        "halt-held-up",
        14,
        "db/halts.py",
        "    _end_those_in_the_way()\n",
        "",
        (f"{_HALTS}test_a_worker_that_was_stopped_while_it_stored_a_signature_does_not_hold_a_halt_up",),
        "A worker that hangs keeps an operator from halting the others.",
    ),
    Mutant(
        "taken-while-halted",
        14,
        "db/journal/acceptance.py",
        "(EXISTS (SELECT FROM halts) OR EXISTS (",
        "(false OR EXISTS (",
        (f"{_HALTING}test_new_orders_are_refused_and_resubmitted_ones_are_answered_during_a_halt",),
        "Orders are taken that are traded at some later time that nobody knows.",
    ),
    Mutant(
        "halt-counts-as-an-attempt",
        6,
        "orderd/engine/execution/turn.py",
        "elif isinstance(written, LeaseLostError) and (halt := self._halt()) is not None:",
        "elif (halt := None) is not None:",
        (f"{_HALTING}test_an_order_halted_between_signing_and_storing_waits_and_is_not_sent",),
        "An order that was on its way is left to lie until its lease ends, and is told nothing.",
    ),
    Mutant(
        "dispatched-while-halted",
        14,
        "orderd/engine/dispatch.py",
        "            if self._halted():\n                return 0",
        "            if self._halted() is self:\n                return 0",
        (f"{_HALTING}test_dispatch_sends_halted_orders_only_after_the_halt_and_without_a_check",),
        "Orders go round and round for as long as a halt stands.",
    ),
    Mutant(
        "fires-while-halted",
        14,
        "orderd/engine/triggers/watch.py",
        "        if self._halted():\n            return 0\n",
        "",
        (f"{_HALTING}test_no_order_fires_during_a_halt",),
        "A stop fires while it cannot be sold, and sells at any price when the halt is lifted.",
    ),
    Mutant(
        "wallet-shared-in-silence",
        14,
        "orderd/engine/wallet_sharing.py",
        "            if paid:\n",
        "            if not paid and strange is None:\n",
        (f"{_SHARING}test_a_transaction_of_another_installation_halts_trading",),
        "Two daemons spend the same money, and each takes the other's trades for its own balance.",
    ),
    Mutant(
        "past-without-end",
        1,
        "db/installation.py",
        "slot <= self.past.get(installation, -1)",
        "installation in self.past",
        (f"{_SHARING}test_transactions_under_a_past_installation_id_are_own_up_to_its_last_slot",),
        "A daemon that was to be stopped before its backup was restored trades on beside the restored one.",
    ),
    Mutant(
        "tag-of-a-part",
        1,
        "db/journal/acceptance.py",
        "(SELECT o.memo_tag FROM orders o WHERE o.id = coalesce(given.parent_id, given.entry_id)),",
        "NULL,",
        (
            "tests/integration/db/test_installation.py::"
            "test_orders_of_a_family_have_the_tag_of_the_one_that_was_submitted",
        ),
        "After a restore a TWAP that was traded in part is traded again when its client repeats it.",
    ),
    Mutant(
        "more-than-a-day",
        10,
        "db/spending.py",
        "        WHERE d.notional + excluded.notional <= %(limit)s\n",
        "",
        (
            f"{_LIMITS}test_orders_of_all_clients_count_toward_the_daemons_daily_limit",
            f"{_LIMITS}test_concurrent_orders_stay_within_the_daemons_limit",
        ),
        "All keys together trade more in a day than the operator allowed.",
    ),
    Mutant(
        "first-of-a-day",
        10,
        "db/spending.py",
        " WHERE %(notional)s <= %(limit)s",
        "",
        (f"{_LIMITS}test_the_first_order_of_a_day_is_checked_too",),
        "The first order of a day is as large as it likes.",
    ),
    Mutant(
        "larger-than-the-daemon-allows",
        10,
        "orderd/engine/allowance.py",
        "    spending.of_daemon.check_order(notional)\n",
        "",
        (f"{_LIMITS}test_no_order_is_larger_than_its_limit",),
        "An order with a comma in the wrong place is traded.",
    ),
    Mutant(
        "executions-while-halted",
        14,
        "orderd/engine/families.py",
        "not parent.paused and not self._halted() and",
        "not parent.paused and",
        (f"{_HALTING}test_a_twap_starts_no_execution_during_a_halt",),
        "The executions of a TWAP pile up in line and go out together when the halt is lifted.",
    ),
)
