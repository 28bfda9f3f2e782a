"""A worker's metrics: the worker serves them, and the gateway on its host includes them, so that one scrape is enough.

The worker writes their address to ``worker.json`` in its state directory. A gateway with the same state directory adds
them to its own metrics under the label ``role``, unless the port was set: then Prometheus scrapes the worker itself.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import start_http_server

from orderd.metrics.registries import WORKER
from orderd.whole_file import read_address, write_address

_HOST: Final = "127.0.0.1"
_FILE: Final = "worker.json"
_SECONDS: Final = 0.5
_SAMPLE: Final = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{(.*)\})? ", re.MULTILINE)
_FAMILY: Final = re.compile(r"^# HELP (\S+) .*\n# TYPE .*\n", re.MULTILINE)
log = structlog.get_logger(__name__)


@contextmanager
def serving(host: str, port: int, state_dir: Path) -> Iterator[None]:
    """Serve this worker's metrics; with port 0 on a free port of loopback, for the gateway on its host."""
    try:
        server, _ = start_http_server(port, host if port else _HOST, WORKER)
    except OSError as error:  # no order depends on it
        log.warning("metrics are not served", action="metrics_not_served", host=host, port=port, error=str(error))
        yield
        return
    address = state_dir / _FILE
    if port == 0:
        write_address(address, metrics_port=server.server_port)
    log.info("metrics are served", action="metrics_served", host=server.server_address[0], port=server.server_port)
    try:
        yield
    finally:
        if port == 0:
            address.unlink(missing_ok=True)
        server.shutdown()
        server.server_close()


def worker_text(state_dir: Path) -> str:
    """The metrics of the worker with this state directory; '' if there are none. Raises OSError or ValueError."""
    try:
        port = int(read_address(state_dir / _FILE)["metrics_port"])
    except FileNotFoundError:
        return ""
    connection = HTTPConnection(_HOST, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        return answer.read().decode() if answer.status == 200 else ""
    finally:
        connection.close()


def merged(own: str, other: str, role: str) -> str:
    """Merge both texts so that each family appears once; samples of ``other`` get the label ``role``."""
    families = _families(own)
    for name, (head, samples) in _families(other).items():
        mine, before = families.get(name, (head, ""))
        families[name] = mine, before + _SAMPLE.sub(lambda found: _labelled(found, role), samples)
    return "".join(head + samples for head, samples in families.values())


def _families(text: str) -> dict[str, tuple[str, str]]:
    """The head and the samples of each family, by its name."""
    heads = [*_FAMILY.finditer(text)]
    ends = [each.start() for each in heads[1:]] + [len(text)] * bool(heads)
    return {each[1]: (each[0], text[each.end() : end]) for each, end in zip(heads, ends, strict=True)}


def _labelled(sample: re.Match[str], role: str) -> str:
    labels = f'role="{role}"' if sample[2] is None else f'role="{role}",{sample[2]}'
    return f"{sample[1]}{{{labels}}} "
