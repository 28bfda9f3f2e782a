"""The client runs on platforms other than Linux, and the daemon reports that it needs Linux."""

import subprocess
import sys
from typing import Final

import pytest

UNIX_ONLY: Final = (
    *("_posixsubprocess", "crypt", "curses", "fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "spwd"),
    *("syslog", "termios", "tty", "uvloop"),
)
"""Modules that are missing on some platforms. Python and libraries may import them; our code may not."""
_BLOCKED: Final = f"""
import builtins, importlib, pkgutil, sys

load = builtins.__import__

def checked(name, globals=None, *others, **named):
    of = (globals or {{}}).get("__name__", "").partition(".")[0]
    if of in ("orderctl", "orderd", "db") and name.partition(".")[0] in {UNIX_ONLY!r}:
        raise ModuleNotFoundError(f"{{globals['__name__']}} needs {{name}}", name=name)
    return load(name, globals, *others, **named)

builtins.__import__ = checked
"""
_ALL_OF_THE_CLIENT: Final = """
import orderctl, orderd.client
for package in (orderctl, orderd.client):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
"""
_VERB: Final = "import orderctl.run; sys.exit(orderctl.run.run(sys.argv[1:]))"
_DAEMON: Final = """
import orderd.app, orderd.main
sys.platform = "darwin"
sys.argv[0] = "orderd"
orderd.main.main()
"""
CONNECTION: Final = 3


def python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs Python so that our own modules cannot import modules that exist only on Unix."""
    return subprocess.run(
        [sys.executable, "-c", _BLOCKED + script, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_client_and_its_tui_import_no_unix_modules() -> None:
    done = python(_ALL_OF_THE_CLIENT)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_verb_of_the_client_runs_without_unix_modules() -> None:
    done = python(_VERB, "--url", "ws://127.0.0.1:1/", "status")
    assert done.returncode == CONNECTION, done.stderr


def test_an_import_of_a_unix_module_is_detected() -> None:
    assert "orderd.embedded.lock needs fcntl" in python("import orderd.embedded.lock").stderr


@pytest.mark.parametrize("verb", ["run", "gateway", "wallet"])
def test_the_daemon_reports_in_one_line_that_it_needs_linux(verb: str) -> None:
    done = python(_DAEMON, verb)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "orderd: the daemon needs Linux; on this machine, use orderctl with a daemon on another machine\n"
    )


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_daemon_prints_version_and_help_on_any_platform(option: str) -> None:
    assert python(_DAEMON, option).returncode == 0
