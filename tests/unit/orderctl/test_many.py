"""Several orders at once: submitted from a file, watched, and cancelled together."""

import io
import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console, ConsoleDimensions

from orderctl.config.settings import Settings
from orderctl.display.progress_of_many import LiveProgressOfMany
from orderctl.display.timeline import OrderTimeline
from orderctl.output import prompt
from orderctl.trading import sending
from orderctl.trading.orders_file import read_orders
from orderd.client.connection import Client
from orderd.client.errors import ConfigError
from orderd.client.following import Lost, Resumed
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import AnyFact
from orderd.wire.orders import CancelResult, ListResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams, SubmitResult
from tests.samples.orders import FILLED, QUOTE, REFUSED_FOR_FUNDS, WITHDRAWN, history
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS, order, order_id

CSV = "token_in,token_out,amount_in,slippage,client_order_id\nSOL,USDC,1.5,0.3,mine-1\nUSDC,SOL,250,,mine-2\n"
JSONL = """\
{"token_in": "SOL", "token_out": "USDC", "amount_in": 0.1}

{"token_in": "USDC", "token_out": "SOL", "amount_in": "2"}
"""


@pytest.fixture
def orders_file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(CSV)
    return path


def takes_orders(daemon: FakeDaemon) -> None:
    """Accept orders with the ids 1, 2, ..."""
    count = iter(range(1, 1000))
    daemon.answers(Method.ORDER_SUBMIT, lambda _: SubmitResult(order=order(next(count), FILLED[:1]), created=True))


