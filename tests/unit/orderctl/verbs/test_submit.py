"""orderctl submit: what is sent, and what is printed if no answer arrives."""

import json
from uuid import UUID

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.problem import Problem
from orderd.wire.quotes import PreviewResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitResult
from tests.samples.orders import FILLED, ORDER_ID, QUOTE, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

PENDING = order_after(history(FILLED[:1]))
SUBMIT = ("submit", "SOL", "USDC", "1.5")


class TestSubmit:
    def test_the_order_is_sent_as_typed_and_its_id_is_printed(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))

        outcome = orderctl(*SUBMIT, "--slippage", "0.3", "--client-order-id", "mine-1")

        assert outcome.code == 0
        assert outcome.out == f"{ORDER_ID}  pending\n"
        assert outcome.err == f"client order id mine-1\nfollow it with: orderctl watch {ORDER_ID}\n"
        sent = {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "slippage": "0.3",
            "client_order_id": "mine-1",
        }
        assert daemon.calls == [("order.submit", sent)]

    def test_a_submission_without_a_client_order_id_gets_a_new_one(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))
        orderctl(*SUBMIT)
        orderctl(*SUBMIT)

        first, second = (UUID(params["client_order_id"]) for _, params in daemon.calls)
        assert first.version == second.version == 7
        assert first != second
        assert "slippage" not in daemon.calls[0][1]

    def test_the_client_order_id_is_printed_before_sending(
        self, daemon: FakeDaemon, orderctl: Orderctl, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told_before = []

        def submit(_: object) -> SubmitResult:
            told_before.append(capsys.readouterr().err)
            return SubmitResult(order=PENDING, created=True)

        daemon.answers(Method.ORDER_SUBMIT, submit)
        orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert told_before == ["client order id mine-1\n"]

    def test_a_lost_answer_prints_how_to_check_and_exits_with_5(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, lambda _: daemon.drop_connections())

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 5
        assert "error: The outcome is unknown" in outcome.err
        assert "run: orderctl watch mine-1;" in outcome.err
        assert "orderctl submit SOL USDC 1.5 --client-order-id mine-1" in outcome.err

    def test_ctrl_c_after_the_acceptance_says_that_there_is_an_order(
        self, daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: object) -> None:
            raise KeyboardInterrupt

        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))
        monkeypatch.setattr("orderctl.trading.watching.watch", interrupted)

        outcome = orderctl(*SUBMIT, "--watch")

        assert outcome.code == 130
        assert outcome.err.endswith(f"the order was accepted. Follow it with: orderctl watch {ORDER_ID}\n")

    @pytest.mark.parametrize("code", [ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL])
    def test_a_timeout_of_the_daemon_leaves_the_outcome_unknown(
        self, daemon: FakeDaemon, orderctl: Orderctl, code: ErrorCode
    ) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(code, "hm"))

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 5
        assert "run: orderctl watch mine-1;" in outcome.err

    def test_a_temporary_refusal_prints_a_safe_command_to_retry(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.SERVICE_DRAINING, "the daemon stops"))

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 3
        assert (
            "which cannot create a second order: orderctl submit SOL USDC 1.5 --client-order-id mine-1" in outcome.err
        )

    def test_a_resubmission_reports_the_existing_order(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=False))

        outcome = orderctl(*SUBMIT, "--client-order-id", "mine-1")

        assert outcome.code == 0
        assert "no second one was created" in outcome.err

    def test_json_is_one_document(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))

        document = json.loads(orderctl(*SUBMIT, "-o", "json").out)

        assert document["schema"] == "orderctl.submission/1"
        assert document["created"] is True
        assert document["order"]["id"] == str(ORDER_ID)
        assert document["order"]["amount_in"] == "1.5"
        assert document["order"]["created_at"] == "2025-11-21T09:30:00Z"

    def test_id_output_is_only_the_id(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))

        assert orderctl("-q", *SUBMIT, "-o", "id") == (0, f"{ORDER_ID}\n", "")

    def test_watch_follows_to_the_end_over_the_same_connection(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=PENDING, created=True))
        daemon.knows(*history(FILLED))

        outcome = orderctl(*SUBMIT, "--watch")

        assert outcome.code == 0
        assert "received 152.310211 USDC at 101.540141" in outcome.out
        assert len(daemon.tokens) == 1

    @pytest.mark.parametrize(
        ("trade", "code"),
        [
            (("SOL", "USDC", "-1"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "-0.5", "--slippage", "1"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "-.5"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "0"), "AMOUNT_NOT_POSITIVE"),
            (("SOL", "USDC", "NaN"), "AMOUNT_INVALID"),
            (("SOL", "USDC", "1e3"), "AMOUNT_INVALID"),
            (("SOL", "USDC", "1.0000000001"), "AMOUNT_TOO_PRECISE"),
            (("SOL", "USDC", "18446744074"), "AMOUNT_TOO_LARGE"),
            (("BONK", "USDC", "18446744073709551616"), "AMOUNT_TOO_LARGE"),
            (("SOL", "sol", "1"), "TOKEN_SAME"),
            (("SOL", "So11111111111111111111111111111111111111112", "1"), "TOKEN_SAME"),
            (("SOL", "USDC", "1", "--slippage", "101"), "SLIPPAGE_OUT_OF_RANGE"),
            (("SOL", "USDC", "1", "--slippage", "-1"), "SLIPPAGE_OUT_OF_RANGE"),
            (("SOL", "USDC", "1", "--client-order-id", "with space"), "REQUEST_INVALID"),
        ],
    )
    def test_an_invalid_order_is_refused_with_the_daemons_code_and_never_sent(
        self, daemon: FakeDaemon, orderctl: Orderctl, trade: tuple[str, ...], code: str
    ) -> None:
        outcome = orderctl("submit", *trade)

        assert outcome.code == 2
        assert f"error[{code}]" in outcome.err
        assert daemon.calls == []

    def test_an_unknown_token_is_left_to_the_daemon(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.TOKEN_UNKNOWN, "there is no token 'BONK'"))

        outcome = orderctl("submit", "BONK", "USDC", "1.5")

        assert outcome.code == 2
        assert "error[TOKEN_UNKNOWN]" in outcome.err

    def test_a_dry_run_shows_the_route_and_the_simulation_and_submits_nothing(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        preview = PreviewResult(
            quote=QUOTE, succeeds=True, error=None, units_consumed=41_234, network_fee="0.000005", logs=()
        )
        daemon.answers(Method.ORDER_PREVIEW, preview)

        outcome = orderctl(*SUBMIT, "--dry-run")

        assert outcome.code == 0
        assert [method for method, _ in daemon.calls] == ["order.preview"]
        assert "client order id" not in outcome.err
        for shown in ("raydium", "0.021 %", "151.54866 USDC", "fee 0.000005 SOL", "the simulation succeeds"):
            assert shown in outcome.out
        assert "nothing was traded" in outcome.err

    def test_a_failing_dry_run_shows_the_reason_and_exits_with_1(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        problem = Problem.of(OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "the wallet holds 0.2 SOL"))
        log = "Program log: Error: insufficient funds"
        preview = PreviewResult(
            quote=QUOTE, succeeds=False, error=problem, units_consumed=900, network_fee="0.000005", logs=(log,)
        )
        daemon.answers(Method.ORDER_PREVIEW, preview)

        outcome = orderctl(*SUBMIT, "--dry-run")

        assert outcome.code == 1
        for shown in ("the simulation fails", "FUNDS_INSUFFICIENT: the wallet holds 0.2 SOL", log):
            assert shown in outcome.out
