"""Accepting orders: an acknowledged order is on disk, even if the queue fails."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
from peewee import OperationalError
from redis import ConnectionError as RedisDown
from redis import Redis

from db import audit, journal
from db.audit import Actor, Filter
from db.connection import database
from db.journal import AttemptEnd, Change, Moved
from db.models import DEFAULT_ACCOUNT, Order
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Retrying
from orderd.domain.order import OrderStatus
from orderd.domain.well_known import registry_of
from orderd.engine import intake as intaking
from orderd.engine import views
from orderd.engine.allowance import UNLIMITED, Spending
from orderd.engine.dispatch import Dispatch
from orderd.engine.handover import HandOver
from orderd.engine.intake import Intake, Submission, SubmitOutcome, new_order
from orderd.engine.publish import CHANNEL, Publisher, active_key
from orderd.queue.broker import OrderBroker
from orderd.queue.broker import redis_client as client_of
from orderd.wire.submissions import SubmitParams
from tests.integration.engine.conftest import Queue
from tests.integration.orders import FILL, built, pending, read, sign
from tests.relay import relay_to_redis
from tests.samples.orders import FILL as CONFIRMED

ACTOR = Actor("trader")


@pytest.fixture
def forgotten() -> list[UUID]:
    return []


@pytest.fixture
def intake(publisher: Publisher, queue: Queue, forgotten: list[UUID]) -> Intake:
    def send(order_ids: Sequence[UUID], news: Sequence[Moved]) -> None:
        publisher.publish(news)
        queue.send(order_ids)

    return Intake(registry_of("simnet"), "0.5", send, forgotten.append)


def submission(intake: Intake, client_order_id: str, amount: str = "1.5") -> Submission:
    params = SubmitParams(token_in="SOL", token_out="usdc", amount_in=amount, client_order_id=client_order_id)
    return Submission(DEFAULT_ACCOUNT, client_order_id, intake.terms(params), ACTOR)


def accepted(outcome: SubmitOutcome | OrderdError) -> SubmitOutcome:
    assert isinstance(outcome, SubmitOutcome)
    return outcome


def test_an_order_is_stored_queued_and_published(intake: Intake, queue: Queue, redis_client: Redis) -> None:
    with redis_client.pubsub() as news:  # type: ignore[no-untyped-call]
        news.subscribe(CHANNEL)
        news.get_message(timeout=5)
        (outcome,) = intake.submit_batch([submission(intake, "mine")])
        message = news.get_message(timeout=5)
    order = accepted(outcome).order
    assert (order.status, order.seq, order.amount_in, order.slippage) == (OrderStatus.PENDING, 1, "1.5", "0.5")
    assert queue.sent == [order.id]
    assert message is not None
    assert b'"kind":"accepted"' in message["data"]
    assert redis_client.get(active_key(order.id)) == message["data"]


def test_a_resubmitted_order_is_the_same_order(intake: Intake, queue: Queue) -> None:
    first = accepted(intake.submit_batch([submission(intake, "mine")])[0])
    again = accepted(intake.submit_batch([submission(intake, "mine", "1.50")])[0])
    assert (first.created, again.created) == (True, False)
    assert first.order == again.order
    assert len(queue.sent) == 1


def test_a_batch_whose_commit_went_unanswered_is_queued_when_it_is_retried(intake: Intake, queue: Queue) -> None:
    batch = [submission(intake, "a"), submission(intake, "b")]
    journal.accept([new_order(each) for each in batch])
    outcomes = intake.submit_batch(batch)
    assert [accepted(outcome).created for outcome in outcomes] == [True, True]
    assert queue.sent == [each.id for each in batch]


@pytest.mark.parametrize(
    "other",
    [
        {"token_in": "CHILLGUY", "amount_in": "1500"},  # the same amount in base units
        {"token_out": "CHILLGUY"},
        {"amount_in": "1.6"},
        {"slippage": "0.51"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_other_terms_under_the_same_client_order_id_are_a_conflict(
    intake: Intake, queue: Queue, other: dict[str, str]
) -> None:
    """Each term matters, both for consecutive submissions and within one batch."""
    terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "slippage": "0.5"}
    first, second = (
        Submission(DEFAULT_ACCOUNT, "mine", intake.terms(SubmitParams(client_order_id="mine", **each)), ACTOR)
        for each in (terms, terms | other)
    )
    taken, refused = intake.submit_batch([first, second])
    (refused_again,) = intake.submit_batch([second])
    for outcome in (refused, refused_again):
        assert isinstance(outcome, OrderdError)
        assert outcome.code is ErrorCode.ORDER_CONFLICT
    with pytest.raises(OrderdError, match="which has other terms"):
        intake.known(second)
    assert queue.sent == [accepted(taken).order.id]
    assert Order.select().count() == 1


def test_the_default_slippage_equals_the_same_explicit_slippage(intake: Intake) -> None:
    """An order without a slippage is the same as one with the slippage it was accepted with, and no other."""
    first = accepted(intake.submit_batch([submission(intake, "mine")])[0])
    named = SubmitParams(token_in="SOL", token_out="USDC", amount_in="1.5", client_order_id="mine", slippage="0.50")
    (again,) = intake.submit_batch([Submission(DEFAULT_ACCOUNT, "mine", intake.terms(named), ACTOR)])
    assert accepted(again).order == first.order


def test_an_order_is_committed_before_it_is_queued(publisher: Publisher, forgotten: list[UUID]) -> None:
    """A worker may claim it at once over another connection."""

    def found(order_ids: Sequence[UUID]) -> list[UUID]:
        with database.connection_context():
            return [order.id for order in Order.select().where(Order.id.in_(list(order_ids))).order_by(Order.id)]

    seen: list[UUID] = []

    def send(order_ids: Sequence[UUID], _: Sequence[Moved]) -> None:
        with ThreadPoolExecutor(1) as worker:
            seen.extend(worker.submit(found, order_ids).result())

    intake = Intake(registry_of("simnet"), "0.5", send, forgotten.append)
    outcomes = intake.submit_batch([submission(intake, "a"), submission(intake, "b")])
    assert seen == [accepted(outcome).order.id for outcome in outcomes]


def test_a_batch_answers_each_submission_in_order(intake: Intake, queue: Queue) -> None:
    batch = [submission(intake, "a"), submission(intake, "b"), submission(intake, "a"), submission(intake, "a", "9")]
    outcomes = intake.submit_batch(batch)
    assert [accepted(outcome).created for outcome in outcomes[:3]] == [True, True, False]
    assert accepted(outcomes[0]).order.id == accepted(outcomes[2]).order.id
    assert isinstance(outcomes[3], OrderdError)
    assert len(queue.sent) == 2


def intake_over(hand_over: HandOver) -> Intake:
    return Intake(registry_of("simnet"), "0.5", hand_over.send, hand_over.forget)


def test_an_order_is_accepted_while_the_queue_is_down(publisher: Publisher, queue: Queue) -> None:
    away = client_of("redis://127.0.0.1:1")  # fails long before the sender's lease expires
    hand_over = HandOver(publisher, away, OrderBroker(away).sending, lambda _: None)
    order = accepted((intake := intake_over(hand_over)).submit_batch([submission(intake, "mine")])[0]).order
    hand_over.close(20)
    assert Dispatch(publisher, queue.send, queue.depth).run_once() == 1
    assert queue.sent == [order.id]


def test_orders_that_redis_refuses_later_are_sent_again(
    publisher: Publisher, queue: Queue, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for Redis' answer; the sender of an order no longer counts on it once its lease has expired."""
    broker = OrderBroker(redis_client)
    hand_over = HandOver(publisher, redis_client, broker.sending, lambda _: None)
    intake = intake_over(hand_over)
    first = accepted(intake.submit_batch([submission(intake, "first")])[0]).order
    while broker.depth() == 0:
        pass
    monkeypatch.setattr(hand_over, "_sending", lambda _: [["NO-SUCH-COMMAND"]])
    order = accepted(intake.submit_batch([submission(intake, "refused")])[0]).order
    hand_over.close(20)
    with database.connection_context():
        Order.update(lease_until=Order.updated_at).where(Order.id == order.id).execute()
    assert Dispatch(publisher, queue.send, queue.depth).run_once() == 1
    assert queue.sent == [order.id]
    assert broker.depth() == 1, f"order {first.id}"


