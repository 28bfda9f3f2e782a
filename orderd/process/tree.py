"""``orderd run``: all roles in one process tree, using the configured services, and embedded ones for the rest."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Final

import structlog
from redis import Redis as Client
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from solders.pubkey import Pubkey

from db import alerts
from db.connection import check_schema, connect, database, migrate, reach, translated_database_errors
from orderd.config.alerts import load_alerts
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.child import StopRequested, stop_signals
from orderd.embedded.environment import CREDENTIALS, proxies, settings_without
from orderd.embedded.listening import cannot_listen, environment_of, inherited_port
from orderd.embedded.lock import instance_lock, is_locked
from orderd.embedded.notify import ServiceManager, service_manager
from orderd.embedded.postgres import Postgres
from orderd.embedded.redis import Redis
from orderd.engine.chain import check_chain, check_stored
from orderd.gateway.access.authentication import check_exposure
from orderd.process.manager_reports import REPORT_SECONDS, ManagerReports
from orderd.process.reload import Reload
from orderd.process.roles import ListeningRole, Role, lock_of
from orderd.process.state_dir import open_state_dir
from orderd.process.supervisor import Supervisor, blocked_signals
from orderd.process.wallet import fund_on_simnet, open_wallet, simnet_client
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.rpc import RpcClient, RpcError, RpcWrongChainError
from orderd.solana.transport import HttpTransport

_IDLE_TICK_SECONDS: Final = 5.0
_STOP_MARGIN_SECONDS: Final = 5.0
_CHECK_SECONDS: Final = 2.0
"""Time limit of the start-up check of a configured Redis or chain endpoint."""
_CONFIGURATION_ERRORS: Final = ("DB index", "invalid DB", "NOPERM", "WRONGPASS", "NOAUTH")
_log = structlog.get_logger(__name__)


def run_tree(settings: Settings) -> None:
    """Start all services, report when orders are accepted, supervise, and stop on SIGTERM, SIGINT or SIGHUP.

    Under a service manager, SIGHUP reloads the settings instead. Raises OrderdError if a service cannot start.
    """
    os.umask(0o077)
    open_state_dir(settings.state_dir)
    load_alerts(settings)  # reports errors before anything is started
    reports = ManagerReports(service_manager())
    with blocked_signals(), instance_lock(settings.state_dir):
        supervisor = Supervisor(reports.waits)
        try:
            wallet = open_wallet(settings)
            if inherited_port() is None:
                _check_port(settings)
            gateway, worker, others = _start(supervisor, settings, str(wallet.address), reports)
            status = f"accepting orders at {gateway.url}, chain {settings.chain}, wallet {wallet.address}"
            reports.manager.notify("READY=1", f"STATUS={status}")
            sys.stderr.write(_welcome(gateway.url, settings, str(wallet.address)))
            reports.alive = lambda: _report_health(reports.manager, supervisor, gateway, worker)
            reload = Reload(settings, supervisor, (gateway, worker, *others), reports)
            watchdog_seconds = reports.manager.watchdog_seconds
            supervisor.run(
                lambda: _report(reports, status, gateway),
                tick_seconds=min(watchdog_seconds / 2, _IDLE_TICK_SECONDS) if watchdog_seconds else _IDLE_TICK_SECONDS,
                reload=reload.run,
            )
        except StopRequested:
            pass
        finally:
            _log.info("stopping", action="stop")
            reports.stops()
            supervisor.stop(lambda what: reports.waits(f"{what} to stop"))


def _check_port(settings: Settings) -> None:
    """Raises OrderdError if the port is in use. Checked before anything is started, so that the error is the last
    output.

    The gateway of a run that was killed may still have it. The next gateway waits until that one has ended.
    """
    if is_locked(lock_of(settings.state_dir, "gateway")):
        return
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as port:
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            port.bind((settings.host, settings.port))
        except socket.gaierror:
            return  # the gateway resolves the name later, and reports it if that fails
        except OSError as error:
            raise cannot_listen(settings.host, settings.port, error) from error


def _start(
    supervisor: Supervisor, settings: Settings, wallet: str, reports: ManagerReports
) -> tuple[ListeningRole, Role, list[Role]]:
    env = {**settings_without("WALLET"), **proxies(), "ORDERD_STATE_DIR": str(settings.state_dir)}
    reports.manager.notify("STATUS=starting the services")
    env["ORDERD_DATABASE_URL"] = _database(supervisor, settings, reports)
    env["ORDERD_REDIS_URL"] = _redis(supervisor, settings)
    rpc_url, rpc_ws_url, responds = _chain(supervisor, settings, env["ORDERD_DATABASE_URL"])
    env["ORDERD_RPC_URL"] = rpc_url
    if rpc_ws_url is not None:
        env["ORDERD_RPC_WS_URL"] = rpc_ws_url
    env["ORDERD_WALLET_ADDRESS"] = wallet
    key = {"ORDERD_WALLET": str(settings.wallet_path.absolute())}
    if CREDENTIALS in os.environ:
        key[CREDENTIALS] = os.environ[CREDENTIALS]
    if settings.chain == "simnet" and responds:
        for amount in fund_on_simnet(simnet_client(settings, rpc_url), Pubkey.from_string(wallet)):
            _log.info("the faucet funded the wallet", action="wallet_fund", amount=amount, wallet=wallet)

    drain = settings.drain_seconds + _STOP_MARGIN_SECONDS
    if settings.worker_metrics_port is None:
        key["ORDERD_WORKER_METRICS_PORT"] = "0"  # the gateway serves the worker's metrics
    worker = Role("worker", settings.state_dir, env | key, drain)
    port = inherited_port()
    gateway = ListeningRole(
        "gateway",
        settings.state_dir,
        {**env, **environment_of(port)},
        drain,
        address_file=settings.state_dir / "gateway.json",
        url_field="url",
        port_variable="ORDERD_PORT",
        descriptors=() if port is None else (port,),
    )
    gateway.launch()  # gateway and worker load slowly, and do not depend on each other
    supervisor.start(worker)
    supervisor.start(gateway)
    others = [] if settings.alerts is None else [Role("notifier", settings.state_dir, env, _STOP_MARGIN_SECONDS)]
    for role in others:
        supervisor.start(role)
    return gateway, worker, others


def _database(supervisor: Supervisor, settings: Settings, reports: ManagerReports) -> str:
    """The URL of a database with the tables of this version. An embedded one is migrated; a configured one is awaited
    and checked.

    Raises SchemaError, and OperationalError if a configured database refuses the connection.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
    else:
        postgres = Postgres(settings.state_dir)
        supervisor.start(postgres)
        url = postgres.url

    wanted = load_alerts(settings)

    def check() -> None:
        if settings.database_url is not None:
            check_schema()
        with database.connection_context():
            check_exposure(settings)
            if wanted is not None:  # from the first order on; the notifier renews the subscription
                alerts.subscribe(wanted.kinds)

    connect(url, max_connections=1)
    try:
        with translated_database_errors():
            if settings.database_url is None:
                applied = _without_time_limit(migrate, "the tables to be brought up to date", reports)
                if applied:
                    _log.info("applied migrations", action="migrate", count=len(applied), last=applied[-1])
            reach(check, reports.waits_briefly)
    finally:
        database.close_all()
    return url


