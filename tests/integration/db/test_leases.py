"""Leases: due orders are claimed once, abandoned ones return, and their former owner can no longer write."""

from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from db import journal, leases
from db.journal import AttemptEnd, Change
from orderd.domain.order import OrderStatus
from tests.integration.orders import FILL, built, claimed, lapse, pending, read, sign
from tests.samples.orders import FILL as CONFIRMED

pytestmark = pytest.mark.usefixtures("connection")


def test_due_orders_are_claimed_once_in_order_of_arrival() -> None:
    first, second = pending(), pending()
    assert leases.take_due(10).start == [], "a new order is already in the queue"
    lapse(first)
    lapse(second)
    assert leases.take_due(10).start == [first, second]
    assert leases.take_due(10).start == []
    leases.give_back([second])
    assert leases.take_due(10).start == [second]


def test_a_new_order_is_soon_due_because_its_message_may_never_be_sent() -> None:
    order = read(pending())
    assert order.lease_until is not None
    assert order.due_at is not None
    assert order.lease_until - order.due_at < timedelta(seconds=3)


def test_reclaimed_orders_return_to_the_queue_and_their_former_owner_cannot_write() -> None:
    order = claimed()
    assert leases.orphans(10) == []
    lapse(order.id)
    assert [moved.order.status for moved in leases.reclaim(leases.orphans(10))] == [OrderStatus.PENDING]
    (again,) = journal.claim([order.id], "worker-b", 15)
    assert again.order.version > order.version
    assert leases.reclaim([order]) == [], "the newer claim was reclaimed"


def test_leases_are_renewed_only_by_their_owner() -> None:
    order = claimed("worker-a", lease_seconds=0)
    assert leases.renew("worker-b", [order.id], 60) == 0
    assert leases.renew("worker-a", [order.id, uuid7()], 60) == 1
    assert leases.orphans(10) == []


def test_a_live_attempt_is_adopted_when_its_owner_is_dead() -> None:
    live = sign(built("worker-a"), "sig", last_valid_block_height=77)
    assert leases.adopt_submitted("worker-b", 15, 10) == []
    lapse(live.order.id)
    (adopted,) = leases.adopt_submitted("worker-b", 15, 10)
    assert (adopted.signature, adopted.signed_bytes, adopted.last_valid_block_height) == ("sig", b"signed", 77)
    assert adopted.order.version == live.order.version + 1
    late = Change(live.order.id, CONFIRMED, live.order.version, FILL, attempt_end=AttemptEnd("landed", 9, sends=1))
    assert journal.apply([late]) == [], "the former owner could write"
