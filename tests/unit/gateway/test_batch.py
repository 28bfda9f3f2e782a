"""Concurrent submissions are committed in one batch."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from peewee import IntegrityError

from db.audit import Actor
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.terms import OrderTerms
from orderd.domain.well_known import registry_of
from orderd.engine.intake import Submission, SubmitOutcome
from orderd.gateway.rpc import batch
from orderd.gateway.rpc.batch import Batcher
from orderd.wire.orders import OrderView

Outcomes = Sequence[SubmitOutcome | OrderdError]
_TERMS = OrderTerms(*registry_of("simnet").pair("SOL", "USDC"), 1, 50)


def _submission(name: str) -> Submission:
    return Submission(UUID(int=1), name, _TERMS, Actor("trader"))


def _outcome(name: str) -> SubmitOutcome:
    members: dict[str, Any] = {"client_order_id": name}  # all that is looked at
    return SubmitOutcome(OrderView.model_construct(**members), created=True)


class Writer:
    """Stands in for intake and its threads: a batch is written when the test says so."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.began = asyncio.Event()

    async def change(
        self, what: str, submit: Callable[[Sequence[Submission]], Outcomes], submissions: Sequence[Submission]
    ) -> Any:
        self.batches.append([each.client_order_id for each in submissions])
        self.began.set()
        await self.gate.wait()
        return submit(submissions)


def _accept(submissions: Sequence[Submission]) -> Outcomes:
    return [
        OrderdError(ErrorCode.ORDER_CONFLICT, each.client_order_id)
        if each.client_order_id.startswith("bad")
        else _outcome(each.client_order_id)
        for each in submissions
    ]


def test_a_single_submission_is_written_at_once_and_later_ones_as_a_batch() -> None:
    async def play() -> None:
        writer = Writer()
        batcher = Batcher(_accept, writer)  # type: ignore[arg-type]  # plays Threads
        first = asyncio.create_task(batcher.submit(_submission("first")))
        await writer.began.wait()
        others = [asyncio.create_task(batcher.submit(_submission(name))) for name in ("a", "bad", "c")]
        await asyncio.sleep(0)
        writer.gate.set()
        answers = await asyncio.gather(first, *others, return_exceptions=True)
        assert writer.batches == [["first"], ["a", "bad", "c"]]
        assert [each.order.client_order_id if isinstance(each, SubmitOutcome) else str(each) for each in answers] == [
            "first",
            "a",
            "ORDER_CONFLICT: bad",
            "c",
        ]

    asyncio.run(play())


def test_a_submission_that_cannot_be_stored_fails_alone() -> None:
    """A rule of the database refuses the statement of the whole batch."""

    def refuse(submissions: Sequence[Submission]) -> Outcomes:
        if any(each.client_order_id == "foul" for each in submissions):
            raise IntegrityError("value for domain token_decimals violates check constraint")
        return _accept(submissions)

    async def play() -> None:
        writer = Writer()
        writer.gate.set()
        batcher = Batcher(refuse, writer)  # type: ignore[arg-type]  # plays Threads
        submitted = [batcher.submit(_submission(name)) for name in ("a", "foul", "c")]
        a, foul, c = await asyncio.gather(*submitted, return_exceptions=True)
        assert isinstance(a, SubmitOutcome)
        assert isinstance(c, SubmitOutcome)
        assert isinstance(foul, IntegrityError)

    asyncio.run(play())


def test_a_batch_has_a_maximum_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_BATCH", 3)

    async def play() -> None:
        writer = Writer()
        writer.gate.set()
        batcher = Batcher(_accept, writer)  # type: ignore[arg-type]
        await asyncio.gather(*(batcher.submit(_submission(str(number))) for number in range(8)))
        assert [len(each) for each in writer.batches] == [3, 3, 2]

    asyncio.run(play())


def test_submissions_beyond_the_queue_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_LINE", 2)

    async def play() -> None:
        writer = Writer()
        batcher = Batcher(_accept, writer)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(batcher.submit(_submission("first")))]
        await writer.began.wait()
        tasks += [asyncio.create_task(batcher.submit(_submission(name))) for name in ("a", "b")]
        await asyncio.sleep(0)
        with pytest.raises(OrderdError) as refused:
            await batcher.submit(_submission("c"))
        assert refused.value.code is ErrorCode.SERVICE_OVERLOADED
        writer.gate.set()
        await asyncio.gather(*tasks)

    asyncio.run(play())


def test_a_cancelled_caller_does_not_withdraw_its_submission() -> None:
    async def play() -> None:
        writer = Writer()
        batcher = Batcher(_accept, writer)  # type: ignore[arg-type]
        first = asyncio.create_task(batcher.submit(_submission("first")))
        await writer.began.wait()
        gone = asyncio.create_task(batcher.submit(_submission("gone")))
        await asyncio.sleep(0)
        gone.cancel()
        writer.gate.set()
        await first
        await batcher.finish()
        assert writer.batches == [["first"], ["gone"]]

    asyncio.run(play())


def test_a_failed_batch_is_reported_to_each_caller_and_the_next_one_is_written() -> None:
    broken = True

    def fail_once(submissions: Sequence[Submission]) -> Outcomes:
        nonlocal broken
        if broken:
            broken = False
            raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, "Postgres does not answer")
        return _accept(submissions)

    async def play() -> None:
        writer = Writer()
        writer.gate.set()
        batcher = Batcher(fail_once, writer)  # type: ignore[arg-type]
        answers = await asyncio.gather(
            *(batcher.submit(_submission(name)) for name in ("a", "b")), return_exceptions=True
        )
        assert [str(each) for each in answers] == ["SERVICE_UNAVAILABLE: Postgres does not answer"] * 2
        assert (await batcher.submit(_submission("c"))).created

    asyncio.run(play())


def test_late_submissions_are_refused_if_waiting_and_unknown_if_being_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batch, "ANSWER_SECONDS", 0.05)

    async def play() -> None:
        writer = Writer()
        batcher = Batcher(_accept, writer)  # type: ignore[arg-type]
        first = asyncio.create_task(batcher.submit(_submission("first")))
        await writer.began.wait()
        second = asyncio.create_task(batcher.submit(_submission("second")))
        answers = await asyncio.gather(first, second, return_exceptions=True)
        codes = [each.code for each in answers if isinstance(each, OrderdError)]
        assert codes == [ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_UNAVAILABLE]
        assert "client order id first" in str(answers[0])
        writer.gate.set()
        await batcher.finish()
        assert writer.batches == [["first"]], "a refused submission was written"

    asyncio.run(play())


def test_a_batch_with_an_unknown_outcome_is_reported_per_client_order_id() -> None:
    def lost(_: Sequence[Submission]) -> Outcomes:
        raise OrderdError(ErrorCode.SERVICE_TIMEOUT, "the batch")

    async def play() -> None:
        writer = Writer()
        writer.gate.set()
        batcher = Batcher(lost, writer)  # type: ignore[arg-type]
        answers = await asyncio.gather(*(batcher.submit(_submission(name)) for name in "ab"), return_exceptions=True)
        for name, answer in zip("ab", answers, strict=True):
            assert isinstance(answer, OrderdError)
            assert answer.code is ErrorCode.SERVICE_TIMEOUT
            assert f"client order id {name}" in answer.detail

    asyncio.run(play())