@pytest.mark.parametrize(
    "trouble", [RedisDown("refused"), OperationalError("gone"), RuntimeError(), MemoryError(), OSError(28, "no space")]
)
def test_no_failure_after_the_commit_turns_the_answer_into_a_refusal(trouble: Exception) -> None:
    def broken(*_: object) -> None:
        raise trouble

    intake = Intake(registry_of("simnet"), "0.5", broken, broken)
    order = accepted(intake.submit_batch([submission(intake, "mine")])[0]).order
    assert read(order.id).status is OrderStatus.PENDING
    assert intake.cancel(DEFAULT_ACCOUNT, "mine", ACTOR).status is OrderStatus.CANCELLED


def test_the_answer_does_not_wait_for_the_rate_limit(publisher: Publisher, redis_client: Redis) -> None:
    hangs = Event()

    def hang(*_: object) -> None:
        hangs.wait(60)

    hand_over = HandOver(publisher, redis_client, OrderBroker(redis_client).sending, hang)
    intake = intake_over(hand_over)
    accepted(intake.submit_batch([submission(intake, "mine")])[0])
    assert intake.cancel(DEFAULT_ACCOUNT, "mine", ACTOR).status is OrderStatus.CANCELLED
    assert not hangs.is_set(), "a call that should hang has returned"
    hangs.set()
    hand_over.close(20)