def _without_time_limit(work: Callable[[], list[str]], what: str, reports: ManagerReports) -> list[str]:
    """Run ``work`` without a time limit, and report the wait to the service manager. Raises what ``work`` raises."""
    found: list[list[str]] = []
    failed: list[BaseException] = []

    def do() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001  (raised again below)
            failed.append(error)

    thread = threading.Thread(target=do, name="migrate", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(REPORT_SECONDS / 10)
        reports.waits(what)
        if signal.sigtimedwait(stop_signals(), 0) is not None:
            raise StopRequested
    if failed:
        raise failed[0]
    return found[0]


def _redis(supervisor: Supervisor, settings: Settings) -> str:
    """The URL of Redis. A configured one may be temporarily unavailable. Raises OrderdError if it refuses the login."""
    if settings.redis_url is None:
        redis = Redis(settings.state_dir)
        supervisor.start(redis)
        return redis.url
    url = settings.redis_url.get_secret_value()
    with Client.from_url(url, socket_connect_timeout=_CHECK_SECONDS, socket_timeout=_CHECK_SECONDS) as client:
        try:
            client.ping()
        except RedisError as error:
            is_wrong = isinstance(error, AuthenticationError) or (
                isinstance(error, ResponseError) and any(words in str(error) for words in _CONFIGURATION_ERRORS)
            )
            if is_wrong:
                detail = f"the Redis of ORDERD_REDIS_URL refuses the connection: {error}"
                raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, detail) from error
            _log.warning("Redis does not respond yet: orders are accepted and wait", action="waiting", error=str(error))
    return url


