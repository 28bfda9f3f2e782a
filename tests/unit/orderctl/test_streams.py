"""The installed program with closed pipes, full disks, closed descriptors and limited terminals."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orderctl.output.exit_codes import ExitCode
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.orders import CancelResult, ListResult
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitResult
from tests import forking
from tests.samples.orders import FILLED, REFUSED_FOR_FUNDS, history, order_after
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import order

ORDERCTL = Path(sys.executable).with_name("orderctl")
ORDERS = 30

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def shell(daemon: FakeDaemon, tmp_path: Path) -> Shell:
    """Runs a line of bash with the installed ``orderctl``; the exit code is that of the first command of a pipe."""
    programs = tmp_path / "bin"
    descriptors = forking.give_to_shell(programs)

    def run(line: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
            cwd=tmp_path,
            env={
                **os.environ,
                "PATH": f"{programs}:{os.environ['PATH']}",
                "ORDERCTL_URL": daemon.url,
                "TERM": "xterm-256color",
                **environ,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
            pass_fds=descriptors,
        )

    return run


@pytest.fixture
def batch(daemon: FakeDaemon, tmp_path: Path) -> FakeDaemon:
    """``orders.csv`` has thirty orders, and ``daemon`` accepts them all."""
    count = iter(range(1, 1_000))
    daemon.answers(Method.ORDER_SUBMIT, lambda _: SubmitResult(order=order(next(count), FILLED[:1]), created=True))
    lines = ["token_in,token_out,amount_in", *["SOL,USDC,1"] * ORDERS]
    (tmp_path / "orders.csv").write_text("\n".join(lines))
    return daemon


def sent(daemon: FakeDaemon) -> int:
    return sum(method == Method.ORDER_SUBMIT for method, _ in daemon.calls)


UNHEARD = {
    "a reader that leaves": "| head -1",
    "a reader that is not there": "| true",
    "a narration that nobody reads": "2> >(true)",
    "both to a reader that leaves": "2>&1 | head -1",
    "a full disk": ">/dev/full",
    "a full disk for the narration": "2>/dev/full",
    "a full disk for both": ">/dev/full 2>&1",
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "stdin closed": "<&-",
    "all closed": "<&- >&- 2>&-",
}


class TestUnreadableOutput:
    @pytest.mark.parametrize("redirection", UNHEARD.values(), ids=UNHEARD.keys())
    @pytest.mark.parametrize("output", ["table", "jsonl", "json"])
    def test_every_order_of_a_file_is_sent_and_the_exit_code_is_theirs(
        self, batch: FakeDaemon, shell: Shell, redirection: str, output: str
    ) -> None:
        done = shell(f"orderctl submit -y -f orders.csv -o {output} {redirection}")

        assert sent(batch) == ORDERS
        assert done.returncode == ExitCode.OK
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("redirection", UNHEARD.values(), ids=UNHEARD.keys())
    def test_a_failed_order_exits_with_1_without_output(
        self, daemon: FakeDaemon, shell: Shell, redirection: str
    ) -> None:
        story = history(REFUSED_FOR_FUNDS)
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=order_after(story), created=True))
        daemon.knows(*story)

        assert shell(f"orderctl submit -y SOL USDC 1 --watch {redirection}").returncode == ExitCode.ORDER_FAILED

    @pytest.mark.parametrize("redirection", UNHEARD.values(), ids=UNHEARD.keys())
    def test_all_orders_are_cancelled(self, daemon: FakeDaemon, shell: Shell, redirection: str) -> None:
        orders = tuple(order(number, FILLED[:1]) for number in range(1, 6))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))
        daemon.answers(Method.ORDER_CANCEL, CancelResult(order=orders[0]))
        done = shell(f"orderctl cancel --all --yes {redirection}")

        assert sum(method == Method.ORDER_CANCEL for method, _ in daemon.calls) == len(orders)
        assert done.returncode == ExitCode.OK

    def test_output_lost_on_a_full_disk_is_reported(self, batch: FakeDaemon, shell: Shell) -> None:
        printed = shell("orderctl submit -y -f orders.csv >/dev/full").stderr

        assert "30 of 30 orders accepted" in printed
        assert "part of its output on stdout is lost" in printed
        assert "No space left on device" in printed

    def test_a_refusal_without_output_keeps_its_exit_code(self, daemon: FakeDaemon, shell: Shell) -> None:
        daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.FUNDS_INSUFFICIENT, "too little"))

        assert shell("orderctl submit -y SOL USDC 1 2>&-").returncode == ExitCode.ORDER_FAILED

    def test_a_non_blocking_pipe_loses_no_output(self, batch: FakeDaemon, tmp_path: Path) -> None:
        (tmp_path / "many.csv").write_text("\n".join(["token_in,token_out,amount_in", *["SOL,USDC,1"] * 120]))
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        command: list[str | Path] = [
            ORDERCTL,
            "--url",
            batch.url,
            "submit",
            "-y",
            "-f",
            tmp_path / "many.csv",
            "-o",
            "json",
        ]
        with subprocess.Popen(command, stdout=writing, stderr=subprocess.PIPE, text=True) as process:
            os.close(writing)
            with os.fdopen(reading) as out:
                printed = out.read()
        assert process.returncode == ExitCode.OK
        assert printed.count('"created"') == 120


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
    def test_characters_missing_in_the_encoding_are_replaced(
        self, daemon: FakeDaemon, shell: Shell, encoding: str
    ) -> None:
        story = history(FILLED)
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=order_after(story), created=True))
        daemon.knows(*story)
        done = shell("orderctl submit -y SOL USDC 1 --watch", PYTHONIOENCODING=encoding)

        assert done.returncode == ExitCode.OK
        assert "received 152.310211 USDC" in done.stdout
        assert "Traceback" not in done.stderr

    def test_characters_missing_in_the_encoding_are_replaced_in_live_displays(self, daemon: FakeDaemon) -> None:
        story = history(FILLED)
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=order_after(story), created=True))
        daemon.knows(*story)
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [ORDERCTL, "--url", daemon.url, "submit", "-y", "SOL", "USDC", "1"],
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", "PYTHONIOENCODING": "ascii"},
        ) as process:  # fmt: skip
            os.close(theirs)
            shown = b""
            while chunk := _read(ours):
                shown += chunk
        os.close(ours)

        assert process.returncode == ExitCode.OK
        assert b"confirmed" in shown

    def test_an_order_is_followed_to_its_end_after_the_terminal_closed(self, daemon: FakeDaemon) -> None:
        story = history(REFUSED_FOR_FUNDS)
        daemon.answers(Method.ORDER_SUBMIT, SubmitResult(order=order_after(story[:1]), created=True))
        daemon.knows(*story[:1])
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [ORDERCTL, "--url", daemon.url, "submit", "-y", "SOL", "USDC", "1", "--watch"],
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
        ) as process:  # fmt: skip
            os.close(theirs)
            assert daemon.subscribed.acquire(timeout=20)
            os.close(ours)
            for event in story[1:]:
                daemon.publish(event)
        assert process.returncode == ExitCode.ORDER_FAILED


class TestReading:
    @pytest.mark.parametrize("output", ["table", "json", "jsonl", "id"])
    @pytest.mark.parametrize("redirection", ["| true", "| head -1", ">&-", "2>&-", "2>/dev/full"])
    def test_a_reading_command_stops_quietly(
        self, daemon: FakeDaemon, shell: Shell, redirection: str, output: str
    ) -> None:
        orders = tuple(order(number, FILLED[:1]) for number in range(1, 400))
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=orders, next_cursor=None))
        done = shell(f"orderctl list -o {output} {redirection}")

        assert (done.returncode, done.stderr) == (ExitCode.OK, "")

    def test_a_reading_command_reports_a_full_disk(self, daemon: FakeDaemon, shell: Shell) -> None:
        daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order(1, FILLED[:1]),), next_cursor=None))
        done = shell("orderctl list -o json >/dev/full")

        assert done.returncode == ExitCode.USAGE
        assert "No space left on device" in done.stderr


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux reports the end of a pseudo-terminal as an error
        return b""


@pytest.mark.parametrize(("environ", "width"), [({}, 10_000), ({"COLUMNS": "76"}, 76)])
def test_a_table_in_a_pipe_is_as_wide_as_needed_unless_columns_is_set(environ: dict[str, str], width: int) -> None:
    script = "import io; from orderctl.config.settings import Settings; from orderctl.output.streams import console"
    script += "; print(console(Settings(), io.StringIO()).width)"
    kept = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=kept | environ, capture_output=True, text=True, check=True
    )

    assert done.stdout == f"{width}\n"
