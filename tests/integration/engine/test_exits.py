"""What an order has bought is sold again by the order that follows it: once, all of it, when that is final."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from db import finality, journal
from db.connection import database
from db.journal import AttemptEnd, Change, Moved
from db.models import Order
from db.terms import terms_of
from orderd.domain.events import Cancelled
from orderd.domain.order import Floor, OrderKind, OrderStatus
from orderd.engine.exits import Exits
from tests.integration.orders import FILL, pending, read, route, sign
from tests.samples.orders import FILL as CONFIRMED

pytestmark = pytest.mark.usefixtures("connection")
BOTH = {"then_take_profit_price": "90", "then_stop_price": "120"}
"""For whoever has sold SOL: cheaper is a profit."""


@dataclass
class Told:
    published: list[Moved] = field(default_factory=list)

    def publish(self, changes: Sequence[Moved]) -> None:
        self.published += changes


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def exits(told: Told) -> Exits:
    return Exits(told, lambda _: None)  # type: ignore[arg-type]  # it only remembers


def entry(terms: Mapping[str, str] = BOTH, *, awaits_finality: bool = False) -> Order:
    order_id = pending(**terms)
    (claimed,) = journal.claim([order_id], "worker", 15)
    order = sign(route(claimed.order), "landed").order
    end = AttemptEnd("landed", 9, sends=1, awaits_finality=awaits_finality)
    (moved,) = journal.apply([Change(order.id, CONFIRMED, order.version, FILL, attempt_end=end)])
    return moved.order


def followers() -> list[Order]:
    return list(Order.select().where(Order.client_order_id.endswith("-exit")).order_by(Order.id))


def test_an_order_that_has_bought_is_followed_once_by_one_that_sells_what_was_received(
    exits: Exits, told: Told
) -> None:
    bought = entry()
    assert (exits.run_once(), exits.run_once()) == (1, 0)
    (follower,) = followers()
    assert (follower.client_order_id, follower.status) == (f"{bought.id}-exit", OrderStatus.OPEN)
    assert (follower.mint_in, follower.mint_out, follower.amount_in) == (
        bought.mint_out,
        bought.mint_in,
        FILL["filled_out"],
    )
    assert [each.order.id for each in told.published] == [follower.id]


@pytest.mark.parametrize(
    ("given", "kind", "floor"),
    [
        (BOTH, OrderKind.OCO, Floor.EACH),
        ({"then_take_profit_price": "90"}, OrderKind.TAKE_PROFIT, Floor.EACH),
        ({"then_stop_price": "120"}, OrderKind.STOP, Floor.EACH),
    ],
)
def test_its_kind_follows_from_the_prices(exits: Exits, given: dict[str, str], kind: OrderKind, floor: Floor) -> None:
    entry(given)
    exits.run_once()
    (follower,) = map(terms_of, followers())
    assert (follower.kind, follower.floor) == (kind, floor)
    assert (follower.take_profit_price, follower.stop_price) == (
        given.get("then_take_profit_price"),
        given.get("then_stop_price"),
    )
    assert follower.max_slippage_bps == (None if kind is OrderKind.TAKE_PROFIT else 500)


def test_nothing_is_sold_again_before_the_success_is_final(exits: Exits) -> None:
    bought = entry(awaits_finality=True)
    assert exits.run_once() == 0
    finality.settle(["landed"])
    assert exits.run_once() == 1
    assert read(bought.id).exit_made


def test_a_success_that_the_chain_took_back_is_followed_by_nothing(exits: Exits) -> None:
    entry(awaits_finality=True)
    finality.roll_back(finality.awaiting(1))
    assert exits.run_once() == 0
    assert followers() == []


def test_an_order_that_bought_nothing_is_followed_by_nothing_and_asked_about_no_more(exits: Exits) -> None:
    order_id = pending(**BOTH)
    journal.apply([Change(order_id, Cancelled(), None)])
    assert exits.run_once() == 0
    assert (followers(), read(order_id).exit_made) == ([], True)


def test_one_that_is_followed_by_nothing_is_not_looked_at(exits: Exits) -> None:
    order_id: UUID = pending()
    journal.apply([Change(order_id, Cancelled(), None)])
    assert exits.run_once() == 0
    assert not read(order_id).exit_made


def test_a_crash_in_between_leaves_all_or_nothing(exits: Exits, monkeypatch: pytest.MonkeyPatch) -> None:
    entry()

    def crash(*_: object) -> list[Moved]:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr("orderd.engine.exits.journal.accept", crash)
        with pytest.raises(RuntimeError):
            exits.run_once()
    assert database.execute_sql("SELECT count(*) FROM orders WHERE exit_made").fetchone() == (0,)
    assert exits.run_once() == 1
