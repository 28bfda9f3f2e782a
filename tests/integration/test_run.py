"""``orderd run``: one process tree that starts in order, restarts its services, and leaves nothing behind."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from pydantic import SecretStr

from orderctl.output.exit_codes import ExitCode
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError
from orderd.embedded.notify import NotificationReceiver, service_manager
from orderd.embedded.redis import Redis
from orderd.process import tree
from orderd.process.manager_reports import ManagerReports
from orderd.process.roles import ListeningRole
from orderd.process.supervisor import Supervisor
from orderd.process.temporary import Daemon, running_daemon
from orderd.whole_file import read_address
from tests import forking
from tests.conftest import QUICK
from tests.log_entries import log_entries
from tests.receiver import SECRET

SERVICES = ("postgres", "redis", "simnet", "worker", "gateway")
BIN = Path(sys.executable).parent


def run_orderctl(daemon: Daemon, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "orderctl", *arguments, "--output", "json"],
        env={**os.environ, "ORDERCTL_URL": daemon.url},
        capture_output=True,
        text=True,
        check=False,
    )


def orderctl(daemon: Daemon, *arguments: str) -> str:
    """The output of a command, which must succeed."""
    done = run_orderctl(daemon, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def trade(daemon: Daemon) -> None:
    """Sell 1.5 SOL for USDC and wait for the confirmation."""
    orderctl(daemon, "submit", "SOL", "USDC", "1.5", "--watch")


def wait_for_end(pid: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 60)[0], f"process {pid} does not end"
    finally:
        os.close(descriptor)


def pid_of(daemon: Daemon, service: str) -> int:
    return int((daemon.log.parent / f"{service}.lock").read_text())


def wait_for_starts(daemon: Daemon, count: int) -> None:
    """Wait until services have been started ``count`` times."""
    deadline = time.monotonic() + 60
    while len(log_entries(daemon.log, "service_start")) < count:
        assert time.monotonic() < deadline, daemon.log.read_text()
        time.sleep(0.02)


@pytest.fixture(scope="module")
def executed_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """For tests that are marked ``executed``."""
    assert not forking.are_forked
    with running_daemon(tmp_path_factory.mktemp("daemon"), QUICK) as daemon:
        yield daemon


@pytest.fixture
def daemon(tmp_path: Path, given_database: dict[str, str]) -> Iterator[Daemon]:
    """For tests that are not about the daemon's own Postgres."""
    with running_daemon(tmp_path, QUICK | given_database) as daemon:
        yield daemon


@pytest.mark.executed
def test_the_daemon_accepts_orders_once_it_reports_ready(executed_daemon: Daemon) -> None:
    trade(executed_daemon)
    deadline = time.monotonic() + 60
    while not (status := json.loads(orderctl(executed_daemon, "status")))["workers"]:  # may be a second old
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert status["workers"] == 1
    assert {name: health["ok"] for name, health in status["services"].items()} == {
        "postgres": True,
        "redis": True,
        "rpc": True,
    }


