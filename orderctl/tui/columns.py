"""The columns of a table of orders: what each shows, and how orders are sorted by it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, Final

from orderctl.display.tables import SHORT_ID, UNKNOWN
from orderctl.display.timeline import duration
from orderctl.output.colours import STATE_TONES, UNKNOWN_TONE
from orderd.domain.order import STAGES, TERMINAL
from orderd.wire import OrderView

STAGE_CELLS = 2

Cell = tuple[str, str]
"""A text, and its role: "" or the name of a component class of the table."""


@dataclass(frozen=True, slots=True)
class Column:
    """``grows`` takes the room that the other columns leave."""

    name: str
    width: int
    cells: Callable[[OrderView, datetime], tuple[Cell, ...]]
    key: Callable[[OrderView], Any]
    right: bool = False
    grows: bool = False


def status_role(order: OrderView) -> str:
    tone = STATE_TONES[order.status] if order.unknown_since is None else UNKNOWN_TONE
    return tone.role


def _status(order: OrderView) -> str:
    return order.status if order.unknown_since is None else UNKNOWN


def _stages(order: OrderView, _: datetime) -> tuple[Cell, ...]:
    """A bar through the stages: heavy for what is reached, light for what is to come."""
    total = len(STAGES) * STAGE_CELLS
    if order.status in STAGES:
        done = (STAGES.index(order.status) + 1) * STAGE_CELLS
        return ("━" * done, status_role(order)), ("─" * (total - done), "muted")
    return (("─" * total, status_role(order)),)


def _result(order: OrderView, now: datetime) -> tuple[Cell, ...]:
    """The fill, why there is none, what is waited for, or what is being bought: as much as was quoted."""
    if order.amount_out is not None:
        return ((f"{order.amount_out} {order.token_out}", "good"),)
    if order.error is not None:
        return ((order.error.code, "bad"),)
    if order.due_at is not None and order.due_at > now:
        return ((f"in {_whole((order.due_at - now).total_seconds() + 1)}", "waiting"),)
    if order.quoted_amount_out is not None and order.status not in TERMINAL:
        return (("→ ", "muted"), (f"{order.quoted_amount_out} {order.token_out}", ""))
    return ((f"→ {order.token_out}", "muted"),)


def _age(order: OrderView, now: datetime) -> tuple[Cell, ...]:
    return ((_whole((now - order.created_at).total_seconds()), ""),)


def _ended(order: OrderView, now: datetime) -> tuple[Cell, ...]:
    """The local time of day; the day where it is not today."""
    at = order.updated_at.astimezone()
    return (((f"{at:%H:%M}" if at.date() == now.astimezone().date() else f"{at:%m-%d}"), ""),)


def _whole(seconds: float) -> str:
    """A length of time without its fractions, which would flicker: ``12 s``, ``1:01``, ``2 h``."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    return duration(whole) if whole < 3600 else f"{whole // 3600} h"


ID: Final = Column("ID", SHORT_ID, lambda order, _: ((str(order.id)[:SHORT_ID], "id"),), lambda order: order.id)
STATUS: Final = Column(
    "STATUS", 9, lambda order, _: ((_status(order), status_role(order)),), lambda order: (_status(order), order.id)
)
STAGE: Final = Column(
    "STAGES",
    len(STAGES) * STAGE_CELLS,
    _stages,
    lambda order: (STAGES.index(order.status) if order.status in STAGES else len(STAGES), order.id),
)
SELL: Final = Column(
    "SELL",
    15,
    lambda order, _: ((f"{order.amount_in} {order.token_in}", ""),),
    lambda order: (order.token_in, Decimal(order.amount_in), order.id),
    right=True,
)
RESULT: Final = Column("RESULT", 16, _result, lambda order: (order.token_out, order.id), right=True, grows=True)
VENUE: Final = Column(
    "VENUE", 8, lambda order, _: ((order.venue or "-", ""),), lambda order: (order.venue or "", order.id)
)
TRY: Final = Column(
    "TRY", 3, lambda order, _: ((str(order.attempt or "-"), ""),), lambda order: (order.attempt, order.id), right=True
)
AGE: Final = Column("AGE", 5, _age, lambda order: order.created_at, right=True)
ENDED: Final = Column("ENDED", 5, _ended, lambda order: order.updated_at, right=True)

GAP = 2
"""Cells between two columns."""
MOST_WIDER = 24
"""Cells that a column grows at most: eyes have to find the way across."""
_OPTIONAL = (VENUE, TRY)


@cache
def fitting(columns: tuple[Column, ...], width: int) -> tuple[Column, ...]:
    """``columns`` without those that can be spared, until what is left fits in ``width`` cells and fills them."""
    for spared in range(len(_OPTIONAL) + 1):
        left = tuple(column for column in columns if column not in _OPTIONAL[:spared])
        room = width + GAP - sum(column.width + GAP for column in left)
        if room >= 0:
            break
    wider = max(0, min(room, MOST_WIDER))
    return tuple(replace(column, width=column.width + wider) if column.grows else column for column in left)


ACTIVE_COLUMNS: Final = (ID, STATUS, STAGE, SELL, RESULT, VENUE, TRY, AGE)
ENDED_COLUMNS: Final = (ID, STATUS, SELL, RESULT, VENUE, TRY, ENDED)


def shortened(cells: tuple[Cell, ...], width: int) -> tuple[Cell, ...]:
    """``cells`` within ``width``, or the last of them: an amount loses digits, and never its token."""
    if sum(len(text) for text, _ in cells) <= width:
        return cells
    text, role = cells[-1]
    if len(text) <= width:
        return (cells[-1],)
    head, space, tail = text.rpartition(" ")
    kept = width - len(space) - len(tail) - 1
    return ((f"{head[:kept]}…{space}{tail}" if kept > 0 else f"{text[: width - 1]}…", role),)


def matches(order: OrderView, words: tuple[str, ...]) -> bool:
    """Whether each word, in lower case, is found in one of the order's names."""
    if not words:
        return True
    names = (str(order.id), order.client_order_id, _status(order), order.token_in, order.token_out, order.amount_in)
    text = "\n".join((*names, order.venue or "", order.error.code if order.error else "")).lower()
    return all(word in text for word in words)
