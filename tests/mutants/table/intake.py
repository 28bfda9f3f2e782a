"""Accepting orders: durably, once, and within the permissions of the submitter."""

from typing import Final

from tests.mutants.mutant import Mutant

_INTAKE: Final = "tests/integration/engine/test_intake.py::"
_ALLOWANCE: Final = "tests/integration/engine/test_allowance.py::"
_ACCOUNTS: Final = "tests/integration/gateway/test_accounts.py::"
_CONFLICT: Final = f"{_INTAKE}test_other_terms_under_the_same_client_order_id_are_a_conflict"


def _same_terms_but(term: str, harm: str) -> Mutant:
    """An idempotency that does not look at one of the terms."""
    return Mutant(
        f"same-order-whatever-{term.replace('_', '-')}",
        5,
        "orderd/domain/terms.py",
        "_meant(other, name) for name in names)",
        f'_meant(other, name) for name in names if name != "{term}")',
        (_CONFLICT,),
        harm,
    )


_RESERVATION: Final = "tests/integration/engine/test_reservation.py::"

MUTANTS: Final = (
    Mutant(
        "market-order-reserves-late",
        11,
        "db/balances.py",
        "{_ACCEPTED if from_acceptance else _AT_WORK}",
        "{_AT_WORK}",
        (f"{_RESERVATION}test_market_orders_reserve_at_acceptance_without_overcommitment",),
        "Two orders are promised the same although that is not allowed.",
    ),
    Mutant(
        "reserved-twice",
        8,
        "db/balances.py",
        'database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))',
        "pass",
        (f"{_RESERVATION}test_concurrent_orders_do_not_reserve_the_same_balance",),
        "Two orders that rest are promised the same money, and one of them fails when its price has come.",
    ),
    Mutant(
        "word-not-a-term",
        5,
        "orderd/domain/terms.py",
        'not_compared |= set() if self.amount_word is None else {"amount_in"}',
        "pass",
        (f"{_RESERVATION}test_a_resubmitted_order_is_compared_by_its_words",),
        "Whoever repeats an order for all there is, after a lost answer, is told that it is another one.",
    ),
    _same_terms_but("slippage_bps", "The answer is that 0.5 % was taken, and the order accepts 50 %."),
    _same_terms_but("amount_in", "The answer is that 1 SOL is sold, and it is 100."),
    _same_terms_but("token_in", "The answer is that USDC is sold, and it is SOL."),
    _same_terms_but("token_out", "The answer names another token than is bought."),
    Mutant(
        "queue-before-commit",
        2,
        "orderd/engine/intake.py",
        "    def submit_batch(self",
        "    @transaction\n    def submit_batch(self",
        (f"{_INTAKE}test_an_order_is_committed_before_it_is_queued",),
        "A worker finds no order behind the message, drops it, and the order waits for dispatch.",
    ),
    Mutant(
        "no-for-what-is-stored",
        12,
        "orderd/engine/intake.py",
        '        with best_effort("enqueue"):\n',
        "        if True:\n",
        (f"{_INTAKE}test_no_failure_after_the_commit_turns_the_answer_into_a_refusal",),
        "The answer is an error, the order is on disk and trades; whoever submits it anew trades twice.",
    ),
    Mutant(
        "queue-trouble-waits",
        2,
        "orderd/engine/handover.py",
        "        leases.give_back(order_ids)\n",
        "        pass\n",
        (f"{_INTAKE}test_an_order_is_accepted_while_the_queue_is_down",),
        "While Redis is away every order lies for half a minute, and its price is gone.",
    ),
    Mutant(
        "rewritten-batch-forgotten",
        2,
        "orderd/engine/intake.py",
        "created=order.id == submission.id)",
        "created=False)",
        (f"{_INTAKE}test_a_batch_whose_commit_went_unanswered_is_queued_when_it_is_retried",),
        "Orders of a batch whose answer was lost are not put into the queue.",
    ),
    Mutant(
        "told-before-commit",
        12,
        "orderd/engine/intake.py",
        "            moved = _cancel(order, by)\n",
        "            moved = families.cancel(order.id) or _withdraw(order.id)\n"
        "            self._send([], moved)\n"
        "            audit.record([Entry(by, CANCEL, order_id=each.order.id) for each in moved])\n",
        (f"{_INTAKE}test_an_uncommitted_cancel_is_not_published",),
        "Followers hear that the order is off, the commit fails, and it trades.",
    ),
    Mutant(
        "orders-of-others",
        11,
        "orderd/engine/views.py",
        "(%s OR account_id = %s) ORDER BY id LIMIT 2)",
        "(%s OR %s <> '') ORDER BY id LIMIT 2)",
        (f"{_INTAKE}test_an_order_of_another_account_is_not_found",),
        "Anybody with a token sees and cancels the orders of everybody.",
    ),
    Mutant(
        "everybody-sees-all",
        11,
        "orderd/gateway/access/authentication.py",
        "        return self.scope is Scope.ADMIN\n",
        "        return True\n",
        (f"{_ACCOUNTS}TestOthers::test_a_trader_cannot_cancel_an_order_of_another_account",),
        "Anybody with a token sees and cancels the orders of everybody.",
    ),
    Mutant(
        "foreign-name-before-id",
        11,
        "orderd/engine/views.py",
        "0 if is_own else 1 if first == last == str(order.id) else 2",
        "0 if is_own else 1",
        (
            "tests/integration/engine/test_accounts.py::TestFinding::"
            "test_an_order_id_is_preferred_to_a_client_order_id_that_imitates_it",
        ),
        "Who calls his order like the id of another one keeps an operator from cancelling that.",
    ),
    Mutant(
        "allowance-not-locked",
        11,
        "orderd/engine/allowance.py",
        "        FOR NO KEY UPDATE",
        "       ",
        (f"{_ALLOWANCE}test_concurrent_submissions_do_not_exceed_the_limit_together",),
        "Many orders at once are each within the limit and far beyond it together.",
    ),
    Mutant(
        "allowance-in-no-transaction",
        11,
        "orderd/engine/allowance.py",
        "@transaction\ndef accept_within",
        "def accept_within",
        (f"{_ALLOWANCE}test_a_key_is_locked_between_its_check_and_the_order",),
        "The lock ends with its statement: orders that come together exceed the limit together.",
    ),
    Mutant(
        "allowance-one-more",
        11,
        "orderd/engine/allowance.py",
        "if used + notional > limits.per_day:",
        "if used > limits.per_day:",
        (f"{_ALLOWANCE}test_the_daily_limit_is_exact_and_says_when_to_retry",),
        "The last order of a day may be of any size.",
    ),
    Mutant(
        "allowance-of-the-revoked",
        11,
        "orderd/engine/allowance.py",
        "WHERE id = %s AND revoked_at IS NULL AND",
        "WHERE id = %s AND",
        (f"{_ALLOWANCE}test_a_key_that_is_revoked_or_expired_meanwhile_submits_nothing",),
        "A token that was revoked because it leaked submits one more order.",
    ),
)
