"""Amending a resting order: it stays the same order, and fires either at its old or at its new terms."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from solders.pubkey import Pubkey

from db import audit, journal
from db.audit import Actor, Filter
from db.connection import database
from db.journal import Change
from db.models import DEFAULT_ACCOUNT, Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Amended, Executing, Retrying, Triggered
from orderd.domain.order import Floor, OrderKind, OrderStatus
from orderd.domain.retry import RetryPolicy
from orderd.domain.well_known import registry_of
from orderd.engine import views
from orderd.engine.families import Families
from orderd.engine.intake import Intake, Submission, SubmitOutcome
from orderd.engine.publish import Publisher
from orderd.wire.submissions import SubmitParams
from tests.integration.engine.conftest import Queue
from tests.integration.engine.test_triggers import Begin, Market, Watch, limit, rests, stop, trailing
from tests.integration.engine.test_triggers import begin as begin  # a fixture
from tests.integration.family import (
    SOL,
    USDC,
    children,
    in_parts,
    is_next,
    landed,
    oco,
    signed,
    sold,
    taken_for_dead,
    twap,
    was_due,
)
from tests.integration.orders import read, route

ME = Actor("trader")


@pytest.fixture
def intake() -> Intake:
    return Intake(registry_of("simnet"), "0.5", lambda *_: None, lambda _: None)


@pytest.fixture
def care(publisher: Publisher, queue: Queue) -> Families:
    return Families(publisher, queue.send, 600, RetryPolicy(base_ms=1_000), chance=lambda: 0.5)


def amended(intake: Intake, order_id: UUID, **changes: Any) -> Order:
    intake.amend(DEFAULT_ACCOUNT, str(order_id), changes, ME)
    return read(order_id)


def refused(intake: Intake, order_id: UUID, **changes: Any) -> OrderdError:
    before = read(order_id).seq
    with pytest.raises(OrderdError) as refusal:
        intake.amend(DEFAULT_ACCOUNT, str(order_id), changes, ME)
    assert read(order_id).seq == before
    return refusal.value


def test_an_amendment_is_an_event_of_the_same_order(intake: Intake) -> None:
    order_id = limit("105")
    before = read(order_id)
    after = amended(intake, order_id, limit_price="104", amount_in="2")
    assert (after.id, after.client_order_id, after.created_at) == (before.id, before.client_order_id, before.created_at)
    assert (after.status, after.limit_price, after.amount_in, after.seq) == (OrderStatus.OPEN, "104", 2 * SOL, 2)
    (event,) = views.events_after(order_id, 1)
    assert isinstance(event.data, Amended)
    assert (event.data.limit_price, event.data.amount_in) == ("104", "2")
    assert [row.action for row in audit.read(Filter(order_id=order_id), 5)].count("order.amend") == 1


def test_an_amendment_voids_a_trigger_that_has_read_the_old_terms(intake: Intake, begin: Begin) -> None:
    """The trigger finds the old price met, and the amendment is stored before the trigger's result."""
    order_id = limit("105")

    class Interrupted(Market):
        is_armed = False

        def route(self, *args: Any, **others: Any) -> Any:
            if self.is_armed:
                self.is_armed = False
                amended(intake, order_id, limit_price="120")
            return super().route(*args, **others)

    market = Interrupted()
    watch = begin(market)
    watch.sees(100)
    market.is_armed = True
    assert watch.sees(106) == 0
    assert read(order_id).status is OrderStatus.OPEN
    assert watch.sees(119) == 0, "the order fired at its old price"
    assert watch.sees(121) == 1


def test_a_fired_order_cannot_be_amended(intake: Intake, begin: Begin) -> None:
    order_id = limit("105")
    assert begin(Market()).sees(106) == 1
    assert refused(intake, order_id, limit_price="120").code is ErrorCode.ORDER_NOT_AMENDABLE
    assert read(order_id).limit_price == "105"


def test_an_amendment_waits_for_a_concurrent_trigger_and_is_refused(intake: Intake) -> None:
    order_id = limit("105")
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    with ThreadPoolExecutor(1) as pool:
        with database.atomic():
            fact = Triggered(price="105", amount_out="105", condition="105", slot=9, met_at_slot=9)
            assert journal.apply([Change(order_id, fact, read(order_id).version, to=OrderStatus.PENDING)])
            late = pool.submit(intake.amend, DEFAULT_ACCOUNT, str(order_id), {"limit_price": "120"}, ME)
            while not database.execute_sql(waiting).fetchone()[0]:
                assert not late.done(), f"the amendment did not wait: {late.exception()!r}"
        with pytest.raises(OrderdError, match="it is pending") as refusal:
            late.result(20)
    assert refusal.value.code is ErrorCode.ORDER_NOT_AMENDABLE


