"""What happens to the hosts, every second or two, as chance has it."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import Final

import psycopg2
from redis import Redis as RedisClient
from redis.exceptions import RedisError

from tests.proof.cluster import Cluster
from tests.proof.hosts import Host

Fault = Callable[[Cluster, random.Random], str]
"""Does it, and returns what it was done to."""

_LONGEST: Final = 4.0
"""Seconds, of what lasts."""
_MEGABYTE: Final = bytes(1 << 20)
_TIMES_LIKELIER: Final = 3
"""How much likelier is what can happen to any host than what can happen to one."""
_JUMPS: Final = (-90, -20, 20, 90)
"""Seconds by which Postgres' clock is set: more and less than orders are valid for."""


def strike(cluster: Cluster, choice: random.Random, struck: Counter[str], enough: threading.Event) -> None:
    """Until it is enough. Hosts that have ended are started again."""
    faults = faults_of(cluster)
    weights = [_TIMES_LIKELIER if name in OF_ANY_HOST else 1 for name in faults]
    while not enough.wait(choice.uniform(0.5, 2)):
        for host in cluster.hosts:
            host.watch()
        (name,) = choice.choices([*faults], weights)
        struck[f"{faults[name](cluster, choice)} {name}"] += 1
    for host in cluster.hosts:
        host.watch()


def faults_of(cluster: Cluster) -> Mapping[str, Fault]:
    """Those that this machine can bring about."""
    of_one = {"emptied": _empty_redis, "disk full": _fill_disk, "read-only": _forbid_writes}
    if cluster.clock.exists():
        of_one["clock set"] = _set_clock
    return {**OF_ANY_HOST, **of_one}


def _to_a_host(strike: Callable[[Host, float], object]) -> Fault:
    """To one that chance names, for so many seconds as chance has it."""

    def fault(cluster: Cluster, choice: random.Random) -> str:
        host = choice.choice(cluster.hosts)
        strike(host, choice.uniform(0.5, _LONGEST))
        return host.name

    return fault


def _empty_redis(cluster: Cluster, choice: random.Random) -> str:
    with closing(RedisClient.from_url(cluster.redis_url, socket_timeout=1)) as client:
        try:
            client.flushall()
        except RedisError:  # it is starting
            return "absent redis"
    return "redis"


def _fill_disk(cluster: Cluster, choice: random.Random) -> str:
    filler = cluster.disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(_MEGABYTE):
            pass
    time.sleep(choice.uniform(0.5, _LONGEST))  # not a wait for anything: how long it is full
    filler.unlink()
    return "postgres"


def _forbid_writes(cluster: Cluster, choice: random.Random) -> str:
    try:
        _set_read_only(cluster, "on")
    except psycopg2.OperationalError:  # it is starting
        return "absent postgres"
    time.sleep(choice.uniform(0.5, _LONGEST))  # not a wait for anything: how long it lasts
    while True:
        cluster.postgres.watch()
        try:
            _set_read_only(cluster, "off")
        except psycopg2.OperationalError:
            time.sleep(0.1)
        else:
            return "postgres"


def _set_read_only(cluster: Cluster, value: str) -> None:
    with closing(psycopg2.connect(cluster.database_url, connect_timeout=2)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET default_transaction_read_only = off")
            cursor.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
            cursor.execute("SELECT pg_reload_conf()")


def _set_clock(cluster: Cluster, choice: random.Random) -> str:
    cluster.clock.write_text(f"{int(cluster.clock.read_text()) + choice.choice(_JUMPS):+d}")
    return "postgres"


OF_ANY_HOST: Final[Mapping[str, Fault]] = {
    "killed": _to_a_host(lambda host, _: host.kill()),
    "frozen": _to_a_host(Host.freeze),
    "cut off": _to_a_host(Host.cut_off),
    "slow": _to_a_host(Host.slow_down),
}
