"""``python -m benchmarks.idle``: what a daemon takes while nothing happens, by process and by thread.

A wake-up is a voluntary context switch: a thread that waited goes on. Nothing trades, so the null chain sends no hints.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.cpu import command_of, tree_of
from benchmarks.engine import running_engine

_SETTLING_SECONDS: Final = 12.0
"""Time after the start until nothing is looked up any more."""
_NANOSECONDS: Final = 1e9


class Used(NamedTuple):
    """Seconds of CPU, and wake-ups."""

    cpu: float
    wakes: int


def used_by_thread(root: int) -> Mapping[tuple[str, str], Used]:
    """What the threads of a process and its descendants have taken so far, by command and name of the thread."""
    used: defaultdict[tuple[str, str], Used] = defaultdict(lambda: Used(0.0, 0))
    for pid in tree_of(root):
        for thread in Path(f"/proc/{pid}/task").glob("*"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                nanoseconds = int((thread / "schedstat").read_text().split()[0])
                status = dict(line.split(":", 1) for line in (thread / "status").read_text().splitlines())
                key = command_of(pid), (thread / "comm").read_text().strip()
                so_far, wakes = used[key], int(status["voluntary_ctxt_switches"])
                used[key] = Used(so_far.cpu + nanoseconds / _NANOSECONDS, so_far.wakes + wakes)
    return used


def measure(seconds: float) -> dict[tuple[str, str], Used]:
    """What each thread of an idle daemon takes per second."""
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_engine(Path(directory)) as (daemon, _),
    ):
        time.sleep(_SETTLING_SECONDS)
        before, began = used_by_thread(daemon.process.pid), time.monotonic()
        time.sleep(seconds)
        after, took = used_by_thread(daemon.process.pid), time.monotonic() - began
    taken = dict[tuple[str, str], Used]()
    for key, (cpu, wakes) in after.items():
        cpu_before, wakes_before = before.get(key, (0.0, 0))
        taken[key] = Used((cpu - cpu_before) / took, round((wakes - wakes_before) / took))
    return taken


def tables(seconds: float) -> list[Table]:
    found = measure(seconds)
    by_process = Table("process", "% of a core", "wake-ups per second", title="An idle daemon")
    for command in sorted({command for command, _ in found}):
        _add(by_process, [command], [each for (of, _), each in found.items() if of == command])
    by_process.add_section()
    _add(by_process, ["all"], list(found.values()))
    by_thread = Table("process", "thread", "% of a core", "wake-ups per second", title="Its threads")
    for (command, name), each in sorted(found.items(), key=lambda item: -item[1].cpu):
        if each.wakes:
            _add(by_thread, [command, name], [each])
    return [by_process, by_thread]


def _add(table: Table, names: list[str], used: list[Used]) -> None:
    table.add_row(*names, f"{100 * sum(each.cpu for each in used):.2f}", str(sum(each.wakes for each in used)))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to measure [30]")
    Console().print(*tables(parser.parse_args().seconds))


if __name__ == "__main__":
    main()
