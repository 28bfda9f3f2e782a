"""Resting orders reserve the balance that they may spend, from what a worker last read of the wallet."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from db import balances, journal
from db.audit import Actor
from db.balances import SellableBalance
from db.connection import database
from db.journal import AttemptEnd, Change, NewOrder
from db.models import DEFAULT_ACCOUNT, Order
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled
from orderd.domain.order import OrderKind, OrderStatus, TimeInForce
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import registry_of
from orderd.engine.intake import Intake, Submission, SubmitOutcome
from orderd.engine.reservation import Funds, Reservations
from orderd.engine.trading import open_reservations
from tests.integration.orders import FILL, new_order, pending, read, route, sign
from tests.samples.orders import FILL as CONFIRMED

SOL = 10**9
FEE, RENT, LEAST = 5_000, 2_039_280, 890_880
BY = Actor("tests")
LIMIT: dict[str, Any] = {"kind": OrderKind.LIMIT, "limit_price": "105", "time_in_force": TimeInForce.GTC}

pytestmark = pytest.mark.usefixtures("connected")


@pytest.fixture(autouse=True)
def connection(connected: str) -> object:
    with database.connection_context():
        yield


def see(sol: int = 10 * SOL, usdc: int = 1_000_000_000, *, slot: int = 100, usdc_account: bool = True) -> None:
    """Store a worker's reading of the wallet."""
    balances.store(
        [
            SellableBalance(WSOL_MINT, False, sol, True),
            SellableBalance(WSOL_MINT, True, 0, False),
            SellableBalance(USDC_MINT, False, usdc, usdc_account),
        ],
        slot,
    )


def resting(amount_in: int, **others: Any) -> NewOrder:
    return new_order(amount_in=amount_in, **{**LIMIT, **others})


def accept(order: NewOrder, reservations: Reservations | None = None) -> Order:
    moved, refused = (reservations or Reservations()).accept([order])
    for error in refused.values():
        raise error
    return moved[0].order


def refusal(order: NewOrder, reservations: Reservations | None = None) -> OrderdError:
    with pytest.raises(OrderdError) as refused:
        accept(order, reservations)
    return refused.value


def sol() -> Funds:
    funds = Reservations().wallet_funds().funds((WSOL_MINT, False))
    assert funds is not None
    return funds


def test_a_resting_order_reserves_its_amount_and_the_network_fee() -> None:
    see()
    accept(resting(4 * SOL))
    assert sol() == Funds(10 * SOL, 4 * SOL + FEE)
    assert sol().available == 6 * SOL - FEE


def test_a_reserved_balance_cannot_be_reserved_again() -> None:
    see()
    accept(resting(6 * SOL))
    refused = refusal(resting(5 * SOL))
    assert refused.code is ErrorCode.FUNDS_RESERVED
    assert refused.detail == (
        "the wallet's 10 SOL, of which orders have reserved 6.000005 SOL and 3.999995 SOL are available; "
        "the order needs 5.002935160 SOL".replace("160", "16")
    )
    assert Order.select().count() == 1


def test_rent_and_fees_must_be_covered_to_the_lamport() -> None:
    around = FEE + RENT + LEAST  # rent of temporary accounts is returned, and the wallet must stay rent-exempt
    see()
    assert refusal(resting(10 * SOL - around + 1)).code is ErrorCode.FUNDS_RESERVED
    accept(resting(10 * SOL - around))


def test_rent_for_a_new_account_is_reserved_once() -> None:
    see(usdc_account=False)
    accept(resting(SOL))
    accept(resting(SOL))
    assert sol().reserved == 2 * SOL + 2 * FEE + RENT


def test_a_sale_of_another_token_reserves_the_fee_in_sol() -> None:
    see(sol=0)
    order = new_order(amount_in=5_000_000, **LIMIT)
    sells_usdc = replace(
        order, terms=replace(order.terms, token_in=order.terms.token_out, token_out=order.terms.token_in)
    )
    refused = refusal(sells_usdc)
    assert "the wallet's 0 SOL" in refused.detail
    assert "for the network and for accounts" in refused.detail


