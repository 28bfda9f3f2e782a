"""Accepting orders: durably, once, and within the permissions of the submitter."""

from typing import Final

from tests.mutants.mutant import Mutant

_INTAKE: Final = "tests/integration/engine/test_intake.py::"
_ALLOWANCE: Final = "tests/integration/engine/test_allowance.py::"
_ACCOUNTS: Final = "tests/integration/gateway/test_accounts.py::"
_CONFLICT: Final = f"{_INTAKE}test_other_terms_under_the_same_client_order_id_are_a_conflict"


def _without_term(term: str, harm: str) -> Mutant:
    """Resubmission ignores a difference in one of the terms."""
    return Mutant(
        f"terms-compared-without-{term.replace('_', '-')}",
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
        "{_ACCEPTED if from_acceptance else _SIGNED}",
        "{_SIGNED}",
        (f"{_RESERVATION}test_market_orders_reserve_at_acceptance_without_overcommitment",),
        "Two orders reserve the same balance although overcommitment is not allowed.",
    ),
    Mutant(
        "unsigned-market-order-reserves",
        11,
        "db/balances.py",
        'f"{in_states(SIGNED)} AND {_MARKET}"',
        'f"ended_as IS NULL AND {_MARKET}"',
        (f"{_RESERVATION}test_a_market_order_of_more_than_there_is_refuses_no_other",),
        "One key submits market orders of any amount, which fail, and all resting orders of others are refused.",
    ),
    Mutant(
        "reserved-twice",
        8,
        "db/balances.py",
        'database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))',
        "pass",
        (f"{_RESERVATION}test_concurrent_orders_do_not_reserve_the_same_balance",),
        "Two resting orders reserve the same balance, and one of them fails when its price is reached.",
    ),
    Mutant(
        "amount-word-not-compared",
        5,
        "orderd/domain/terms.py",
        'not_compared |= set() if self.amount_word is None else {"amount_in"}',
        "pass",
        (f"{_RESERVATION}test_a_resubmitted_order_is_compared_by_its_words",),
        "A client that submits an order for its whole balance again after a lost answer gets a conflict.",
    ),
    _without_term("slippage_bps", "The client submits 0.5 % slippage, and the stored order accepts 50 %."),
    _without_term("amount_in", "The client submits 1 SOL, and the stored order sells 100 SOL."),
    _without_term("token_in", "The client submits a sale of USDC, and the stored order sells SOL."),
    _without_term("token_out", "The client submits a purchase of one token, and the stored order buys another."),
    Mutant(
        "queued-before-commit",
        2,
        "orderd/engine/intake.py",
        "    def submit_batch(self",
        "    @transaction\n    def submit_batch(self",
        (f"{_INTAKE}test_an_order_is_committed_before_it_is_queued",),
        "A worker does not find the order of a message and drops the message; the order waits for dispatch.",
    ),
    Mutant(
        "error-for-a-stored-order",
        12,
        "orderd/engine/intake.py",
        '        with best_effort("enqueue"):\n',
        "        if True:\n",
        (f"{_INTAKE}test_no_failure_after_the_commit_turns_the_answer_into_a_refusal",),
        "The answer is an error but the order is stored and trades; a client that submits it again trades twice.",
    ),
    Mutant(
        "lease-kept-when-queueing-fails",
        2,
        "orderd/engine/handover.py",
        "        leases.give_back(order_ids)\n",
        "        pass\n",
        (f"{_INTAKE}test_an_order_is_accepted_while_the_queue_is_down",),
        "During an outage of Redis every order waits for half a minute, and its price changes.",
    ),
    Mutant(
        "retried-batch-not-queued",
        2,
        "orderd/engine/intake.py",
        "created=order.id == submission.id)",
        "created=False)",
        (f"{_INTAKE}test_a_batch_whose_commit_went_unanswered_is_queued_when_it_is_retried",),
        "The orders of a batch whose answer was lost are not queued.",
    ),
    Mutant(
        "published-before-commit",
        12,
        "orderd/engine/intake.py",
        "            moved = _cancel(order, by)\n",
        "            moved = families.cancel(order.id) or _withdraw(order.id)\n"
        "            self._send([], moved)\n"
        "            audit.record([Entry(by, CANCEL, order_id=each.order.id) for each in moved])\n",
        (f"{_INTAKE}test_an_uncommitted_cancel_is_not_published",),
        "Followers are told that an order was cancelled, the commit fails, and the order trades.",
    ),
    Mutant(
        "orders-of-other-accounts",
        11,
        "orderd/engine/views.py",
        "(%s OR account_id = %s) ORDER BY id LIMIT 2)",
        "(%s OR %s <> '') ORDER BY id LIMIT 2)",
        (f"{_INTAKE}test_an_order_of_another_account_is_not_found",),
        "Anyone with an API key sees and cancels the orders of every account.",
    ),
    Mutant(
        "every-key-is-admin",
        11,
        "orderd/gateway/access/authentication.py",
        "        return self.scope is Scope.ADMIN\n",
        "        return True\n",
        (f"{_ACCOUNTS}TestOthers::test_a_trader_cannot_cancel_an_order_of_another_account",),
        "Anyone with an API key sees and cancels the orders of every account.",
    ),
    Mutant(
        "foreign-client-id-before-order-id",
        11,
        "orderd/engine/views.py",
        "0 if is_own else 1 if first == last == str(order.id) else 2",
        "0 if is_own else 1",
        (
            "tests/integration/engine/test_accounts.py::TestFinding::"
            "test_an_order_id_is_preferred_to_a_client_order_id_that_imitates_it",
        ),
        "A client order id that imitates an order id prevents an operator from cancelling that order.",
    ),
    Mutant(
        "allowance-not-locked",
        11,
        "orderd/engine/allowance.py",
        "        FOR NO KEY UPDATE",
        "       ",
        (f"{_ALLOWANCE}test_concurrent_submissions_do_not_exceed_the_limit_together",),
        "Concurrent orders are each within the limit but exceed it together.",
    ),
    Mutant(
        "allowance-without-transaction",
        11,
        "orderd/engine/allowance.py",
        "@transaction\ndef accept_within",
        "def accept_within",
        (f"{_ALLOWANCE}test_a_key_is_locked_between_its_check_and_the_order",),
        "The lock ends with its statement, and concurrent orders exceed the limit together.",
    ),
    Mutant(
        "allowance-ignores-the-new-order",
        11,
        "orderd/engine/allowance.py",
        "if used + notional > limits.per_day:",
        "if used > limits.per_day:",
        (f"{_ALLOWANCE}test_the_daily_limit_is_exact_and_says_when_to_retry",),
        "The last order of a day may have any size.",
    ),
    Mutant(
        "allowance-of-a-revoked-key",
        11,
        "orderd/engine/allowance.py",
        "WHERE id = %s AND revoked_at IS NULL AND",
        "WHERE id = %s AND",
        (f"{_ALLOWANCE}test_a_key_that_is_revoked_or_expired_meanwhile_submits_nothing",),
        "An API key that was revoked after a leak submits one more order.",
    ),
    Mutant(
        "orders-of-another-key-amended-freely",
        10,
        "orderd/gateway/rpc/order_entry.py",
        "return await self._database.run(find) != principal.key_id",
        "return await self._database.run(find) is None",
        (
            "tests/integration/gateway/test_amending.py::"
            "test_a_key_amends_orders_of_another_key_only_within_its_own_limits",
        ),
        "An API key with a small allowance has a large order of its account sold at once, by a lower limit price.",
    ),
    Mutant(
        "amended-order-without-its-limit",
        5,
        "orderd/engine/intake.py",
        "order.first_terms.items() if name not in not_compared}",
        "order.first_terms.items() if name in given}",
        (f"{_RESERVATION}test_a_resubmitted_order_is_compared_by_its_words",),
        "A client sells its whole balance at the market, and is told that its old limit order does so.",
    ),
    Mutant(
        "symbol-of-another-mint",
        5,
        "orderd/engine/intake.py",
        "        return False  # the stored terms have symbols, which may mean other mints now\n",
        "        pass\n",
        (
            "tests/integration/engine/test_amendment.py::"
            "test_another_mint_with_the_symbol_of_an_amended_order_is_a_conflict",
        ),
        "A client that orders a token is told that its order is accepted, and gets another token of the same symbol.",
    ),
    Mutant(
        "one-submission-fails-its-batch",
        11,
        "orderd/gateway/rpc/batch.py",
        "            if len(batch) > 1:\n",
        "            if False:\n",
        ("tests/unit/gateway/test_batch.py::test_a_submission_that_cannot_be_stored_fails_alone",),
        "A client whose order cannot be stored makes the orders of others fail that arrive at the same time.",
    ),
)
