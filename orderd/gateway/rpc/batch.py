"""Concurrent submissions share a commit: submissions that arrive while a batch is written form the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine.intake import Submission, SubmitOutcome, outcome_unknown
from orderd.gateway.threads import ANSWER_SECONDS, DatabaseThreads
from orderd.metrics.port import INTAKE_BATCH

MAX_BATCH: Final = 256
MAX_LINE: Final = 4_096
"""Submissions in line, beyond which new ones are refused."""

SubmitBatch = Callable[[Sequence[Submission]], Sequence[SubmitOutcome | OrderdError]]
_Waiting = tuple[Submission, "asyncio.Future[SubmitOutcome]"]


class Batcher:
    """Submits orders in groups. A single submission is written immediately: batches grow with load, not by waiting."""

    def __init__(self, submit_batch: SubmitBatch, threads: DatabaseThreads) -> None:
        self._submit_batch = submit_batch
        self._threads = threads
        self._line: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, submission: Submission) -> SubmitOutcome:
        """Returns when the order is on disk.

        Raises OrderdError: SERVICE_OVERLOADED when too many wait, SERVICE_UNAVAILABLE if it was not stored in time,
        SERVICE_TIMEOUT if that is not known. A client that disconnects does not withdraw its order: it is submitted all
        the same.
        """
        if len(self._line) >= MAX_LINE:
            raise OrderdError(ErrorCode.SERVICE_OVERLOADED, f"{len(self._line)} submissions are in line")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[SubmitOutcome] = loop.create_future()
        waiting = submission, answer
        self._line.append(waiting)
        if self._writer is None:
            self._writer = loop.create_task(self._write(), name="intake")
        deadline = loop.call_later(ANSWER_SECONDS, self._give_up, waiting)
        try:
            return await answer
        finally:
            deadline.cancel()

    def _give_up(self, waiting: _Waiting) -> None:
        submission, answer = waiting
        if answer.done():
            return
        if waiting in self._line:
            self._line.remove(waiting)
            detail = "Postgres did not answer in time; the order was not taken"
            answer.set_exception(OrderdError(ErrorCode.SERVICE_UNAVAILABLE, detail))
        else:
            answer.set_exception(outcome_unknown(submission))

    async def finish(self) -> None:
        """Wait until the line is empty."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        try:
            while self._line:
                batch = [self._line.popleft() for _ in range(min(len(self._line), MAX_BATCH))]
                INTAKE_BATCH.observe(len(batch))
                await self._submit(batch)
        finally:
            self._writer = None

    async def _submit(self, batch: Sequence[_Waiting]) -> None:
        outcomes: Sequence[SubmitOutcome | Exception]
        try:
            outcomes = await self._threads.change("the batch", self._submit_batch, [each for each, _ in batch])
        except OrderdError as error:
            is_unknown = error.code is ErrorCode.SERVICE_TIMEOUT
            outcomes = [outcome_unknown(each) if is_unknown else error for each, _ in batch]
        except Exception as error:  # noqa: BLE001  (the caller gets it)
            if len(batch) > 1:
                # Nothing is stored, because of one submission that cannot be: alone, it fails alone.
                for each in batch:
                    await self._submit([each])
                return
            outcomes = [error]
        for (_, answer), outcome in zip(batch, outcomes, strict=True):
            if answer.done():  # the caller no longer waits
                continue
            if isinstance(outcome, SubmitOutcome):
                answer.set_result(outcome)
            else:
                answer.set_exception(outcome)
