"""JSON-RPC 2.0 over one connection: parse once, dispatch by table, answer as calls finish.

https://www.jsonrpc.org/specification. Parameters are passed by name only. A message is validated, method and
parameters together, in one pass; only an invalid message is examined a second time, to say what is wrong with it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Final, Generic, Literal, TypeVar
from uuid import uuid4

import structlog
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, create_model
from pydantic_core import ErrorDetails, from_json, to_json

from db.audit import Actor
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.strict_json import RepeatedMemberError, read_json
from orderd.gateway.access.authentication import Scope
from orderd.gateway.streaming.session import Session
from orderd.metrics.port import CALL_SECONDS, CALLS
from orderd.wire.message import Message
from orderd.wire.problem import Problem
from orderd.wire.rpc import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MAX_MESSAGE_BYTES,
    METHOD_NOT_FOUND,
    ORDERD_ERROR,
    PARSE_ERROR,
    Method,
    RpcFailure,
)

A = TypeVar("A", bound=Message)
R = TypeVar("R", bound=Message)

MAX_BATCH: Final = 100
"""Calls in one batch."""
log = structlog.get_logger(__name__)

_RPC_CODES: Final = {
    ErrorCode.REQUEST_MALFORMED: INVALID_REQUEST,
    ErrorCode.REQUEST_UNKNOWN_METHOD: METHOD_NOT_FOUND,
    ErrorCode.REQUEST_INVALID: INVALID_PARAMS,
    ErrorCode.SERVICE_INTERNAL: INTERNAL_ERROR,
}
_RpcId = Annotated[str, Field(max_length=200)] | Annotated[int, Field(ge=-(2**63), lt=2**63)] | None


@dataclass(frozen=True, slots=True)
class Reply(Generic[R]):
    """A method's result, and a follow-up to start after it was sent."""

    result: R
    then: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class RpcMethod(Generic[A, R]):
    """A method: its parameters and result, the scope it needs, and its handler. Handlers raise OrderdError.

    A handler's docstring is also shown to clients.
    """

    params: type[A]
    result: type[R]
    scope: Scope
    handle: Callable[[Session, A], Awaitable[R | Reply[R]]]


Routes = dict[Method, RpcMethod[Any, Any]]


class _Call(BaseModel):
    """A valid call. Where ``id`` is absent it is a notification, which is never answered."""

    jsonrpc: Literal["2.0"]
    id: _RpcId = None

    @property
    def wants_answer(self) -> bool:
        return "id" in self.model_fields_set


@dataclass(frozen=True, slots=True)
class _Answer:
    message: bytes | None
    then: Callable[[], None] | None = None


class Rpc:
    """The methods of the port."""

    def __init__(
        self,
        routes: Routes,
        refused: Callable[[Actor, str, OrderdError], None] = lambda *_: None,
    ) -> None:
        """``refused`` is called for each call that is answered with an error."""
        self.routes = routes
        self._refused = refused
        params: dict[Method, type[Message]] = {method: route.params for method, route in routes.items()}
        shape: Any = reduce(or_, map(_shape_of, params, params.values()))
        self._calls: TypeAdapter[Any] = TypeAdapter(Annotated[shape, Field(discriminator="method")])

    async def receive(self, session: Session, message: bytes) -> None:
        """Begin to answer one message. Waits while the session has too much in flight."""
        if message.lstrip()[:1] == b"[":
            await self._receive_batch(session, message)
            return
        await session.slots.acquire()
        session.spawn(self._answer_one(session, message))

    async def _answer_one(self, session: Session, message: bytes) -> None:
        try:
            answer = await self._perform(session, message)
            if answer.message is not None:
                await session.peer.answer(answer.message)
            if answer.then is not None:
                answer.then()
        finally:
            session.slots.release()

    async def _receive_batch(self, session: Session, message: bytes) -> None:
        try:
            calls = from_json(message)
            read_json(message)
        except RepeatedMemberError as error:
            await session.peer.answer(_failure(None, _refused_for(error)))
            return
        except ValueError as error:
            await session.peer.answer(_not_json(str(error)))
            return
        if not 1 <= len(calls) <= MAX_BATCH:
            problem = OrderdError(
                ErrorCode.REQUEST_MALFORMED, f"a batch has 1 to {MAX_BATCH} calls, this one {len(calls)}"
            )
            await session.peer.answer(_failure(None, problem))
            return
        answers: list[asyncio.Future[_Answer]] = []
        for call in calls:
            await session.slots.acquire()
            answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()
            answers.append(answer)
            session.spawn(self._fulfil(session, to_json(call), answer))
        session.spawn(_answer_batch(session, answers))

    async def _fulfil(self, session: Session, message: bytes, answer: asyncio.Future[_Answer]) -> None:
        try:
            answer.set_result(await self._perform(session, message))
        finally:
            session.slots.release()

    async def _perform(self, session: Session, message: bytes) -> _Answer:
        try:
            call = self._calls.validate_json(message, strict=True)
        except ValidationError as error:
            return _Answer(self._refusal(message, error.errors(include_url=False)))
        if (repeated := _repetition(call, message)) is not None:
            CALLS.labels("invalid", ErrorCode.REQUEST_INVALID).inc()
            refusal = _failure(None if repeated.name == "id" else call.id, _refused_for(repeated))
            return _Answer(refusal if call.wants_answer else None)
        started = time.perf_counter()
        outcome = "ok"
        try:
            route = self.routes[call.method]
            session.principal.require(route.scope)
            result = await route.handle(session, call.params)
            reply = result if isinstance(result, Reply) else Reply(result)
        except OrderdError as problem:
            outcome = problem.code
            self._refused(session.principal.actor, call.method, problem)
            answer = _Answer(_failure(call.id, problem))
        except Exception:  # noqa: BLE001  (the client learns that it failed, the log why)
            outcome = ErrorCode.SERVICE_INTERNAL
            answer = _Answer(_failure(call.id, _internal(call.method)))
        else:
            answer = _Answer(_success(call.id, reply.result), reply.then)
        CALLS.labels(call.method, outcome).inc()
        CALL_SECONDS.labels(call.method).observe(time.perf_counter() - started)
        return answer if call.wants_answer else _Answer(None, answer.then)

    def _refusal(self, message: bytes, errors: list[ErrorDetails]) -> bytes | None:
        """The error answer to a message that is not a valid call; None for a notification."""
        if errors[0]["type"] == "json_invalid":
            return _not_json(errors[0]["msg"])
        given = from_json(message)
        if not isinstance(given, dict):
            return _malformed(None, "a call is a JSON object")
        call_id = given.get("id")
        if isinstance(call_id, bool) or not isinstance(call_id, str | int) or len(str(call_id)) > 200:
            call_id = None
        if given.get("jsonrpc") != "2.0":
            return _malformed(call_id, 'the member jsonrpc is not "2.0"')
        if not isinstance(given.get("method"), str):
            return _malformed(call_id, "the member method is missing or not a string")
        if errors[0]["loc"] == ():
            problem = self._unknown_method(given["method"])
        elif errors[0]["loc"][1] == "id":
            return _malformed(call_id, "the member id is neither a string nor an integer")
        else:
            problem = OrderdError(ErrorCode.REQUEST_INVALID, "; ".join(_describe(error) for error in errors[:5]))
        CALLS.labels("invalid", problem.code).inc()
        return _failure(call_id, problem) if "id" in given else None

    def _unknown_method(self, name: str) -> OrderdError:
        near = get_close_matches(name[:50], self.routes, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(self.routes)}"
        return OrderdError(ErrorCode.REQUEST_UNKNOWN_METHOD, f"{name[:50]!r} is not a method; {hint}")


