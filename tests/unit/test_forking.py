"""A forked program behaves like one that a shell executes."""

import json
import os
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests import forking

BIN = Path(sys.executable).parent
NOWHERE = {"ORDERCTL_URL": "ws://127.0.0.1:1/", "ORDERCTL_CONFIG": os.devnull, "ORDERD_CONFIG": os.devnull}


def run(*argv: str | Path, cwd: Path, **environ: str) -> tuple[int, str, str]:
    environment = {**os.environ, **NOWHERE, "COLUMNS": "80", **environ}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        (BIN / "orderctl", "--help"),
        (BIN / "orderctl", "status"),
        (BIN / "orderctl", "version", "--output", "json"),
        (BIN / "orderd", "check-config"),
        (BIN / "orderd", "nonsense"),
        (sys.executable, "-m", "orderd.main", "check-config", "--port", "many"),
        (sys.executable, "-m", "orderd.main", "gateway"),
        (sys.executable, "-m", "orderd.simnet", "--help"),
    ],
    ids=str,
)
def test_a_forked_program_has_the_same_output_and_exit_code(
    argv: tuple[str | Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"ORDERD_STATE_DIR": str(tmp_path), "ORDERD_RATE_LIMIT": "7"}
    forked = run(*argv, cwd=tmp_path, **settings)
    monkeypatch.setattr(forking, "are_forked", False)
    assert forked == run(*argv, cwd=tmp_path, **settings)


def test_a_forked_program_reports_unwritable_output_by_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exit_code() -> int:
        with Path("/dev/full").open("wb") as full:
            argv = (BIN / "orderd", "--help")
            return subprocess.run(argv, cwd=tmp_path, stdout=full, stderr=full, check=False, timeout=60).returncode

    forked = exit_code()
    monkeypatch.setattr(forking, "are_forked", False)
    assert forked == exit_code() != 0


def test_a_forked_program_is_a_child_of_its_starter_in_its_own_session(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [BIN / "orderd", "simnet", "--state-dir", tmp_path], stderr=log, start_new_session=True
        ) as process,
    ):
        state, parent, _, session = Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()[:4]
        process.send_signal(signal.SIGKILL)
    assert state in "RSD"
    assert (int(parent), int(session)) == (os.getpid(), process.pid)
    assert process.returncode == -signal.SIGKILL


def test_a_forked_program_has_only_the_given_descriptors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened() -> Counter[str]:
        with (
            (tmp_path / "given").open("wb") as given,
            subprocess.Popen(
                [BIN / "orderd", "simnet", "--state-dir", tmp_path],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[given.fileno()],
            ) as process,
        ):
            assert process.stderr is not None
            while b"simnet listens" not in process.stderr.readline():
                pass
            found = {int(entry.name): str(entry.readlink()) for entry in Path(f"/proc/{process.pid}/fd").iterdir()}
            process.kill()
            assert found[given.fileno()] == str(tmp_path / "given")
        # Newer versions of libffi keep their own file open, unless the process was forked after they were loaded.
        return Counter(target.partition(":")[0] for target in found.values() if "libffi" not in target)

    forked = opened()
    monkeypatch.setattr(forking, "are_forked", False)
    assert forked == opened()


def test_a_forked_program_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    program = """
import signal, subprocess, sys
from tests import forking
forking.use()
chain = subprocess.Popen([sys.argv[1], "simnet", "--state-dir", "."], stderr=subprocess.PIPE)
while b"simnet listens" not in chain.stderr.readline():
    pass
print(chain.pid, flush=True)
signal.pause()
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", program, BIN / "orderd"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        chain = os.pidfd_open(int(starter.stdout.readline()))
        starter.kill()
    ended, _, _ = select.select([chain], [], [], 30)
    os.close(chain)
    assert ended


@pytest.mark.parametrize(
    "line",
    [
        "orderctl status",
        "orderctl status | head -1; exit ${PIPESTATUS[0]}",
        "orderctl status <&-",
        "orderctl status >&-",
        "orderctl status 2>&-",
        "orderctl status <&- >&- 2>&-",
        "orderctl version | cat",
        "orderctl version >&-",
        "orderctl version >/dev/full",
        "orderctl nonsense 2>&1 | cat; exit ${PIPESTATUS[0]}",
        "PYTHONIOENCODING=ascii orderctl status",
    ],
)
def test_a_shell_sees_the_same_result(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def outcome_of(programs: Path) -> tuple[int, str, str]:
        descriptors = forking.give_to_shell(programs)
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env={**os.environ, **NOWHERE, "COLUMNS": "80", "PATH": f"{programs}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            pass_fds=descriptors,
        )
        return done.returncode, done.stdout, done.stderr

    forked = outcome_of(tmp_path / "forked")
    monkeypatch.setattr(forking, "are_forked", False)
    assert forked == outcome_of(tmp_path / "executed")


def test_a_shell_sees_the_signal_that_ended_a_program(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    descriptors = forking.give_to_shell(programs)
    with subprocess.Popen(
        ["bash", "-c", "orderd simnet --state-dir .; exit $?"],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        pass_fds=descriptors,
    ) as shell:
        assert shell.stderr is not None
        while b"simnet listens" not in shell.stderr.readline():
            pass
        address = json.loads((tmp_path / "simnet" / "simnet.json").read_text())
        os.kill(address["pid"], signal.SIGKILL)
    assert shell.returncode == 128 + signal.SIGKILL


def test_variables_of_the_interpreter_start_a_new_interpreter(tmp_path: Path) -> None:
    _, _, printed = run(BIN / "orderctl", "config", "path", cwd=tmp_path, PYTHONVERBOSE="1")
    assert "import 'site'" in printed