def test_a_market_order_reserves_when_it_is_signed() -> None:
    see()
    (claimed,) = journal.claim([pending(amount_in=8 * SOL)], "worker-a", 15)
    assert sol().reserved == 0
    sign(route(claimed.order), "sig")
    assert sol().reserved == 8 * SOL + FEE
    assert refusal(resting(3 * SOL)).code is ErrorCode.FUNDS_RESERVED


def test_a_market_order_of_more_than_there_is_refuses_no_other() -> None:
    see()
    (claimed,) = journal.claim([pending(amount_in=2**64 - 1)], "worker-a", 15)
    assert accept(resting(9 * SOL)).status is OrderStatus.OPEN
    route(claimed.order)
    assert sol().reserved == 9 * SOL + FEE


def test_a_market_order_may_exceed_the_available_balance() -> None:
    see()
    accept(resting(9 * SOL))
    assert accept(new_order(amount_in=9 * SOL)).status is OrderStatus.PENDING


def test_a_family_reserves_for_its_children_once() -> None:
    see()
    parent = accept(resting(4 * SOL, partial=True, min_fill_bps=2_500))
    journal.accept([replace(new_order(amount_in=SOL, **LIMIT), parent_id=parent.id)])
    assert sol().reserved == 4 * SOL + 4 * FEE
    journal.apply([Change(parent.id, Cancelled(), None, to=OrderStatus.CANCELLED)])
    assert sol().reserved == 0


def test_a_sale_after_the_last_reading_reduces_the_balance() -> None:
    see(slot=CONFIRMED.slot - 1)
    (claimed,) = journal.claim([pending()], "worker-a", 15)
    live = sign(route(claimed.order), "sig")
    end = AttemptEnd("landed", CONFIRMED.slot, 1)
    journal.apply([Change(live.order.id, CONFIRMED, live.order.version, FILL, attempt_end=end)])
    assert sol().reserved == 1_500_000_000 + FEE
    see(sol=8 * SOL, slot=CONFIRMED.slot)
    assert sol() == Funds(8 * SOL, 0)


def test_a_purchase_after_the_last_reading_can_be_sold_at_once() -> None:
    """An order for ``max`` right after a purchase sells what was received."""
    see(usdc=0, usdc_account=False, slot=CONFIRMED.slot - 1)
    (claimed,) = journal.claim([pending()], "worker-a", 15)
    live = sign(route(claimed.order), "sig")
    end = AttemptEnd("landed", CONFIRMED.slot, 1)
    journal.apply([Change(live.order.id, CONFIRMED, live.order.version, FILL, attempt_end=end)])
    assert balances.stored()[USDC_MINT, False] == SellableBalance(USDC_MINT, False, FILL["filled_out"], True)
    sells = replace(_purchase(), exact_out=None, amount_word="max")
    assert Reservations().resolved(sells).amount_in == FILL["filled_out"]
    see(usdc=7, slot=CONFIRMED.slot)
    assert balances.stored()[USDC_MINT, False].amount == 7, "the reading includes the purchase"


@pytest.mark.parametrize("stored", ["never", "long ago"])
def test_an_order_is_accepted_without_a_recent_reading(stored: str) -> None:
    if stored == "long ago":
        see(sol=0)
        database.execute_sql("UPDATE balances SET seen_at = now() - interval '61 seconds'")
    assert accept(resting(5 * SOL)).status is OrderStatus.OPEN


def test_an_older_reading_does_not_replace_a_newer_one() -> None:
    see(sol=10 * SOL, slot=100)
    see(sol=3 * SOL, slot=99)
    assert sol().total == 10 * SOL
    see(sol=3 * SOL, slot=100)
    assert sol().total == 3 * SOL


def test_concurrent_orders_do_not_reserve_the_same_balance() -> None:
    see()

    def submit(_: int) -> bool:
        with database.connection_context():
            return not Reservations().accept([resting(3 * SOL)])[1]

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(submit, range(8)))
    assert sum(taken) == 3
    assert sol().reserved == 9 * SOL + 3 * FEE


