"""Shared fixtures: one Postgres and one Redis per test process, an empty database and an empty Redis per test.

Tests that need more get their own local chain or daemon.
"""

import gc
import multiprocessing
import os
import pkgutil
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib import import_module
from multiprocessing.synchronize import Event
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from uuid import uuid4

import pytest
import structlog
from redis import Redis as RedisClient

import orderd.amm
import orderd.domain
import orderd.pools
from db.connection import connect, database
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.garbage import collect_rarely
from orderd.metrics.venues import POOL_FAULTS
from orderd.process.roles import ListeningRole
from orderd.process.temporary import Daemon, running_daemon
from tests import forking
from tests.databases import Databases, execute, make_template, url_of
from tests.workers import Workers

QUICK = {
    "ORDERD_SIMNET_SLOT_MS": "25",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_RETRY_BASE_MS": "50",
}
"""Settings that make a daemon fast enough for tests."""

MEASURED: Final = [Path(__file__).parent / "unit" / part for part in ("amm", "domain", "pools")]
"""Folders of the tests that must reach every line and branch of the maths and the domain.

Tracing makes a test up to three times slower, so all other tests run without it: a line that only they execute is not
checked in detail, and does not count as covered. Tests in these folders that repeat the same lines many thousands of
times are marked ``untraced``.
"""

_MEMORY: Final = "/dev/shm"
_MEMORY_BYTES: Final = 4 * 1024**3
"""Free space that the temporary files of a whole run need; at most half of it is in use at the same time."""

_postgres_of_all: tuple[Postgres, Event] | None = None
"""The server that all workers use, and whether it has started; None if there are no workers."""

_cached_untraced = False
"""True if the caches of ``_cached_functions`` may hold values that were computed while coverage was off."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--workers", type=int, default=0, metavar="N", help="run the tests in N processes")


def pytest_configure(config: pytest.Config) -> None:
    gc.disable()  # until collection ends: what it creates is almost never garbage
    forking.use()
    # Plain tracebacks, as the daemon writes them: structlog's default needs a quarter of a second per coloured
    # traceback.
    *before, _ = structlog.get_config()["processors"]
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure([*before, renderer])
    if config.option.workers:
        _keep_files_in_memory()
        config.pluginmanager.register(Workers(config.option.workers, beside=_one_postgres_for_all))


def pytest_unconfigure() -> None:
    forking.end()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Collect garbage as rarely as the daemon does, and never search the thousands of collected tests."""
    global _postgres_of_all
    if session.config.option.workers:
        factory = session.config._tmp_path_factory  # type: ignore[attr-defined]
        _postgres_of_all = Postgres(_private_dir(factory)), multiprocessing.Event()
    gc.freeze()
    collect_rarely()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Trace the import of the ``MEASURED`` packages, and turn coverage off while tests are collected."""
    _measured_modules()
    with _untraced(session.config):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fork the programs that the test starts, unless it is marked ``executed``."""
    forking.are_forked = item.get_closest_marker("executed") is None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Turn coverage off, unless the test is in a ``MEASURED`` folder."""
    global _cached_untraced
    if any(item.path.is_relative_to(part) for part in MEASURED) and not item.get_closest_marker("untraced"):
        if _cached_untraced:
            for function in _cached_functions():
                function.cache_clear()
            _cached_untraced = False
        return (yield)
    _cached_untraced = True
    with _untraced(item.config):
        return (yield)


@pytest.fixture(autouse=True)
def no_pool_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which a pool raised an unforeseen exception, unless the test uses ``injected_pool_faults``."""
    before = _pool_faults()
    yield
    assert _pool_faults() == before or "injected_pool_faults" in request.fixturenames


@pytest.fixture
def injected_pool_faults() -> Callable[[], int]:
    """Return a function that counts the exceptions raised by pools since the test began."""
    before = _pool_faults()
    return lambda: _pool_faults() - before


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with a database ``migrated`` that has all tables and no rows; tests get copies of it."""
    if _postgres_of_all is None:
        server = Postgres(_private_dir(tmp_path_factory))
        with _running(server):
            yield server
    else:
        server, is_started = _postgres_of_all
        is_started.wait()
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(_private_dir(tmp_path_factory))
    child = server.start()
    try:
        yield server
    finally:
        child.stop()


@pytest.fixture
def empty_postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """A database of this test's own, without tables."""
    name = f"empty_{uuid4().hex}"
    execute(postgres_server.url, f"CREATE DATABASE {name}")
    yield url_of(postgres_server, name)
    execute(postgres_server.url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres) -> Iterator[Databases]:
    with closing(Databases(postgres_server)) as databases:
        yield databases


