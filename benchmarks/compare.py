"""``make bench-compare REF=COMMIT`` measures this code and that of a commit alternately, with a null chain.

The commit is checked out into a temporary directory and measured with this version's clients and chain. Both use the
installed libraries, unless the commit requires other versions: then they are installed into a new environment. The
speed of a shared machine changes more slowly than runs alternate, so each run is compared with the one next to it.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.drain import CLIENTS, WARM_UP, drain, one_by_one
from benchmarks.figures import quantile
from benchmarks.null_chain import SETTINGS, running_null_chain
from orderd.process.temporary import running_daemon

ROOT: Final = Path(__file__).parent.parent
_CONSTRAINTS: Final = "constraints.txt"
_SINGLES: Final = 100
_MEASURED: Final = ("gateway", "worker", "postgres", "redis")


@dataclass(frozen=True)
class Code:
    """The source tree and the interpreter of a daemon."""

    tree: Path
    python: str = sys.executable


@contextmanager
def checked_out(ref: str) -> Iterator[Code]:
    """The code of a commit. Raises CalledProcessError if there is no such commit."""
    with tempfile.TemporaryDirectory(prefix="orderd-compare-") as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)  # if run by root, Postgres has another user
        tree = Path(directory, "tree")
        _git("worktree", "add", "--quiet", "--detach", str(tree), ref)
        stack.callback(_git, "worktree", "remove", "--force", str(tree))
        if (tree / _CONSTRAINTS).read_bytes() == (ROOT / _CONSTRAINTS).read_bytes():
            yield Code(tree)
        else:
            yield Code(tree, _environment(Path(directory, "venv"), tree))


def _git(*words: str) -> None:
    subprocess.run(["git", "-C", str(ROOT), *words], check=True, stdout=subprocess.DEVNULL)


def _environment(directory: Path, tree: Path) -> str:
    """The interpreter of a new environment with the library versions of the tree."""
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    python = directory / "bin/python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", str(tree / _CONSTRAINTS)]
    subprocess.run([*install, "--editable", f"{tree}[all]"], check=True)
    return str(python)


def figures(code: Code, orders: int) -> dict[str, float]:
    """The figures of one run of a daemon."""
    with (
        tempfile.TemporaryDirectory(prefix="orderd-bench-") as directory,
        running_null_chain() as chain,
        running_daemon(Path(directory), {**SETTINGS, **chain.settings}, tree=code.tree, python=code.python) as daemon,
    ):
        uvloop.run(drain(daemon, WARM_UP))
        single = uvloop.run(one_by_one(daemon, _SINGLES))
        drained = uvloop.run(drain(daemon, orders))
    found = {f"CPU per order, {name}, ms": drained.cpu[name] * 1000 for name in _MEASURED}
    found["CPU per order, all, ms"] = drained.cpu_of_all * 1000
    found["accepted, orders/s"] = drained.accepted
    found["drained, orders/s"] = drained.drained
    for name, seconds in (
        ("submit, 1 client", single.submits),
        (f"submit, {CLIENTS} clients", drained.submits),
        ("submit to end, 1 client", single.ends),
        ("event to subscriber, 1 client", single.delays),
        (f"event to subscriber, {CLIENTS} clients", drained.delays),
    ):
        found[f"{name}, median, ms"] = statistics.median(seconds) * 1000
        found[f"{name}, p99, ms"] = quantile(seconds, 0.99) * 1000
    return found


def table(ref: str, pairs: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]) -> Table:
    """Each pair has the figures of the commit and those of this code."""
    found = Table("", ref[:12], "this code", "ratio", "ratios of pairs", title=f"This code and {ref}, medians")
    for name in pairs[0][0]:
        before, after = ([each[side][name] for each in pairs] for side in (0, 1))
        ratios = [now / then for then, now in zip(before, after, strict=True)]
        found.add_row(
            name,
            f"{statistics.median(before):.2f}",
            f"{statistics.median(after):.2f}",
            f"{statistics.median(ratios):.2f}",
            " ".join(f"{ratio:.2f}" for ratio in sorted(ratios)),
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("ref", help="a commit, branch or tag")
    parser.add_argument("--runs", type=int, default=3, help="number of runs of each [3]")
    parser.add_argument("--orders", type=int, default=1_000, help="number of orders per run [1000]")
    arguments = parser.parse_args()
    console = Console()
    pairs = []
    with checked_out(arguments.ref) as code:
        for number in range(arguments.runs):
            console.print(f"run {number + 1} of {arguments.runs}, load {os.getloadavg()[0]:.1f}")
            pairs.append((figures(code, arguments.orders), figures(Code(ROOT), arguments.orders)))
    console.print(table(arguments.ref, pairs))


if __name__ == "__main__":
    main()