def test_the_answer_does_not_wait_for_the_queue(publisher: Publisher, redis_url: str, tmp_path: Path) -> None:
    """Some orders are sent before Redis hangs, one is in its connection, and the others wait for it."""
    with relay_to_redis(redis_url, tmp_path) as (relay, url), Redis.from_url(redis_url) as direct:
        broker = OrderBroker(direct)
        hand_over = HandOver(publisher, Redis.from_url(url), broker.sending, lambda _: None)
        intake = intake_over(hand_over)
        accepted(intake.submit_batch([submission(intake, "first")])[0])
        while broker.depth() == 0:
            pass
        accepted(intake.submit_batch([submission(intake, "at-once")])[0])
        while broker.depth() == 1:
            pass
        relay.hang()
        for number in range(3):
            accepted(intake.submit_batch([submission(intake, f"later-{number}")])[0])
        assert broker.depth() == 2
        relay.resume()
        hand_over.close(20)
        assert broker.depth() >= 4, "orders that waited together share a message"


def test_an_order_is_published_before_a_worker_can_claim_it(publisher: Publisher, redis_client: Redis) -> None:
    hand_over = HandOver(publisher, redis_client, OrderBroker(redis_client).sending, lambda _: None)
    intake = intake_over(hand_over)
    with redis_client.monitor() as done:  # type: ignore[no-untyped-call]
        accepted(intake.submit_batch([submission(intake, "mine")])[0])
        commands: list[str] = []
        while "RPUSH" not in commands:
            commands.append(next(done.listen())["command"].split()[0])
    hand_over.close(20)
    assert [name for name in commands if name in ("PUBLISH", "HSET", "RPUSH")] == ["PUBLISH", "HSET", "RPUSH"]


