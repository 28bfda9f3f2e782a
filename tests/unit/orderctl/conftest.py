import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from orderctl.config.settings import Settings
from orderctl.run import run
from orderd.client import handshake
from tests.unit.orderctl.daemon import FakeDaemon


class Outcome(NamedTuple):
    """The exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


Orderctl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _no_settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("URL", "TOKEN", "TOKEN_FILE", "COLOR", "TIMEOUT", "CONFIG"):
        monkeypatch.delenv(f"ORDERCTL_{name}", raising=False)
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(handshake, "BACKOFF_BASE_SECONDS", 0.01)


@pytest.fixture
def daemon() -> Iterator[FakeDaemon]:
    with FakeDaemon() as fake:
        yield fake


@pytest.fixture
def settings(daemon: FakeDaemon) -> Settings:
    return Settings(url=daemon.url)


@pytest.fixture
def orderctl(daemon: FakeDaemon, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Orderctl:
    """Runs an orderctl command line against ``daemon``."""
    monkeypatch.setenv("ORDERCTL_URL", daemon.url)

    def command(*args: str) -> Outcome:
        code = run(list(args))
        return Outcome(code, *capsys.readouterr())

    return command


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Simulates a terminal on which a user types this."""

    def type_in(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{text}\n"))
        for module in ("orderctl.output.prompt", "orderctl.trading.placing"):
            monkeypatch.setattr(f"{module}.can_ask", lambda: True)

    return type_in
