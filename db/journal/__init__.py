"""All changes of orders. Each change and its event are written by one statement, and so in one commit.

A change contains the fact that has happened. The statement changes the order's state by the transition table, numbers
the event, and writes the attempt or the failure that belongs to it. If another writer was faster (a cancel, a newer
claim), it matches no row and changes nothing: the order is not among the returned ones.
"""

from db.journal.acceptance import NewOrder, accept, accept_exits, submitted_as
from db.journal.cancellation import IS_WITHDRAWN, request_cancel, withdraw
from db.journal.changes import AttemptEnd, Change, FailureRecord, NewAttempt
from db.journal.claims import claim, recent_starts
from db.journal.due import IN_LINE, IN_LINE_SECONDS
from db.journal.rows import Moved
from db.journal.unknown import flag_unknown
from db.journal.waiting import Waits, defer
from db.journal.writing import INVALID_VALUES, InvalidValue, apply, apply_each, in_order

__all__ = [
    "INVALID_VALUES",
    "IN_LINE",
    "IN_LINE_SECONDS",
    "IS_WITHDRAWN",
    "AttemptEnd",
    "Change",
    "FailureRecord",
    "InvalidValue",
    "Moved",
    "NewAttempt",
    "NewOrder",
    "Waits",
    "accept",
    "accept_exits",
    "apply",
    "apply_each",
    "claim",
    "defer",
    "flag_unknown",
    "in_order",
    "recent_starts",
    "request_cancel",
    "submitted_as",
    "withdraw",
]
