"""Any number of gateways and workers over one Postgres, one Redis and one local chain."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from orderd.embedded.child import Child
from orderd.process.roles import ListeningRole, Role
from orderd.process.wallet import fund_on_simnet
from orderd.solana.keys import create_wallet
from orderd.solana.rpc import RpcClient
from tests.conftest import QUICK


class Cluster:
    """Starts gateways and workers, each with its own state directory, and stops them at the end."""

    def __init__(self, stack: ExitStack, directory: Path, env: dict[str, str]) -> None:
        self._stack = stack
        self._directory = directory
        self._env = env

    def gateway(self, name: str, port: int = 0) -> ListeningRole:
        state_dir, env = self._state_of(name)
        return ListeningRole(
            "gateway",
            state_dir,
            env | {"ORDERD_PORT": str(port)},
            stop_seconds=20.0,
            address_file=state_dir / "gateway.json",
            url_field="url",
            port_variable="ORDERD_PORT",
        )

    def worker(self, name: str) -> Role:
        state_dir, env = self._state_of(name)
        return Role("worker", state_dir, env, 20.0)

    def settings_of(self, name: str) -> dict[str, str]:
        """Settings for a process that the test starts in another way."""
        return self._state_of(name)[1]

    def start(self, role: Role) -> Child:
        child = role.start()
        self._stack.callback(child.stop)
        return child

    def _state_of(self, name: str) -> tuple[Path, dict[str, str]]:
        state_dir = self._directory / name
        state_dir.mkdir()
        return state_dir, self._env | {"ORDERD_STATE_DIR": str(state_dir)}


@contextmanager
def cluster_over(
    tmp_path: Path, postgres_url: str, redis_url: str, simnet: ListeningRole, **settings: str
) -> Iterator[Cluster]:
    """A cluster with a funded wallet and no running process."""
    wallet = create_wallet(tmp_path / "wallet.json")
    with closing(RpcClient(simnet.url)) as rpc:
        fund_on_simnet(rpc, wallet.address)
    env = QUICK | {
        "ORDERD_CONFIG": os.devnull,
        "ORDERD_DATABASE_URL": postgres_url,
        "ORDERD_REDIS_URL": redis_url,
        "ORDERD_RPC_URL": simnet.url,
        "ORDERD_RPC_WS_URL": simnet.address["ws_url"],
        "ORDERD_WALLET": str(tmp_path / "wallet.json"),
        **settings,
    }
    with ExitStack() as stack:
        yield Cluster(stack, tmp_path, env)
