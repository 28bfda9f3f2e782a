"""Performance of the machine: baselines that make figures of different runs comparable."""

import re
import subprocess
import time
from typing import Final

import psycopg2
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from orderd.embedded.postgres import binary

_CLIENTS: Final = 10


def commits_per_second(database_url: str, seconds: float = 1.0) -> float:
    """Consecutive durable commits of one row on one connection."""
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS bench (id bigserial PRIMARY KEY, at timestamptz)")
            done, until = 0, time.perf_counter() + seconds
            while time.perf_counter() < until:
                cursor.execute("INSERT INTO bench (at) VALUES (now())")
                done += 1
            cursor.execute("DROP TABLE bench")
    finally:
        connection.close()
    return done / seconds


def pgbench(database_url: str, seconds: int = 2) -> float:
    """Transactions per second of Postgres' own benchmark: ten clients, with three updates, a read and an insert
    each."""
    program, scale = str(binary("pgbench")), str(_CLIENTS)
    subprocess.run(
        [program, "--initialize", "--quiet", "--scale", scale, database_url], check=True, stderr=subprocess.DEVNULL
    )
    options = ("--no-vacuum", "--protocol=prepared", "--client", scale, "--jobs=2", "--time", str(seconds))
    printed = subprocess.run([program, *options, database_url], check=True, capture_output=True, text=True).stdout
    found = re.search(r"^tps = ([\d.]+)", printed, re.MULTILINE)
    assert found is not None, printed
    return float(found[1])


async def echoes_per_second(seconds: float = 1.0) -> float:
    """Round trips over one loopback websocket, with client and server in one event loop."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", compression=None) as connection:
            done, until = 0, time.perf_counter() + seconds
            while time.perf_counter() < until:
                await connection.send("x" * 200)
                await connection.recv()
                done += 1
    return done / seconds


def spins_per_second() -> float:
    """Millions of iterations of an empty Python loop: the current speed of one core."""
    began = time.perf_counter()
    for _ in range(3_000_000):
        pass
    return 3 / (time.perf_counter() - began)
