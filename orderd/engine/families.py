"""Families: orders that are executed by child orders, such as a TWAP's executions, the parts of a limit order, or an
OCO's two ends.

The parent rests while its children are executed like any order. Only their final sales count; they are read from the
children each time, so a crash loses and repeats nothing. What an operator declared dead may have been sold, so it is
never sold by another child. One process of the cluster at a time handles all families.
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog
from peewee import PeeweeException
from uuid_utils.compat import uuid7

from db import families, journal
from db.audit import DAEMON
from db.connection import database, transaction
from db.families import Family
from db.journal import Change, Moved, NewOrder
from db.models import Order
from db.terms import terms_of
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Confirmed, Deferred, Executing, Expired, Failed, FilledPart, Retrying
from orderd.domain.exits import stop_of, take_profit_of
from orderd.domain.money import LAMPORT_DECIMALS, format_amount, format_price
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from orderd.domain.parts import part_of
from orderd.domain.retry import RetryPolicy, may_pass
from orderd.domain.schedule import Schedule
from orderd.engine import views
from orderd.engine.publish import Publisher

_AT_ONCE: Final = 1_000
_UNTIL_ITS_END_MS: Final = 366 * 86_400_000
"""A parent is checked again when its child has ended."""
_AT_ONCE_MS: Final = 1_500
"""Maximum time until the market is checked for an order that may not wait."""
log = structlog.get_logger(__name__)


class Families:
    """One pass at a time; any number of processes may run it together. ``send`` puts orders in the queue."""

    def __init__(
        self,
        publisher: Publisher,
        send: Callable[[Sequence[UUID]], None],
        market_seconds: int,
        policy: RetryPolicy,
        halted: Callable[[], object] = lambda: None,
        check_clock: Callable[[], datetime | None] = lambda: None,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """``market_seconds`` is the maximum validity of an order at the market's price. While trading is ``halted``, a
        TWAP is paused. ``check_clock`` returns the current time for ending waits."""
        self._publisher = publisher
        self._send = send
        self._market_seconds = market_seconds
        self._policy = policy
        self._halted = halted
        self._chance = chance
        self._check_clock = check_clock
        self._as_of: datetime | None = None
        self._after = 0

    def run_once(self) -> int:
        """Check all families. Returns how many have changed."""
        with database.connection_context():
            if families.are_quiet():
                return 0
            with families.exclusive_handling() as is_mine:
                if not is_mine:
                    return 0
                self._as_of = self._check_clock()
                return self._process_changes()

    def execute(self, parent_id: UUID, amount_in: int) -> bool:
        """Let a child sell this part of a limit order, unless one does already. Needs no connection."""
        with database.connection_context():
            return self._advance(parent_id, partial(self._execute_part, parent_id, amount_in))

    @transaction
    def _execute_part(self, parent_id: UUID, amount_in: int) -> list[Moved]:
        families.lock(parent_id)
        family = families.of(parent_id)
        if family is None or family.busy or not 0 < amount_in <= family.remaining or family.parent.cancel_requested:
            return []
        return self._child(family, amount_in, {}, _UNTIL_ITS_END_MS)

    # Progress of families

    def _process_changes(self) -> int:
        """Process the families with changes. The mark of a family that still has work stays, and the next pass checks
        it again."""
        changes = families.changes(self._after, _AT_ONCE)
        self._after = changes[-1].number if len(changes) == _AT_ONCE else 0
        found = families.by_id(
            {each.parent_id for each in changes} | {*families.timed(_AT_ONCE, self._as_of)}, self._as_of
        )
        to_move = [family for family in found if not family.busy and self._is_to_move(family)]
        moved = sum(self._advance(family.parent.id, partial(self._move, family.parent.id)) for family in to_move)
        more_to_do = {family.parent.id for family in to_move}
        families.forget([each.number for each in changes if each.parent_id not in more_to_do])
        return moved

    def _advance(self, parent_id: UUID, step: Callable[[], list[Moved]]) -> bool:
        """Publish the changes of a step, and queue new children. Returns whether there were any."""
        try:
            moved = step()
        except (OrderdError, PeeweeException, ValueError) as error:
            # One family's error does not concern the others.
            log.exception("family stuck", action="family_failed", order_id=str(parent_id), error=str(error))
            return False
        self._publisher.publish(moved)
        if begun := [each.order.id for each in moved if each.order.status is OrderStatus.PENDING]:
            self._send(begun)
        return bool(moved)

    def _is_to_move(self, family: Family) -> bool:
        parent = family.parent
        if self._is_over(family) or family.filled_in != (parent.filled_in or 0):
            return True
        if parent.kind is OrderKind.OCO:
            return family.children == 0
        if parent.partial:
            return family.children > 0 and family.due_ms < -_UNTIL_ITS_END_MS // 2
        return not parent.paused and not self._halted() and family.due_ms >= 0

    @transaction
    def _move(self, parent_id: UUID) -> list[Moved]:
        families.lock(parent_id)
        family = families.of(parent_id, self._as_of)
        if family is None or family.busy:
            return []
        if self._is_over(family):
            return [*_cancel_children(parent_id), *journal.apply([_end(family)])]
        if family.filled_in != (family.parent.filled_in or 0):
            return journal.apply([_filled(family)])
        if family.parent.kind is OrderKind.TWAP:
            return self._next_slice(family)
        if family.parent.kind is OrderKind.OCO:
            return self._two_ends(family.parent)
        return journal.apply([_tried(family, self._policy.backoff_ms(family.tries, self._chance()))])

    def _is_over(self, family: Family) -> bool:
        parent = family.parent
        if parent.cancel_requested or family.is_lapsed or family.remaining <= 0:
            return True
        if parent.kind is OrderKind.OCO:
            return family.filled_in > 0 or (family.children > 0 and family.resting == 0)
        if parent.time_in_force is TimeInForce.IOC and (family.children or family.due_ms > _AT_ONCE_MS):
            return True
        if parent.partial:
            has_failed = family.tries > 0 and family.error is not None and not may_pass(family.error.code)
            return has_failed or family.abandoned > 0
        return parent.kind is OrderKind.TWAP and parent.slice_no >= (parent.slices or 0)

    def _next_slice(self, family: Family) -> list[Moved]:
        parent = family.parent
        schedule = schedule_of(parent)
        execution = schedule.at(parent.slice_no, family.due_ms, family.remaining)
        until = _offset_ms(parent, schedule, execution.number) - _offset_ms(parent, schedule, parent.slice_no)
        columns = {"slice_no": execution.number}
        delay_ms = until - family.due_ms  # negative if the next one was missed too
        if execution.amount_in == 0:
            missed = Deferred(until=parent.updated_at, reason="the time of an execution was missed")
            return journal.apply([Change(parent.id, missed, None, columns, to=OrderStatus.OPEN, delay_ms=delay_ms)])
        return self._child(family, execution.amount_in, columns, delay_ms)

    def _two_ends(self, parent: Order) -> list[Moved]:
        """Both of them rest, under the times of their parent."""
        terms = terms_of(parent)
        until = parent.valid_until
        both = (take_profit_of(terms), stop_of(terms))
        ends = [replace(end, expires_at=until, valid_seconds=None, amount_word=None) for end in both]
        now_ns = time.time_ns()  # a millisecond apart, so that already the short forms of their ids differ
        ids = [uuid7(nanoseconds=now_ns + number * 1_000_000) for number, _ in enumerate(ends)]
        new = [
            NewOrder(child, parent.account_id, str(child), end, DAEMON, parent_id=parent.id)
            for child, end in zip(ids, ends, strict=True)
        ]
        amount = format_amount(parent.amount, parent.decimals_in)
        moved = journal.accept(new)
        for number, child in enumerate(ids, start=1):
            fact = Executing(child=child, number=number, amount_in=amount)
            moved += journal.apply([Change(parent.id, fact, None, to=OrderStatus.OPEN)])
        return moved

    def _child(self, family: Family, amount_in: int, columns: dict[str, Any], delay_ms: int) -> list[Moved]:
        parent = family.parent
        terms = part_of(terms_of(parent), amount_in)
        seconds = min(self._market_seconds, parent.every_seconds or self._market_seconds)
        if family.valid_ms is not None and family.valid_ms < seconds * 1000:
            terms = replace(terms, expires_at=parent.valid_until)
        child_id = uuid7()
        new = NewOrder(child_id, parent.account_id, str(child_id), terms, DAEMON, seconds, parent_id=parent.id)
        fact = Executing(
            child=child_id, number=family.children + 1, amount_in=format_amount(amount_in, parent.decimals_in)
        )
        change = Change(parent.id, fact, None, columns, to=OrderStatus.OPEN, delay_ms=delay_ms)
        return [*journal.apply([change]), *journal.accept([new])]


def _offset_ms(parent: Order, schedule: Schedule, number: int) -> int:
    """Offset of an execution to the first one. The random part is drawn per execution, so that it does not move later
    ones."""
    return schedule.offset_ms(number, random.Random(f"{parent.id} {number}").random())  # noqa: S311  (guards nothing)


def schedule_of(parent: Order) -> Schedule:
    assert parent.slices is not None
    assert parent.every_seconds is not None
    assert parent.catch_up is not None
    return Schedule(parent.slices, parent.every_seconds, parent.jitter_bps or 0, parent.catch_up)


def _cancel_children(parent_id: UUID) -> list[Moved]:
    return journal.apply([Change(child.id, Cancelled(), None) for child in families.children(parent_id)])


def _sums(family: Family) -> dict[str, Any]:
    if family.filled_in == 0:
        return {}
    return {"filled_in": family.filled_in, "filled_out": family.filled_out, "network_fee": family.network_fee}


def _filled(family: Family) -> Change:
    parent = family.parent
    fact = FilledPart(
        amount_in=format_amount(family.filled_in, parent.decimals_in),
        amount_out=format_amount(family.filled_out, parent.decimals_out),
        executed_price=_price(family),
        remaining=format_amount(max(family.remaining, 0), parent.decimals_in),
    )
    delay_ms = 0 if parent.partial else -family.due_ms  # it is due when it was
    return Change(parent.id, fact, None, _sums(family), to=OrderStatus.OPEN, delay_ms=delay_ms)


def _tried(family: Family, delay_ms: int) -> Change:
    """The amount that the last child could not sell rests again."""
    parent = family.parent
    error = _error(family)
    fact = Retrying(attempt=family.children, code=error.code, detail=error.detail, until=parent.updated_at)
    return Change(parent.id, fact, None, to=OrderStatus.OPEN, delay_ms=delay_ms)


def _price(family: Family) -> str:
    parent = family.parent
    return format_price(family.filled_in, parent.decimals_in, family.filled_out, parent.decimals_out)


def _end(family: Family, *, withdrawn: bool = False) -> Change:
    """The end of a family: filled if nothing is left to sell, otherwise the end of the rest, with the filled
    amounts."""
    parent, sums = family.parent, _sums(family)
    if family.last is not None and not family.abandoned and (family.remaining <= 0 or parent.kind is OrderKind.OCO):
        fact = _last_fill(family.last)
        fill = fact.model_copy(
            update={
                "amount_in": format_amount(family.filled_in, parent.decimals_in),
                "amount_out": format_amount(family.filled_out, parent.decimals_out),
                "executed_price": _price(family),
                "network_fee": format_amount(family.network_fee, LAMPORT_DECIMALS),
            }
        )
        columns = sums | {"signature": fact.signature, "venue": str(fact.venue)}
        return Change(parent.id, fill, None, columns, to=OrderStatus.CONFIRMED)
    if withdrawn or parent.cancel_requested:
        return Change(parent.id, Cancelled(), None, sums, to=OrderStatus.CANCELLED)
    left = f"{format_amount(parent.amount - family.filled_in, parent.decimals_in)} {parent.token_in} were not sold"
    if family.abandoned:
        amount = f"{format_amount(family.abandoned, parent.decimals_in)} {parent.token_in}"
        detail = f"{left}; an operator has declared transactions dead that sell {amount}, which is not sold again"
        abandoned = Failed(attempt=max(family.children, 1), code=ErrorCode.TX_ABANDONED, detail=detail)
        columns = sums | {"error_code": str(abandoned.code), "error_detail": detail}
        return Change(parent.id, abandoned, None, columns, to=OrderStatus.FAILED)
    if family.is_lapsed or family.filled_in or parent.time_in_force is TimeInForce.IOC:
        expired = Expired(detail=f"its time is over; {left}")
        columns = sums | {"error_code": str(expired.code), "error_detail": expired.detail}
        return Change(parent.id, expired, None, columns, to=OrderStatus.EXPIRED)
    error = _error(family)
    failed = Failed(attempt=max(family.children, 1), code=error.code, detail=f"{left}: {error.detail}")
    columns = {"error_code": str(error.code), "error_detail": failed.detail}
    return Change(parent.id, failed, None, columns, to=OrderStatus.FAILED)


def _last_fill(child_id: UUID) -> Confirmed:
    (fact,) = [each.data for each in views.events_after(child_id, 0) if isinstance(each.data, Confirmed)][-1:]
    return fact


def _error(family: Family) -> OrderdError:
    """The reason why none of its children was filled."""
    return family.error or OrderdError(ErrorCode.ORDER_CANCELLED, "the orders that were to execute it were cancelled")


@transaction
def cancel(parent_id: UUID) -> list[Moved]:
    """Cancel a family: the children that are not signed, and then the parent.

    If a child is signed, the parent ends after it. Needs a connection. Returns nothing if the parent had ended.
    """
    families.lock(parent_id)
    if families.of(parent_id) is None:
        return []
    moved = _cancel_children(parent_id)
    for child in families.children(parent_id):
        moved += journal.request_cancel(child.id)
    family = families.of(parent_id)
    assert family is not None, "it is locked"
    return [
        *moved,
        *(journal.request_cancel(parent_id) if family.busy else journal.apply([_end(family, withdrawn=True)])),
    ]
