"""Restored databases: trades since the backup are found before anything is signed again."""

from typing import Final

from tests.mutants.mutant import Mutant

_RESTORING: Final = "tests/integration/engine/test_restoring.py::"

MUTANTS: Final = (
    Mutant(
        "restored-history-read-too-early",
        1,
        "orderd/engine/restoring.py",
        "if finalized.block_height <= height + _BLOCKHASH_LIFE:",
        "if finalized.block_height < height:",
        (f"{_RESTORING}test_the_history_is_read_only_after_signed_attempts_have_expired",),
        "A transaction signed before the restore lands after the search, and is traded again.",
    ),
    Mutant(
        "restored-history-read-from-now",
        1,
        "db/restoring.py",
        'database.execute_sql("SELECT first_slot FROM restores")',
        "database.execute_sql(_FIRST_UNKNOWN_SLOT)",
        (f"{_RESTORING}test_a_transaction_that_lands_after_the_restore_hides_no_earlier_one",),
        "A transaction that landed after the restore hides earlier ones that the backup lacks.",
    ),
    Mutant(
        "restored-without-a-complete-history",
        1,
        "orderd/engine/restoring.py",
        "if not self._observer.keeps_all_since(slot, finalized):",
        "if False:",
        (f"{_RESTORING}test_an_incomplete_history_keeps_the_halt",),
        "A node without the history is taken as evidence that nothing was traded.",
    ),
    Mutant(
        "restore-halt-lifted-early",
        1,
        "orderd/engine/halting.py",
        "lifted = halts.lift(by, HaltCause.OPERATOR, HaltCause.SHARED_WALLET)",
        "lifted = halts.lift(by, *HaltCause)",
        (f"{_RESTORING}test_trading_is_halted_until_the_history_is_read_and_an_operator_lifts_the_halt",),
        "An operator lifts the halt too early, and orders are traded twice.",
    ),
    Mutant(
        "lost-order-accepted-again",
        1,
        "db/journal/acceptance.py",
        "SELECT FROM lost_orders WHERE tag = own_tag",
        "SELECT FROM lost_orders WHERE false",
        (f"{_RESTORING}test_a_traded_lost_order_is_refused_with_its_signature_when_resubmitted",),
        "A client that submits an order that the backup lacks trades it twice.",
    ),
    Mutant(
        "family-with-a-lost-child-continues",
        1,
        "orderd/engine/restoring.py",
        "            moved += _cancel_family(gone.tag)\n",
        "",
        (f"{_RESTORING}test_a_family_is_cancelled_if_a_lost_child_was_traded",),
        "A TWAP sells again what it has sold since the backup.",
    ),
    Mutant(
        "recovered-from-a-failed-transaction",
        1,
        "orderd/engine/restoring.py",
        "            if mention.err is None and",
        "            if",
        (f"{_RESTORING}test_transactions_that_are_not_trades_of_this_installation_are_ignored",),
        "A failed transaction counts as the fill of its order.",
    ),
    Mutant(
        "signed-on-any-timeline",
        1,
        "db/migrations/0043_timeline.py",
        "EXISTS (SELECT FROM installation WHERE timeline = wal_timeline());",
        "EXISTS (SELECT FROM installation);",
        ("tests/integration/db/test_halts.py::test_nothing_is_signed_on_a_new_timeline_of_the_log",),
        "After the promotion of a standby that lacks the newest attempts, their orders are traded again.",
    ),
    Mutant(
        "promotion-not-noticed",
        1,
        "db/restoring.py",
        "SELECT FROM installation WHERE timeline <> wal_timeline()",
        "SELECT FROM installation WHERE false",
        (f"{_RESTORING}test_a_database_that_may_lack_its_newest_transactions_is_treated_like_a_restored_backup",),
        "After a promotion nothing is signed, and the reason is not reported.",
    ),
)
