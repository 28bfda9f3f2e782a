"""The embedded services keep their data, allow no other users, and start after any kind of end."""

import os
import pwd
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest
from redis import Redis as RedisClient

from orderd.domain.errors import OrderdError
from orderd.embedded.child import Child, ChildEndedError, ServiceProgram
from orderd.embedded.lock import instance_lock
from orderd.embedded.postgres import _SILENCE_SECONDS, Postgres
from orderd.embedded.redis import Redis
from orderd.embedded.sockets import SOCKET_PATH_LIMIT, make_private, socket_dir
from tests.integration.embedded.recovery import hold_in_recovery

HOLD = Path(__file__).with_name("hold.py")


@contextmanager
def running(service: Postgres | Redis) -> Iterator[Child]:
    child = service.start()
    try:
        yield child
    finally:
        child.stop()


def ask(server: Postgres, statement: str) -> str:
    with closing(psycopg2.connect(server.url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return "" if row is None else str(row[0])


def wait_for_end(pid: int, seconds: float = 30.0) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], seconds)[0], f"process {pid} is still there after {seconds} s"
    finally:
        os.close(descriptor)


@contextmanager
def daemon_stand_in(state_dir: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that holds the services of ``state_dir``, and their process ids."""
    with subprocess.Popen([sys.executable, HOLD, state_dir], stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        try:
            yield daemon, [int(word) for word in daemon.stdout.readline().split()]
        finally:
            daemon.kill()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with the settings that users get; the shared server has fsync off."""
    server = Postgres(tmp_path_factory.mktemp("untouched"))
    with running(server):
        yield server


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("TimeZone", "UTC"),
        ("listen_addresses", ""),
        ("max_connections", "200"),
        ("server_encoding", "UTF8"),
    ],
)
def test_postgres_runs_with_the_settings_that_orders_rely_on(untouched: Postgres, setting: str, value: str) -> None:
    assert ask(untouched, f"SHOW {setting}") == value