@pytest.mark.executed
def test_each_process_gets_only_the_settings_it_needs_and_only_the_worker_the_wallet(executed_daemon: Daemon) -> None:
    def environment(service: str) -> set[str]:
        variables = Path(f"/proc/{pid_of(executed_daemon, service)}/environ").read_bytes().split(b"\0")
        return {variable.partition(b"=")[0].decode() for variable in variables}

    secrets = {"ORDERD_DATABASE_URL", "ORDERD_REDIS_URL", "ORDERD_RPC_URL", "ORDERD_WALLET"}
    for service in ("postgres", "redis", "simnet"):
        assert not environment(service) & secrets
    assert environment("gateway") & secrets == secrets - {"ORDERD_WALLET"}
    limits = Path(f"/proc/{pid_of(executed_daemon, 'worker')}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)


def test_the_daemon_starts_services_in_order_and_stops_them_in_reverse(tmp_path: Path) -> None:
    with running_daemon(tmp_path, QUICK) as daemon:
        pids = [pid_of(daemon, name) for name in SERVICES]
    assert daemon.process.returncode == 0
    assert [entry["service"] for entry in log_entries(daemon.log, "service_start")] == [*SERVICES]
    assert [entry["service"] for entry in log_entries(daemon.log, "service_stop")] == [*reversed(SERVICES)]
    assert [entry["exit_code"] for entry in log_entries(daemon.log, "service_stop")] == [0] * len(SERVICES)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_orders_wallet_and_chain_survive_a_restart(tmp_path: Path) -> None:
    with running_daemon(tmp_path, QUICK) as daemon:
        trade(daemon)
        before = orderctl(daemon, "list"), orderctl(daemon, "balances")
    with running_daemon(tmp_path, QUICK) as daemon:
        assert (orderctl(daemon, "list"), orderctl(daemon, "balances")) == before
    assert len(log_entries(daemon.log, "wallet_fund")) == 2  # SOL and USDC, at the first start only


def test_services_end_when_the_daemon_is_killed_and_the_next_run_continues(tmp_path: Path) -> None:
    with running_daemon(tmp_path, QUICK) as daemon:
        trade(daemon)
        before = orderctl(daemon, "list")
        pids = [pid_of(daemon, name) for name in SERVICES]
        daemon.process.kill()
        daemon.process.wait()
    with running_daemon(tmp_path, QUICK) as daemon:
        for pid in pids:
            wait_for_end(pid)
        assert orderctl(daemon, "list") == before
        trade(daemon)


def test_each_killed_service_is_restarted_and_orders_continue(tmp_path: Path) -> None:
    with running_daemon(tmp_path, QUICK) as daemon:
        for number, service in enumerate(SERVICES, start=1):
            killed = pid_of(daemon, service)
            os.kill(killed, signal.SIGKILL)
            wait_for_starts(daemon, len(SERVICES) + number)
            assert pid_of(daemon, service) != killed
            trade(daemon)
        assert [entry["service"] for entry in log_entries(daemon.log, "service_end")] == [*SERVICES]


def test_the_status_is_reported_while_the_chain_hangs(daemon: Daemon) -> None:
    simnet = pid_of(daemon, "simnet")
    os.kill(simnet, signal.SIGSTOP)
    try:
        while (status := run_orderctl(daemon, "status", "--timeout", "8")).returncode == ExitCode.OK:
            pass  # the last good answer of the chain is cached briefly
    finally:
        os.kill(simnet, signal.SIGCONT)
    assert status.returncode == ExitCode.CONNECTION
    is_ok = {name: service["ok"] for name, service in json.loads(status.stdout)["services"].items()}
    assert is_ok == {"postgres": True, "redis": True, "rpc": False}


def test_a_second_daemon_on_the_same_directory_is_refused(daemon: Daemon) -> None:
    second = run_orderd(daemon.log.parent)
    assert second.returncode == 1
    assert "(SERVICE_STATE_DIR)" in second.stderr
    assert f"another orderd (process {daemon.process.pid}) already runs on {daemon.log.parent}" in second.stderr
    trade(daemon)


def test_services_given_by_address_are_used_and_not_started(
    tmp_path: Path, postgres_url: str, redis_server: Redis, simnet: ListeningRole
) -> None:
    given = {
        "ORDERD_DATABASE_URL": postgres_url,
        "ORDERD_REDIS_URL": redis_server.url,
        "ORDERD_RPC_URL": simnet.url,
        "ORDERD_RPC_WS_URL": simnet.address["ws_url"],
    }
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    with running_daemon(state_dir, QUICK | given) as daemon:
        trade(daemon)
    assert [entry["service"] for entry in log_entries(daemon.log, "service_start")] == ["worker", "gateway"]


def test_a_database_without_the_current_schema_is_refused_and_not_changed(
    tmp_path: Path, empty_postgres_url: str
) -> None:
    with (
        pytest.raises(OrderdError, match="next: update them: orderd migrate"),
        running_daemon(tmp_path, QUICK | {"ORDERD_DATABASE_URL": empty_postgres_url}),
    ):
        pass


def test_an_invalid_configuration_stops_the_daemon_before_any_service_starts(tmp_path: Path) -> None:
    done = run_orderd(tmp_path / "state", ORDERD_PORT="many", ORDERD_RATE_LIMT="5", ORDERD_CHAIN="devnet")
    assert done.returncode == 2
    assert "ORDERD_PORT: Input should be a valid integer" in done.stderr
    assert "ORDERD_RATE_LIMT is not a setting of orderd; did you mean ORDERD_RATE_LIMIT?" in done.stderr
    assert not (tmp_path / "state").exists()


def test_the_daemon_does_not_start_on_a_real_chain_without_a_wallet(tmp_path: Path, simnet: ListeningRole) -> None:
    done = run_orderd(tmp_path / "state", ORDERD_CHAIN="devnet", ORDERD_RPC_URL=simnet.url)
    assert done.returncode == 2
    assert f"no wallet at {tmp_path / 'state' / 'wallet.json'}" in done.stderr


def test_the_service_manager_is_notified_of_ready_watchdog_and_stopping(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(b"")
        manager.settimeout(60)
        notify = {"NOTIFY_SOCKET": "@" + manager.getsockname()[1:].decode(), "WATCHDOG_USEC": "200000"}
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(
                [BIN / "orderd", "run", "--state-dir", tmp_path, "--port", "0"],
                env=clean_environment() | QUICK | given_database | notify,
                stderr=log,
            ) as process,
        ):
            try:
                receive_until(manager, "READY=1")
                receive_until(manager, "WATCHDOG=1")
                while "connections: 0, subscriptions: 0" not in manager.recv(4096).decode():
                    pass
                process.send_signal(signal.SIGTERM)
                receive_until(manager, "STOPPING=1")
                assert process.wait(60) == 0
            finally:
                process.kill()


def test_a_restart_with_socket_activation_refuses_no_connection_and_reloads_settings(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """The service manager holds the port, of another address than the setting's, and sends SIGHUP."""
    config = tmp_path / "orderd.toml"
    config.touch()
    manager = NotificationReceiver()
    with socket.socket() as port:
        port.bind(("127.0.0.2", 0))
        port.listen()
        held = clean_environment() | QUICK | given_database | {"NOTIFY_SOCKET": manager.address, "LISTEN_FDS": "1"}
        command = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); "
            "os.execv(sys.executable, [sys.executable, '-m', 'orderd.main', 'run', '--state-dir', sys.argv[2]])"
        )

        def start() -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                [sys.executable, "-c", command, str(port.fileno()), tmp_path],
                env=held | {"ORDERD_CONFIG": str(config)},
                pass_fds=[port.fileno()],
                stderr=log,
            )

        with (tmp_path / "orderd.log").open("wb") as log:
            first = start()
            notice_with(manager, "READY")
            assert read_address(tmp_path / "gateway.json")["url"] == f"ws://127.0.0.2:{port.getsockname()[1]}/"
            config.write_text('max_open_per_key = "many"\nmax_connections = 0\n')
            first.send_signal(signal.SIGHUP)
            assert notice_with(manager, "READY")["STATUS"].startswith("not reloaded: max_open_per_key in ")
            config.write_text("max_connections = 7\nworker_threads = 3\n")
            first.send_signal(signal.SIGHUP)
            assert notice_with(manager, "READY")["STATUS"] == "settings read again"
            first.terminate()
            assert first.wait(60) == 0
            with socket.create_connection(port.getsockname(), timeout=60) as client:
                client.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                second = start()
                assert client.recv(4096).startswith(b"HTTP/1.1 200")
            second.terminate()
            assert second.wait(60) == 0
    read_again = log_entries(tmp_path / "orderd.log", "reloaded")
    assert len(read_again) == 3, "the daemon, its gateway and its worker"
    for line in read_again:
        assert (line["changed"], line["needs_restart"]) == (["max_connections"], ["worker_threads"])