def test_an_order_is_queued_even_if_publishing_fails(
    publisher: Publisher, redis_client: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise ValueError

    broker = OrderBroker(redis_client)
    hand_over = HandOver(publisher, redis_client, broker.sending, lambda _: None)
    monkeypatch.setattr(publisher, "commands", stumble)
    intake = intake_over(hand_over)
    accepted(intake.submit_batch([submission(intake, "mine")])[0])
    hand_over.close(20)
    assert broker.depth() == 1


def test_an_error_of_one_submission_does_not_affect_its_batch(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other orders of the batch are already committed."""

    def lost(*_: object) -> list[Moved]:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(intaking, "accept_within", lost)
    limited = replace(submission(intake, "limited"), spending=Spending(1, UNLIMITED))
    plain, unknown = intake.submit_batch([submission(intake, "plain"), limited])
    assert accepted(plain).created
    assert isinstance(unknown, OrderdError)
    assert unknown.code is ErrorCode.SERVICE_TIMEOUT
    assert f"order {limited.id} (client order id limited)" in unknown.detail


def test_invalid_terms_are_refused_before_anything_is_stored(intake: Intake) -> None:
    for amount, code in [("-1", ErrorCode.AMOUNT_NOT_POSITIVE), ("NaN", ErrorCode.AMOUNT_INVALID)]:
        with pytest.raises(OrderdError) as caught:
            submission(intake, "mine", amount)
        assert caught.value.code is code
    assert Order.select().count() == 0


def test_an_unsent_order_is_cancelled_and_leaves_the_rate_limits_line(
    intake: Intake, forgotten: list[UUID], publisher: Publisher, redis_client: Redis
) -> None:
    order_id = pending()
    assert intake.cancel(DEFAULT_ACCOUNT, str(order_id), ACTOR).status is OrderStatus.CANCELLED
    assert intake.cancel(DEFAULT_ACCOUNT, str(order_id), ACTOR).status is OrderStatus.CANCELLED, (
        "a second cancel failed"
    )
    assert forgotten == [order_id]
    publisher.close(5)
    assert redis_client.exists(active_key(order_id)) == 0


def test_an_uncommitted_cancel_is_not_published(forgotten: list[UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    published: list[Moved] = []
    intake = Intake(registry_of("simnet"), "0.5", lambda _, news: published.extend(news), forgotten.append)
    order_id = pending()
    monkeypatch.setattr(audit, "record", away)
    with pytest.raises(OperationalError):
        intake.cancel(DEFAULT_ACCOUNT, str(order_id), ACTOR)
    assert (published, forgotten) == ([], [])
    assert read(order_id).status is OrderStatus.PENDING


def test_an_order_of_another_account_is_not_found(intake: Intake, forgotten: list[UUID]) -> None:
    order_id = pending()
    with pytest.raises(OrderdError) as caught:
        intake.cancel(UUID(int=7), str(order_id), ACTOR)
    assert caught.value.code is ErrorCode.ORDER_NOT_FOUND
    assert read(order_id).status is OrderStatus.PENDING


def test_a_cancel_of_a_signed_order_waits_for_its_transaction(intake: Intake) -> None:
    live = sign(built(), "sig")
    for _ in ("first cancel", "repeated cancel"):
        order = intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ACTOR)
        assert (order.status, order.cancel_requested) == (OrderStatus.SUBMITTED, True)
    assert read(live.order.id).lease_owner == "worker-a", "its worker keeps the lease"
    assert [event.data.kind for event in views.events_after(live.order.id, live.order.seq)] == ["cancel_requested"]
    assert [row.action for row in audit.read(Filter(order_id=live.order.id), 9)].count("order.cancel") == 1


def test_a_signed_order_with_a_cancel_is_cancelled_when_its_transaction_fails(
    intake: Intake, publisher: Publisher, queue: Queue
) -> None:
    live = sign(built(), "sig")
    intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ACTOR)
    fact = Retrying(attempt=1, code=ErrorCode.TX_FAILED, detail="refused", until=live.order.updated_at)
    end = AttemptEnd("failed", 9, sends=1)
    change = Change(live.order.id, fact, live.order.version, {"failures": 1}, to=OrderStatus.PENDING, attempt_end=end)
    assert journal.apply([change])
    assert journal.claim([live.order.id], "worker-b", 15) == [], "the order was tried again"
    assert Dispatch(publisher, queue.send, queue.depth).run_once() == 0
    assert read(live.order.id).status is OrderStatus.CANCELLED
    assert intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ACTOR).status is OrderStatus.CANCELLED


def test_a_signed_order_with_a_cancel_is_confirmed_when_its_transaction_lands(intake: Intake) -> None:
    live = sign(built(), "sig")
    intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ACTOR)
    end = AttemptEnd("landed", 9, sends=1)
    assert journal.apply([Change(live.order.id, CONFIRMED, live.order.version, FILL, attempt_end=end)])
    assert intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ACTOR).status is OrderStatus.CONFIRMED


def test_an_ended_order_cannot_be_cancelled(intake: Intake) -> None:
    live = sign(built(), "sig")
    end = AttemptEnd("landed", 9, sends=1)
    assert journal.apply([Change(live.order.id, CONFIRMED, live.order.version, FILL, attempt_end=end)])
    with pytest.raises(OrderdError, match="already ended: confirmed") as caught:
        intake.cancel(DEFAULT_ACCOUNT, str(live.order.id), ACTOR)
    assert caught.value.code is ErrorCode.ORDER_NOT_CANCELLABLE
