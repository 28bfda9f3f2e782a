"""Registered processes, and the release of the leases of dead ones.

A row is a process that runs or was not stopped properly. ``orderd.engine.presence`` decides which processes are dead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from db import alerts
from db.connection import database, transaction
from db.journal import in_order
from db.models import in_states
from orderd.domain.alerts import AlertKind
from orderd.domain.order import LEASED, WAITING

# Each has its own index.
_BEGUN: Final = in_states(LEASED)
_SENT: Final = in_states(WAITING)


@dataclass(frozen=True, slots=True)
class Process:
    """``name`` owns leases. ``pid`` and ``started``, in clock ticks since the boot, are those of ``machine``."""

    name: str
    machine: str
    pid: int
    started: int


def beat(process: Process, *, watches: bool = False) -> None:
    """Record a heartbeat of a process; also registers it, even after it was considered dead.

    ``watches``: it shares the pairs of resting orders with the other watching processes.
    """
    database.execute_sql(
        """
        INSERT INTO processes (name, machine, pid, started, watches) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (name) DO UPDATE SET beats = processes.beats + 1, watches = excluded.watches""",
        (process.name, process.machine, process.pid, process.started, watches),
    )


def known() -> dict[Process, int]:
    """All processes with their numbers of heartbeats."""
    rows = database.execute_sql("SELECT name, machine, pid, started, beats FROM processes")
    return {Process(name, machine, pid, started): beats for name, machine, pid, started, beats in rows}


def watching() -> frozenset[str]:
    """The names of the processes that watch resting orders."""
    return frozenset(name for (name,) in database.execute_sql("SELECT name FROM processes WHERE watches"))


def release_dead(dead: Sequence[tuple[Process, int]]) -> list[str]:
    """Release the leases of dead processes, unless they have sent more heartbeats. Returns their names.

    Signed attempts can then be adopted and started orders reclaimed. Orders that were only accepted are enqueued,
    possibly a second time.
    """
    return _release_dead(dead) if dead else []


@transaction
def _release_dead(dead: Sequence[tuple[Process, int]]) -> list[str]:
    rows = database.execute_sql(
        """
        DELETE FROM processes WHERE name IN (
            SELECT name FROM processes JOIN unnest(%s::text[], %s::bigint[]) AS said (name, beats) USING (name, beats)
            ORDER BY name FOR UPDATE OF processes)
        RETURNING name""",
        ([process.name for process, _ in dead], [beats for _, beats in dead]),
    )
    names = [name for (name,) in rows]
    _release(_BEGUN, names)
    _release(_SENT, names)
    for name in names:
        alerts.store(AlertKind.RESTARTED, {"process": name, "text": name})
    return names


@transaction
def unregister(name: str) -> int:
    """Remove a process that stops, and release its leases; orders that it sent are in the queue. Returns the number of
    released leases."""
    database.execute_sql("DELETE FROM processes WHERE name = %s", (name,))
    return _release(_BEGUN, [name])


def _release(which: str, owners: Sequence[str]) -> int:
    held = in_order(f"{which} AND lease_owner = ANY(%s)")
    cursor = database.execute_sql(
        f"UPDATE orders SET lease_owner = NULL, lease_until = NULL WHERE id IN ({held})",  # noqa: S608
        (list(owners),),
    )
    return int(cursor.rowcount)
