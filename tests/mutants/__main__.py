"""Applies each mutant to a copy of the source tree, and checks that at least one of the tests that it names fails.

    python -m tests.mutants [--list] [--only ID ...]

Exits with 0 if all mutants are killed, and with 1 if one survives, does not apply, or its tests end with an error.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Final

from tests.mutants.mutant import INVARIANTS, Mutant
from tests.mutants.table import MUTANTS

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 2
TEST_SECONDS: Final = 60
RUN_SECONDS: Final = 300
_PASSED, _FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Run:
    """Pytest's exit code (None if it was stopped after RUN_SECONDS), and its output."""

    exit_code: int | None
    output: str

    @property
    def hung(self) -> bool:
        """Whether pytest or one of its tests exceeded its time limit."""
        return self.exit_code is None or f"Timeout (>{TEST_SECONDS}" in self.output

    @property
    def failed(self) -> bool:
        """Whether a test failed, as opposed to an error in a fixture or in the collection."""
        return self.exit_code == _FAILED and "\nFAILED tests/" in self.output

    def result(self, *, may_hang: bool) -> str:
        """The result for the mutant that was applied during the run: killed, survived or error."""
        if self.hung:
            return "killed" if may_hang else "error"
        if self.exit_code == _PASSED:
            return "survived"
        return "killed" if self.failed else "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    result: str
    seconds: float
    output: str


class Copy:
    """A copy of the files of the source tree. Its tests import the packages of the copy."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (source := ROOT / name).is_file():
                target = root / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    @contextmanager
    def mutated(self, mutant: Mutant) -> Iterator[None]:
        """Apply the mutant meanwhile. Raises DoesNotApplyError."""
        path = self.root / mutant.file
        original = path.read_bytes()
        # Python compares the modification time in seconds and the size, and a mutant can have those of the original.
        compiled = Path(cache_from_source(str(path)))
        compiled.unlink(missing_ok=True)
        try:
            mutant.apply(self.root)
            yield
        finally:
            path.write_bytes(original)
            compiled.unlink(missing_ok=True)

    def test(self, tests: Sequence[str], *options: str, seconds: float = RUN_SECONDS) -> Run:
        # The copy comes before the installed packages, because an editable installation points to the original tree.
        environment = os.environ | {"PYTHONPATH": str(self.root)}
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "pytest", "-q", "-rfE", "--tb=line", f"--timeout={TEST_SECONDS}"),
                *("-p", "no:cacheprovider", "-p", "no:schemathesis", "-p", "tests.mutants.repeatable"),
                *options,
                *tests,
            ],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the services that it started end with it
                output, _ = process.communicate()
                return Run(None, output)
        return Run(process.returncode, output)

    def check_imports(self) -> None:
        """Raises RuntimeError if the tests of the copy would import the packages of another tree."""
        program = (
            "import db, orderctl, orderd, tests as t; print(*(each.__path__[0] for each in (db, orderctl, orderd, t)))"
        )
        found = subprocess.run(
            [sys.executable, "-c", program],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        if any(not path.startswith(f"{self.root}{os.sep}") for path in found):
            raise RuntimeError(f"the copy in {self.root} imports {', '.join(found)}")


def judge(mutant: Mutant, copy: Copy) -> Verdict:
    """Run the tests of the mutant. Raises DoesNotApplyError."""
    began = time.monotonic()
    with copy.mutated(mutant):
        run = copy.test(mutant.tests, "-x")
    return Verdict(mutant, run.result(may_hang=mutant.hangs), time.monotonic() - began, run.output)


def judge_all(mutants: Sequence[Mutant], directory: Path) -> Iterator[Verdict]:
    """The verdicts in the order in which they are ready. Raises RuntimeError if the tests fail without a mutant."""
    copies = [Copy(directory / str(number)) for number in range(min(AT_ONCE, len(mutants)))]
    for copy in copies:
        copy.check_imports()
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    began = time.monotonic()
    baseline = copies[0].test(tests, seconds=2 * RUN_SECONDS)
    if baseline.exit_code != _PASSED:
        raise RuntimeError(f"the tests fail without a mutant:\n{baseline.output}")
    print(f"{len(tests)} tests pass without any mutant ({time.monotonic() - began:.0f} s)", flush=True)
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def take_turn(mutant: Mutant) -> Verdict:
        copy = free.get()
        try:
            return judge(mutant, copy)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as workers:
        for future in as_completed([workers.submit(take_turn, mutant) for mutant in mutants]):
            yield future.result()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description="Check that the tests detect each mutant."
    )
    parser.add_argument("--only", metavar="ID", action="append", help="only this mutant; can be repeated")
    parser.add_argument("--list", action="store_true", help="list all mutants and run no tests")
    options = parser.parse_args(arguments)
    known = {mutant.id: mutant for mutant in MUTANTS}
    if unknown := sorted(set(options.only or ()) - known.keys()):
        parser.error(f"there is no mutant {', '.join(unknown)}; --list lists all mutants")
    chosen = [known[each] for each in dict.fromkeys(options.only)] if options.only else list(MUTANTS)
    if options.list:
        for mutant in chosen:
            print(f"I{mutant.invariant:<3} {mutant.id:40} {mutant.harm}")
        return 0
    began = time.monotonic()
    counts = dict.fromkeys(("killed", "survived", "error"), 0)
    with TemporaryDirectory(prefix="orderd-mutants-") as directory:
        for verdict in judge_all(chosen, Path(directory)):
            counts[verdict.result] += 1
            mutant = verdict.mutant
            print(f"{verdict.result:8} I{mutant.invariant:<3} {mutant.id} ({verdict.seconds:.1f} s)", flush=True)
            if verdict.result != "killed":
                print(f"         {mutant.file}: {mutant.harm}; the invariant: {INVARIANTS[mutant.invariant]}")
                print("".join(f"         | {line}\n" for line in verdict.output.splitlines()[-15:]), flush=True)
    summary = ", ".join(f"{result} {count}" for result, count in counts.items())
    print(f"{summary} of {len(chosen)} mutants in {time.monotonic() - began:.0f} s")
    return int(counts["killed"] != len(chosen))


if __name__ == "__main__":
    sys.exit(main())
