"""Real services for the tests: one Postgres and one Redis a test process, a fresh database and empty Redis a test.

And, for the tests that need more: a local chain, or a whole daemon, of a test's own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg2
import pytest
from redis import Redis as RedisClient

from db.connection import connect, database, migrate
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.process.roles import ListeningRole
from orderd.process.temporary import Daemon, running_daemon
from orderd.telemetry import POOL_FAULTS

QUICK = {
    "ORDERD_SIMNET_SLOT_MS": "25",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_RETRY_BASE_MS": "50",
}
"""Settings of a daemon that a test waits for."""

_TEMPLATE = "migrated"


@pytest.fixture(autouse=True)
def no_pool_faults(request: pytest.FixtureRequest) -> Iterator[None]:
    """No pool leads to what nobody foresaw, but where a test sees to it that one does: by ``injected_pool_faults``."""
    before = _pool_faults()
    yield
    assert _pool_faults() == before or "injected_pool_faults" in request.fixturenames


@pytest.fixture
def injected_pool_faults() -> Callable[[], int]:
    """How many exceptions pools have led to since the test began."""
    before = _pool_faults()
    return lambda: _pool_faults() - before


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with a database ``migrated`` that has all tables and no rows; tests get copies of it."""
    server = Postgres(_private_dir(tmp_path_factory))
    child = server.start()
    try:
        _administer(server, f"CREATE DATABASE {_TEMPLATE}")
        connect(_url_of(server, _TEMPLATE))
        migrate()
        database.close_all()
        yield server
    finally:
        child.stop()


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
    """A database of this test's own without any table."""
    yield from _own_database(postgres_server, template="template1")


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """A database of this test's own, migrated and empty."""
    yield from _own_database(postgres_server, template=_TEMPLATE)


@pytest.fixture
def connected(postgres_url: str) -> Iterator[str]:
    """``postgres_url``, with the pool of ``db.connection`` pointed at it."""
    connect(postgres_url)
    yield postgres_url
    database.close_all()


@pytest.fixture
def simnet(tmp_path: Path) -> Iterator[ListeningRole]:
    """A local chain with quick slots on which nobody else trades. ``url`` is its HTTP address."""
    state_dir = tmp_path / "chain"
    state_dir.mkdir()
    chain = ListeningRole(
        "simnet",
        state_dir,
        {"ORDERD_STATE_DIR": str(state_dir), "ORDERD_SIMNET_SLOT_MS": "25", "ORDERD_SIMNET_MARKET": "false"},
        stop_seconds=10.0,
        address_file=state_dir / "simnet" / "simnet.json",
        url_field="http_url",
        port_variable="ORDERD_SIMNET_PORT",
    )
    child = chain.start()
    yield chain
    child.stop()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A whole daemon with services of its own, a quick chain on which nobody else trades, and no rate limit."""
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


def _pool_faults() -> int:
    samples = (sample for metric in POOL_FAULTS.collect() for sample in metric.samples)
    return int(sum(sample.value for sample in samples if sample.name.endswith("_total")))


def _private_dir(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("services")


def _own_database(server: Postgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _url_of(server, name)
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _url_of(server: Postgres, name: str) -> str:
    return server.url.replace("/orderd?", f"/{name}?")


def _administer(server: Postgres, statement: str) -> None:
    connection = psycopg2.connect(server.url)
    try:
        connection.autocommit = True  # CREATE and DROP DATABASE do not run in a transaction
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