class TestFiles:
    def test_the_orders_of_a_csv_file_are_sent_in_its_order(
        self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path
    ) -> None:
        takes_orders(daemon)
        outcome = orderctl("submit", "--file", str(orders_file), "--slippage", "1")

        assert outcome.code == 0
        assert outcome.out == f"{order_id(1)}  pending\n{order_id(2)}  pending\n"
        assert outcome.err == "2 of 2 orders accepted\n"
        first, second = (params for _, params in daemon.calls)
        assert first == {
            "token_in": "SOL",
            "token_out": "USDC",
            "amount_in": "1.5",
            "slippage": "0.3",
            "client_order_id": "mine-1",
        }
        assert second["slippage"] == "1"

    def test_json_lines_may_come_from_stdin_and_numbers_stay_as_they_were_written(
        self, daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        takes_orders(daemon)
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(JSONL.encode())))
        outcome = orderctl("submit", "-f", "-", "-o", "json")

        assert [params["amount_in"] for _, params in daemon.calls] == ["0.1", "2"]
        assert len({params["client_order_id"] for _, params in daemon.calls}) == 2
        assert [one["order"]["id"] for one in json.loads(outcome.out)["submissions"]] == [
            str(order_id(1)),
            str(order_id(2)),
        ]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("token_in,token_out\nSOL,USDC\n", "line 1: the headings are token_in,token_out; they must be"),
            ("", "line 1: the headings are missing"),
            ("token_in,token_out,amount_in\nSOL,USDC,1\nSOL,USDC,-1\n", "line 3: The amount is not above zero"),
            ("token_in,token_out,amount_in\nSOL,USDC\n", "line 2: expected 3 values"),
            ("token_in,token_out,amount_in\nSOL,USDC,1,2\n", "line 2: expected 3 values"),
            ('{"token_in": "SOL"}', "line 1: A field is missing"),
            ('{"token_in": "SOL", "token_out": "USDC", "amount_in": 1, "colour": 1}', "line 1: A field"),
            ('{"token_in"', "line 1: this is not JSON"),
            (CSV + "SOL,USDC,2,,mine-1\n", "line 4: the client order id mine-1 appears twice"),
        ],
    )
    def test_a_file_with_an_error_sends_nothing(
        self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path, content: str, message: str
    ) -> None:
        orders_file.write_text(content)
        outcome = orderctl("submit", "--file", str(orders_file))

        assert outcome.code == 2
        assert "nothing was sent" in outcome.err
        assert message in outcome.err
        assert not daemon.calls

    def test_a_missing_file_is_reported(self) -> None:
        with pytest.raises(ConfigError, match="No such file"):
            read_orders("/nowhere/orders.csv", {}, "mine")

    def test_a_refused_order_does_not_stop_the_others(
        self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path
    ) -> None:
        daemon.answers(
            Method.ORDER_SUBMIT,
            lambda params: (
                OrderdError(ErrorCode.ORDER_CONFLICT, "another body")
                if params["client_order_id"] == "mine-1"
                else SubmitResult(order=order(2, FILLED[:1]), created=True)
            ),
        )
        outcome = orderctl("submit", "--file", str(orders_file), "-o", "id")

        assert outcome.code == 2
        assert outcome.out == f"{order_id(2)}\n"
        assert "client order id mine-1: another body" in outcome.err
        assert outcome.err.endswith("1 of 2 orders accepted, 1 refused\n")

    def test_a_lost_answer_is_retried_under_the_same_id(
        self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path
    ) -> None:
        answers = iter([None, *[SubmitResult(order=order(n, FILLED[:1]), created=n > 1) for n in (1, 2)]])

        def lose_the_first(_: object) -> SubmitResult | None:
            answer = next(answers)
            if answer is None:
                daemon.drop_connections()
            return answer

        daemon.answers(Method.ORDER_SUBMIT, lose_the_first)
        outcome = orderctl("submit", "--file", str(orders_file))

        assert outcome.code == 0
        assert [params["client_order_id"] for _, params in daemon.calls] == ["mine-1", "mine-1", "mine-2"]
        assert outcome.err == "2 of 2 orders accepted, 1 of them by an earlier command\n"

    def test_the_same_file_and_id_prefix_are_the_same_orders(
        self, daemon: FakeDaemon, orderctl: Orderctl, tmp_path: Path
    ) -> None:
        takes_orders(daemon)
        path = tmp_path / "orders.jsonl"
        path.write_text(JSONL)
        outcomes = [orderctl("submit", "-f", str(path), "--client-order-id", "monday") for _ in range(2)]

        assert outcomes[0].err.startswith("client order ids monday-1, -2, ... by position in the file\n")
        ids = [params["client_order_id"] for _, params in daemon.calls]
        assert ids == ["monday-1", "monday-2"] * 2

    def test_an_unreachable_daemon_ends_the_batch_with_the_command_for_the_rest(
        self, orderctl: Orderctl, orders_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ORDERCTL_URL", "ws://127.0.0.1:1/")
        outcome = orderctl("submit", "--yes", "-f", str(orders_file), "--client-order-id", "monday")

        assert outcome.code == 3
        assert outcome.err.count("error: ") == 1
        assert "0 of 2 orders accepted\n" in outcome.err
        again = f"orderctl submit --file {orders_file} --client-order-id monday --yes"
        assert outcome.err.endswith(f"to submit the rest without duplicates, run: {again}\n")

    def test_ctrl_c_ends_the_batch_with_the_command_for_the_rest(
        self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        takes_orders(daemon)
        sent = iter([sending.send, None])

        def interrupted(client: Client, order: SubmitParams, again: str) -> SubmitResult:
            send = next(sent)
            if send is None:
                raise KeyboardInterrupt
            return send(client, order, again)

        monkeypatch.setattr(sending, "send", interrupted)
        outcome = orderctl("submit", "-f", str(orders_file))

        assert outcome.code == 130
        assert outcome.out == f"{order_id(1)}  pending\n"
        assert "1 of 2 orders accepted\n" in outcome.err
        assert "without duplicates, run: orderctl submit --file" in outcome.err

    def test_the_results_of_a_batch_are_summed(self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path) -> None:
        takes_orders(daemon)
        daemon.knows(*history(FILLED, order_id(1)))
        daemon.knows(*history(REFUSED_FOR_FUNDS, order_id(2)))
        outcome = orderctl("submit", "--file", str(orders_file), "--watch")

        assert outcome.err.endswith("2 orders: 1 confirmed, 1 failed; received 152.310211 USDC\n")

    def test_all_orders_are_followed_and_the_worst_decides_the_exit_code(
        self, daemon: FakeDaemon, orderctl: Orderctl, orders_file: Path
    ) -> None:
        takes_orders(daemon)
        daemon.knows(*history(FILLED, order_id(1)))
        daemon.knows(*history(REFUSED_FOR_FUNDS, order_id(2)))
        outcome = orderctl("submit", "--file", str(orders_file), "--watch", "-o", "jsonl")

        assert outcome.code == 1
        lines = [json.loads(line) for line in outcome.out.splitlines()]
        ends = {line["order_id"]: line["status"] for line in lines if line["schema"] == "orderctl.event/1"}
        assert ends == {str(order_id(1)): "confirmed", str(order_id(2)): "failed"}

    @pytest.mark.parametrize("extra", [("SOL", "USDC", "1"), ("--dry-run",)])
    def test_a_file_excludes_other_terms(self, orderctl: Orderctl, orders_file: Path, extra: tuple[str, ...]) -> None:
        assert orderctl("submit", "--file", str(orders_file), *extra).code == 2

    def test_a_trade_is_required_without_a_file(self, orderctl: Orderctl) -> None:
        outcome = orderctl("submit", "SOL", "USDC")
        assert outcome.code == 2
        assert "TOKEN_IN, TOKEN_OUT and AMOUNT are required" in outcome.err


class TestWatching:
    def test_each_line_names_its_order(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.knows(*history(FILLED, order_id(1)))
        daemon.knows(*history(WITHDRAWN, order_id(2)))
        outcome = orderctl("watch", str(order_id(1)), str(order_id(2)))

        assert outcome.code == 1
        assert f"2025-11-21 09:30:01.000  {order_id(1)}  confirmed  received 152.310211 USDC" in outcome.out
        assert f"{order_id(2)}  cancelled  on request; nothing was traded" in outcome.out

    def test_all_means_the_currently_active_orders(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        active = tuple(order(number, FILLED[:2]) for number in (1, 2))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=active, next_cursor=None))
        for number in (1, 2):
            daemon.knows(*history(FILLED, order_id(number)))

        assert orderctl("watch", "--all", "-o", "jsonl").code == 0
        assert daemon.calls[0][1]["status"] == ["building", "held", "open", "pending", "routing", "submitted"]

    def test_watching_all_ends_without_active_orders(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(), next_cursor=None))
        assert orderctl("watch", "--all") == (0, "", "no order is active\n")

    def test_ids_and_all_exclude_each_other(self, orderctl: Orderctl) -> None:
        assert orderctl("watch").code == 2
        assert orderctl("watch", "--all", "0199d3a0").code == 2
        assert orderctl("cancel").code == 2

    def test_a_timeout_for_several_orders_exits_with_5(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        for number in (1, 2):
            daemon.knows(*history(FILLED[:1], order_id(number)))
        outcome = orderctl("watch", str(order_id(1)), str(order_id(2)), "--for", "0.1")

        assert outcome.code == 5
        assert "orderctl watch --all" in outcome.err


class TestProgress:
    def picture(self, *histories: tuple[AnyFact, ...], width: int = 100, height: int = 20) -> list[str]:
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stdout", io.StringIO())
            progress = LiveProgressOfMany(Settings())
            progress._console.size = ConsoleDimensions(width, height)
        for number, facts in enumerate(histories):
            events = history(facts, order_id(number))
            progress.begin(OrderTimeline(order(number, facts), events))
        self.progress = progress
        Console(file=out, width=width, color_system=None).print(progress.render())
        return [line.rstrip() for line in out.getvalue().splitlines()]

    def test_a_bar_and_counts_are_above_a_row_per_order(self) -> None:
        head, *rows = self.picture(FILLED, REFUSED_FOR_FUNDS, FILLED[:4])

        assert head.endswith("2 of 3  1 submitted, 1 confirmed, 1 failed")
        assert [row.split()[1] for row in rows] == ["submitted", "confirmed", "failed"]
        assert "152.310211 USDC" in rows[1]
        assert "FUNDS_INSUFFICIENT" in rows[2]

    @pytest.mark.parametrize(
        ("width", "left"),
        [
            (65, ["0199d3a0-0000", "confirmed", "━━━━━━━━━━", "1.5 SOL", "152.310211 USDC"]),
            (55, ["0199d3a0-0000", "confirmed", "1.5 SOL", "152.310211 USDC"]),
            (42, ["0199d3a0-0000", "1.5 SOL", "152.310211 USDC"]),
            (33, ["0199d3a0-0000", "152.310211 USDC"]),
        ],
    )
    def test_a_narrow_terminal_leaves_out_columns_and_cuts_no_number(self, width: int, left: list[str]) -> None:
        _, row = self.picture(FILLED, width=width)
        assert re.split(" {2,}", row) == left

    def test_orders_without_space_are_counted_and_active_ones_come_first(self) -> None:
        head, *rows = self.picture(*[FILLED] * 30, FILLED[:2], height=9)

        assert "30 of 31" in head
        assert len(rows) == 5
        assert rows[0].split()[1] == "routing"

    def test_connection_problems_are_shown_while_relevant(self) -> None:
        self.picture(FILLED[:2])
        for news, message in ((Lost("refused", 4.0), "connection lost: refused"), (Resumed(3), "3 events replayed")):
            self.progress.connection(news)
            out = io.StringIO()
            Console(file=out, width=100, color_system=None).print(self.progress.render())
            assert message in out.getvalue()


class TestQuestions:
    @pytest.fixture(autouse=True)
    def _two_active_orders(self, daemon: FakeDaemon) -> None:
        active = tuple(order(number, FILLED[:1]) for number in (1, 2))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=active, next_cursor=None))
        daemon.answers(Method.ORDER_CANCEL, lambda _: CancelResult(order=order(1, WITHDRAWN)))

    def cancelled(self, daemon: FakeDaemon) -> list[str]:
        return [params["order"] for method, params in daemon.calls if method == Method.ORDER_CANCEL]

    def test_cancelling_all_needs_their_number_typed(
        self, daemon: FakeDaemon, orderctl: Orderctl, typed: Callable[[str], None]
    ) -> None:
        for wrong in ("y", "yes", "3", ""):
            typed(wrong)
            outcome = orderctl("cancel", "--all")
            assert outcome.code == 130
            assert "nothing was cancelled" in outcome.err
        assert not self.cancelled(daemon)

        typed("2")
        assert orderctl("cancel", "--all").code == 0
        assert self.cancelled(daemon) == [str(order_id(1)), str(order_id(2))]

    def test_cancelling_all_without_a_terminal_needs_yes(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        assert orderctl("cancel", "--all").code == 2
        assert not self.cancelled(daemon)
        assert orderctl("cancel", "--all", "--yes").code == 0
        assert len(self.cancelled(daemon)) == 2

    def test_an_order_on_a_real_chain_is_confirmed_with_its_prices(
        self, daemon: FakeDaemon, orderctl: Orderctl, typed: Callable[[str], None]
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "mainnet"}))
        daemon.answers(Method.QUOTE, QUOTE)
        takes_orders(daemon)
        typed("n")
        outcome = orderctl("submit", "SOL", "USDC", "1.5")
        assert outcome.code == 130
        for part in ("raydium", "at least 151.54866 USDC", "mainnet: send this order? [y/N]", "nothing was sent"):
            assert part in outcome.err
        assert "order.submit" not in [method for method, _ in daemon.calls]

        typed("y")
        assert orderctl("submit", "SOL", "USDC", "1.5").code == 0
        (sent,) = (params for method, params in daemon.calls if method == Method.ORDER_SUBMIT)
        assert sent["min_out"] == "151.54866", "the confirmed minimum"

    def test_the_confirmed_minimum_is_in_the_command_for_a_retry(
        self, daemon: FakeDaemon, orderctl: Orderctl, typed: Callable[[str], None]
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "mainnet"}))
        daemon.answers(Method.QUOTE, QUOTE)
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.SERVICE_DRAINING, "the daemon stops"))
        typed("y")
        printed = orderctl("submit", "SOL", "USDC", "1.5", "--client-order-id", "mine").err
        again = "orderctl submit SOL USDC 1.5 --min-out 151.54866 --client-order-id mine --yes"
        assert printed.splitlines()[-1].endswith(f"cannot create a second order: {again}")

    @pytest.mark.parametrize(("chain", "flags"), [("simnet", ()), ("mainnet", ("--yes",))])
    def test_no_confirmation_is_needed_on_simnet_or_with_yes(
        self,
        daemon: FakeDaemon,
        orderctl: Orderctl,
        typed: Callable[[str], None],
        chain: str,
        flags: tuple[str, ...],
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": chain}))
        takes_orders(daemon)
        typed("")
        assert orderctl("submit", "SOL", "USDC", "1.5", *flags).code == 0
        (sent,) = (params for method, params in daemon.calls if method == Method.ORDER_SUBMIT)
        assert sent.get("min_out") is None, "no minimum was confirmed"

    @pytest.mark.parametrize("chain", ["devnet", "mainnet"])
    @pytest.mark.parametrize("what", ["an order", "a file", "stdin"])
    def test_an_order_on_a_real_chain_without_a_terminal_needs_yes(
        self,
        daemon: FakeDaemon,
        orderctl: Orderctl,
        orders_file: Path,
        monkeypatch: pytest.MonkeyPatch,
        chain: str,
        what: str,
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": chain}))
        takes_orders(daemon)
        words = {
            "an order": ("submit", "SOL", "USDC", "1.5"),
            "a file": ("submit", "--file", str(orders_file)),
            "stdin": ("submit", "--file", "-"),
        }[what]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
        outcome = orderctl(*words)

        assert outcome.code == 2
        assert f"the chain is {chain}, and there is no terminal to ask on; nothing was sent" in outcome.err
        assert "next: add --yes" in outcome.err
        assert "order.submit" not in [method for method, _ in daemon.calls]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CSV.encode())))
        assert orderctl(*words, "--yes").code == 0

    def test_an_order_is_not_sent_if_the_chain_is_unknown(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, OrderdError(ErrorCode.SERVICE_UNAVAILABLE, "Postgres is away"))
        takes_orders(daemon)

        assert orderctl("submit", "SOL", "USDC", "1.5").code == 3
        assert "order.submit" not in [method for method, _ in daemon.calls]

    def test_a_dumb_terminal_gets_no_prompt(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        for name in ("stdin", "stderr"):
            monkeypatch.setattr(f"sys.{name}", Terminal())
        monkeypatch.setenv("TERM", "xterm")
        assert prompt.can_ask()
        monkeypatch.setenv("TERM", "dumb")
        assert not prompt.can_ask()

    @pytest.mark.parametrize(("end", "lines"), [("yes\n", 0), ("", 1), (KeyboardInterrupt, 1), (OSError, 1)])
    def test_what_follows_a_question_begins_on_a_line_of_its_own(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        end: str | type[BaseException],
        lines: int,
    ) -> None:
        def ended() -> str:
            if isinstance(end, str):
                return end
            raise end

        typed = io.StringIO()
        monkeypatch.setattr(typed, "readline", ended)
        monkeypatch.setattr("sys.stdin", typed)
        with suppress(KeyboardInterrupt):
            assert prompt.confirms("go on?") == (end == "yes\n")
        assert capsys.readouterr().err == "go on? [y/N] " + "\n" * lines
