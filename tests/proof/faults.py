"""Random faults of the hosts, one every second or two."""

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
"""Injects the fault, and returns the name of the host."""

_LONGEST: Final = 4.0
"""Maximum duration of a fault, in seconds."""
_MEGABYTE: Final = bytes(1 << 20)
_ANY_HOST_WEIGHT: Final = 3
"""Weight of a fault of any host; a fault of one particular host has the weight 1."""
_JUMPS: Final = (-90, -20, 20, 90)
"""Changes of Postgres' clock in seconds: shorter and longer than the validity of the orders."""


def inject_until(enough: threading.Event, cluster: Cluster, choice: random.Random, counts: Counter[str]) -> None:
    """Inject faults and count them in ``counts`` until ``enough`` is set. Restart hosts that have ended."""
    faults = faults_of(cluster)
    weights = [_ANY_HOST_WEIGHT if name in OF_ANY_HOST else 1 for name in faults]
    while not enough.wait(choice.uniform(0.5, 2)):
        for host in cluster.hosts:
            host.watch()
        (name,) = choice.choices([*faults], weights)
        counts[f"{faults[name](cluster, choice)} {name}"] += 1
    for host in cluster.hosts:
        host.watch()


def faults_of(cluster: Cluster) -> Mapping[str, Fault]:
    """The faults that this machine supports."""
    of_one = {"emptied": _empty_redis, "disk full": _fill_disk, "read-only": _forbid_writes}
    if cluster.clock.exists():
        of_one["clock set"] = _set_clock
    return {**OF_ANY_HOST, **of_one}


def _of_a_host(inject: Callable[[Host, float], object]) -> Fault:
    """A fault of a random host, for a random time."""

    def fault(cluster: Cluster, choice: random.Random) -> str:
        host = choice.choice(cluster.hosts)
        inject(host, choice.uniform(0.5, _LONGEST))
        return host.name

    return fault


def _empty_redis(cluster: Cluster, choice: random.Random) -> str:
    with closing(RedisClient.from_url(cluster.redis_url, socket_timeout=1)) as client:
        try:
            client.flushall()
        except RedisError:  # it is starting
            return "unavailable redis"
    return "redis"


def _fill_disk(cluster: Cluster, choice: random.Random) -> str:
    filler = cluster.disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(_MEGABYTE):
            pass
    time.sleep(choice.uniform(0.5, _LONGEST))  # not a wait for an event: the duration of the fault
    filler.unlink()
    return "postgres"


def _forbid_writes(cluster: Cluster, choice: random.Random) -> str:
    try:
        _set_read_only(cluster, "on")
    except psycopg2.OperationalError:  # it is starting
        return "unavailable postgres"
    time.sleep(choice.uniform(0.5, _LONGEST))  # not a wait for an event: the duration of the fault
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
    "killed": _of_a_host(lambda host, _: host.kill()),
    "frozen": _of_a_host(Host.freeze),
    "cut off": _of_a_host(Host.cut_off),
    "slow": _of_a_host(Host.slow_down),
}
