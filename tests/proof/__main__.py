"""``make proof``: a cluster of seven hosts, orders of all kinds, a fault every second or two, and then the judge."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import astuple
from pathlib import Path
from typing import Final

from orderctl.config.settings import Settings as ClientSettings
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, RefusedError, UnreachableError
from orderd.domain.order import TERMINAL
from orderd.embedded.postgres import binary
from orderd.embedded.redis import server_binary
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import complaints
from tests.acceptance.trader import Trader
from tests.chaos.storm import HONEST, ROUGH, SETTINGS
from tests.chaos.test_kinds import orders_of_all_kinds
from tests.proof.hosts import Host, open_network
from tests.proof.judge import judge

ORDERS: Final = int(os.environ.get("ORDERS", "300"))
SEED: Final = int(os.environ.get("SEED", "1"))
PATIENCE: Final = 600.0
_PACE_SECONDS: Final = 0.25
"""Between two orders of one trader, on average."""
_VALID_SECONDS: Final = 20.0
"""So long what rests may be met before it is cancelled: most orders are valid for less."""
_SUPERUSER: Final = "orderd"
_AS_NOBODY: Final = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")
_ORDERD: Final = (sys.executable, "-m", "orderd.main")


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def reach(address: str, port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            assert time.monotonic() < deadline, f"{address}:{port} does not answer"
            time.sleep(0.1)
        else:
            return


class Cluster:
    """Postgres, Redis, the chain, two gateways and two workers, each on its own host."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database_url = f"postgresql://{_SUPERUSER}@10.77.0.2/postgres"
        data = directory / "postgres"
        data.mkdir()
        directory.chmod(0o755)
        subprocess.run(["chown", "nobody:nogroup", str(data)], check=True)
        initdb = [*_AS_NOBODY, str(binary("initdb")), f"--pgdata={data}", f"--username={_SUPERUSER}", "--auth=trust"]
        subprocess.run(initdb, check=True, capture_output=True, cwd="/")
        with (data / "pg_hba.conf").open("a") as access:
            access.write("host all all 10.77.0.0/24 trust\n")
        options = {"listen_addresses": "*", "max_connections": "200", "timezone": "UTC", "unix_socket_directories": ""}
        words = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        command = [*_AS_NOBODY, str(binary("postgres")), "-D", str(data), *words]
        self.postgres = Host("postgres", 2, command, {}, directory / "postgres.log")
        redis = [server_binary(), "--bind", "0.0.0.0", "--protected-mode", "no", "--appendonly", "yes"]
        redis += ["--dir", str(directory), "--maxmemory-policy", "noeviction", "--save", ""]
        self.redis = Host("redis", 3, redis, {}, directory / "redis.log")
        self.env = {
            **SETTINGS,
            "ORDERD_CONFIG": os.devnull,
            "ORDERD_DATABASE_URL": self.database_url,
            "ORDERD_REDIS_URL": "redis://10.77.0.3:6379/0",
            "ORDERD_RPC_URL": "http://10.77.0.4:8899",
            "ORDERD_RPC_WS_URL": "ws://10.77.0.4:8900",
            "ORDERD_WALLET": str(directory / "wallet.json"),
            "ORDERD_TLS_TERMINATED_BY_PROXY": "true",
            "ORDERD_RATE_LIMIT": "0",
            "ORDERD_MAX_OPEN_PER_KEY": "0",
            "ORDERD_SIMNET_MARKET": "true",
            "ORDERD_SIMNET_SEED": str(SEED),
            "ORDERD_STATE_DIR": str(directory),
        }
        self.chain = self._chain(ROUGH)
        self.roles = [self._role("gateway", 1, 5), self._role("gateway", 2, 6)]
        self.roles += [self._role("worker", 1, 7), self._role("worker", 2, 8)]

    @property
    def hosts(self) -> list[Host]:
        return [self.postgres, self.redis, self.chain, *self.roles]

    def start(self) -> str:
        """Everything; returns an API key."""
        for host, port in ((self.postgres, 5432), (self.redis, 6379), (self.chain, 8899)):
            host.start()
            reach(host.address, port)
        self.orderd("migrate")
        self.orderd("wallet")
        key = self.orderd("api-key", "create", "proof", "--scope", "admin").splitlines()[-1]
        for role in self.roles:
            role.start()
        for gateway in self.roles[:2]:
            reach(gateway.address, 3000)
        return key

    def orderd(self, *arguments: str) -> str:
        environment = {**os.environ, **self.env}
        done = subprocess.run([*_ORDERD, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self) -> None:
        """Whatever is left."""
        for host in self.hosts:
            for pid in host.pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def calm_down(self) -> None:
        """From now on the chain answers honestly."""
        self.chain.stop()
        self.chain.set_env(self._chain_env(HONEST))
        self.chain.start()
        reach(self.chain.address, 8899)

    def _chain_env(self, faults: object) -> dict[str, str]:
        kept = {name: value for name, value in self.env.items() if "SIMNET" in name or "STATE" in name}
        listening = {"ORDERD_SIMNET_HOST": "10.77.0.4", "ORDERD_SIMNET_PORT": "8899"}
        return kept | listening | {"ORDERD_CONFIG": os.devnull, "ORDERD_SIMNET_FAULTS": json.dumps(faults)}

    def _chain(self, faults: object) -> Host:
        return Host("chain", 4, [*_ORDERD, "simnet"], self._chain_env(faults), self.directory / "simnet.log")

    def _role(self, role: str, number: int, host: int) -> Host:
        state = {"ORDERD_STATE_DIR": str(self.directory / f"{role}{number}")}
        listening = {"ORDERD_HOST": f"10.77.0.{host}", "ORDERD_PORT": "3000"} if role == "gateway" else {}
        name = f"{role}{number}"
        return Host(name, host, [*_ORDERD, role], self.env | state | listening, self.directory / f"{name}.log")


def strike(cluster: Cluster, choice: random.Random, struck: Counter[str], enough: threading.Event) -> None:
    """A fault every second or two, of a host that chance names, until it is enough."""
    while not enough.wait(choice.uniform(0.5, 2)):
        for host in cluster.hosts:
            host.watch()
        host = choice.choice(cluster.hosts)
        fault = choice.choice(["kill", "freeze", "cut off"])
        struck[f"{host.name} {fault}"] += 1
        if fault == "kill":
            host.kill()
        elif fault == "freeze":
            host.freeze(choice.uniform(0.5, 4))
        else:
            host.cut_off(choice.uniform(0.5, 4))
    for host in cluster.hosts:
        host.watch()


def submit_all(trader: Trader, number: int) -> None:
    """Every second order, at a pace that lets faults happen between; what the market has moved past is refused."""
    choice = random.Random(SEED + number)
    for params in list(orders_of_all_kinds(ORDERS, SEED))[number::2]:
        time.sleep(choice.uniform(0, 2 * _PACE_SECONDS))  # not a wait for anything: the pace
        try:
            trader.submit(params)
        except RefusedError as refused:
            if refused.problem.code.category not in ("PRICE", "ROUTE", "RPC"):
                raise


def end_all(trader: Trader) -> None:
    """What still rests is cancelled, until all has ended."""
    began = time.monotonic()
    deadline = began + PATIENCE
    while True:
        with suppress(UnreachableError, AnswerLostError):
            active = [order for order in trader.orders() if order.status not in TERMINAL]
            if not active:
                return
            assert time.monotonic() < deadline, [(order.id, order.status) for order in active[:5]]
            for order in active if time.monotonic() - began > _VALID_SECONDS else ():
                with suppress(RefusedError):
                    trader.cancel(order.id)
        time.sleep(1)  # not a wait for an event: what is looked for is that nothing is left


def main() -> int:
    began = time.monotonic()
    open_network()
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        cluster = Cluster(directory)
        stack.callback(cluster.end)
        key = cluster.start()
        ledger = Ledger(directory)
        clients = [
            stack.enter_context(Client(ClientSettings(url=f"ws://{gateway.address}:3000/", api_key=key)))
            for gateway in cluster.roles[:2]
        ]
        traders = [Trader(client) for client in clients]
        struck: Counter[str] = Counter()
        enough = threading.Event()
        striking = threading.Thread(target=strike, args=(cluster, random.Random(SEED), struck, enough))
        failures: list[BaseException] = []

        def submit(trader: Trader, number: int) -> None:
            try:
                submit_all(trader, number)
            except BaseException as error:  # noqa: BLE001  (raised below, in the thread that judges)
                failures.append(error)

        submitting = [threading.Thread(target=submit, args=(trader, number)) for number, trader in enumerate(traders)]
        for thread in (striking, *submitting):
            thread.start()
        for thread in submitting:
            thread.join()
        enough.set()
        striking.join()
        if failures:
            raise failures[0]
        say(f"{sum(struck.values())} faults: {dict(sorted(struck.items()))}")
        cluster.calm_down()
        end_all(traders[0])
        reserved = {balance.reserved for balance in traders[0].balances()}
        codes = [role.stop() for role in cluster.roles]
        leaked = [pid for role in cluster.roles for pid in role.pids()]
        acknowledged = {client: order for trader in traders for client, order in trader.acknowledged.items()}
        verdict, statuses = judge(cluster.database_url, ledger, acknowledged)
        said = complaints(directory)
    seconds = time.monotonic() - began
    say(f"{len(acknowledged)} of {ORDERS} acknowledged, seed {SEED}, {seconds:.0f} s: {dict(statuses)}")
    say(f"{verdict}; reserved {reserved}; exit codes {codes}; processes left {leaked}; Postgres complains {said[:5]}")
    holds = not any(astuple(verdict)) and reserved == {"0"} and not any(codes) and not leaked and not said
    say("all of it holds" if holds else "NOT ALL OF IT HOLDS")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
