"""The installed program on a terminal, in a pipe, and interrupted."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderd.wire.orders import ListResult
from orderd.wire.rpc import Method
from tests.samples.orders import FILLED, ORDER_ID, SIGNATURE, history, order_after
from tests.unit.orderctl.daemon import FakeDaemon

ORDERCTL = Path(sys.executable).with_name("orderctl")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def read_all(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux reports the end of a pseudo-terminal as an error
            return
        if not data:
            return
        yield data


def on_a_terminal(daemon: FakeDaemon, *args: str, **environ: str) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [ORDERCTL, "--url", daemon.url, *args],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30", **environ},
    )
    os.close(theirs)
    try:
        shown = b"".join(read_all(ours)).decode()
    finally:
        os.close(ours)
    return process.wait(timeout=10), shown


def test_a_terminal_gets_the_live_progress_in_colour(daemon: FakeDaemon) -> None:
    daemon.knows(*history(FILLED))

    code, shown = on_a_terminal(daemon, "watch", "0199d3a0")

    assert code == 0
    assert "━" in shown
    assert "\x1b[1;32mconfirmed" in shown
    assert SIGNATURE in ANSI.sub("", shown)


def test_a_dumb_terminal_gets_plain_lines(daemon: FakeDaemon) -> None:
    daemon.knows(*history(FILLED))

    code, shown = on_a_terminal(daemon, "watch", "0199d3a0", TERM="dumb")

    assert code == 0
    assert "\x1b" not in shown
    assert "received 152.310211 USDC" in shown


def test_no_color_keeps_the_progress_and_drops_the_colours(daemon: FakeDaemon) -> None:
    daemon.knows(*history(FILLED))

    _, shown = on_a_terminal(daemon, "watch", "0199d3a0", NO_COLOR="1")

    assert "━" in shown
    assert not re.search(r"\x1b\[[0-9;]*m", shown)


@pytest.fixture
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_desktop")
def test_a_terminal_shows_a_notification_on_request_when_an_order_ends(daemon: FakeDaemon) -> None:
    daemon.knows(*history(FILLED))

    _, without = on_a_terminal(daemon, "watch", "0199d3a0")
    _, shown = on_a_terminal(daemon, "watch", "0199d3a0", "--notify")

    note = "\x1b]9;orderd: order confirmed: SOL to USDC, received 152.310211 USDC\x07\x07"
    assert note not in without
    assert shown.count(note) == 1


def test_a_desktop_notification_is_sent_with_notify_send(daemon: FakeDaemon, tmp_path: Path) -> None:
    daemon.knows(*history(FILLED))
    program = tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/shown\n')
    program.chmod(0o700)

    _, shown = on_a_terminal(
        daemon, "watch", "0199d3a0", "--notify", DISPLAY=":0", PATH=f"{tmp_path}:{os.environ['PATH']}"
    )

    assert "\x1b]9;" not in shown
    assert (tmp_path / "shown").read_text().splitlines() == [
        "--app-name=orderctl",
        "--",
        "orderd: order confirmed",
        "SOL to USDC, received 152.310211 USDC",
    ]


@pytest.fixture
def watching(daemon: FakeDaemon) -> Iterator["subprocess.Popen[str]"]:
    daemon.knows(*history(FILLED)[:2])
    with subprocess.Popen(
        [ORDERCTL, "--url", daemon.url, "watch", "0199d3a0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_ctrl_c_detaches_and_prints_how_to_resume(daemon: FakeDaemon, watching: "subprocess.Popen[str]") -> None:
    assert watching.stdout is not None
    assert watching.stdout.readline() == f"order {ORDER_ID}\n"
    watching.send_signal(signal.SIGINT)
    _, printed = watching.communicate(timeout=10)

    assert watching.returncode == 130
    assert printed == f"detached; the order continues. Follow it with: orderctl watch {ORDER_ID}\n"
    assert [method for method, _ in daemon.calls] == ["orders.subscribe"]


def test_ctrl_c_before_the_answer_reports_an_unknown_outcome(daemon: FakeDaemon) -> None:
    arrived = threading.Event()
    daemon.answers(Method.ORDER_SUBMIT, lambda _: arrived.set())
    command = [str(ORDERCTL), "--url", daemon.url, "submit", "SOL", "USDC", "1", "--client-order-id", "mine-1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert arrived.wait(timeout=10)
        process.send_signal(signal.SIGINT)
        _, printed = process.communicate(timeout=10)

    assert process.returncode == 130
    assert printed.endswith("interrupted: the outcome is unknown; run: orderctl watch mine-1\n")


def test_a_pipe_gets_no_escape_codes(daemon: FakeDaemon, watching: "subprocess.Popen[str]") -> None:
    for event in history(FILLED)[2:]:
        daemon.publish(event)
    out, err = watching.communicate(timeout=10)

    assert watching.returncode == 0
    assert "\x1b" not in out + err


def test_a_closed_pipe_is_not_an_error(daemon: FakeDaemon, watching: "subprocess.Popen[str]") -> None:
    assert watching.stdout is not None
    assert watching.stderr is not None
    watching.stdout.readline()
    watching.stdout.close()
    for event in history(FILLED)[2:]:
        daemon.publish(event)

    assert watching.stderr.read() == ""
    assert watching.wait(timeout=10) == 0


def test_a_pipe_closed_during_a_table_is_not_an_error(daemon: FakeDaemon) -> None:
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order_after(history(FILLED)),) * 50, next_cursor=None))
    command: list[str | Path] = [ORDERCTL, "--url", daemon.url, "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.close()
        assert listing.stderr.read() == ""
    assert listing.returncode == 0
