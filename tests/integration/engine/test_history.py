"""The history of fills: newest first, paged and filtered, with totals over all matching fills."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from db import finality, journal
from db.connection import database
from db.journal import AttemptEnd, Change, NewAttempt
from db.models import DEFAULT_ACCOUNT, Order
from orderd.domain.errors import OrderdError
from orderd.domain.events import Submitted
from orderd.domain.order import OrderKind
from orderd.domain.times import format_moment
from orderd.engine.records.history import read_history
from orderd.wire.fills import HistoryParams, HistoryResult
from tests.integration.family import twap
from tests.integration.orders import FILL, LEAST, claimed, new_order, route
from tests.samples.orders import FILL as CONFIRMED
from tests.samples.orders import METEORA as QUOTED

pytestmark = pytest.mark.usefixtures("connection")


def filled(order: Order | None = None, *, mid: str | None = None, awaits_finality: bool = False) -> Order:
    """An order that sold 1.5 SOL for 152.310211 USDC, and was quoted 152.104."""
    order = route(claimed() if order is None else order)
    signature = f"signature of {order.id}"
    attempt = NewAttempt(1, signature, b"signed", 150, QUOTED.venue, QUOTED.pool, LEAST, 0, 3_750_000, mid)
    submitted = Submitted(attempt=1, signature=signature, last_valid_block_height=150)
    (live,) = journal.apply([Change(order.id, submitted, order.version, {"signature": signature}, new_attempt=attempt)])
    fact = CONFIRMED.model_copy(update={"signature": signature, "rent": "0.002"})
    end = AttemptEnd("landed", 9, 1, awaits_finality)
    (moved,) = journal.apply([Change(order.id, fact, live.order.version, FILL, attempt_end=end)])
    return moved.order


def history(account_id: UUID | None = DEFAULT_ACCOUNT, **params: Any) -> HistoryResult:
    return read_history(account_id, HistoryParams(**params))


def ids(found: HistoryResult) -> list[UUID]:
    return [fill.order_id for fill in found.fills]


def test_a_fill_shows_its_order_and_its_slippage() -> None:
    order = filled(mid="102")
    (fill,) = history().fills
    assert (fill.order_id, fill.client_order_id) == (order.id, order.client_order_id)
    assert (fill.account, fill.kind, fill.venue) == ("default", OrderKind.MARKET, order.venue)
    assert (fill.amount_in, fill.token_in, fill.amount_out, fill.token_out) == ("1.5", "SOL", "152.310211", "USDC")
    assert fill.quote_slippage_bps == "-13.56", "206,211 base units above the quote of 152,104,000"
    assert fill.mid_slippage_bps == "45.08", "152.310211 USDC for 1.5 SOL that were worth 153"


def test_a_fill_without_a_mid_price_has_no_slippage_to_mid() -> None:
    filled()
    assert history().fills[0].mid_slippage_bps is None


def test_pages_cover_all_fills_newest_first_and_the_first_has_the_totals() -> None:
    orders = [filled().id for _ in range(5)]
    page = history(limit=2)
    assert page.totals is not None
    (pair,) = page.totals.pairs
    assert (page.totals.fills, page.totals.network_fee, page.totals.rent) == (5, "0.000025", "0.01")
    assert (pair.fills, pair.amount_in, pair.amount_out, pair.price) == (5, "7.5", "761.551055", "101.540141")
    found = ids(page)
    while page.next_cursor is not None:
        page = history(limit=2, cursor=page.next_cursor)
        assert page.totals is None
        found += ids(page)
    assert found == orders[::-1]


def test_fills_with_the_same_time_are_each_on_one_page() -> None:
    orders = {filled().id for _ in range(3)}
    database.execute_sql("UPDATE fills SET at = '2026-11-01T00:00:00Z'")
    first = history(limit=1)
    second = history(limit=1, cursor=first.next_cursor)
    third = history(limit=1, cursor=second.next_cursor)
    assert {*ids(first), *ids(second), *ids(third)} == orders


def test_filters_apply_to_fills_and_totals() -> None:
    rests = new_order(kind=OrderKind.STOP, stop_price="90")
    journal.accept([rests])
    early, late = filled().id, filled().id
    at = {fill.order_id: fill.at for fill in history().fills}
    assert ids(history(since=format_moment(at[late]))) == [late]
    assert ids(history(until=format_moment(at[late]))) == [early]
    assert ids(history(token="usdc", kind=["market"])) == [late, early]
    assert ids(history(token="CHILLGUY")) == ids(history(kind=["stop"])) == []
    totals = history(since=format_moment(at[late])).totals
    assert totals is not None
    assert totals.fills == 1
    later = format_moment(at[late] + timedelta(seconds=1))
    assert history(since=later).totals == history(token="CHILLGUY").totals


def test_a_kind_includes_the_orders_that_execute_it_in_part() -> None:
    parent = twap()
    part, _ = filled().id, filled()
    database.execute_sql("UPDATE orders SET parent_id = %s WHERE id = %s", (str(parent), str(part)))
    found = history(kind=["twap"])
    assert ids(found) == [part]
    assert found.totals is not None
    assert found.totals.fills == 1


def test_an_account_sees_only_its_own_fills() -> None:
    order = filled()
    other = UUID("00000000-0000-7000-8000-00000000000f")
    assert ids(history(other)) == []
    assert ids(history(None)) == [order.id]


def test_a_rolled_back_fill_is_not_listed() -> None:
    filled(awaits_finality=True)
    finality.roll_back(finality.awaiting(1))
    assert (history().fills, history().totals) == ((), history(token="none").totals)


@pytest.mark.parametrize("name", ["since", "until"])
def test_an_invalid_time_is_refused(name: str) -> None:
    with pytest.raises(OrderdError, match="not a time with a zone"):
        read_history(None, HistoryParams.model_validate({name: "yesterday"}))
