"""Postgres, Redis, the local chain, two gateways and two workers, each on its own host."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from orderd.embedded.postgres import binary
from orderd.embedded.redis import server_binary
from tests.chaos.storm import HONEST, POOL, ROUGH, SETTINGS
from tests.proof.hosts import Host

DISK_MIB: Final = 700
"""Size of Postgres' disk. 3,000 orders need a third of it."""

_SUPERUSER: Final = "orderd"
_AS_NOBODY: Final = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
_ORDERD: Final = (sys.executable, "-m", "orderd.main")
_START_SECONDS: Final = 60


def reach(address: str, port: int) -> None:
    """Wait until the port accepts a connection."""
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, f"{address}:{port} does not answer"
            time.sleep(0.1)
        else:
            return


class Cluster:
    """Nothing runs before ``start``. ``nodes`` selects the nodes of the chain: "one", or a "pool"."""

    def __init__(self, directory: Path, *, seed: int, nodes: str) -> None:
        self.directory = directory
        directory.chmod(0o755)
        self.database_url = f"postgresql://{_SUPERUSER}@10.77.0.2/postgres"
        self.redis_url = "redis://10.77.0.3:6379/0"
        self.disk = directory / "disk"
        self.clock = directory / "clock"
        self.postgres = self._postgres()
        redis = [server_binary(), "--bind", "0.0.0.0", "--protected-mode", "no", "--appendonly", "yes"]
        redis += ["--dir", str(directory), "--maxmemory-policy", "noeviction", "--save", ""]
        self.redis = Host("redis", 3, redis, {}, directory / "redis.log")
        self._env = {
            **SETTINGS,
            **(POOL if nodes == "pool" else {}),
            "ORDERD_CONFIG": os.devnull,
            "ORDERD_DATABASE_URL": self.database_url,
            "ORDERD_REDIS_URL": self.redis_url,
            "ORDERD_RPC_URL": "http://10.77.0.4:8899",
            "ORDERD_RPC_WS_URL": "ws://10.77.0.4:8900",
            "ORDERD_WALLET": str(directory / "wallet.json"),
            "ORDERD_TLS_TERMINATED_BY_PROXY": "true",
            "ORDERD_RATE_LIMIT": "0",
            "ORDERD_MAX_OPEN_PER_KEY": "0",
            "ORDERD_MAX_NOTIONAL_PER_DAY": "1000000",
            "ORDERD_SIMNET_MARKET": "true",
            "ORDERD_SIMNET_SEED": str(seed),
            "ORDERD_STATE_DIR": str(directory),
        }
        simnet = self._simnet_env({**ROUGH, "nodes": nodes})
        self.chain = Host("chain", 4, [*_ORDERD, "simnet"], simnet, directory / "simnet.log")
        self.gateways = [self._role("gateway", 1, 5), self._role("gateway", 2, 6)]
        self.workers = [self._role("worker", 1, 7), self._role("worker", 2, 8)]

    @property
    def roles(self) -> list[Host]:
        return [*self.gateways, *self.workers]

    @property
    def hosts(self) -> list[Host]:
        return [self.postgres, self.redis, self.chain, *self.roles]

    def start(self) -> None:
        for host, port in ((self.postgres, 5432), (self.redis, 6379), (self.chain, 8899)):
            host.start()
            reach(host.address, port)
        self.orderd("migrate")
        self.orderd("wallet")

    def start_roles(self) -> None:
        for role in self.roles:
            role.start()
        for gateway in self.gateways:
            reach(gateway.address, 3000)

    def api_key(self, name: str, *options: str) -> str:
        return self.orderd("api-key", "create", name, *options).splitlines()[-1]

    def orderd(self, *arguments: str) -> str:
        environment = {**os.environ, **self._env}
        done = subprocess.run([*_ORDERD, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def calm_down(self) -> None:
        """Restart the chain as one honest node."""
        self.chain.stop()
        self.chain.set_env(self._simnet_env(HONEST))
        self.chain.start()
        reach(self.chain.address, 8899)
        if "ORDERD_RPC_SINGLE_NODE" in self._env:
            for role in self.roles:
                role.stop()
                role.add_env({"ORDERD_RPC_SINGLE_NODE": "true"})
                role.start()
            for gateway in self.gateways:
                reach(gateway.address, 3000)

    def end(self) -> None:
        """Kill the remaining processes."""
        for host in self.hosts:
            for pid in host.pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # Hosts

    def _postgres(self) -> Host:
        """Postgres on its own small disk, and with a clock that can be set if libfaketime is installed."""
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(self.disk)], check=True)
        data = self.disk / "postgres"
        data.mkdir()
        shutil.chown(data, "nobody", "nogroup")
        initdb = [*_AS_NOBODY, str(binary("initdb")), f"--pgdata={data}", f"--username={_SUPERUSER}", "--auth=trust"]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        with (data / "pg_hba.conf").open("a") as access:
            access.write("host all all 10.77.0.0/24 trust\n")
        options = {"listen_addresses": "*", "max_connections": "200", "timezone": "UTC", "unix_socket_directories": ""}
        options |= {"max_wal_size": "128MB"}
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        # libfaketime's semaphore belongs to the user that loads it first.
        clock = [f"{name}={value}" for name, value in self._clock_env().items()]
        command = [*_AS_NOBODY, "env", *clock, str(binary("postgres")), "-D", str(data), *words]
        return Host("postgres", 2, command, {}, self.directory / "postgres.log")

    def _clock_env(self) -> dict[str, str]:
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
        if library is None:
            return {}
        self.clock.write_text("+0")
        return {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def _simnet_env(self, faults: Mapping[str, object]) -> dict[str, str]:
        kept = {name: value for name, value in self._env.items() if "SIMNET" in name or "STATE" in name}
        listening = {"ORDERD_SIMNET_HOST": "10.77.0.4", "ORDERD_SIMNET_PORT": "8899"}
        return kept | listening | {"ORDERD_CONFIG": os.devnull, "ORDERD_SIMNET_FAULTS": json.dumps(faults)}

    def _role(self, role: str, number: int, host: int) -> Host:
        name = f"{role}{number}"
        state = {"ORDERD_STATE_DIR": str(self.directory / name)}
        listening = {"ORDERD_HOST": f"10.77.0.{host}", "ORDERD_PORT": "3000"} if role == "gateway" else {}
        return Host(name, host, [*_ORDERD, role], self._env | state | listening, self.directory / f"{name}.log")