def notice_with(manager: NotificationReceiver, name: str) -> dict[str, str]:
    """The first notice that assigns this variable; earlier notices are discarded."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert select.select([manager], [], [], 60)[0]
        for notice in manager.received():
            if name in notice:
                return notice
    raise AssertionError(f"no {name}")


def receive_until(manager: socket.socket, assignment: str) -> None:
    """Receive notices until one of them is ``assignment``."""
    while assignment not in manager.recv(4096).decode().splitlines():
        pass


def clean_environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}
    return clean | {"ORDERD_CONFIG": os.devnull}


def run_orderd(state_dir: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run ``orderd run`` until it exits."""
    return subprocess.run(
        [BIN / "orderd", "run", "--state-dir", state_dir],
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_alert_subscriptions_exist_before_the_first_order_is_accepted(postgres_url: str, tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_text(f'[receivers.bot]\nwebhook = "http://localhost/"\nsecret = "{SECRET}"\nevents = ["filled"]\n')
    file.chmod(0o600)
    reports = ManagerReports(service_manager())
    tree._database(Supervisor(reports.waits), Settings(database_url=SecretStr(postgres_url), alerts=file), reports)
    with closing(psycopg2.connect(postgres_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT kind FROM alert_subscriptions WHERE until > now() + interval '6 days'")
        assert cursor.fetchall() == [("filled",)]
