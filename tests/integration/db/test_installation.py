"""Each database has an installation id, and its orders have tags that only this installation can create."""

import hashlib
import hmac
from dataclasses import replace
from uuid import UUID

import pytest

from db import installation, journal
from db.connection import database
from db.models import DEFAULT_ACCOUNT
from orderd.domain.order import OrderKind
from tests.integration.family import twap
from tests.integration.orders import new_order, pending, read

pytestmark = pytest.mark.usefixtures("connection")


def tag_of(account_id: UUID, client_order_id: str) -> bytes:
    """The tag by an implementation independent of the database's."""
    (inner,) = database.execute_sql("SELECT inner_key FROM installation").fetchone()
    key = bytes(byte ^ 0x36 for byte in bytes(inner))
    return hmac.digest(key, account_id.bytes + client_order_id.encode(), hashlib.sha256)[:8]


def stored(order_id: UUID) -> bytes:
    tag = read(order_id).memo_tag
    assert tag is not None
    return bytes(tag)


def test_a_tag_is_an_hmac_of_account_and_client_order_id() -> None:
    (moved,) = journal.accept([new_order("mine")])
    assert stored(moved.order.id) == tag_of(DEFAULT_ACCOUNT, "mine")
    assert stored(pending()) != stored(moved.order.id)


def test_children_have_the_tag_of_their_parent() -> None:
    parent = twap()
    (child,) = journal.accept([replace(new_order(), parent_id=parent)])
    assert stored(child.order.id) == stored(parent)


def test_an_exit_order_has_the_tag_of_its_entry() -> None:
    (entry, exit_) = journal.accept(
        [new_order("mine", kind=OrderKind.MARKET, then_take_profit_price="1", then_stop_price="2")]
    )
    assert exit_.order.entry_id == entry.order.id
    assert stored(exit_.order.id) == stored(entry.order.id)


def test_an_installation_id_is_created_with_the_database_and_past_ids_are_own_until_their_end() -> None:
    known = installation.read()
    assert (len(known.id), known.past, known.seen_slot) == (4, {}, 0)
    database.execute_sql("INSERT INTO past_installations VALUES (%s, 100)", (b"past",))
    known = installation.read()
    assert known.is_own(known.id, 10**9)
    assert known.is_own(b"past", 100)
    assert not known.is_own(b"past", 101)
    assert not known.is_own(b"else", 1)
    installation.record_last_slot(7)
    installation.record_last_slot(5)
    assert installation.read().seen_slot == 7
