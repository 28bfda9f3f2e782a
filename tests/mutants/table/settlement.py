"""What ends an attempt, and what does not."""

from typing import Final

from tests.mutants.mutant import Mutant

_SETTLEMENT: Final = "tests/integration/engine/test_settlement.py::"

MUTANTS: Final = (
    Mutant(
        "two-forks-agree",
        1,
        "orderd/engine/settlement.py",
        "return sighting.status is not None and sighting.status.slot == transaction.slot",
        "return True",
        (f"{_SETTLEMENT}test_a_status_and_a_transaction_of_two_forks_are_no_end",),
        "A failure on a fork that lost ends an attempt that succeeded on the other, and the order trades twice.",
    ),
    Mutant(
        "filled-as-quoted",
        7,
        "orderd/engine/settlement.py",
        '"filled_out": fill.amount_out,',
        '"filled_out": order.quoted_amount_out,',
        (f"{_SETTLEMENT}test_a_landed_swap_is_confirmed_with_what_the_balances_say",),
        "The trader is told the price that he was promised, whatever he got.",
    ),
    Mutant(
        "never-adopted",
        9,
        "orderd/engine/settlement.py",
        "        if self._clock() < self._adopt_at:\n            return\n",
        "        return\n",
        (f"{_SETTLEMENT}test_what_a_lost_worker_had_signed_is_adopted_and_sent",),
        "What a killed worker had signed is never settled: a fill that nobody is told of.",
    ),
)
