"""Starts and stops a simnet: the lock, the ports, the slot loop, and the file with its addresses."""

import asyncio
import fcntl
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
import uvloop
from structlog.tracebacks import ExceptionDictTransformer

from orderd.embedded.notify import ALIVE_SECONDS, service_manager
from orderd.garbage import collect_rarely
from orderd.simnet.chain import Chain
from orderd.simnet.config import SimnetConfig
from orderd.simnet.rpc.dispatch import Dispatcher
from orderd.simnet.rpc.http import HttpServer
from orderd.simnet.rpc.pubsub import PubSub
from orderd.whole_file import write_address

_log: Final = structlog.get_logger(__name__)

_PORT_TRIES: Final = 50
_BACKLOG: Final = 1_024


class SimnetError(Exception):
    """A simnet cannot be started; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Simnet:
    """A running simnet."""

    chain: Chain
    http_url: str
    ws_url: str


def run(config: SimnetConfig) -> None:
    """Serve until SIGTERM or SIGINT. Raises SimnetError, LedgerError, BinariesError."""
    if not structlog.is_configured():
        _log_to_stderr()
    uvloop.run(_run(config))


async def _run(config: SimnetConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serve(config):
        await stop.wait()


@asynccontextmanager
async def serve(config: SimnetConfig) -> AsyncIterator[Simnet]:
    """Run a simnet. On exit the open block is sealed and written, so that no processed transaction is lost.

    Raises SimnetError if another simnet uses the state directory or the port is taken, LedgerError for a ledger that
    cannot be read, BinariesError for programs that cannot be loaded.
    """
    address = config.state_dir / "simnet.json"
    with _locked(config.state_dir), _listeners(config.host, config.port) as (http_socket, ws_socket):
        address.unlink(missing_ok=True)  # left over from a simnet that was killed
        chain = Chain(config)
        http = HttpServer(Dispatcher(chain), chain.dice)
        pubsub = PubSub(chain.bank, chain.ledger)
        host = f"[{config.host}]" if ":" in config.host else config.host
        simnet = Simnet(
            chain, f"http://{host}:{http_socket.getsockname()[1]}", f"ws://{host}:{ws_socket.getsockname()[1]}"
        )
        async with AsyncExitStack() as stop:  # in reverse: no more requests, the last block, then the rest
            stop.callback(chain.close)
            await pubsub.start(ws_socket)
            stop.push_async_callback(pubsub.stop)
            stop.push_async_callback(_finish, chain, asyncio.create_task(chain.run(), name="simnet slots"))
            await http.start(http_socket)
            stop.push_async_callback(http.stop)
            stop.callback(address.unlink, missing_ok=True)
            write_address(address, http_url=simnet.http_url, ws_url=simnet.ws_url)
            stop.push_async_callback(_end, asyncio.create_task(_report_life(simnet), name="simnet life"))
            collect_rarely()
            _log.info("simnet listens", http=simnet.http_url, ws=simnet.ws_url, slot=chain.bank.open.slot)
            yield simnet
        _log.info("simnet stopped", slot=chain.bank.open.slot)


async def _report_life(simnet: Simnet) -> None:
    """Report readiness to the service manager, and liveness as long as new slots are opened."""
    manager = service_manager()
    manager.notify("READY=1")
    slot = -1
    while True:
        if (newest := simnet.chain.bank.open.slot) != slot:
            slot = newest
            manager.notify("WATCHDOG=1", f"STATUS=slot {slot}, JSON-RPC at {simnet.http_url}")
        await asyncio.sleep(ALIVE_SECONDS)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    service_manager().notify("STOPPING=1", "STATUS=stopping")


async def _finish(chain: Chain, slots: asyncio.Task[None]) -> None:
    chain.stop()
    await slots


@contextmanager
def _locked(state_dir: Path) -> Iterator[None]:
    """Lock the state directory; the kernel releases the lock when the process ends, even if it is killed."""
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / "simnet.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SimnetError(
                f"another simnet is running on {state_dir}; stop it, or choose another state directory"
            ) from None
        yield


@contextmanager
def _listeners(host: str, port: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two listening sockets on adjacent ports."""
    for _ in range(_PORT_TRIES if port == 0 else 1):
        http = _bind(host, port)
        if http is None:
            continue
        ws = _bind(host, http.getsockname()[1] + 1)
        if ws is None:
            http.close()
            continue
        with http, ws:
            yield http, ws
        return
    what = "no two free adjacent ports" if port == 0 else f"port {port} or {port + 1} is taken"
    raise SimnetError(f"{what} on {host}; choose another port, or 0 to pick free ones")


def _bind(host: str, port: int) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError):
        listener.close()
        return None
    listener.setblocking(False)
    return listener


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