def test_orders_of_a_batch_do_not_reserve_the_same_balance() -> None:
    see()
    orders = [resting(4 * SOL) for _ in range(3)]
    moved, refused = Reservations().accept(orders)
    assert [each.order.id for each in moved] == sorted(each.id for each in orders[:2])
    assert refused.keys() == {orders[2].id}


def test_a_resubmitted_order_is_not_refused() -> None:
    see()
    first = resting(6 * SOL)
    accept(first)
    moved, refused = Reservations().accept([replace(first, id=uuid7())])
    assert (moved, refused) == ([], {})


# Limits on open orders


def test_a_key_has_a_maximum_number_of_open_orders() -> None:
    capped, key, other = Reservations(max_open=2), uuid7(), uuid7()

    def of(key_id: UUID | None) -> NewOrder:
        return replace(resting(SOL), by=Actor("bot", key_id=key_id))

    first = accept(of(key), capped)
    accept(of(key), capped)
    assert refusal(of(key), capped).code is ErrorCode.LIMIT_OPEN
    accept(of(other), capped)
    accept(of(None), capped)
    journal.apply([Change(first.id, Cancelled(), None, to=OrderStatus.CANCELLED)])
    accept(of(key), capped)
    moved, refused = capped.accept([of(other) for _ in range(2)])
    assert (len(moved), len(refused)) == (1, 1), "orders of the same batch did not count"
    accept(replace(new_order(), by=Actor("bot", key_id=key)), capped)  # a market order is not open


# Amounts in words


@pytest.fixture
def intake() -> Intake:
    return Intake(registry_of("simnet"), "0.5", lambda *_: None, lambda _: None)


def worded(word: str, token_in: str = "SOL", **others: str) -> GivenTerms:
    token_out = "USDC" if token_in == "SOL" else "SOL"
    return GivenTerms(token_in=token_in, token_out=token_out, amount_in=word, **others)


