"""The one place where an order changes: each change and its event in one statement, so in one commit.

A change names the fact that has happened. The statement moves the order along the transition table, numbers the event
and also writes the attempt or the failure that belongs to it. If another writer was faster (a cancel, a newer claim),
it matches no row and changes nothing: the caller sees that its order is not among the returned ones.
"""

from db.journal.acceptance import NewOrder, accept, accept_exits, submitted_as
from db.journal.cancellation import request_cancel, withdraw
from db.journal.changes import AttemptEnd, Change, FailureRecord, NewAttempt
from db.journal.claims import claim, recent_starts
from db.journal.due import IN_LINE, IN_LINE_SECONDS
from db.journal.rows import Moved
from db.journal.unknown import flag_unknown
from db.journal.waiting import Waits, defer
from db.journal.writing import OBJECTIONS, Objection, apply, apply_each, in_order

__all__ = [
    "IN_LINE",
    "IN_LINE_SECONDS",
    "OBJECTIONS",
    "AttemptEnd",
    "Change",
    "FailureRecord",
    "Moved",
    "NewAttempt",
    "NewOrder",
    "Objection",
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
