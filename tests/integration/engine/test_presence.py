"""Death of a process is known from the kernel on this machine, and from silence on others, never from a wall clock."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from db import processes
from db.processes import Process
from orderd.engine import presence
from orderd.engine.presence import Presence, is_running, this_process
from tests.integration.orders import claimed, read


@dataclass
class Clock:
    """The monotonic clock of a listener."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Listener:
    """A presence, and the names of processes that it has released."""

    clock: Clock = field(default_factory=Clock)
    released: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.presence = Presence(self.released.extend, clock=self.clock)

    def listen(self, seconds: float = 0.0) -> None:
        """Listen once per second for this long."""
        end = self.clock.now + seconds
        self.presence.run_once()
        while self.clock.now < end:
            self.clock.now += 1
            self.presence.run_once()


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def child() -> "Iterator[subprocess.Popen[bytes]]":
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def known_as(pid: int) -> Process:
    """What the process ``pid`` of this machine reports about itself."""
    return replace(this_process(), name=f"process-{pid}", pid=pid, started=presence._stat(pid)[1])


def elsewhere(name: str) -> Process:
    return Process(name, "another machine", os.getpid(), 1)


def test_a_killed_process_of_this_machine_is_detected_at_once(
    listener: Listener, child: "subprocess.Popen[bytes]"
) -> None:
    other = known_as(child.pid)
    processes.beat(other)
    order = claimed(other.name)
    listener.listen()
    assert listener.released == []
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_running(other), "a zombie counts as dead"
    listener.listen()
    assert listener.released == [other.name]
    assert read(order.id).lease_owner is None


def test_a_reused_process_id_is_not_a_sign_of_life(listener: Listener) -> None:
    processes.beat(replace(known_as(os.getpid()), name="before", started=1))
    listener.listen()
    assert listener.released == ["before"]


def test_a_hidden_process_of_another_user_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    init = Process("another user's", this_process().machine, 1, 1)

    def hide(_: int) -> tuple[str, int]:
        raise FileNotFoundError

    monkeypatch.setattr(presence, "_stat", hide)
    assert is_running(init)


def test_a_process_of_another_machine_is_dead_after_a_long_silence(listener: Listener) -> None:
    silent, alive = elsewhere("silent"), elsewhere("alive")
    processes.beat(silent)
    listener.listen()
    for _ in range(8):
        assert listener.released == []
        processes.beat(alive)
        listener.listen(1)
    assert listener.released == ["silent"]


def test_silence_before_listening_does_not_count(listener: Listener) -> None:
    """As when Postgres was unavailable or the listener was stopped."""
    processes.beat(elsewhere("other"))
    listener.listen(6)
    listener.clock.now += 60
    listener.listen(6)
    assert listener.released == []
    listener.listen(2)
    assert listener.released == ["other"]


def test_a_process_considered_dead_is_alive_again_when_it_reports(listener: Listener) -> None:
    other = Listener()
    other.listen()
    processes.release_dead([*processes.known().items()])
    other.listen()
    assert other.presence.name in {process.name for process in processes.known()}
    listener.listen()
    assert listener.released == []
    other.presence.leave()
    assert other.presence.name not in {process.name for process in processes.known()}


def test_watchers_are_reported_until_they_die_or_stop(child: "subprocess.Popen[bytes]") -> None:
    watches = [True]
    here = Presence(watches=lambda: watches[0])
    processes.beat(known_as(child.pid), watches=True)
    here.run_once()
    both = here.watchers
    assert both == {here.name, known_as(child.pid).name}
    here.run_once()
    assert here.watchers is both, "the set of watchers was rebuilt without a change"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    here.run_once()
    assert here.watchers == {here.name}
    watches[0] = False
    here.run_once()
    assert here.watchers == set()
