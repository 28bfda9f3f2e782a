"""The interface to a service manager: credentials, socket activation, and reloading of settings."""

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers.stub import StubBroker

from orderd.config.loading import ConfigurationError, load_settings
from orderd.config.reloading import RELOADABLE, reread
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError
from orderd.embedded import listening
from orderd.queue.turns import Turns
from orderd.solana.keys import WalletError, create_wallet, load_wallet
from orderd.telemetry import configure_logging


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of settings, without any other settings."""
    for name in [*os.environ]:
        if name.startswith("ORDERD_"):
            monkeypatch.delenv(name)
    path = tmp_path / "orderd.toml"
    path.touch()
    monkeypatch.setenv("ORDERD_CONFIG", str(path))
    with monkeypatch.context():
        before = dict(os.environ)
        yield path
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def credentials(file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = file.parent / "credentials"
    directory.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(directory))
    return directory


def test_a_setting_may_be_a_credential_and_a_variable_overrides_it(
    credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (credentials / "orderd.redis_url").write_text("redis://:secret@there:6379/0\n")
    (credentials / "orderd.rate_limit").write_text("7\n")
    (credentials / "of-another-program").write_text("?")
    monkeypatch.setenv("ORDERD_RATE_LIMIT", "8")
    settings = load_settings()
    assert settings.redis_url is not None
    assert settings.redis_url.get_secret_value() == "redis://:secret@there:6379/0"
    assert settings.rate_limit == 8


def test_a_credential_with_an_unknown_name_is_refused(credentials: Path) -> None:
    (credentials / "orderd.walet").write_text("?")
    with pytest.raises(ConfigurationError, match=r"the credential orderd\.walet names no setting"):
        load_settings()


def test_the_wallet_may_be_a_credential_with_any_owner_and_mode(credentials: Path, tmp_path: Path) -> None:
    wallet = create_wallet(credentials / "orderd.wallet")
    (credentials / "orderd.wallet").chmod(0o440)  # the mode that systemd uses with access control lists
    settings = load_settings()
    assert settings.wallet_path == credentials / "orderd.wallet"
    assert load_wallet(settings.wallet_path).address == wallet.address
    elsewhere = tmp_path / "wallet.json"
    elsewhere.write_bytes(settings.wallet_path.read_bytes())
    elsewhere.chmod(0o440)
    with pytest.raises(WalletError, match="others may use the wallet"):
        load_wallet(elsewhere)


def test_only_reloadable_settings_change_at_run_time(file: Path) -> None:
    settings = load_settings()
    file.write_text('rate_limit = 7\nlog_level = "debug"\nworker_threads = 3\n')
    found = reread(settings)
    assert set(found.changed) == {"rate_limit", "log_level"}
    assert found.needs_restart == ("worker_threads",)
    assert (found.settings.rate_limit, found.settings.worker_threads) == (7, settings.worker_threads)
    assert reread(found.settings).changed == ()


def test_an_invalid_setting_keeps_all_old_values(file: Path) -> None:
    settings = load_settings()
    file.write_text('rate_limit = 7\nmax_connections = "many"\n')
    with pytest.raises(ConfigurationError, match="max_connections in"):
        reread(settings)


def test_reloadable_settings_exist() -> None:
    assert Settings.model_fields.keys() > RELOADABLE


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket at the descriptor that a service manager uses."""
    listening.inherited_port.cache_clear()
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        monkeypatch.setattr(listening, "_FIRST_DESCRIPTOR", port.fileno())
        monkeypatch.setenv("LISTEN_FDS", "1")
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        yield port
    listening.inherited_port.cache_clear()


def test_a_passed_socket_is_used(handed_over: socket.socket) -> None:
    handed_over.listen()
    with listening.open_inherited("127.0.0.1") or socket.socket() as port:
        assert port.getsockname() == handed_over.getsockname()
    assert "LISTEN_FDS" not in os.environ


def test_a_socket_for_another_process_is_ignored(handed_over: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over.listen()
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    assert listening.open_inherited("127.0.0.1") is None


@pytest.mark.usefixtures("handed_over")
def test_a_socket_that_does_not_listen_is_refused() -> None:
    with pytest.raises(OrderdError, match="not a listening TCP socket"):
        listening.inherited_port()


def test_two_passed_sockets_are_refused(handed_over: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over.listen()
    monkeypatch.setenv("LISTEN_FDS", "2")
    with pytest.raises(OrderdError, match="use one ListenStream"):
        listening.inherited_port()


def test_a_public_socket_is_refused_without_api_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listening.inherited_port.cache_clear()
    with socket.socket() as port:
        port.bind(("0.0.0.0", 0))
        port.listen()
        monkeypatch.setattr(listening, "_FIRST_DESCRIPTOR", port.fileno())
        monkeypatch.setenv("LISTEN_FDS", "1")
        with pytest.raises(OrderdError, match="which other machines can reach"):
            listening.open_inherited("127.0.0.1")
    listening.inherited_port.cache_clear()


def test_log_lines_for_the_journal_begin_with_their_priority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    with (tmp_path / "journal").open("w") as journal:
        status = os.fstat(journal.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        monkeypatch.setattr("sys.stderr", journal)
        try:
            configure_logging()
            structlog.get_logger().error("failed", action="test")
            structlog.get_logger().info("works", action="test")
        finally:
            root.handlers[:], root.level = handlers, level
            logging.captureWarnings(False)
            structlog.configure(**ours)
    first, second = (tmp_path / "journal").read_text().splitlines()
    assert (first[:3], json.loads(first[3:])["event"]) == ("<3>", "failed")
    assert (second[:3], json.loads(second[3:])["event"]) == ("<6>", "works")


def test_a_hanging_turn_is_detected_while_others_complete() -> None:
    turns, broker = Turns(), StubBroker()
    message = MessageProxy(Message("default", "execute", (), {}, {}))
    begun, may_end = threading.Event(), threading.Event()

    def hang() -> None:
        turns.before_process_message(broker, message)
        begun.set()
        may_end.wait()
        turns.after_process_message(broker, message)

    hanging = threading.Thread(target=hang)
    hanging.start()
    begun.wait()
    turns.before_process_message(broker, message)
    turns.after_process_message(broker, message)
    assert turns.longest_seconds > 0
    may_end.set()
    hanging.join()
    assert turns.longest_seconds == 0
