"""Applies one mutant after the other to a copy of the tree, and sees whether the tests that it names fail.

    python -m tests.mutants [--list] [--only ID ...]

Ends with 0 where all are killed, with 1 where one survives, no longer applies, or ends its tests before they can fail.
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
    """How pytest ended, by its exit code; None if it was stopped. ``said`` is its output."""

    exit_code: int | None
    said: str

    @property
    def hung(self) -> bool:
        """Whether it, or one of its tests, took too long."""
        return self.exit_code is None or f"Timeout (>{TEST_SECONDS}" in self.said

    @property
    def failed(self) -> bool:
        """Whether a test failed by what it found, and not only what is made ready for it."""
        return self.exit_code == _FAILED and "\nFAILED tests/" in self.said

    def word(self, *, may_hang: bool) -> str:
        """What is said of the mutant that was in the tree meanwhile: killed, survived or error."""
        if self.hung:
            return "killed" if may_hang else "error"
        if self.exit_code == _PASSED:
            return "survived"
        return "killed" if self.failed else "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    mutant: Mutant
    word: str
    seconds: float
    said: str


class Copy:
    """The tree's files in a directory of their own, whose packages are those that its tests import."""

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
        """With the mutant in it. Raises DoesNotApplyError."""
        path = self.root / mutant.file
        original = path.read_bytes()
        # Bytecode is known to be stale by seconds and size, and a mutant may have those of the original.
        compiled = Path(cache_from_source(str(path)))
        compiled.unlink(missing_ok=True)
        try:
            mutant.apply(self.root)
            yield
        finally:
            path.write_bytes(original)
            compiled.unlink(missing_ok=True)

    def test(self, tests: Sequence[str], *options: str, seconds: float = RUN_SECONDS) -> Run:
        # Before the installed packages, of which an editable installation leads to the tree itself.
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
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # its services end with it
                said, _ = process.communicate()
                return Run(None, said)
        return Run(process.returncode, said)

    def check_imports(self) -> None:
        """Raises RuntimeError if its tests would import the packages of another tree."""
        words = (
            "import db, orderctl, orderd, tests as t; print(*(each.__path__[0] for each in (db, orderctl, orderd, t)))"
        )
        found = subprocess.run(
            [sys.executable, "-c", words],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        if any(not path.startswith(f"{self.root}{os.sep}") for path in found):
            raise RuntimeError(f"the copy in {self.root} imports {', '.join(found)}")


def judge(mutant: Mutant, copy: Copy) -> Verdict:
    """Whether the tests notice the mutant. Raises DoesNotApplyError."""
    began = time.monotonic()
    with copy.mutated(mutant):
        run = copy.test(mutant.tests, "-x")
    return Verdict(mutant, run.word(may_hang=mutant.hangs), time.monotonic() - began, run.said)


def judge_all(mutants: Sequence[Mutant], directory: Path) -> Iterator[Verdict]:
    """The verdicts as they come. Raises RuntimeError if the tests fail without any mutant."""
    copies = [Copy(directory / str(number)) for number in range(min(AT_ONCE, len(mutants)))]
    for copy in copies:
        copy.check_imports()
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    began = time.monotonic()
    whole = copies[0].test(tests, seconds=2 * RUN_SECONDS)
    if whole.exit_code != _PASSED:
        raise RuntimeError(f"without any mutant the tests do not pass:\n{whole.said}")
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
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description="Do the tests notice small wrongs?")
    parser.add_argument("--only", metavar="ID", action="append", help="try this one; may be repeated")
    parser.add_argument("--list", action="store_true", help="name them all and try none")
    options = parser.parse_args(arguments)
    known = {mutant.id: mutant for mutant in MUTANTS}
    if unknown := sorted(set(options.only or ()) - known.keys()):
        parser.error(f"there is no mutant {', '.join(unknown)}; --list names them")
    chosen = [known[each] for each in dict.fromkeys(options.only)] if options.only else list(MUTANTS)
    if options.list:
        for mutant in chosen:
            print(f"I{mutant.invariant:<3} {mutant.id:40} {mutant.harm}")
        return 0
    began = time.monotonic()
    counts = dict.fromkeys(("killed", "survived", "error"), 0)
    with TemporaryDirectory(prefix="orderd-mutants-") as directory:
        for verdict in judge_all(chosen, Path(directory)):
            counts[verdict.word] += 1
            mutant = verdict.mutant
            print(f"{verdict.word:8} I{mutant.invariant:<3} {mutant.id} ({verdict.seconds:.1f} s)", flush=True)
            if verdict.word != "killed":
                print(f"         {mutant.file}: {mutant.harm}; it breaks: {INVARIANTS[mutant.invariant]}")
                print("".join(f"         | {line}\n" for line in verdict.said.splitlines()[-15:]), flush=True)
    summary = ", ".join(f"{word} {count}" for word, count in counts.items())
    print(f"{summary} of {len(chosen)} mutants in {time.monotonic() - began:.0f} s")
    return int(counts["killed"] != len(chosen))


if __name__ == "__main__":
    sys.exit(main())