async def _answer_batch(session: Session, answers: list[asyncio.Future[_Answer]]) -> None:
    done = await asyncio.gather(*answers)
    messages = [answer.message for answer in done if answer.message is not None]
    if messages:
        await session.peer.answer(b"[" + b",".join(messages) + b"]")
    for answer in done:
        if answer.then is not None:
            answer.then()


def _repetition(call: Any, message: bytes) -> RepeatedMemberError | None:  # noqa: ANN401  (a class made here)
    """Which member of a valid call is given twice.

    Each member has a colon: if there are no more colons than understood members, none comes twice, and the message need
    not be read a second time.
    """
    if message.count(b":") <= len(call.model_fields_set) + len(call.params.model_fields_set):
        return None
    try:
        read_json(message)
    except RepeatedMemberError as error:
        return error
    return None


def _refused_for(error: RepeatedMemberError) -> OrderdError:
    return OrderdError(ErrorCode.REQUEST_INVALID, str(error))


@cache
def _shape_of(method: Method, params: type[Message]) -> Any:  # noqa: ANN401  (a class made here)
    needed = any(field.is_required() for field in params.model_fields.values())
    members: dict[str, Any] = {
        "method": (Literal[method.value], ...),
        "params": (params, ... if needed else params()),
    }
    return create_model(f"Call of {method}", __base__=_Call, **members)


def _success(call_id: str | int | None, result: Message) -> bytes:
    body = type(result).__pydantic_serializer__.to_json(result)
    return b'{"jsonrpc":"2.0","id":' + to_json(call_id) + b',"result":' + body + b"}"


def _failure(call_id: str | int | None, error: OrderdError, code: int | None = None) -> bytes:
    failure = RpcFailure(
        code=code or _RPC_CODES.get(error.code, ORDERD_ERROR), message=error.spec.title, data=Problem.of(error)
    )
    body = type(failure).__pydantic_serializer__.to_json(failure)
    return b'{"jsonrpc":"2.0","id":' + to_json(call_id) + b',"error":' + body + b"}"


def _malformed(call_id: str | int | None, detail: str) -> bytes:
    return _failure(call_id, OrderdError(ErrorCode.REQUEST_MALFORMED, detail))


def _not_json(detail: str) -> bytes:
    return _failure(None, OrderdError(ErrorCode.REQUEST_MALFORMED, detail), PARSE_ERROR)


def too_large() -> bytes:
    """The answer to a message that is not even read, before its connection is closed."""
    detail = f"a message may have {MAX_MESSAGE_BYTES} bytes"
    return _failure(None, OrderdError(ErrorCode.REQUEST_TOO_LARGE, detail), INVALID_REQUEST)


def _internal(method: str) -> OrderdError:
    correlation = uuid4().hex[:12]
    log.exception("call failed", action="rpc_internal_error", method=method, correlation_id=correlation)
    return OrderdError(
        ErrorCode.SERVICE_INTERNAL, f"look for correlation_id {correlation} in the daemon's log; the call was {method}"
    )


def _describe(error: ErrorDetails) -> str:
    """The field, its error, and the given value."""
    path = ".".join(str(step) for step in error["loc"][2:]) or "params"
    complaint = error["msg"].removeprefix("Input ").removeprefix("String ")
    if error["type"] == "missing":
        return f"{path}: is required"
    if error["type"] == "extra_forbidden":
        return f"{path}: is not a parameter of {error['loc'][0]}"
    return f"{path}: {complaint}, not {to_json(error['input']).decode()[:60]}"
