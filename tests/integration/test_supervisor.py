"""The supervisor starts services in order, restarts services that exit, and stops them in reverse order."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SUPERVISE = Path(__file__).with_name("supervise.py")
"""Runs the supervisor with small scripts in a separate process; prints what the supervisor and the scripts report."""


class Supervised:
    """A supervisor process and its output, line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def next_line(self) -> list[str]:
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def lines_until(self, *words: str) -> list[list[str]]:
        """All lines up to the one that consists of ``words`` (and possibly a process id)."""
        lines: list[list[str]] = []
        while (line := self.next_line())[: len(words)] != list(words):
            assert line, f"the supervisor ended before it said {words}; it said {lines}"
            lines.append(line)
        return [*lines, line]


@contextmanager
def supervised(directory: Path, *services: str) -> Iterator[Supervised]:
    with subprocess.Popen(
        [sys.executable, "-P", str(SUPERVISE), str(directory), *services], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Supervised(process)
        finally:
            process.send_signal(signal.SIGKILL)


def test_services_start_in_order_and_stop_in_reverse(tmp_path: Path) -> None:
    with supervised(tmp_path, "polite", "polite") as daemon:
        started = daemon.lines_until("watching")
        daemon.process.send_signal(signal.SIGTERM)
        stopped = daemon.lines_until("done")
        assert daemon.process.wait() == 0
    assert [line[:2] for line in started] == [["polite-0", "up"], ["polite-1", "up"], ["watching"]]
    assert [line[:2] for line in stopped] == [["polite-1", "down"], ["polite-0", "down"], ["done"]]


def test_a_killed_service_is_restarted(tmp_path: Path) -> None:
    with supervised(tmp_path, "polite") as daemon:
        ((_, _, first), _) = daemon.lines_until("watching")
        os.kill(int(first), signal.SIGKILL)
        _, _, second = daemon.next_line()
        os.kill(int(second), signal.SIGKILL)
        _, _, third = daemon.next_line()
    assert len({first, second, third}) == 3


@pytest.mark.timeout(60)
def test_a_service_is_restarted_while_another_waits_for_it(tmp_path: Path) -> None:
    with supervised(tmp_path, "polite", "needs") as daemon:
        (_, _, first), (_, _, second), _ = daemon.lines_until("watching")
        os.kill(int(second), signal.SIGKILL)
        assert daemon.next_line()[:2] == ["needs-1", "up"]
        os.kill(int(first), signal.SIGKILL)
        assert daemon.next_line()[:2] == ["polite-0", "up"]


def test_a_service_that_exits_during_its_first_start_is_restarted(tmp_path: Path) -> None:
    with supervised(tmp_path, "late", "polite") as daemon:
        said = [line[:2] for line in daemon.lines_until("watching")]
    assert said == [["late-0", "starts"]] * 2 + [["late-0", "up"], ["polite-1", "up"], ["watching"]]


def test_a_service_that_never_starts_is_given_up_and_reported(tmp_path: Path) -> None:
    with supervised(tmp_path, "polite", "never") as daemon:
        said = daemon.lines_until("done")
    assert said.count(["never-1", "starts"]) == 5
    assert ["gives", "up:", "SERVICE_UNAVAILABLE", "never-1"] in [line[:4] for line in said]
    assert ["polite-0", "down"] in [line[:2] for line in said], "a started service was not stopped"


def test_a_service_that_cannot_use_its_configuration_is_given_up_at_once(tmp_path: Path) -> None:
    with supervised(tmp_path, "misconfigured") as daemon:
        said = daemon.lines_until("done")
    assert [line[:4] for line in said] == [["gives", "up:", "SERVICE_CONFIGURATION", "misconfigured-0"], ["done"]]


def test_an_exception_of_the_tick_does_not_end_the_supervisor(tmp_path: Path) -> None:
    """The script's tick raises an exception each time."""
    with supervised(tmp_path, "polite") as daemon:
        ((_, _, first), _) = daemon.lines_until("watching")
        os.kill(int(first), signal.SIGKILL)
        assert daemon.next_line()[:2] == ["polite-0", "up"]
        daemon.process.send_signal(signal.SIGTERM)
        daemon.lines_until("done")
        assert daemon.process.wait() == 0


def test_services_die_with_the_supervisor(tmp_path: Path) -> None:
    with supervised(tmp_path, "polite") as daemon:
        daemon.lines_until("watching")
        daemon.process.kill()
        assert daemon.next_line()[:2] == ["polite-0", "down"]
        assert daemon.next_line() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_stop_signal_stops_the_supervisor(tmp_path: Path, number: signal.Signals) -> None:
    with supervised(tmp_path, "polite") as daemon:
        daemon.lines_until("watching")
        daemon.process.send_signal(number)
        assert daemon.lines_until("done")
        assert daemon.process.wait() == 0


def test_a_second_stop_signal_does_not_wait_for_a_service_that_does_not_stop(tmp_path: Path) -> None:
    with supervised(tmp_path, "stubborn") as daemon:
        daemon.lines_until("watching")
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.next_line()[:2] == ["stubborn-0", "refuses"]
        daemon.process.send_signal(signal.SIGTERM)
        daemon.lines_until("done")
        assert daemon.process.wait() == 0


def test_a_stop_signal_during_the_start_stops_what_has_been_started(tmp_path: Path) -> None:
    with supervised(tmp_path, "polite", "never-ready") as daemon:
        daemon.lines_until("never-ready-1", "up")
        daemon.process.send_signal(signal.SIGTERM)
        said = daemon.lines_until("done")
    assert ["polite-0", "down"] in [line[:2] for line in said]
    assert ["watching"] not in said
