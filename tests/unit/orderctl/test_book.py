"""The client's book turns snapshots and events into the current orders."""

from datetime import UTC, datetime, timedelta

import pytest

from orderctl.tui import book as book_module
from orderctl.tui.book import Book
from orderd.client.errors import AnswerLostError
from orderd.domain.events import AnyFact
from orderd.domain.order import OrderKind, OrderStatus
from tests.samples.orders import (
    ACCEPTED,
    FILLED,
    FIRED,
    LIMIT,
    ORDER_ID,
    RAYDIUM,
    REFUSED_FOR_FUNDS,
    RETRIED,
    SIGNATURE,
    START,
    TRAILING,
    WITHDRAWN,
    history,
    order_after,
)
from tests.unit.orderctl.tui.desks import order, order_id


def book_after(facts: tuple[AnyFact, ...]) -> Book:
    book = Book()
    for event in history(facts):
        book.apply(event)
    return book


def test_an_order_is_known_from_its_first_event() -> None:
    known = book_after(FILLED[:1]).active[ORDER_ID]

    assert known == order_after(history(FILLED[:1]))
    assert book_after((ACCEPTED.model_copy(update={"label": "desk"}),)).active[ORDER_ID] == known


@pytest.mark.parametrize("facts", [FILLED, REFUSED_FOR_FUNDS, WITHDRAWN], ids=["filled", "refused", "withdrawn"])
def test_events_lead_to_the_daemons_state_of_an_order(facts: tuple[AnyFact, ...]) -> None:
    assert book_after(facts).ended[ORDER_ID] == order_after(history(facts))


def test_only_a_waiting_order_has_an_end_of_its_wait() -> None:
    assert book_after(RETRIED[:2]).active[ORDER_ID].due_at == START + timedelta(seconds=2)
    assert book_after(RETRIED[:3]).active[ORDER_ID].due_at is None
    retrying = book_after(RETRIED[:6]).active[ORDER_ID]
    assert (retrying.due_at, retrying.signature) == (START + timedelta(seconds=9), None)


def test_a_routed_order_has_its_venue_and_a_submitted_one_its_signature() -> None:
    known = book_after(FILLED[:4]).active[ORDER_ID]

    assert (known.venue, known.pool) == (RAYDIUM.venue, RAYDIUM.pool)
    assert known.signature == SIGNATURE


def test_a_resting_order_has_its_kind_price_and_validity() -> None:
    known = book_after(FIRED[:1]).active[ORDER_ID]
    assert (known.kind, known.limit_price, known.status) == (OrderKind.LIMIT, "105", OrderStatus.OPEN)
    assert known.valid_until == START + timedelta(hours=1)
    assert known.triggered_at is None
    assert book_after(FIRED[:2]).active[ORDER_ID].triggered_at == START + timedelta(seconds=0.25)

    until = (LIMIT.model_copy(update={"valid_for": None, "expires": "2025-12-01T09:30:00+01:00"}),)
    assert book_after(until).active[ORDER_ID].valid_until == datetime(2025, 12, 1, 8, 30, tzinfo=UTC)


def test_the_best_price_of_a_trailing_stop_rises_without_an_event() -> None:
    book = book_after((TRAILING,))
    known = book.active[ORDER_ID]
    book.put(known.model_copy(update={"best_amount_out": "150"}))
    assert book.active[ORDER_ID].best_amount_out == "150"

    revision = book.revision
    book.put(known.model_copy(update={"best_amount_out": "150"}))
    assert book.revision == revision


def test_a_repeated_event_changes_nothing() -> None:
    book = book_after(FILLED)
    revision = book.revision
    for event in history(FILLED):
        book.apply(event)
    book.put(order_after(history(FILLED[:2])))

    assert book.revision == revision
    assert book.get(ORDER_ID) == order_after(history(FILLED))


def test_a_missing_event_is_an_error() -> None:
    book = book_after(FILLED[:2])
    with pytest.raises(AnswerLostError, match="event 4 followed event 2"):
        book.apply(history(FILLED)[3])


def test_orders_missing_in_the_snapshots_of_a_new_connection_are_named() -> None:
    book = Book()
    book.put_all(order(number, FILLED[:2]) for number in (1, 2, 3))
    book.begin()
    assert book.unconfirmed == {order_id(1), order_id(2), order_id(3)}
    book.put(order(1, FILLED[:2]))
    book.put(order(2, FILLED))
    assert book.unconfirmed == {order_id(3)}

    book.forget_missing()
    assert set(book.active) == {order_id(1)}
    assert book.ended[order_id(2)].status is OrderStatus.CONFIRMED


def test_only_the_last_ended_orders_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "ENDED_KEPT", 2)
    book = Book()
    book.put_all(order(number, FILLED, updated_at=START + timedelta(seconds=number)) for number in (3, 1, 2))

    assert set(book.ended) == {order_id(2), order_id(3)}