def test_postgres_keeps_its_data_over_an_orderly_restart(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    with running(server) as child:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert child.exit_code == 0
    with running(server):
        assert ask(server, "SELECT answer FROM kept") == "42"


def test_postgres_starts_after_it_was_killed_and_left_its_pid_file_behind(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    child = server.start()
    ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(child.pid, signal.SIGKILL)
    wait_for_end(child.pid)
    assert (tmp_path / "postgres/postmaster.pid").exists()
    with running(server):
        assert ask(server, "SELECT answer FROM kept") == "42"
    assert child.exit_code == -signal.SIGKILL


def test_postgres_starts_over_after_an_interrupted_initialisation(tmp_path: Path) -> None:
    (tmp_path / "postgres.partial").mkdir()
    (tmp_path / "postgres.partial/PG_VERSION").write_text("18")
    server = Postgres(tmp_path)
    with running(server):
        assert ask(server, "SELECT 1") == "1"
    assert not (tmp_path / "postgres.partial").exists()


def test_a_data_directory_of_another_major_version_is_refused_with_instructions(tmp_path: Path) -> None:
    data = tmp_path / "postgres"
    data.mkdir(mode=0o700)
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(OrderdError, match=r"created by Postgres 17, and this orderd includes Postgres 18") as refused:
        Postgres(tmp_path).start()
    assert "(orderd backup DIRECTORY)" in refused.value.detail
    assert "orderd restore FILE" in refused.value.detail
    assert [file.name for file in data.iterdir()] == ["PG_VERSION"]


def test_a_failed_start_of_postgres_gives_the_reason_and_the_log_file(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    with running(server):
        pass
    (tmp_path / "postgres/global/pg_control").unlink()
    with pytest.raises(OrderdError, match=r"postgres ended while starting .*postgres\.log.*pg_control"):
        server.start()


def test_a_child_gets_only_the_environment_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = ("ORDERCTL_API_KEY", "ORDERD_RPC_URL", "POSTGRES_PASSWORD", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY")
    for name in secrets:
        monkeypatch.setenv(name, "secret")
    child = Child(
        ServiceProgram(
            name="told",
            argv=[sys.executable, "-c", "import os; print(sorted(os.environ))"],
            log=tmp_path / "told.log",
            lock=tmp_path / "told.lock",
            env={"OF_ITS_OWN": "1"},
        )
    )
    with suppress(OrderdError):  # the child exits before it is ready, as intended
        child.wait_until(lambda: child.exit_code == 0)
    output = (tmp_path / "told.log").read_text()
    assert "'PATH'" in output
    assert "'OF_ITS_OWN'" in output
    assert not [name for name in secrets if name in output]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_postgres_refuses_other_users(postgres_server: Postgres, tmp_path: Path) -> None:
    attempt = Child(
        ServiceProgram(
            name="intruder",
            argv=[sys.executable, "-c", f"import psycopg2; psycopg2.connect({postgres_server.url!r})"],
            log=tmp_path / "intruder.log",
            lock=tmp_path / "intruder.lock",
            account=pwd.getpwuid(Path(ask(postgres_server, "SHOW data_directory")).stat().st_uid),
        )
    )
    with pytest.raises(OrderdError, match="Peer authentication failed"):
        attempt.wait_until(lambda: attempt.exit_code == 0)


ENTER = """
import os, pwd, sys
from pathlib import Path
from orderd.embedded.account import keep_only, become
keep_only(int(sys.argv[1]))
become(pwd.getpwnam("nobody"))
os.execv("/bin/sh", ["sh", "-c", 'test -x "$0" && exec "$0"', sys.argv[2]])
"""
IN_DOCKER = 0xA80425FB
"""The capabilities of root in a container of Docker, unless it is started with others."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("capabilities", [0x1FFFFFFFF, IN_DOCKER], ids=["root", "root in a container"])
def test_another_user_runs_programs_in_a_directory_of_root(capabilities: int, tmp_path: Path) -> None:
    program = tmp_path / "closed" / "program"
    program.parent.mkdir(mode=0o700)
    program.write_text("#!/bin/sh\nid -un\n")
    program.chmod(0o755)
    command = [sys.executable, "-c", ENTER, str(capabilities), str(program)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "nobody\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_that_may_not_become_another_user_is_told_what_to_do(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom orderd.embedded import account, postgres\n"
        "account.keep_only(0)\npostgres.Postgres(Path(sys.argv[1])).start()"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert "Postgres refuses to run as root, and this process may not become another user" in output


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests show it when they do not run as root")
def test_an_ordinary_user_can_run_the_services(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    os.chown(state_dir, nobody.pw_uid, nobody.pw_gid)
    daemon = Child(
        ServiceProgram(
            name="orderd",
            argv=[sys.executable, str(HOLD), str(state_dir)],
            log=tmp_path / "orderd.log",
            lock=tmp_path / "hold.lock",
            account=nobody,
        )
    )
    try:
        daemon.wait_until(lambda: len((tmp_path / "orderd.log").read_text().split()) == 2)
        assert (state_dir / "postgres/PG_VERSION").stat().st_uid == nobody.pw_uid
        assert (state_dir / "redis/redis.sock").stat().st_uid == nobody.pw_uid
    finally:
        daemon.stop()


def test_redis_is_durable_and_never_evicts(redis_url: str) -> None:
    expected = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction", "port": "0"}
    with RedisClient.from_url(redis_url) as client:
        assert {name: client.config_get(name)[name] for name in expected} == expected


def test_redis_keeps_its_data_over_an_orderly_restart(tmp_path: Path) -> None:
    server = Redis(tmp_path)
    with running(server) as child, RedisClient.from_url(server.url) as client:
        client.set("kept", "42")
    assert child.exit_code == 0
    with running(server), RedisClient.from_url(server.url) as client:
        assert client.get("kept") == b"42"


def test_redis_reads_the_file_of_an_older_release(tmp_path: Path) -> None:
    """Up to Redis 6 all data was in one append-only file of plain commands."""
    (tmp_path / "redis").mkdir(mode=0o700)
    kept = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$4\r\nkept\r\n$2\r\n42\r\n"
    (tmp_path / "redis" / "appendonly.aof").write_bytes(kept)
    server = Redis(tmp_path)
    with running(server), RedisClient.from_url(server.url) as client:
        assert client.get("kept") == b"42"


def test_redis_starts_with_a_truncated_file(tmp_path: Path) -> None:
    server = Redis(tmp_path)
    with running(server), RedisClient.from_url(server.url) as client:
        client.set("kept", "42")
        client.set("lost", "half of this command never reached the disk")
    written = max((tmp_path / "redis").rglob("appendonly*.aof"))
    os.truncate(written, written.stat().st_size - 10)
    with running(server), RedisClient.from_url(server.url) as client:
        assert client.get("kept") == b"42"
        assert client.get("lost") is None


@pytest.mark.parametrize("damage", [b"*1\r\n$nonsense\r\nmore\r\n", b"\x00" * 64], ids=["nonsense", "zeros"])
def test_redis_starts_empty_with_an_unreadable_file(tmp_path: Path, damage: bytes) -> None:
    """Redis holds nothing essential; the unreadable file is kept for inspection."""
    server = Redis(tmp_path)
    with running(server), RedisClient.from_url(server.url) as client:
        client.set("kept", "42")
    written = max((tmp_path / "redis").rglob("appendonly*.aof"))
    written.write_bytes(written.read_bytes() + damage)
    with running(server), RedisClient.from_url(server.url) as client:
        assert client.get("kept") is None
        client.set("kept", "43")
    with running(server), RedisClient.from_url(server.url) as client:
        assert client.get("kept") == b"43"
    assert max((tmp_path / "redis").rglob("*.damaged")).exists()


def test_a_child_that_reports_progress_is_not_timed_out(tmp_path: Path) -> None:
    child = Child(
        ServiceProgram(
            name="slow", argv=["/bin/sleep", "1000"], log=tmp_path / "log", lock=tmp_path / "lock", stop_seconds=5
        )
    )
    said = iter(range(1_000))
    try:
        child.wait_until(lambda: next(said) > 50, seconds=0.1, progress=lambda: f"step {next(said)}")
        with pytest.raises(OrderdError, match="was not ready"):
            child.wait_until(lambda: False, seconds=0.1, progress=lambda: "the same")
    finally:
        child.stop()


def test_a_recovering_postgres_is_not_timed_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Postgres(tmp_path)
    with running(server):
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
    enough = hold_in_recovery(tmp_path)
    seconds, reported = 0.0, set()
    monkeypatch.setattr("orderd.embedded.child.time", SimpleNamespace(monotonic=lambda: seconds, sleep=time.sleep))

    def meanwhile(what: str) -> None:
        """A quarter of the limit passes with each question."""
        nonlocal seconds
        reported.add(what.partition(" (")[0])
        seconds += _SILENCE_SECONDS / 4
        if seconds > 4 * _SILENCE_SECONDS:
            enough.touch()

    child = server.start(meanwhile)
    try:
        assert ask(server, "SELECT answer FROM kept") == "42"
    finally:
        child.stop()
    assert reported & {
        "postgres: the database system is starting up",
        "postgres: the database system is not yet accepting connections",
    }


def test_a_postgres_that_exits_during_recovery_is_reported(tmp_path: Path) -> None:
    server = Postgres(tmp_path)
    with running(server):
        pass
    hold_in_recovery(tmp_path)

    def end_it(what: str) -> None:
        if "database system" in what:
            os.kill(int((tmp_path / "postgres.lock").read_text()), signal.SIGKILL)

    with pytest.raises(ChildEndedError, match="ended while starting") as ended:
        server.start(end_it)
    assert ended.value.exit_code == -signal.SIGKILL


def test_progress_of_the_wait_is_reported(tmp_path: Path) -> None:
    reported: list[str] = []
    child = Postgres(tmp_path).start(reported.append)
    child.stop()
    assert {each.partition(":")[0] for each in reported} == {"postgres"}


def test_services_die_with_the_daemon_and_the_next_run_restarts_them(tmp_path: Path) -> None:
    with daemon_stand_in(tmp_path) as (daemon, first):
        assert len(first) == 2
        daemon.send_signal(signal.SIGKILL)
        for pid in first:
            wait_for_end(pid)
    with daemon_stand_in(tmp_path) as (_, second):
        assert len(second) == 2
        assert not set(first) & set(second)


def test_a_new_daemon_waits_for_the_services_of_a_killed_one(tmp_path: Path) -> None:
    with daemon_stand_in(tmp_path) as (daemon, _):
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        with daemon_stand_in(tmp_path) as (_, second):
            assert len(second) == 2


def test_a_second_daemon_on_the_same_directory_is_refused_with_the_first_ones_pid(tmp_path: Path) -> None:
    with (
        daemon_stand_in(tmp_path) as (daemon, _),
        pytest.raises(OrderdError, match=rf"process {daemon.pid}\) already runs on "),
        instance_lock(tmp_path),
    ):
        pass


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = Child(stubborn_program(tmp_path))
    stubborn.wait_until((tmp_path / "ready").exists)
    stubborn.stop()
    assert stubborn.exit_code == -signal.SIGKILL


def test_a_surviving_predecessor_is_killed_before_its_data_is_used(tmp_path: Path) -> None:
    predecessor = Child(stubborn_program(tmp_path))
    predecessor.wait_until((tmp_path / "ready").exists)
    successor = Child(stubborn_program(tmp_path))
    wait_for_end(predecessor.pid)
    assert predecessor.exit_code == -signal.SIGKILL
    successor.stop()


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(OrderdError, match="ghost could not be started"):
        Child(ServiceProgram(name="ghost", argv=["/nonexistent/ghost"], log=tmp_path / "log", lock=tmp_path / "lock"))


def test_a_socket_is_next_to_the_data_if_its_path_is_short_enough(tmp_path: Path) -> None:
    data = tmp_path / ("d" * (SOCKET_PATH_LIMIT - len(str(tmp_path)) - len("//s")))
    assert len(str(data / "s")) == SOCKET_PATH_LIMIT
    assert socket_dir(data, "s") == data
    assert len(str(socket_dir(data, "s2") / "s2")) < SOCKET_PATH_LIMIT


def test_services_start_below_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    state_dir = tmp_path / ("deep" * 30)
    state_dir.mkdir()
    postgres, redis = Postgres(state_dir), Redis(state_dir)
    with running(postgres), running(redis), RedisClient.from_url(redis.url) as client:
        assert ask(postgres, "SELECT 1") == "1"
        assert client.ping()
    for name in ("postgres", "redis"):
        assert not socket_dir(state_dir / name, ".s.PGSQL.5432").exists()


def test_a_socket_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to(tmp_path)
    for prepared in ("open", "link"):
        with pytest.raises(OrderdError, match="not a private directory"):
            make_private(tmp_path / prepared, os.geteuid())


def stubborn_program(directory: Path) -> ServiceProgram:
    script = f"trap '' TERM; touch {directory}/ready; exec sleep 1000"
    return ServiceProgram(
        name="stubborn",
        argv=["/bin/sh", "-c", script],
        log=directory / "stubborn.log",
        lock=directory / "stubborn.lock",
        stop_seconds=0.2,
    )