def _chain(supervisor: Supervisor, settings: Settings, database_url: str) -> tuple[str, str | None, bool]:
    """The chain's HTTP URL, its websocket URL if known, and whether it responds.

    A configured chain may be temporarily unavailable. Raises OrderdError RPC_WRONG_CHAIN if it is not the configured
    chain.
    """
    connect(database_url, max_connections=1)
    try:
        with translated_rpc_errors():
            check_stored(settings.chain)
            responds = settings.rpc_url is None or _chain_responds(settings, settings.rpc_url)
    finally:
        database.close_all()
    if settings.rpc_url is not None:
        return settings.rpc_url, settings.rpc_ws_url, responds
    secrets = ("DATABASE_URL", "REDIS_URL", "RPC_URL", "RPC_WS_URL", "WALLET")
    env = {**settings_without(*secrets), "ORDERD_STATE_DIR": str(settings.state_dir)}
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
    return simnet.url, simnet.address["ws_url"], True


def _chain_responds(settings: Settings, url: str) -> bool:
    """Raises RpcWrongChainError. Needs Postgres."""
    endpoint = RpcClient("", transport=HttpTransport(url, read_timeout=_CHECK_SECONDS))
    try:
        check_chain(settings.chain, endpoint.get_genesis_hash())
    except RpcWrongChainError:
        raise
    except RpcError as error:
        _log.warning("the chain does not respond yet: orders are accepted and wait", action="waiting", error=str(error))
        return False
    finally:
        endpoint.close()
    return True


def _report(reports: ManagerReports, status: str, gateway: ListeningRole) -> None:
    """Send a sign of life and the status to the service manager."""
    reports.alive()
    of_gateway = f" ({gateway.status})" if gateway.status else ""
    reports.manager.notify(f"STATUS={status}{of_gateway}")


def _report_health(manager: ServiceManager, supervisor: Supervisor, gateway: Role, worker: Role) -> None:
    """Send a sign of life to the service manager, unless the gateway or the worker hangs.

    A role that has ended is restarted by the supervisor. If a role hangs, the service manager restarts the whole
    daemon.
    """
    hanging = [role.name for role in (gateway, worker) if not role.is_alive() and supervisor.is_running(role)]
    if manager.watchdog_seconds is None:
        return
    if hanging:
        _log.error("no sign of life", action="watchdog", services=hanging)
    else:
        manager.notify("WATCHDOG=1")


def _welcome(url: str, settings: Settings, wallet: str) -> str:
    # Where money is at stake, nothing is offered that would trade.
    first = "orderctl submit SOL USDC 1.5" if settings.is_local_chain else "orderctl doctor"
    return (
        f"orderd accepts orders at {url} (chain {settings.chain}, wallet {wallet}, state in {settings.state_dir}). "
        f"Next: {first}\n"
    )