def test_a_fired_stop_that_waits_for_its_limit_cannot_be_amended(intake: Intake) -> None:
    order_id = rests(OrderKind.STOP_LIMIT, stop_price="95", limit_price="90", confirm=1)
    fact = Triggered(price="95", amount_out="95", condition="95", slot=9, met_at_slot=9)
    journal.apply([Change(order_id, fact, None, to=OrderStatus.PENDING)])
    database.execute_sql(
        "UPDATE orders SET status = 'open', due_at = NULL, looks_from = now() WHERE id = %s", (str(order_id),)
    )
    assert "has fired" in refused(intake, order_id, limit_price="89").detail


def test_an_amended_order_is_evaluated_at_once(intake: Intake, begin: Begin) -> None:
    watch: Watch = begin(Market())
    order_id = limit("105")
    assert watch.sees(101) == 0
    was_due(order_id, 60)
    amended(intake, order_id, limit_price="101")
    assert watch.sees(101.5) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"limit_price": "-1"}, ErrorCode.PRICE_INVALID),
        ({"amount_in": "0"}, ErrorCode.AMOUNT_NOT_POSITIVE),
        ({"valid_for": "soon"}, ErrorCode.TIME_INVALID),
        ({"stop_price": "95"}, ErrorCode.ORDER_TERMS_CONTRADICT),
        ({"paused": True}, ErrorCode.ORDER_NOT_AMENDABLE),
    ],
)
def test_invalid_amendments_change_nothing(intake: Intake, changes: dict[str, Any], code: ErrorCode) -> None:
    order_id = limit("105")
    assert refused(intake, order_id, **changes).code is code
    assert read(order_id).first_terms is None


def test_resubmitting_the_original_terms_finds_the_amended_order(intake: Intake) -> None:
    """Submitting the amended terms under the same id is a conflict."""

    def submission(price: str) -> Submission:
        params = SubmitParams(
            token_in="SOL", token_out="USDC", amount_in="1", limit_price=price, client_order_id="mine"
        )
        return Submission(DEFAULT_ACCOUNT, "mine", intake.terms(params), ME)

    (first,) = intake.submit_batch([submission("105")])
    assert isinstance(first, SubmitOutcome)
    for price in ("104", "103"):
        amended(intake, first.order.id, limit_price=price)
    again, other = intake.submit_batch([submission("105"), submission("103")])
    assert isinstance(again, SubmitOutcome)
    assert (again.created, again.order.id, again.order.limit_price) == (False, first.order.id, "103")
    assert isinstance(other, OrderdError)
    assert other.code is ErrorCode.ORDER_CONFLICT


def test_another_mint_with_the_symbol_of_an_amended_order_is_a_conflict(intake: Intake) -> None:
    params = SubmitParams(token_in="SOL", token_out="USDC", amount_in="1", limit_price="105", client_order_id="mine")
    terms = intake.terms(params)
    (first,) = intake.submit_batch([Submission(DEFAULT_ACCOUNT, "mine", terms, ME)])
    assert isinstance(first, SubmitOutcome)
    amended(intake, first.order.id, limit_price="104")
    other = replace(terms, token_out=replace(terms.token_out, mint=str(Pubkey.new_unique())))
    with pytest.raises(OrderdError) as refusal:
        intake.known(Submission(DEFAULT_ACCOUNT, "mine", other, ME))
    assert refusal.value.code is ErrorCode.ORDER_CONFLICT


def test_an_amended_validity_replaces_the_old_one(intake: Intake) -> None:
    order_id = limit("105", valid_seconds=60)
    began = read(order_id).valid_until
    assert began is not None
    after = amended(intake, order_id, valid_for="1h")
    assert after.valid_until is not None
    assert 3_500 < (after.valid_until - began).total_seconds() < 3_600
    until = amended(intake, order_id, expires="2099-12-01T09:30:00Z")
    assert (until.valid_seconds, until.valid_until) == (None, until.expires_at)
    assert amended(intake, order_id, limit_price="104").valid_until == until.valid_until


def test_an_amended_order_has_no_floor_of_a_failed_attempt(intake: Intake) -> None:
    """The floor of the first route is that of the old amount: ten times as much would be sold for it."""
    order_id = rests(OrderKind.TAKE_PROFIT, take_profit_price="105", floor=Floor.FIRST)
    fact = Triggered(price="106", amount_out="106", condition="105", slot=9, met_at_slot=9)
    journal.apply([Change(order_id, fact, None, to=OrderStatus.PENDING)])
    (claimed,) = journal.claim([order_id], "worker", 15.0)
    routed = route(claimed.order)
    retrying = Retrying(attempt=1, code=ErrorCode.TX_FAILED, detail="", until=routed.updated_at)
    journal.apply([Change(order_id, retrying, routed.version, {"failures": 1}, to=OrderStatus.OPEN)])
    assert read(order_id).min_amount_out == 151 * USDC
    assert amended(intake, order_id, amount_in="10").min_amount_out is None


