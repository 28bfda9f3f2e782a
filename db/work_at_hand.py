"""Whether dispatch has anything to do, in one statement: nearly all of its passes find nothing."""

from typing import Final, NamedTuple

from db.journal import IS_WITHDRAWN
from db.leases import IS_ORPHANED, WAITS_FOR_A_START, is_due
from db.prepared import Prepared


class WorkAtHand(NamedTuple):
    """Which kinds of work there are: orders of lost workers, orders to cancel, halts, orders that wait for a start of
    the rate limit, and due orders."""

    orphans: bool
    withdrawn: bool
    halts: bool
    in_line: bool
    due: bool


_WORK: Final = Prepared(
    "work",
    (),
    f"""
    SELECT EXISTS (SELECT FROM orders WHERE {IS_ORPHANED}),
           EXISTS (SELECT FROM orders WHERE {IS_WITHDRAWN}),
           EXISTS (SELECT FROM halts),
           EXISTS (SELECT FROM orders WHERE {WAITS_FOR_A_START}),
           EXISTS (SELECT FROM orders WHERE {is_due("statement_timestamp()")})""",  # noqa: S608
)


def work_at_hand() -> WorkAtHand:
    """Needs a connection. If the clock was set ahead, there may be less work than this says: what ends a wait compares
    it with the time of the clock's reading."""
    return WorkAtHand(*_WORK.execute().fetchone())
