"""One daemon for the tests of all dialects. Each test looks only at the orders that it submitted."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from orderd.embedded.redis import Redis
from orderd.process.temporary import running_daemon
from tests.acceptance.dialects.engine import SECONDS, Engine
from tests.conftest import QUICK
from tests.databases import Databases


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Engine]:
    state_dir = tmp_path_factory.mktemp("daemon")
    with databases.lent() as database_url:
        settings = QUICK | {"ORDERD_DATABASE_URL": database_url}
        with running_daemon(state_dir, settings) as daemon:
            chain = json.loads((state_dir / "simnet" / "simnet.json").read_text())
            services = settings | {
                "ORDERD_REDIS_URL": Redis(state_dir).url,
                "ORDERD_RPC_URL": chain["http_url"],
                "ORDERD_RPC_WS_URL": chain["ws_url"],
                "ORDERD_WALLET": str(state_dir / "wallet.json"),
            }
            address = urlsplit(daemon.url).netloc
            with httpx.Client(base_url=f"http://{address}", timeout=SECONDS) as http:
                yield Engine(http, f"ws://{address}", daemon, services)
