"""The role of a worker: from its start to the signal that ends it."""

import logging
import os
import signal
import sys
from contextlib import ExitStack
from typing import Final, NoReturn

import structlog

from db.connection import check_schema, connect, database, reach, translated_database_errors
from orderd.config.reloading import reload
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError
from orderd.embedded.notify import EXTENSION, service_manager
from orderd.engine.chain import NO_HISTORY, check_chain, check_stored
from orderd.garbage import collect_rarely
from orderd.metrics.neighbour import serving
from orderd.queue.broker import redis_client
from orderd.queue.worker_process import WorkerProcess
from orderd.solana.rpc import RpcClient, RpcError, RpcWrongChainError
from orderd.solana.transport import HttpTransport

_STOP_SIGNALS: Final = frozenset({signal.SIGTERM, signal.SIGINT})
_STATEMENT_SECONDS: Final = 10.0
"""Statement time-out of Postgres, so that a loop that waits for Postgres is not mistaken for one that hangs."""
_WAIT_SECONDS: Final = 1.0
_CHAIN_SECONDS: Final = 2.0
log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> NoReturn:
    """Work until SIGTERM or SIGINT, then finish the running turns and exit; a second signal exits immediately.

    Raises OrderdError if the wallet or the tables cannot be used, Postgres does not answer, or the RPC endpoint serves
    another chain. Redis and the endpoint may become available later.
    """
    assert settings.database_url is not None
    assert settings.redis_url is not None
    # The stop signals interrupt no thread: this one waits for them, all others block them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _awaited_signals())
    connect(
        settings.database_url.get_secret_value(),
        max_connections=settings.worker_threads + 20,  # a thread needs one, and so does each loop
        application="orderd worker",
        statement_seconds=_STATEMENT_SECONDS,
    )
    with translated_database_errors():
        reach(check_schema, _wait_briefly)
    chain_answers = _check_chain(settings)
    process = WorkerProcess(settings, redis_client(settings.redis_url.get_secret_value()))
    with translated_database_errors():
        process.start(chain_answers=chain_answers)
    collect_rarely()
    metrics = ExitStack()
    if settings.worker_metrics_port is not None:
        where = settings.worker_metrics_host, settings.worker_metrics_port
        metrics.enter_context(serving(*where, settings.state_dir))
    service_manager().notify("READY=1", "STATUS=")
    log.info("executes orders", action="worker_started", worker=process.name, threads=settings.worker_threads)

    while (received := signal.sigwait(_awaited_signals())) == signal.SIGHUP:
        settings = reload(settings, process.reload)
    service_manager().notify("STOPPING=1", "STATUS=draining", EXTENSION)
    log.info("stopping", action="stop", worker=process.name, signal=signal.Signals(received).name)
    for number in _STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)
    process.stop(settings.drain_seconds)
    metrics.close()
    database.close_all()
    logging.shutdown()
    os._exit(0)  # threads may still wait for answers that are no longer needed


def _awaited_signals() -> frozenset[signal.Signals]:
    """The signals to wait for. Under a service manager SIGHUP reloads the settings; otherwise it ends the process as
    usual."""
    return _STOP_SIGNALS | {signal.SIGHUP} if service_manager().is_there else _STOP_SIGNALS


def _wait_briefly(what: str) -> None:
    """Wait before the next try. Exits if the process is asked to stop."""
    log.warning("waits", action="waiting", what=what)
    service_manager().notify(f"STATUS=waiting for {what}", EXTENSION)
    if signal.sigtimedwait(_STOP_SIGNALS, _WAIT_SECONDS) is not None:
        sys.exit(0)


def _check_chain(settings: Settings) -> bool:
    """Whether the endpoint answers. Raises OrderdError if it serves another chain."""
    assert settings.rpc_url is not None
    endpoint = RpcClient("", transport=HttpTransport(settings.rpc_url, read_timeout=_CHAIN_SECONDS))
    try:
        check_stored(settings.chain)
        check_chain(settings.chain, endpoint.get_genesis_hash())
        if not endpoint.has_transaction_history():
            log.warning(NO_HISTORY, action="chain_without_history")
    except RpcWrongChainError as error:
        raise OrderdError(error.error_code, str(error)) from error
    except RpcError as error:
        # The endpoint may become available later; the chain is checked again before other requests.
        log.warning("the chain does not answer yet", action="chain_unknown", error=str(error))
        return False
    finally:
        endpoint.close()
    return True
