"""Restored databases: what was traded since the backup is known before anything is signed again."""

from typing import Final

from tests.mutants.mutant import Mutant

_RESTORING: Final = "tests/integration/engine/test_restoring.py::"

MUTANTS: Final = (
    Mutant(
        "restored-and-read-at-once",
        1,
        "orderd/engine/restoring.py",
        "if finalized.block_height <= height + _BLOCKHASH_LIFE:",
        "if finalized.block_height < height:",
        (f"{_RESTORING}test_nothing_is_read_before_what_was_signed_can_land_no_more",),
        "What was signed before the restore lands after it was looked for, and is traded again.",
    ),
    Mutant(
        "restored-from-where-it-is-now",
        1,
        "db/restoring.py",
        'database.execute_sql("SELECT first_slot FROM restores")',
        "database.execute_sql(_FIRST_UNKNOWN_SLOT)",
        (f"{_RESTORING}test_what_lands_after_the_restore_hides_nothing_that_landed_before_it",),
        "A transaction that was sent again after the restore hides those that the backup does not know.",
    ),
    Mutant(
        "restored-without-a-history",
        1,
        "orderd/engine/restoring.py",
        "if not self._observer.keeps_all_since(slot, finalized):",
        "if False:",
        (f"{_RESTORING}test_a_history_that_does_not_reach_back_keeps_the_halt",),
        "A node that has forgotten what was traded is taken for one that says that nothing was.",
    ),
    Mutant(
        "restore-lifted-by-hand",
        1,
        "orderd/engine/halting.py",
        "lifted = halts.lift(by, HaltCause.OPERATOR, HaltCause.SHARED_WALLET)",
        "lifted = halts.lift(by, *HaltCause)",
        (f"{_RESTORING}test_it_is_halted_until_all_is_known_and_then_until_an_operator_has_looked",),
        "An operator in a hurry lets orders be traded that were traded already.",
    ),
    Mutant(
        "lost-and-traded-again",
        1,
        "db/journal/acceptance.py",
        "SELECT FROM lost_orders WHERE tag = own_tag",
        "SELECT FROM lost_orders WHERE false",
        (f"{_RESTORING}test_a_lost_order_is_refused_with_its_signature_when_its_client_repeats_it",),
        "A client that repeats an order that the backup does not have trades it twice.",
    ),
    Mutant(
        "family-lost-in-part",
        1,
        "orderd/engine/restoring.py",
        "            moved += _cancel_family(gone.tag)\n",
        "",
        (f"{_RESTORING}test_what_is_left_of_a_family_is_cancelled_where_a_lost_part_of_it_was_traded",),
        "A TWAP sells again what it had sold since the backup.",
    ),
    Mutant(
        "recovered-from-a-failure",
        1,
        "orderd/engine/restoring.py",
        "            if mention.err is None and",
        "            if",
        (f"{_RESTORING}test_what_was_no_trade_of_this_installation_is_none",),
        "A transaction that failed is taken for the fill of its order.",
    ),
)