@pytest.mark.parametrize(
    ("word", "token_in", "comes_to"),
    [
        ("max", "SOL", 10 * SOL - 2 * SOL - FEE - FEE - RENT - LEAST),
        ("50%", "SOL", (10 * SOL - 2 * SOL - FEE - FEE - RENT - LEAST) // 2),
        ("max", "USDC", 1_000_000_000),
        ("33.3%", "USDC", 333_000_000),
    ],
)
def test_an_amount_in_words_leaves_the_fees(intake: Intake, word: str, token_in: str, comes_to: int) -> None:
    see()
    accept(resting(2 * SOL))
    assert intake.resolved(intake.terms(worded(word, token_in))).amount_in == comes_to


def test_the_whole_available_balance_can_be_reserved(intake: Intake) -> None:
    see()
    terms = intake.resolved(intake.terms(worded("max", limit_price="105")))
    assert accept(replace(new_order(), terms=terms)).amount_word == "max"
    with pytest.raises(OrderdError, match="is zero after fees") as refused:
        intake.resolved(intake.terms(worded("max")))
    assert refused.value.code is ErrorCode.FUNDS_RESERVED


def test_an_amount_in_words_is_refused_without_a_known_balance(intake: Intake) -> None:
    with pytest.raises(OrderdError) as refused:
        intake.resolved(intake.terms(worded("max")))
    assert refused.value.code is ErrorCode.FUNDS_UNKNOWN
    see(sol=0)
    with pytest.raises(OrderdError) as refused:
        intake.resolved(intake.terms(worded("50%")))
    assert refused.value.code is ErrorCode.FUNDS_INSUFFICIENT


def test_a_resubmitted_order_is_compared_by_its_words(intake: Intake) -> None:
    def submission(word: str) -> Submission:
        return Submission(DEFAULT_ACCOUNT, "mine", intake.terms(worded(word, limit_price="105")), BY)

    def resolved(word: str) -> Submission:
        given = submission(word)
        return replace(given, terms=intake.resolved(given.terms))

    see()
    (first,) = intake.submit_batch([resolved("50%")])
    assert isinstance(first, SubmitOutcome)
    assert first.order.amount_word == "50%"
    see(sol=0, slot=200)
    again = intake.known(submission("50.0%"))
    assert again is not None
    assert (again.order.id, again.created) == (first.order.id, False)
    with pytest.raises(OrderdError) as refused:
        intake.known(submission("max"))
    assert refused.value.code is ErrorCode.ORDER_CONFLICT

    see(slot=300)
    intake.amend(DEFAULT_ACCOUNT, "mine", {"amount_in": "1"}, BY)
    assert intake.known(submission("50%")) is not None, "the words of the first submission"
    with pytest.raises(OrderdError):
        intake.known(submission("max"))
    with pytest.raises(OrderdError):
        intake.known(replace(submission("50%"), terms=intake.terms(worded("50%"))))  # at once, without a limit


def test_an_amended_order_cannot_reserve_more_than_available(intake: Intake) -> None:
    see()
    order = accept(resting(4 * SOL))
    accept(resting(4 * SOL))
    with pytest.raises(OrderdError) as refused:
        intake.amend(DEFAULT_ACCOUNT, str(order.id), {"amount_in": "6.5"}, BY)
    assert refused.value.code is ErrorCode.FUNDS_RESERVED
    assert read(order.id).amount_in == 4 * SOL
    intake.amend(DEFAULT_ACCOUNT, str(order.id), {"amount_in": "5"}, BY)
    assert sol().reserved == 9 * SOL + 2 * FEE
    with pytest.raises(OrderdError) as refused:
        intake.amend(DEFAULT_ACCOUNT, str(order.id), {"amount_in": "max"}, BY)
    assert refused.value.code is ErrorCode.AMOUNT_INVALID


# Without overcommitment


STRICT = Reservations(overcommit=False)


def test_a_market_order_may_use_reserved_balances_with_overcommitment() -> None:
    see()
    accept(resting(8 * SOL))
    assert not Reservations().reserves(new_order(amount_in=8 * SOL).terms)
    assert accept(new_order(amount_in=8 * SOL)).status is OrderStatus.PENDING


def test_a_market_order_cannot_use_reserved_balances_without_overcommitment() -> None:
    see()
    accept(resting(8 * SOL), STRICT)
    refused = refusal(new_order(amount_in=3 * SOL), STRICT)
    assert refused.code is ErrorCode.FUNDS_RESERVED
    assert accept(new_order(amount_in=SOL), STRICT).status is OrderStatus.PENDING


def test_overcommitment_is_a_setting() -> None:
    terms = new_order().terms
    assert [open_reservations(Settings(allow_overcommit=each)).reserves(terms) for each in (True, False)] == [
        False,
        True,
    ]


def test_market_orders_reserve_at_acceptance_without_overcommitment() -> None:
    see()
    first = accept(new_order(amount_in=6 * SOL), STRICT)
    assert refusal(new_order(amount_in=6 * SOL), STRICT).code is ErrorCode.FUNDS_RESERVED
    assert refusal(resting(6 * SOL), STRICT).code is ErrorCode.FUNDS_RESERVED
    journal.apply([Change(first.id, Cancelled(), None)])
    accept(new_order(amount_in=6 * SOL), STRICT)


def test_concurrent_market_orders_do_not_reserve_the_same_without_overcommitment() -> None:
    see()

    def submit(_: int) -> bool:
        with database.connection_context():
            return not STRICT.accept([new_order(amount_in=3 * SOL)])[1]

    with ThreadPoolExecutor(4) as several:
        assert sum(several.map(submit, range(8))) == 3


def test_a_purchase_reserves_its_maximum_cost() -> None:
    see(usdc=200_000_000)
    accept(new_order(exact_out=SOL), STRICT)
    costs_more = replace(new_order(), terms=replace(_purchase(), max_in=201_000_000))
    assert refusal(costs_more, STRICT).code is ErrorCode.FUNDS_RESERVED


def _purchase() -> OrderTerms:
    return OrderTerms(*registry_of("simnet").pair("USDC", "SOL"), None, slippage_bps=50, exact_out=SOL)


def test_the_limit_on_open_orders_does_not_apply_to_market_orders() -> None:
    see()
    strict = Reservations(max_open=1, overcommit=False)
    accept(resting(SOL), strict)
    accept(new_order(amount_in=SOL), strict)
    assert refusal(resting(SOL), strict).code is ErrorCode.LIMIT_OPEN
