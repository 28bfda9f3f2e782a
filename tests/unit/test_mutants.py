"""The table of mutants matches the code, and the runner reports what happens."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.mutants.__main__ import TEST_SECONDS, Copy, Run, judge
from tests.mutants.mutant import INVARIANTS, DoesNotApplyError, Mutant
from tests.mutants.table import MUTANTS

ROOT = Path(__file__).resolve().parents[2]


def test_every_invariant_has_a_mutant_and_names_are_unique() -> None:
    assert {mutant.invariant for mutant in MUTANTS} == set(INVARIANTS)
    assert len({mutant.id for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.id)
def test_a_mutant_applies_and_its_tests_exist(mutant: Mutant) -> None:
    source = (ROOT / mutant.file).read_text()
    wrong = mutant.applied(source)
    assert wrong != source
    if mutant.file.endswith(".py"):
        ast.parse(wrong)
    assert mutant.tests
    assert [test for test in mutant.tests if test not in _tests_in(test.partition("::")[0])] == []


_MIGRATIONS = sorted((ROOT / "db" / "migrations").glob("[0-9]*.py"))


@pytest.mark.parametrize(
    "mutant", [each for each in MUTANTS if each.file.startswith("db/migrations/")], ids=lambda mutant: mutant.id
)
def test_a_mutant_of_a_migration_changes_what_no_later_one_defines_again(mutant: Mutant) -> None:
    """It would change nothing that is in use."""
    file = ROOT / mutant.file
    before, _, after = file.read_text().partition(mutant.old)
    if "DOWN = " not in after:
        return  # it changes how the migration is taken back
    name = re.findall(r"(?:FUNCTION|CONSTRAINT|INDEX|TRIGGER|TABLE) (\w+)", before + mutant.old)[-1]
    again = re.compile(rf"(FUNCTION|CONSTRAINT|INDEX|TRIGGER) {name}\b")
    later = _MIGRATIONS[_MIGRATIONS.index(file) + 1 :]
    assert [each.name for each in later if again.search(each.read_text().partition("DOWN = ")[0])] == []


@cache
def _tests_in(file: str) -> frozenset[str]:
    found: set[str] = set()

    def collect(node: ast.Module | ast.ClassDef, prefix: str) -> None:
        for child in node.body:
            if isinstance(child, ast.ClassDef):
                collect(child, f"{prefix}::{child.name}")
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(f"{prefix}::{child.name}")

    collect(ast.parse((ROOT / file).read_text()), file)
    return frozenset(found)


def test_a_text_that_occurs_never_or_twice_is_an_error() -> None:
    mutant = Mutant("gone", 1, "file.py", "x = 1", "x = 2", ("tests/test_x.py::test_x",), "none")
    assert mutant.applied("x = 1\n") == "x = 2\n"
    for source in ("x = 3\n", "x = 1\nx = 1\n"):
        with pytest.raises(DoesNotApplyError, match=re.escape("gone: its old text occurs")):
            mutant.applied(source)


FAILED = "F\nFAILED tests/test_sums.py::test_sum\n"
ERROR = "E\nERROR tests/test_sums.py::test_sum\n"
TIMEOUT = f"E   Failed: Timeout (>{TEST_SECONDS}.0s) from pytest-timeout.\n{FAILED}"


@pytest.mark.parametrize(
    ("exit_code", "output", "may_hang", "result"),
    [
        (0, ".", False, "survived"),
        (0, ".", True, "survived"),
        (1, FAILED, False, "killed"),
        (1, FAILED + ERROR, False, "killed"),
        (1, ERROR, False, "error"),
        (1, TIMEOUT, False, "error"),
        (1, TIMEOUT, True, "killed"),
        (None, "", False, "error"),
        (None, "", True, "killed"),
        (2, ERROR, False, "error"),
        (3, "INTERNALERROR>", True, "error"),
        (4, "ERROR: not found: tests/test_sums.py::test_of_nothing", False, "error"),
        (5, "no tests ran", True, "error"),
    ],
)
def test_only_a_failing_or_expectedly_hanging_test_kills_a_mutant(
    exit_code: int | None, output: str, may_hang: bool, result: str
) -> None:
    assert Run(exit_code, output).result(may_hang=may_hang) == result


TREE = {
    "pyproject.toml": "[tool.pytest.ini_options]\n",
    "orderd/__init__.py": "",
    "orderd/sums.py": "def plus(a, b):\n    return a + b\n",
    "tests/__init__.py": "",
    "tests/mutants/__init__.py": "",
    "tests/mutants/repeatable.py": (ROOT / "tests/mutants/repeatable.py").read_text(),
    "tests/test_sums.py": (
        "from orderd.sums import plus\n\n"
        "def test_sum():\n    assert plus(1, 2) == 3\n\n"
        "def test_that_hangs():\n    while plus(1, 1) != 2:\n        pass\n"
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A small tree in place of the copy."""
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    copy = object.__new__(Copy)
    copy.root = tmp_path
    return copy


def wrong_sum(test: str) -> Mutant:
    return Mutant("wrong", 7, "orderd/sums.py", "a + b", "a - b", (f"tests/test_sums.py::{test}",), "all")


def test_a_mutant_of_the_same_length_is_applied_and_removed(copy: Copy) -> None:
    """Stale bytecode of the original must not be used."""
    assert copy.test(["tests/test_sums.py::test_sum"]).exit_code == 0
    assert judge(wrong_sum("test_sum"), copy).result == "killed"
    assert copy.test(["tests/test_sums.py::test_sum"]).exit_code == 0


def test_a_run_that_hangs_is_stopped(copy: Copy) -> None:
    mutant = wrong_sum("test_that_hangs")
    with copy.mutated(mutant):
        assert copy.test(mutant.tests, seconds=3.0).exit_code is None


def test_the_copy_imports_its_own_packages(tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    copy.check_imports()
    script = "orderd/queue/limiter.lua"
    assert (tmp_path / script).read_bytes() == (ROOT / script).read_bytes()
    (tmp_path / "orderctl").rename(tmp_path / "away")
    with pytest.raises(RuntimeError, match="imports"):
        copy.check_imports()
