"""The processes that have registered themselves, and the release of what dead ones held.

A row is a process that was not stopped in order. ``orderd.engine.presence`` decides which of them are dead.
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
    """Say that it lives; also for the first time, and after it was taken for dead.

    ``watches``: it shares the pairs of resting orders with the other watching processes.
    """
    database.execute_sql(
        """
        INSERT INTO processes (name, machine, pid, started, watches) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (name) DO UPDATE SET beats = processes.beats + 1, watches = excluded.watches""",
        (process.name, process.machine, process.pid, process.started, watches),
    )


def known() -> dict[Process, int]:
    """All of them, with their beats so far."""
    rows = database.execute_sql("SELECT name, machine, pid, started, beats FROM processes")
    return {Process(name, machine, pid, started): beats for name, machine, pid, started, beats in rows}


def watching() -> frozenset[str]:
    """The names of the processes that watch resting orders."""
    return frozenset(name for (name,) in database.execute_sql("SELECT name FROM processes WHERE watches"))


def bury(dead: Sequence[tuple[Process, int]]) -> list[str]:
    """Release everything that these processes hold, unless they have sent more heartbeats. Returns the released names.

    Signed attempts can then be adopted, started orders reclaimed, and orders that were only accepted are put in the
    queue, whether or not they were there.
    """
    return _bury(dead) if dead else []


@transaction
def _bury(dead: Sequence[tuple[Process, int]]) -> list[str]:
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
def leave(name: str) -> int:
    """A process stops: remove it, and release what it has started; what it sent is in the queue. Returns the number."""
    database.execute_sql("DELETE FROM processes WHERE name = %s", (name,))
    return _release(_BEGUN, [name])


def _release(which: str, owners: Sequence[str]) -> int:
    held = in_order(f"{which} AND lease_owner = ANY(%s)")
    cursor = database.execute_sql(
        f"UPDATE orders SET lease_owner = NULL, lease_until = NULL WHERE id IN ({held})",  # noqa: S608
        (list(owners),),
    )
    return int(cursor.rowcount)
