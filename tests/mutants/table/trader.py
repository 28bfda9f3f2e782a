"""orderctl: an unknown outcome is reported as unknown, and a repeated order keeps its id."""

from typing import Final

from tests.mutants.mutant import Mutant

_COMMANDS: Final = "tests/unit/orderctl/verbs/test_submit.py::TestSubmit::"

MUTANTS: Final = (
    Mutant(
        "timeout-is-a-failure",
        12,
        "orderctl/output/failures.py",
        "ErrorCode.SERVICE_TIMEOUT: ExitCode.UNKNOWN_OUTCOME,",
        "ErrorCode.SERVICE_TIMEOUT: ExitCode.ORDER_FAILED,",
        ("tests/unit/orderctl/test_exit_codes.py::test_an_error_has_its_documented_exit_code",),
        "A script takes an accepted order for a failed one, and submits another.",
    ),
    Mutant(
        "lost-answer-is-a-connection-error",
        12,
        "orderctl/output/failures.py",
        "FollowTimeoutError():\n            return ExitCode.UNKNOWN_OUTCOME",
        "FollowTimeoutError():\n            return ExitCode.CONNECTION",
        (f"{_COMMANDS}test_a_lost_answer_prints_how_to_check_and_exits_with_5",),
        "A script takes a submitted order for an unsent one, and submits another.",
    ),
    Mutant(
        "internal-error-is-a-refusal",
        12,
        "orderctl/trading/sending.py",
        "frozenset({ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL})",
        "frozenset({ErrorCode.SERVICE_TIMEOUT})",
        (f"{_COMMANDS}test_a_timeout_of_the_daemon_leaves_the_outcome_unknown",),
        "The daemon may have accepted the order, and orderctl reports that it did not.",
    ),
    Mutant(
        "new-client-order-id-on-retry",
        5,
        "orderctl/trading/again.py",
        "    if name in overrides:\n        return overrides[name]\n",
        "",
        ("tests/unit/orderctl/test_again.py::test_a_generated_client_order_id_is_in_the_command",),
        "The command that orderctl suggests after a lost answer submits a second order.",
    ),
    Mutant(
        "gap-not-noticed",
        4,
        "orderd/client/following.py",
        "    if event.seq > last_seq + 1:\n        raise handshake.gap(event.seq, last_seq)\n",
        "",
        ("tests/unit/orderctl/test_client.py::test_a_gap_is_filled_by_resubscribing",),
        "A lost event is never shown.",
    ),
    Mutant(
        "replayed-confirmation-is-the-end",
        12,
        "orderd/client/following.py",
        "if event.status in TERMINAL and event.seq >= snapshot_seq:",
        "if event.status in TERMINAL:",
        (
            "tests/unit/orderctl/test_unknown.py::TestRolledBack::"
            "test_a_later_watch_continues_past_the_rolled_back_fill",
        ),
        "A later watch ends with a fill that was rolled back.",
    ),
    Mutant(
        "expired-quote-submitted",
        10,
        "orderctl/assistant/quotes.py",
        "        if self._now() > promise.valid_until:\n            raise",
        "        if self._now() > promise.valid_until and not promise.is_submitted:\n            raise",
        ("tests/unit/orderctl/test_assistant.py::test_an_expired_quote_cannot_be_submitted",),
        "An assistant's submission that was refused is executed at any later time.",
    ),
    Mutant(
        "quote-of-another-amount",
        10,
        "orderctl/assistant/quotes.py",
        "terms = given | _quoted(params, quote) | promised(quote)",
        "terms = given | promised(quote)",
        ("tests/unit/orderctl/test_assistant.py::test_an_order_has_the_mints_and_the_amount_of_its_quote",),
        "An assistant sells more than its user has confirmed, or another token.",
    ),
)
