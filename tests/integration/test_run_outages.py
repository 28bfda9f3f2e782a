"""``orderd run`` during outages of external services, errors that end it, and a port that is in use."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.process.roles import ListeningRole
from orderd.solana.keys import create_wallet
from tests.conftest import QUICK
from tests.integration.embedded.recovery import hold_in_recovery
from tests.integration.test_run import clean_environment
from tests.relay import relay_to, relay_to_postgres, relay_to_redis

BIN = Path(sys.executable).parent


class Run:
    """A running daemon, and the notices it sends to its service manager."""

    def __init__(self, process: "subprocess.Popen[bytes]", manager: socket.socket, log: Path) -> None:
        self.process = process
        self._manager = manager
        self.log = log

    def next_notice(self) -> dict[str, str]:
        """The next notice."""
        lines = self._manager.recv(4096).decode().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def receive_until(self, name: str, words: str = "") -> dict[str, str]:
        """The next notice with this variable and these words in its value."""
        while True:
            notice = self.next_notice()
            if name in notice and words in notice[name]:
                return notice


@contextmanager
def run(state_dir: Path, **settings: str) -> Iterator[Run]:
    state_dir.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, ExitStack() as stack:
        manager.bind(b"")
        manager.settimeout(60)
        notify = {"NOTIFY_SOCKET": "@" + manager.getsockname()[1:].decode(), "WATCHDOG_USEC": "400000"}
        log = stack.enter_context((state_dir / "log").open("wb"))
        process = stack.enter_context(
            subprocess.Popen(
                [BIN / "orderd", "run", "--state-dir", state_dir],
                env=clean_environment() | QUICK | {"ORDERD_PORT": "0"} | notify | settings,
                stderr=log,
            )
        )
        try:
            yield Run(process, manager, state_dir / "log")
        finally:
            process.terminate()
            process.wait(60)


def ended(state_dir: Path, settings: dict[str, str]) -> str:
    """The log of a daemon that exits by itself."""
    with run(state_dir, **settings) as daemon:
        assert daemon.process.wait(60) == 1
    return daemon.log.read_text()


@pytest.fixture
def given(postgres_url: str, redis_server: Redis, simnet: ListeningRole) -> dict[str, str]:
    """Settings with the addresses of external services."""
    return {
        "ORDERD_DATABASE_URL": postgres_url,
        "ORDERD_REDIS_URL": redis_server.url,
        "ORDERD_RPC_URL": simnet.url,
        "ORDERD_RPC_WS_URL": simnet.address["ws_url"],
    }


def test_the_daemon_waits_for_an_unavailable_postgres_and_reports_it(given: dict[str, str], tmp_path: Path) -> None:
    url = urlsplit(given["ORDERD_DATABASE_URL"])
    (server,) = parse_qs(url.query)["host"]
    through = url._replace(query=f"host={tmp_path}").geturl()
    with run(tmp_path / "state", **(given | {"ORDERD_DATABASE_URL": through})) as daemon:
        notice = daemon.receive_until("STATUS", "waiting for Postgres")
        assert int(notice["EXTEND_TIMEOUT_USEC"]) > 1_000_000
        daemon.receive_until("STATUS", "waiting for Postgres")
        with relay_to(Path(server) / ".s.PGSQL.5432", tmp_path):
            daemon.receive_until("READY")
            daemon.receive_until("WATCHDOG")


def test_the_daemon_waits_for_its_own_postgres_to_recover_and_reports_it(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    Postgres(state_dir).start().stop()
    enough = hold_in_recovery(state_dir)
    with run(state_dir) as daemon:
        for _ in range(3):
            notice = daemon.receive_until("STATUS", "waiting for postgres: the database system is ")
            assert notice["EXTEND_TIMEOUT_USEC"] == "30000000"
        enough.touch()
        daemon.receive_until("READY", "1")


def test_orders_are_accepted_during_an_outage_of_redis_and_the_chain(given: dict[str, str], tmp_path: Path) -> None:
    away = {"ORDERD_REDIS_URL": "redis://127.0.0.1:9/0", "ORDERD_RPC_URL": "http://127.0.0.1:9"}
    with run(tmp_path / "state", **(given | away)) as daemon:
        daemon.receive_until("READY")
        notice = daemon.receive_until("STATUS", "orders may have to wait")
        assert "redis" in notice["STATUS"]
        assert "rpc" in notice["STATUS"]
        daemon.receive_until("WATCHDOG")


def test_the_watchdog_is_notified_while_redis_and_postgres_hang(given: dict[str, str], tmp_path: Path) -> None:
    with ExitStack() as stack:
        postgres, postgres_url = stack.enter_context(relay_to_postgres(given["ORDERD_DATABASE_URL"], tmp_path))
        redis, redis_url = stack.enter_context(relay_to_redis(given["ORDERD_REDIS_URL"], tmp_path))
        through = {"ORDERD_DATABASE_URL": postgres_url, "ORDERD_REDIS_URL": redis_url}
        daemon = stack.enter_context(run(tmp_path / "state", **(given | through)))
        daemon.receive_until("READY")
        redis.hang()
        daemon.receive_until("STATUS", "redis: no answer")
        daemon.receive_until("WATCHDOG")
        postgres.hang()
        daemon.receive_until("STATUS", "postgres: no answer")
        daemon.receive_until("WATCHDOG")
        postgres.resume()
        redis.resume()


def test_the_watchdog_is_notified_while_the_port_is_full(given: dict[str, str], tmp_path: Path) -> None:
    with run(tmp_path / "state", **given, ORDERD_MAX_CONNECTIONS="1") as daemon:
        daemon.receive_until("READY")
        address = urlsplit(json.loads((tmp_path / "state/gateway.json").read_text())["url"])
        with closing(socket.create_connection((address.hostname, address.port))) as first:
            first.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert first.recv(100)
            for _ in range(3):
                daemon.receive_until("WATCHDOG")


def test_the_watchdog_is_not_notified_while_the_gateway_hangs(given: dict[str, str], tmp_path: Path) -> None:
    with run(tmp_path / "state", **given) as daemon:
        daemon.receive_until("READY")
        gateway = int((tmp_path / "state/gateway.lock").read_text())
        os.kill(gateway, signal.SIGSTOP)
        try:
            while b"no sign of life" not in daemon.log.read_bytes():
                daemon.next_notice()
        finally:
            os.kill(gateway, signal.SIGCONT)
        daemon.receive_until("WATCHDOG")


def test_a_missing_database_ends_the_daemon_at_once(given: dict[str, str], tmp_path: Path) -> None:
    url = urlsplit(given["ORDERD_DATABASE_URL"])._replace(path="/none").geturl()
    assert 'database "none" does not exist' in ended(tmp_path / "state", given | {"ORDERD_DATABASE_URL": url})


def test_a_failed_authentication_ends_the_daemon_at_once(given: dict[str, str], tmp_path: Path) -> None:
    url = given["ORDERD_DATABASE_URL"].replace("//orderd@", "//stranger@")
    assert "authentication failed" in ended(tmp_path / "state", given | {"ORDERD_DATABASE_URL": url})


def test_an_endpoint_of_another_chain_ends_the_daemon_at_once(given: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    create_wallet(tmp_path / "state/wallet.json")
    words = "chain is devnet, and the RPC endpoint leads to a local chain"
    assert words in ended(tmp_path / "state", given | {"ORDERD_CHAIN": "devnet"})


def test_a_database_of_another_chain_ends_the_daemon_also_without_the_endpoint(
    given: dict[str, str], tmp_path: Path
) -> None:
    """Otherwise it would accept orders for mainnet besides those for the local chain."""
    (tmp_path / "state").mkdir()
    create_wallet(tmp_path / "state/wallet.json")
    with closing(psycopg2.connect(given["ORDERD_DATABASE_URL"])) as link, link, link.cursor() as cursor:
        cursor.execute("INSERT INTO chain (genesis_hash) VALUES ('4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi')")
    away = {"ORDERD_CHAIN": "mainnet", "ORDERD_RPC_URL": "http://127.0.0.1:9/"}
    words = "chain is mainnet, and the orders in the database belong to a local chain"
    assert words in ended(tmp_path / "state", given | away)


def test_a_port_in_use_is_detected_before_any_service_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        log = ended(tmp_path / "state", {"ORDERD_PORT": str(port)})
    assert f"cannot listen on 127.0.0.1:{port}" in " ".join(log.splitlines()[-2:])
    assert "choose another port" in log
    assert not (tmp_path / "state/postgres").exists()


def test_the_gateway_of_an_earlier_run_may_still_have_the_port(given: dict[str, str], tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    with run(state_dir, **given) as daemon:
        daemon.receive_until("READY")
        address = urlsplit(json.loads((state_dir / "gateway.json").read_text())["url"])
        gateway = int((state_dir / "gateway.lock").read_text())
        os.kill(gateway, signal.SIGSTOP)  # it ends late
        daemon.process.kill()
        daemon.process.wait()
        with run(state_dir, **given, ORDERD_PORT=str(address.port)) as following:
            following.receive_until("STATUS", "starting the services")
            os.kill(gateway, signal.SIGCONT)
            following.receive_until("READY")
