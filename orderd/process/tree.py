"""``orderd run``: everything in one process tree, on whatever is configured and on services of its own for the rest."""

import os
import ssl
import sys
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import structlog
from redis import Redis as Client
from redis.exceptions import RedisError

from db.connection import check_schema, connect, database, migrate
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.child import StopRequested
from orderd.embedded.environment import proxies, settings_but
from orderd.embedded.lock import instance_lock
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.gateway.access.authentication import check_anyone_may_enter
from orderd.process.notify import ServiceManager
from orderd.process.roles import ListeningRole, WorkerRole
from orderd.process.supervisor import Supervisor, blocked_signals
from orderd.process.wallet import fund_on_simnet, open_wallet
from orderd.solana.rpc import RpcClient

_IDLE_TICK_SECONDS = 60.0
_HEALTH_SECONDS = 5.0
_STOP_MARGIN_SECONDS = 5.0

_ANY_CERTIFICATE = ssl._create_unverified_context()  # noqa: S323  (a sign of life is asked for, by the address it gave)
_log = structlog.get_logger(__name__)


def run_tree(settings: Settings) -> None:
    """Start all, say when orders are taken, watch over it, and stop in order on SIGTERM, SIGINT or SIGHUP.

    Raises OrderdError, WalletError or SchemaError when it cannot start.
    """
    os.umask(0o077)
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    manager = ServiceManager()
    with blocked_signals(), instance_lock(settings.state_dir):
        supervisor = Supervisor()
        try:
            gateway, worker = _start(supervisor, settings, manager)
            supervisor.run(
                lambda: _report_health(manager, gateway, worker),
                tick_seconds=manager.watchdog_seconds / 2 if manager.watchdog_seconds else _IDLE_TICK_SECONDS,
            )
        except StopRequested:
            pass
        finally:
            _log.info("stopping", action="stop")
            manager.tell("STOPPING=1", "STATUS=stopping")
            supervisor.stop()


def _start(supervisor: Supervisor, settings: Settings, manager: ServiceManager) -> tuple[ListeningRole, WorkerRole]:
    env = {**settings_but("WALLET"), **proxies(), "ORDERD_STATE_DIR": str(settings.state_dir)}
    manager.tell("STATUS=starting the services")
    database_url = _database(supervisor, settings)
    env["ORDERD_DATABASE_URL"] = database_url
    env["ORDERD_REDIS_URL"] = _redis(supervisor, settings)
    rpc_url, rpc_ws_url = _chain(supervisor, settings)
    env["ORDERD_RPC_URL"] = rpc_url
    if rpc_ws_url is not None:
        env["ORDERD_RPC_WS_URL"] = rpc_ws_url

    wallet = open_wallet(settings)
    env["ORDERD_WALLET_ADDRESS"] = str(wallet.address)
    key = {"ORDERD_WALLET": str(settings.wallet_path.absolute())}
    if settings.chain == "simnet":
        for amount in fund_on_simnet(RpcClient(rpc_url), wallet.address):
            _log.info("the faucet funded the wallet", action="wallet_fund", amount=amount, wallet=str(wallet.address))

    drain = settings.drain_seconds + _STOP_MARGIN_SECONDS
    worker = WorkerRole(settings.state_dir, env | key, drain, env["ORDERD_REDIS_URL"])
    supervisor.start(worker)
    gateway = ListeningRole(
        "gateway",
        settings.state_dir,
        env,
        drain,
        address_file=settings.state_dir / "gateway.json",
        url_field="url",
        port_variable="ORDERD_PORT",
    )
    supervisor.start(gateway)

    manager.tell("READY=1", f"STATUS=taking orders at {gateway.url}, chain {settings.chain}, wallet {wallet.address}")
    sys.stderr.write(_welcome(gateway.url, settings, str(wallet.address)))
    return gateway, worker


def _database(supervisor: Supervisor, settings: Settings) -> str:
    """The URL of a database with this version's tables. Ours is migrated; a given one is only checked."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
    else:
        postgres = Postgres(settings.state_dir)
        supervisor.start(postgres)
        url = postgres.url
    connect(url, max_connections=1)
    try:
        if settings.database_url is None:
            for name in migrate():
                _log.info("applied a migration", action="migrate", migration=name)
        else:
            check_schema()
        with database.connection_context():
            check_anyone_may_enter(settings)
    finally:
        database.close_all()
    return url


def _redis(supervisor: Supervisor, settings: Settings) -> str:
    if settings.redis_url is not None:
        url = settings.redis_url.get_secret_value()
        with Client.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            try:
                client.ping()
            except RedisError as error:
                raise OrderdError(
                    ErrorCode.SERVICE_UNAVAILABLE, f"the Redis of ORDERD_REDIS_URL does not answer: {error}"
                ) from error
        return url
    redis = Redis(settings.state_dir)
    supervisor.start(redis)
    return redis.url


def _chain(supervisor: Supervisor, settings: Settings) -> tuple[str, str | None]:
    """The chain's HTTP URL, and its websocket's where it is known."""
    if settings.rpc_url is not None:
        return settings.rpc_url, settings.rpc_ws_url
    secrets = ("DATABASE_URL", "REDIS_URL", "RPC_URL", "RPC_WS_URL", "WALLET")
    env = {**settings_but(*secrets), "ORDERD_STATE_DIR": str(settings.state_dir)}
    simnet = ListeningRole(
        "simnet",
        settings.state_dir,
        env,
        stop_seconds=10.0,
        address_file=settings.state_dir / "simnet" / "simnet.json",
        url_field="http_url",
        port_variable="ORDERD_SIMNET_PORT",
    )
    supervisor.start(simnet)
    return simnet.url, simnet.address["ws_url"]


def _report_health(manager: ServiceManager, gateway: ListeningRole, worker: WorkerRole) -> None:
    """A sign of life to the service manager, if the gateway and the worker give theirs."""
    if manager.watchdog_seconds is None:
        return
    scheme = "https" if gateway.url.startswith("wss") else "http"
    health = urlsplit(gateway.url)._replace(scheme=scheme, path="/health").geturl()
    try:
        with urlopen(health, timeout=_HEALTH_SECONDS, context=_ANY_CERTIFICATE):  # noqa: S310  (our own address)
            pass
    except (URLError, TimeoutError) as error:
        _log.error("the gateway does not answer", action="watchdog", error=str(error))
    else:
        if worker.is_well():
            manager.tell("WATCHDOG=1")
        else:
            _log.error("the worker hangs", action="watchdog")


def _welcome(url: str, settings: Settings, wallet: str) -> str:
    return (
        f"orderd takes orders at {url} (chain {settings.chain}, wallet {wallet}, state in {settings.state_dir}). "
        "Next: orderctl submit SOL USDC 1.5\n"
    )
