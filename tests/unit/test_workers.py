import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import workers

PROJECT = {
    "conftest.py": """
        import contextlib

        from tests.workers import Workers

        def pytest_configure(config):
            config.pluginmanager.register(Workers(2, beside=lambda _: contextlib.nullcontext()))
        """,
    "test_results.py": """
        import pytest

        @pytest.fixture
        def broken_at_its_end():
            yield
            raise ValueError("the fixture")

        def test_that_passes(tmp_path):
            assert list(tmp_path.iterdir()) == []

        def test_that_fails():
            print("what it wrote")
            assert 1 == 2

        def test_whose_fixture_fails(broken_at_its_end):
            pass

        @pytest.mark.skip
        def test_that_is_skipped():
            pass
        """,
    "test_end.py": """
        import os
        import signal

        def test_that_ends_its_worker():
            os.kill(os.getpid(), signal.SIGKILL)

        def test_after_the_end():
            pass
        """,
}


def run(directory: Path, *arguments: str) -> tuple[int, str, Counter[str]]:
    """Returns the exit code of a run, its output, and how many tests had each result."""
    for name, text in PROJECT.items():
        lines = (line.removeprefix(" " * 8) for line in text.splitlines())
        (directory / name).write_text("\n".join(lines))
    options = ["-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "-p", "no:schemathesis", "-rA"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    results = Counter(line.split()[0] for line in done.stdout.splitlines() if "::" in line)
    return done.returncode, done.stdout, results


def test_results_of_workers_are_reported_as_those_of_one_process(tmp_path: Path) -> None:
    code, output, results = run(tmp_path, "test_results.py")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert (results["PASSED"], results["FAILED"], results["ERROR"]) == (2, 1, 1)
    assert "2 passed, 1 skipped, 1 error" in output
    for text in ("assert 1 == 2", "what it wrote", "ValueError: the fixture"):
        assert text in output


def test_a_worker_that_ends_fails_its_test_and_the_run(tmp_path: Path) -> None:
    code, output, results = run(tmp_path)
    assert code == pytest.ExitCode.INTERRUPTED
    assert "FAILED test_end.py::test_that_ends_its_worker" in output
    assert "a worker has ended, and 1 of the tests have not been run" in output
    assert results["FAILED"] == 2


def test_a_run_ends_after_the_first_failure_if_told_to(tmp_path: Path) -> None:
    code, output, results = run(tmp_path, "--exitfirst", "test_results.py")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert results["FAILED"] == 1
    assert "stopping after 1 failures" in output


def test_files_that_wait_come_first_and_those_with_the_most_tests_before_others() -> None:
    def items(path: str, count: int) -> list[Any]:
        return [SimpleNamespace(path=Path(path))] * count

    collected = items("tests/acceptance/few.py", 2) + items("tests/integration/many.py", 9)
    collected += items("tests/integration/few.py", 1) + items("tests/proof/few.py", 3)
    collected += items("tests/unit/few.py", 4) + items("tests/unit/many.py", 5)
    assert [len(file) for file in workers._files(collected)] == [3, 2, 9, 1, 4, 5]
