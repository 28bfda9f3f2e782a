"""CPU time by process, which is more comparable between runs than time on a shared machine."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_TIME: Final = 10
"""Index of the first of the times, fields 14 to 17 of proc_pid_stat(5), after the state."""
_WITH_THREADS: Final = ("gateway", "worker")
_REDIS: Final = ("redis-server", "valkey-server")
"""Either can be installed."""


def seconds_by_process(*roots: int) -> dict[str, float]:
    """User and system time of these processes and their descendants, by command."""
    used: defaultdict[str, float] = defaultdict(float)
    for pid in _trees(roots):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended; its parent includes its time
            # With the time of its children that have ended.
            used[command_of(pid)] += sum(_fields(Path(f"/proc/{pid}/stat"))[_TIME : _TIME + 4]) / _TICKS_PER_SECOND
    return used


def seconds_by_thread(*roots: int) -> dict[str, float]:
    """The same of gateways and workers by thread: ``worker: turns``. Unnamed threads are added up."""
    used: defaultdict[str, float] = defaultdict(float)
    for pid in _trees(roots):
        with suppress(FileNotFoundError, ProcessLookupError):
            if (command := command_of(pid)) not in _WITH_THREADS:
                continue
            for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
                name = stat.with_name("comm").read_text().strip()
                if name.startswith("python"):
                    name = "main thread" if stat.parent.name == str(pid) else "other threads"
                used[f"{command}: {name}"] += sum(_fields(stat)[_TIME : _TIME + 2]) / _TICKS_PER_SECOND
    return used


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The time used between two readings."""
    return {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}


def tree_of(root: int) -> Iterator[int]:
    """The process and its descendants."""
    yield root
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in below:
            yield from tree_of(int(child))


def command_of(pid: int) -> str:
    """The role or program of a process. Raises FileNotFoundError or ProcessLookupError if it has ended."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    if "orderd.main" in command:
        return command[command.index("orderd.main") + 1]
    if "--serve" in command:
        return command[command.index("--serve") - 1].removeprefix("benchmarks.").replace("_", " ")
    program = Path(command[0].partition(" ")[0].partition(":")[0]).name
    return "redis" if program in _REDIS else program


def _trees(roots: Iterable[int]) -> Iterator[int]:
    return chain.from_iterable(map(tree_of, roots))


def _fields(stat: Path) -> list[int]:
    """The numbers after the state in a stat file."""
    return [*map(int, stat.read_text().rpartition(")")[2].split()[1:])]
