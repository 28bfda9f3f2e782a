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
    "test_shared.py": """
        from pathlib import Path

        import pytest

        @pytest.fixture(scope="module")
        def set_up_once():
            Path("set up").touch(exist_ok=False)
            yield
            Path("torn down").touch(exist_ok=False)

        @pytest.mark.parametrize("number", range(20))
        def test_of_many(set_up_once, number):
            pass
        """,
    "test_session.py": """
        import pytest

        @pytest.fixture(scope="session")
        def broken_at_the_end():
            yield
            raise ValueError("the session")

        def test_that_uses_it(broken_at_the_end):
            pass

        def test_after_it(broken_at_the_end):
            pass
        """,
    "test_all_end.py": """
        import os
        import signal

        def test_before_the_end():
            pass

        def test_that_ends_its_worker():
            os.kill(os.getpid(), signal.SIGKILL)
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
    options = ["-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "-rA"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=directory,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_DEBUG_TEMPROOT": str(directory),  # else it would delete the directories of earlier runs
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "COLUMNS": "200",
        },
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
    code, output, results = run(tmp_path, "test_end.py", "test_results.py")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "FAILED test_end.py::test_that_ends_its_worker" in output
    assert "The worker ended with exit code -9" in output
    assert (results["FAILED"], results["PASSED"]) == (2, 3)


def test_tests_that_no_worker_has_run_are_reported(tmp_path: Path) -> None:
    code, output, results = run(tmp_path, "test_end.py", "test_all_end.py")
    assert code == pytest.ExitCode.INTERRUPTED
    assert results["FAILED"] == 2
    assert "a worker has ended, and 2 of the tests have not been run" in output


def test_an_error_at_the_end_of_the_session_is_reported(tmp_path: Path) -> None:
    code, output, results = run(tmp_path, "test_session.py")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert results["PASSED"] == 2
    assert 1 <= results["ERROR"] <= 2  # as many as workers used it
    assert "ValueError: the session" in output


def test_a_run_ends_after_the_first_failure_if_told_to(tmp_path: Path) -> None:
    code, output, results = run(tmp_path, "--exitfirst", "test_results.py")
    assert code == pytest.ExitCode.TESTS_FAILED
    assert results["FAILED"] + results["ERROR"] == 1
    assert "stopping after 1 failures" in output


def test_fixtures_that_tests_share_are_set_up_once(tmp_path: Path) -> None:
    code, _, results = run(tmp_path, "test_shared.py")
    assert code == pytest.ExitCode.OK
    assert results["PASSED"] == 20
    assert (tmp_path / "torn down").exists()


def test_tests_that_wait_come_first_and_those_that_share_fixtures_before_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def items(path: str, count: int) -> list[Any]:
        return [SimpleNamespace(path=Path(path))] * count

    monkeypatch.setattr(workers, "_share_fixtures", lambda file: "shared" in str(file[0].path))
    collected = items("tests/acceptance/alone.py", 2) + items("tests/acceptance/shared.py", 4)
    collected += items("tests/integration/few_shared.py", 3) + items("tests/integration/shared.py", 9)
    collected += items("tests/proof/alone.py", 1) + items("tests/unit/alone.py", 2) + items("tests/unit/shared.py", 5)
    groups = workers._groups(collected)
    assert [(group[0].path.parts[1], len(group)) for group in groups] == [
        ("proof", 1),
        *(("acceptance", count) for count in (4, 1, 1)),
        *(("integration", count) for count in (9, 3)),
        *(("unit", count) for count in (1, 1, 5)),
    ]
