"""Taking orders in: an answer means that the order is on disk, whatever becomes of the queue."""

from uuid import UUID

import pytest
from redis import ConnectionError as RedisDown
from redis import Redis

from db import journal
from db.audit import Actor
from db.models import DEFAULT_ACCOUNT, Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderStatus
from orderd.domain.tokens import TokenRegistry
from orderd.engine.dispatch import Dispatch
from orderd.engine.intake import Intake, Submission, SubmitOutcome, _new_order
from orderd.engine.publish import CHANNEL, Publisher, snapshot_key
from orderd.wire import SubmitParams
from tests.integration.engine.conftest import Queue
from tests.integration.orders import built, pending, sign

ME = Actor("trader")


@pytest.fixture
def forgotten() -> list[UUID]:
    return []


@pytest.fixture
def intake(publisher: Publisher, queue: Queue, forgotten: list[UUID]) -> Intake:
    return Intake(TokenRegistry(), "0.5", publisher, queue.send, forgotten.append)


def submission(intake: Intake, client_order_id: str, amount: str = "1.5") -> Submission:
    params = SubmitParams(token_in="SOL", token_out="usdc", amount_in=amount, client_order_id=client_order_id)
    return Submission(DEFAULT_ACCOUNT, client_order_id, intake.terms(params), ME)


def accepted(outcome: SubmitOutcome | OrderdError) -> SubmitOutcome:
    assert isinstance(outcome, SubmitOutcome)
    return outcome


def test_an_order_is_stored_queued_and_told(intake: Intake, queue: Queue, redis_client: Redis) -> None:
    with redis_client.pubsub() as news:  # type: ignore[no-untyped-call]
        news.subscribe(CHANNEL)
        news.get_message(timeout=5)
        (outcome,) = intake.submit_batch([submission(intake, "mine")])
        told = news.get_message(timeout=5)
    order = accepted(outcome).order
    assert (order.status, order.seq, order.amount_in, order.slippage) == (OrderStatus.PENDING, 1, "1.5", "0.5")
    assert queue.sent == [order.id]
    assert told is not None
    assert b'"kind":"accepted"' in told["data"]
    assert redis_client.get(snapshot_key(order.id)) == order.model_dump_json().encode()


def test_the_same_order_again_is_the_same_order(intake: Intake, queue: Queue) -> None:
    first = accepted(intake.submit_batch([submission(intake, "mine")])[0])
    again = accepted(intake.submit_batch([submission(intake, "mine", "1.50")])[0])
    assert (first.created, again.created) == (True, False)
    assert first.order == again.order
    assert len(queue.sent) == 1


def test_a_batch_that_was_stored_before_its_connection_was_lost_is_sent_when_it_is_written_again(
    intake: Intake, queue: Queue
) -> None:
    batch = [submission(intake, "a"), submission(intake, "b")]
    journal.accept([_new_order(each) for each in batch])
    outcomes = intake.submit_batch(batch)
    assert [accepted(outcome).created for outcome in outcomes] == [True, True]
    assert queue.sent == [each.id for each in batch]


def test_another_order_under_the_same_id_is_a_conflict(intake: Intake) -> None:
    intake.submit_batch([submission(intake, "mine")])
    (outcome,) = intake.submit_batch([submission(intake, "mine", "1.6")])
    assert isinstance(outcome, OrderdError)
    assert outcome.code is ErrorCode.ORDER_CONFLICT


def test_a_batch_answers_each_in_its_place(intake: Intake, queue: Queue) -> None:
    batch = [submission(intake, "a"), submission(intake, "b"), submission(intake, "a"), submission(intake, "a", "9")]
    outcomes = intake.submit_batch(batch)
    assert [accepted(outcome).created for outcome in outcomes[:3]] == [True, True, False]
    assert accepted(outcomes[0]).order.id == accepted(outcomes[2]).order.id
    assert isinstance(outcomes[3], OrderdError)
    assert len(queue.sent) == 2


def test_an_order_outlives_a_queue_that_is_down(intake: Intake, queue: Queue, publisher: Publisher) -> None:
    queue.outage = RedisDown("refused")
    order = accepted(intake.submit_batch([submission(intake, "mine")])[0]).order
    queue.outage = None
    assert Dispatch(publisher, queue.send, queue.depth).run_once() == 1
    assert queue.sent == [order.id]


def test_bad_terms_are_refused_before_anything_is_stored(intake: Intake) -> None:
    for amount, code in [("-1", ErrorCode.AMOUNT_NOT_POSITIVE), ("NaN", ErrorCode.AMOUNT_INVALID)]:
        with pytest.raises(OrderdError) as caught:
            submission(intake, "mine", amount)
        assert caught.value.code is code
    assert Order.select().count() == 0


def test_an_unsent_order_is_cancelled_and_leaves_the_line(
    intake: Intake, forgotten: list[UUID], publisher: Publisher, redis_client: Redis
) -> None:
    order_id = pending()
    assert intake.cancel(DEFAULT_ACCOUNT, str(order_id), ME).status is OrderStatus.CANCELLED
    assert intake.cancel(DEFAULT_ACCOUNT, str(order_id), ME).status is OrderStatus.CANCELLED, "twice is no error"
    assert forgotten == [order_id]
    publisher.close(5)
    assert redis_client.exists(snapshot_key(order_id)) == 0


def test_a_signed_order_cannot_be_cancelled(intake: Intake) -> None:
    live = sign(built(), "sig")
    with pytest.raises(OrderdError, match="signed and may land") as caught:
        intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ME)
    assert caught.value.code is ErrorCode.ORDER_NOT_CANCELLABLE
