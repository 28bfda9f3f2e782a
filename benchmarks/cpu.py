"""CPU time by process: on a machine that others use too, the figure that two runs have in common."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_TICKS_A_SECOND: Final = os.sysconf("SC_CLK_TCK")


def seconds_by_process(root: int) -> dict[str, float]:
    """User and system time so far of the process ``root`` and all below it, by what they are."""
    used: defaultdict[str, float] = defaultdict(float)
    for pid in tree_of(root):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended, and its parent has its time
        # Fields 14 to 17: its own time, and that of its children that have ended. See proc_pid_stat(5).
        times = stat.rpartition(")")[2].split()[11:15]
        used[name_of(command)] += sum(map(int, times)) / _TICKS_A_SECOND
    return used


def since(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What was used between two readings."""
    return {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}


def tree_of(root: int) -> Iterator[int]:
    """The process and all below it."""
    yield root
    for children in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in below:
            yield from tree_of(int(child))


def name_of(command: list[str]) -> str:
    """What a process of a daemon is, by its arguments."""
    if "orderd.main" in command:
        return command[command.index("orderd.main") + 1]
    return Path(command[0].partition(" ")[0].partition(":")[0]).name
