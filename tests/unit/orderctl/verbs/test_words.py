"""The command line: options, help, errors and schemas."""

import json

import pytest
from jsonschema import Draft202012Validator

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.balances import BalancesResult
from orderd.wire.orders import ListResult
from orderd.wire.rpc import Method
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS

SUBMIT = ("submit", "SOL", "USDC", "1.5")


class TestTheCommandLine:
    def test_the_format_may_stand_before_the_verb(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS)

        assert json.loads(orderctl("-o", "json", "status").out)["schema"] == "orderctl.status/1"
        assert json.loads(orderctl("-o", "json", "config", "show").out)["schema"] == "orderctl.config/1"
        assert "daemon" in orderctl("-o", "json", "status", "-o", "table").out
        assert orderctl("-o", "id", "status").code == 2

    @pytest.mark.parametrize("verb", ["config", "context"])
    def test_an_incomplete_command_prints_its_help(self, orderctl: Orderctl, verb: str) -> None:
        outcome = orderctl(verb)

        assert outcome.code == 0
        assert outcome.out.startswith(f"Usage: orderctl {verb}")

    def test_the_daemons_retry_time_is_shown(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.BALANCES, OrderdError(ErrorCode.LIMIT_REQUESTS, "61 in a minute", retry_after=17))

        outcome = orderctl("balances")

        assert outcome.code == 3
        assert outcome.err.endswith("it may succeed in 17 s\n")

    def test_a_misspelt_verb_gets_a_suggestion(self, orderctl: Orderctl) -> None:
        outcome = orderctl("sumbit", "SOL", "USDC", "1")

        assert outcome.code == 2
        assert "did you mean submit?" in outcome.err

    def test_a_misspelt_option_gets_a_suggestion(self, orderctl: Orderctl) -> None:
        outcome = orderctl(*SUBMIT, "--slipage", "1")

        assert outcome.code == 2
        assert "--slippage" in outcome.err
        assert "next: see: orderctl submit --help" in outcome.err

    @pytest.mark.parametrize(
        ("arguments", "named"),
        [
            ((*SUBMIT, "--slippage", "1", "--slippage", "5"), "--slippage / -s"),
            ((*SUBMIT, "--slippage=1", "-s5"), "--slippage / -s"),
            ((*SUBMIT, "--yes", "-y"), "--yes / -y"),
            (("list", "--limit", "1", "-n", "1"), "--limit / -n"),
            (("config", "show", "-o", "json", "-o", "json"), "--output / -o"),
            (("--url", "ws://127.0.0.1:1/", "--url", "ws://127.0.0.1:2/", "balances"), "--url"),
            (("balances", "--url", "ws://127.0.0.1:1/", "--url", "ws://127.0.0.1:2/"), "--url"),
        ],
    )
    def test_an_option_that_is_given_twice_is_refused(
        self, daemon: FakeDaemon, orderctl: Orderctl, arguments: tuple[str, ...], named: str
    ) -> None:
        outcome = orderctl(*arguments)

        assert outcome.code == 2
        assert f"Option {named} is given twice." in outcome.err
        assert daemon.calls == []

    @pytest.mark.parametrize(
        ("arguments", "why"),
        [
            (("quote", "SOL", "USDC"), "AMOUNT is required"),
            (("submit", "SOL", "USDC", "1", "--limit"), "Option '--limit' requires an argument."),
            (("completion",), "Missing argument 'SHELL'. Choose from: bash, zsh, fish"),
        ],
    )
    def test_what_is_missing_is_named_on_one_line(
        self, orderctl: Orderctl, arguments: tuple[str, ...], why: str
    ) -> None:
        outcome = orderctl(*arguments)

        assert outcome.code == 2
        assert outcome.err.splitlines()[1:] == [f"  why:  {why}", f"  next: see: orderctl {arguments[0]} --help"]

    def test_a_list_option_may_be_repeated(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))

        assert orderctl("list", "--status", "failed", "--status", "expired").code == 0
        assert daemon.calls[-1][1]["status"] == ["failed", "expired"]

    @pytest.mark.parametrize("asked", ["--help", "-h"])
    def test_help_is_printed_whatever_else_is_repeated(self, orderctl: Orderctl, asked: str) -> None:
        assert orderctl("submit", "--slippage", "1", "--slippage", "5", asked, "--help").out.startswith("Usage:")

    def test_global_options_may_stand_after_the_verb(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=()))

        assert orderctl("--url", "ws://127.0.0.1:1/", "balances", "--url", daemon.url, "-q") == (
            0,
            "TOKEN  AMOUNT  MINT\n",
            "",
        )

    def test_no_option_takes_an_api_key(self, orderctl: Orderctl) -> None:
        assert "--token " not in orderctl("--help").out
        assert orderctl("--token", "secret", "balances").code == 2

    def test_errors_follow_the_output_format(self, orderctl: Orderctl) -> None:
        outcome = orderctl("submit", "SOL", "USDC", "0", "-o", "json")

        assert json.loads(outcome.err)["code"] == "AMOUNT_NOT_POSITIVE"
        assert outcome.out == ""

    def test_debug_adds_the_traceback(self, orderctl: Orderctl) -> None:
        assert "Traceback" not in orderctl("show", "no-such").err
        assert "Traceback" in orderctl("show", "no-such", "--debug").err

    def test_an_unexpected_failure_is_reported_without_a_traceback(
        self, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ZeroDivisionError("by zero")

        monkeypatch.setattr("orderctl.config.settings.explain", broken)
        outcome = orderctl("balances")

        assert outcome.code == 5
        assert "ZeroDivisionError: by zero" in outcome.err
        assert "--debug" in outcome.err
        assert "Traceback" not in outcome.err


class TestSchema:
    def test_every_kind_of_document_has_a_valid_schema(self, orderctl: Orderctl) -> None:
        for kind in orderctl("schema").out.split():
            schema = json.loads(orderctl("schema", kind).out)
            Draft202012Validator.check_schema(schema)
            assert schema["properties"]["schema"] == {"const": f"orderctl.{kind}/1"}

    def test_a_misspelt_kind_gets_a_suggestion(self, orderctl: Orderctl) -> None:
        outcome = orderctl("schema", "quotes")

        assert outcome.code == 2
        assert "did you mean quote?" in outcome.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("submit", "SOL", "USDC", "1", "--client-order-id", ""), "--client-order-id"),
        (("submit", "SOL", "USDC", "1", "--client-order-id="), "--client-order-id"),
        (("submit", "SOL", "USDC", "1", "--slippage", ""), "--slippage"),
        (("submit", "SOL", "USDC", "1", "-s", ""), "-s"),
        (("submit", "SOL", "USDC", ""), "a word of it"),
        (("--url", "", "status"), "--url"),
        (("list", "--token="), "--token"),
        (("cancel", ""), "a word of it"),
    ],
)
def test_empty_arguments_are_refused_and_not_ignored(
    daemon: FakeDaemon, orderctl: Orderctl, words: tuple[str, ...], named: str
) -> None:
    outcome = orderctl(*words)

    assert outcome.code == 2
    assert f"{named} is empty" in outcome.err
    assert daemon.calls == []