def test_an_amended_trailing_stop_trails_for_its_new_amount(intake: Intake) -> None:
    order_id = trailing()
    database.execute_sql("UPDATE orders SET best_out = 100000000 WHERE id = %s", (str(order_id),))
    assert amended(intake, order_id, amount_in="2", trail="5%").best_out == 200 * USDC
    assert amended(intake, order_id, trail="4%").best_out == 200 * USDC


# Families


def test_the_amended_amount_of_a_partial_order_includes_its_fills(intake: Intake, care: Families) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    assert refused(intake, parent, amount_in="3").code is ErrorCode.ORDER_NOT_AMENDABLE, "4 SOL are being sold"
    sold(children(parent)[0].id, 430 * USDC)
    care.run_once()
    assert "4 SOL" in refused(intake, parent, amount_in="3.9").detail
    assert amended(intake, parent, amount_in="6").amount_in == 6 * SOL
    assert not care.execute(parent, 3 * SOL), "only 2 SOL are left"
    assert care.execute(parent, 2 * SOL)
    sold(children(parent)[1].id, 215 * USDC)
    care.run_once()
    assert (read(parent).status, read(parent).filled_in) == (OrderStatus.CONFIRMED, 6 * SOL)


@pytest.mark.parametrize("is_final", [True, False])
def test_an_amount_is_not_amended_below_a_fill_that_the_family_does_not_count_yet(
    is_final: bool, intake: Intake, care: Families
) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    landed(signed(children(parent)[0].id), 430 * USDC, is_final=is_final)
    assert "4 SOL" in refused(intake, parent, amount_in="3.9").detail
    assert amended(intake, parent, amount_in="4").amount_in == 4 * SOL


def test_an_amount_is_not_amended_below_what_an_operator_took_for_dead(intake: Intake, care: Families) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    taken_for_dead(signed(children(parent)[0].id))
    assert "4 SOL" in refused(intake, parent, amount_in="3.9").detail


def test_an_amount_amended_to_the_filled_amount_ends_the_order(intake: Intake, care: Families) -> None:
    parent = in_parts()
    care.execute(parent, 4 * SOL)
    sold(children(parent)[0].id, 430 * USDC)
    care.run_once()
    amended(intake, parent, amount_in="4")
    care.run_once()
    assert (read(parent).status, read(parent).filled_in) == (OrderStatus.CONFIRMED, 4 * SOL)


def test_a_child_triggered_at_the_old_price_keeps_the_new_limit(intake: Intake, care: Families) -> None:
    parent = in_parts()
    amended(intake, parent, limit_price="110")
    assert care.execute(parent, 4 * SOL)
    assert children(parent)[0].limit_price == "110"


def test_an_oco_child_can_be_amended_in_price_but_not_in_amount(intake: Intake, care: Families) -> None:
    parent = oco()
    care.run_once()
    profit, loss = children(parent)
    assert amended(intake, profit.id, take_profit_price="110").take_profit_price == "110"
    assert amended(intake, loss.id, stop_price="90").stop_price == "90"
    assert str(parent) in refused(intake, profit.id, amount_in="2").detail
    assert refused(intake, parent, take_profit_price="110").code is ErrorCode.ORDER_NOT_AMENDABLE


def test_a_paused_twap_keeps_its_schedule_and_its_fills(intake: Intake, care: Families) -> None:
    parent = twap(slices=4)
    due = was_due(parent, 0.01)
    care.run_once()
    sold(children(parent)[0].id)
    care.run_once()
    assert amended(intake, parent, paused=True).paused
    assert is_next(parent, 60, due), "evaluated too early"
    due = was_due(parent, 90)
    assert care.run_once() == 0
    assert not amended(intake, parent, paused=False).paused
    assert is_next(parent, 0, due), "the missed executions are lost"
    assert care.run_once() == 1
    (event,) = [each.data for each in views.events_after(parent, 0)][-1:]
    assert isinstance(event, Executing)
    assert (event.amount_in, read(parent).filled_in) == ("1.5", SOL), "the remaining 3 SOL are shared by two executions"


def test_a_stop_can_be_amended(intake: Intake, begin: Begin) -> None:
    order_id = stop("95")
    amended(intake, order_id, stop_price="90")
    watch = begin(Market())
    assert watch.sees(94) == 0
    assert watch.sees(89) == 1
