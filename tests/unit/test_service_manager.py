"""What a service manager hands over and asks for: credentials, a port, and settings that are read again."""

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
    """The file of settings; nothing else sets any."""
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


def test_a_setting_may_come_as_a_credential_and_a_variable_outranks_it(
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


def test_a_credential_of_a_wrong_name_is_refused(credentials: Path) -> None:
    (credentials / "orderd.walet").write_text("?")
    with pytest.raises(ConfigurationError, match=r"the credential orderd\.walet names no setting"):
        load_settings()


def test_the_wallet_may_be_a_credential_whatever_its_owner_and_mode(credentials: Path, tmp_path: Path) -> None:
    wallet = create_wallet(credentials / "orderd.wallet")
    (credentials / "orderd.wallet").chmod(0o440)  # as systemd shows it where it uses an access control list
    settings = load_settings()
    assert settings.wallet_path == credentials / "orderd.wallet"
    assert load_wallet(settings.wallet_path).address == wallet.address
    elsewhere = tmp_path / "wallet.json"
    elsewhere.write_bytes(settings.wallet_path.read_bytes())
    elsewhere.chmod(0o440)
    with pytest.raises(WalletError, match="others may use the wallet"):
        load_wallet(elsewhere)


def test_settings_that_nothing_depends_on_change_while_it_runs_and_the_others_at_the_next_start(file: Path) -> None:
    settings = load_settings()
    file.write_text('rate_limit = 7\nlog_level = "debug"\nworker_threads = 3\n')
    found = reread(settings)
    assert set(found.changed) == {"rate_limit", "log_level"}
    assert found.needs_restart == ("worker_threads",)
    assert (found.settings.rate_limit, found.settings.worker_threads) == (7, settings.worker_threads)
    assert reread(found.settings).changed == ()


def test_while_any_setting_is_invalid_all_keep_their_values(file: Path) -> None:
    settings = load_settings()
    file.write_text('rate_limit = 7\nmax_connections = "many"\n')
    with pytest.raises(ConfigurationError, match="max_connections in"):
        reread(settings)


def test_what_can_be_reloaded_are_settings() -> None:
    assert Settings.model_fields.keys() > RELOADABLE


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A socket that stands where a service manager would have put it."""
    listening.inherited_port.cache_clear()
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        monkeypatch.setattr(listening, "_FIRST_DESCRIPTOR", port.fileno())
        monkeypatch.setenv("LISTEN_FDS", "1")
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        yield port
    listening.inherited_port.cache_clear()


def test_a_port_that_is_handed_over_is_used(handed_over: socket.socket) -> None:
    handed_over.listen()
    with listening.open_inherited("127.0.0.1") or socket.socket() as port:
        assert port.getsockname() == handed_over.getsockname()
    assert "LISTEN_FDS" not in os.environ


def test_a_port_for_another_process_is_left_alone(handed_over: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over.listen()
    monkeypatch.setenv("LISTEN_PID", str(os.getppid()))
    assert listening.open_inherited("127.0.0.1") is None


@pytest.mark.usefixtures("handed_over")
def test_what_does_not_listen_is_no_port() -> None:
    with pytest.raises(OrderdError, match="not a listening TCP socket"):
        listening.inherited_port()


def test_two_ports_are_one_too_many(handed_over: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over.listen()
    monkeypatch.setenv("LISTEN_FDS", "2")
    with pytest.raises(OrderdError, match="use one ListenStream"):
        listening.inherited_port()


def test_a_port_that_others_reach_is_refused_where_no_key_is_asked_for(
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


def test_lines_for_the_journal_begin_with_their_priority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_turn_that_does_not_end_is_noticed_while_others_come_and_go() -> None:
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
