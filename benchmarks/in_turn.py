"""``python -m benchmarks.in_turn COMMIT``: the CPU that Python needs per order, of a commit and of this code.

Each works batches in a process of its own (``benchmarks.in_process``), one batch at a time in turn, so that a change of
the machine's speed concerns both. In a minute this shows a difference of two hundredths, where whole daemons
(``make bench-compare``) vary by a tenth.
"""

import argparse
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.compare import ROOT, Code, checked_out
from benchmarks.figures import quantile
from benchmarks.in_process import BATCH_SIZE

_SIZES: Final = {1: 8, BATCH_SIZE: 1}
"""Number of batches in each turn, by the size of a batch."""
_WARM_UP: Final = 2
_TRADER: Final = """
import gc, sys, tempfile, time
from pathlib import Path
from benchmarks.in_process import running_in_process

with (
    tempfile.TemporaryDirectory(prefix="orderd-in-turn-") as directory,
    running_in_process(Path(directory)) as (engine, _),
):
    gc.collect()
    gc.freeze()
    gc.disable()
    print("ready", flush=True)
    for line in sys.stdin:
        orders, batches = map(int, line.split())
        began = time.process_time()
        for _ in range(batches):
            engine.trade(orders)
        print((time.process_time() - began) / orders / batches, flush=True)
"""
"""Reads the size and the number of batches from each line, and prints the CPU seconds per order. The garbage collector
is off, because its runs would fall on one of the two."""


class Trader:
    """A process that works batches when it is asked to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def cpu_of(self, orders: int, batches: int) -> float:
        """Work these batches; the CPU milliseconds per order."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{orders} {batches}\n")
        self._process.stdin.flush()
        return float(self.next_line()) * 1000

    def next_line(self) -> str:
        """Raises RuntimeError if the process has ended; its own messages say why."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process that works the batches has ended")
        return line


@contextmanager
def trading(code: Code) -> Iterator[Trader]:
    """A trader with this code, ready to work."""
    command = [code.python, "-c", _TRADER]
    with subprocess.Popen(command, cwd=code.tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        trader = Trader(process)
        trader.next_line()
        yield trader


def in_turn(one: Trader, other: Trader, orders: int, turns: int) -> list[tuple[float, float]]:
    """The figures of each turn: CPU milliseconds per order of one and of the other."""
    pairs = []
    for turn in range(_WARM_UP + turns):
        figures = {each: each.cpu_of(orders, _SIZES[orders]) for each in ((one, other), (other, one))[turn % 2]}
        pairs.append((figures[one], figures[other]))
    return pairs[_WARM_UP:]


def row(orders: int, pairs: Sequence[tuple[float, float]]) -> list[str]:
    """The medians of both, and of their ratios with the middle half of these."""
    before, after = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    ratios = [now / then for then, now in pairs]
    low, high = quantile(ratios, 0.25), quantile(ratios, 0.75)
    of_ratios = f"{statistics.median(ratios):.3f}", f"{low:.3f} to {high:.3f}"
    return [str(orders), f"{before:.2f} ms", f"{after:.2f} ms", *of_ratios]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.in_turn", description=__doc__)
    parser.add_argument("ref", metavar="COMMIT", help="a commit, branch or tag")
    parser.add_argument("--turns", type=int, default=100, help="number of turns [100]")
    parser.add_argument("--python", help="the interpreter for the commit's code [that of this environment]")
    arguments = parser.parse_args()
    found = Table("orders in a batch", arguments.ref[:12], "this code", "ratio", "middle half")
    with checked_out(arguments.ref) as code:
        then = Code(code.tree, arguments.python or code.python)
        with trading(then) as one, trading(Code(ROOT)) as other:
            for orders in _SIZES:
                found.add_row(*row(orders, in_turn(one, other, orders, arguments.turns)))
    Console().print(found)


if __name__ == "__main__":
    main()