@pytest.fixture
def postgres_url(databases: Databases) -> Iterator[str]:
    """A database of this test's own, migrated and empty."""
    with databases.lent() as url:
        yield url


@pytest.fixture
def given_database(postgres_url: str) -> dict[str, str]:
    """Settings for a daemon that uses this database: starting its own Postgres takes longer than most tests."""
    return {"ORDERD_DATABASE_URL": postgres_url}


@pytest.fixture(scope="module")
def shared_database(databases: Databases) -> Iterator[dict[str, str]]:
    """The same settings for a daemon that all tests of a module share."""
    with databases.lent() as url:
        yield {"ORDERD_DATABASE_URL": url}


@pytest.fixture
def connected(postgres_url: str) -> Iterator[str]:
    """``postgres_url``, with the connection pool of ``db.connection`` connected to it."""
    connect(postgres_url)
    yield postgres_url
    database.close_all()


@pytest.fixture
def simnet(tmp_path: Path) -> Iterator[ListeningRole]:
    """A local chain with short slots and no other traders. ``url`` is its HTTP address."""
    with running_simnet(tmp_path / "chain") as chain:
        yield chain


@contextmanager
def running_simnet(state_dir: Path, **settings: str) -> Iterator[ListeningRole]:
    """Run a local chain on the ledger in ``state_dir``, or on a new ledger if there is none."""
    state_dir.mkdir(exist_ok=True)
    chain = ListeningRole(
        "simnet",
        state_dir,
        {"ORDERD_STATE_DIR": str(state_dir), "ORDERD_SIMNET_SLOT_MS": "25", "ORDERD_SIMNET_MARKET": "false"} | settings,
        stop_seconds=10.0,
        address_file=state_dir / "simnet" / "simnet.json",
        url_field="http_url",
        port_variable="ORDERD_SIMNET_PORT",
    )
    child = chain.start()
    try:
        yield chain
    finally:
        child.stop()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A whole daemon with its own services, a chain with short slots and no other traders, and no rate limit."""
    state_dir = tmp_path / "daemon"
    state_dir.mkdir()
    with running_daemon(state_dir, QUICK) as running:
        yield running


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """An empty Redis that no other test uses at the same time."""
    with RedisClient.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@contextmanager
def _one_postgres_for_all(session: pytest.Session) -> Iterator[None]:
    """Start the workers' Postgres, if a test uses it."""
    assert _postgres_of_all is not None
    server, is_started = _postgres_of_all
    if any("postgres_server" in item.fixturenames for item in session.items if isinstance(item, pytest.Function)):
        with _running(server):
            is_started.set()
            yield
    else:
        yield


@contextmanager
def _running(server: Postgres) -> Iterator[None]:
    """Run a server with the template of the tests' databases. No test simulates a power failure, so fsync is off."""
    child = server.start()
    try:
        execute(server.url, "ALTER SYSTEM SET fsync = off")
        execute(server.url, "ALTER SYSTEM SET full_page_writes = off")
        execute(server.url, "SELECT pg_reload_conf()")
        make_template(server)
        yield
    finally:
        child.stop()


def _keep_files_in_memory() -> None:
    """Create temporary files in memory, if it has room and may contain programs, and TMPDIR is not set.

    The tests create and delete many thousands of files, mostly those of databases. On an ext4 without a journal this
    took a quarter of the CPU time of the tests that use a database.
    """
    with suppress(OSError):
        memory = os.statvfs(_MEMORY)
        if memory.f_bavail * memory.f_frsize >= _MEMORY_BYTES and not memory.f_flag & os.ST_NOEXEC:
            tempfile.tempdir = os.environ.setdefault("TMPDIR", _MEMORY)


@cache
def _measured_modules() -> list[ModuleType]:
    return [
        import_module(module.name)
        for package in (orderd.amm, orderd.domain, orderd.pools)
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]


@cache
def _cached_functions() -> list[Any]:
    """Caches of the measured modules. They are cleared because a cached answer executes no measured line."""
    return [each for module in _measured_modules() for each in vars(module).values() if hasattr(each, "cache_clear")]


@contextmanager
def _untraced(config: pytest.Config) -> Iterator[None]:
    if not config.pluginmanager.hasplugin("_cov"):
        yield
        return
    here, threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)
    try:
        yield
    finally:
        threading.settrace(threads)
        sys.settrace(here)


def _pool_faults() -> int:
    samples = (sample for metric in POOL_FAULTS.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


def _private_dir(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("services")
