"""JSON-RPC 2.0 over one endpoint: calls, batches, and their errors. Synchronous, thread-safe.

    RpcError
    ├── RpcTransportError       no valid answer came: time-out, connection, 5xx, a body that is not JSON-RPC.
    │   │                       The node may or may not have acted on the request
    │   └── RpcRefusedError     the endpoint refused the request without a JSON-RPC answer: 4xx
    ├── RpcWrongChainError      the endpoint serves another chain than configured; no other request was made
    ├── RpcRateLimitedError     the endpoint limits requests; ``retry_after`` seconds, if it said so
    └── RpcResponseError        the node answered with an error: ``code``, ``message``, ``data``

Specification: https://www.jsonrpc.org/specification.
"""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, ClassVar, Final

import orjson
import structlog

from orderd.domain.errors import ErrorCode, OutageError
from orderd.metrics.chain import ERRORS, REQUEST_SECONDS
from orderd.solana.endpoint_figures import EndpointFigures
from orderd.solana.transport import Response, Transport, TransportError

Call = tuple[str, list[Any]]
"""A method and its parameters."""

METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
"""Error numbers of JSON-RPC 2.0."""
_TOO_MANY_REQUESTS: Final = 429
log = structlog.get_logger(__name__)


class RpcError(Exception):
    """A request that failed; ``error_code`` is the code that a user sees."""

    error_code: ClassVar[ErrorCode] = ErrorCode.RPC_UNAVAILABLE
    label: ClassVar[str] = "transport"
    """Label in metrics."""


class RpcTransportError(RpcError):
    """No valid answer came: the node may or may not have acted on the request."""


class RpcRefusedError(RpcTransportError):
    """The endpoint refused this request by an HTTP status."""

    label = "refused"


class RpcWrongChainError(RpcError):
    """The endpoint serves another chain than the configured one."""

    error_code = ErrorCode.RPC_WRONG_CHAIN
    label = "wrong_chain"


class RpcUnlistedError(RpcError):
    """The node does not list the accounts of a program. Many nodes do so for no or only some programs."""

    error_code = ErrorCode.RPC_POOLS_UNLISTED


class RpcRateLimitedError(RpcError):
    """The endpoint refused this request because of its rate limit."""

    error_code = ErrorCode.RPC_RATE_LIMITED
    label = "rate_limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RpcResponseError(RpcError):
    """The node's answer is an error, such as -32002 with a failed preflight's logs in ``data``."""

    label = "response"

    def __init__(self, code: int, message: str, data: Any = None) -> None:  # noqa: ANN401  (any JSON)
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.data = data


@contextmanager
def translated_rpc_errors() -> Iterator[None]:
    """Translate RpcError into the OrderdError that users see."""
    try:
        yield
    except RpcError as error:
        raise OutageError(error.error_code, str(error)) from error


class JsonRpc:
    """One endpoint. Every method raises RpcError."""

    def __init__(self, transport: Transport, figures: EndpointFigures | None = None) -> None:
        """``figures`` counts the answers, in addition to the process's metrics."""
        self._transport = transport
        self._figures = figures
        self._ids = itertools.count(1)
        self._takes_batches = True

    @property
    def takes_batches(self) -> bool:
        """Whether the endpoint has refused no batch so far."""
        return self._takes_batches

    def close(self) -> None:
        self._transport.close()

    def call(self, method: str, params: list[Any] | None = None) -> Any:  # noqa: ANN401  (any JSON)
        """Call one method and return its ``result``."""
        outcome = self._outcome_of(method, params or [])
        if isinstance(outcome, RpcError):
            raise outcome
        return outcome

    def call_many(self, calls: Sequence[Call]) -> list[Any]:
        """Call several methods in one request. Results are in the order of ``calls``; a failed call has its RpcError.

        Raises RpcError if the request as a whole failed. Endpoints that refuse batches get one request per call.
        """
        if len(calls) < 2 or not self._takes_batches:  # a batch would only add overhead
            return self._one_by_one(calls)
        requests = [
            {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params} for method, params in calls
        ]
        try:
            replies = self._post(requests, _named(calls))
        except RpcRefusedError as refused:
            return self._without_batch(calls, refused)
        match replies:
            case [{"id": None} as refused_as_one]:  # some endpoints return the refusal of a batch in a list
                replies = refused_as_one
        if isinstance(replies, dict):
            outcome = self._outcome("batch", replies)
            refusal = outcome if isinstance(outcome, RpcError) else RpcTransportError("a single answer to a batch")
            return self._without_batch(calls, refusal)
        by_id = {
            reply["id"]: reply for reply in replies if isinstance(reply, dict) and isinstance(reply.get("id"), int)
        }
        return [
            self._outcome(str(request["method"]), by_id[request["id"]])
            if request["id"] in by_id
            else RpcTransportError(f"{request['method']}: missing in the answer to the batch")
            for request in requests
        ]

    def _without_batch(self, calls: Sequence[Call], refusal: RpcError) -> list[Any]:
        """Retry the calls one by one; if that succeeds, batches are not used any more. Raises ``refusal`` if all calls
        fail too."""
        if isinstance(refusal, RpcRateLimitedError):
            raise refusal
        outcomes = self._one_by_one(calls)
        if all(isinstance(outcome, RpcError) for outcome in outcomes):
            raise refusal
        self._takes_batches = False
        log.warning("the endpoint does not accept batches", action="batch_refused", error=str(refusal))
        return outcomes

    def _one_by_one(self, calls: Sequence[Call]) -> list[Any]:
        """As ``call_many``, one request per call. After a request without an answer, the remaining calls are not
        made."""
        outcomes: list[Any] = []
        for method, params in calls:
            try:
                outcomes.append(self._outcome_of(method, params))
            except RpcError as error:
                if not outcomes:
                    raise
                outcomes += [error] * (len(calls) - len(outcomes))
                break
        return outcomes

    def _outcome_of(self, method: str, params: list[Any]) -> Any:  # noqa: ANN401  (any JSON)
        """The ``result`` of one method, or the node's error as an RpcError."""
        request_id = next(self._ids)
        reply = self._post({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}, method)
        if not isinstance(reply, dict):
            return self._counted(method, RpcTransportError(f"{method}: no JSON-RPC object"))
        if "result" in reply and reply.get("id") != request_id:
            return self._counted(method, RpcTransportError(f"{method}: the answer is to another request"))
        return self._outcome(method, reply)

    def _outcome(self, method: str, reply: dict[str, Any]) -> Any:  # noqa: ANN401  (any JSON)
        """One reply's result, or its error as an RpcError."""
        outcome = _parsed(method, reply)
        return self._counted(method, outcome) if isinstance(outcome, RpcError) else outcome

    def _counted(self, method: str, error: RpcError) -> RpcError:
        ERRORS.labels(method, error.label).inc()
        if self._figures is not None:
            self._figures.failed(error.label)
        return error

    def _post(self, payload: object, method: str) -> Any:  # noqa: ANN401  (any JSON)
        """The parsed answer. Raises RpcRateLimitedError or RpcTransportError."""
        began = perf_counter()
        try:
            return self._answer(payload)
        except RpcError as error:
            self._counted(method, error)
            raise
        finally:
            seconds = perf_counter() - began
            REQUEST_SECONDS.labels(method).observe(seconds)
            if self._figures is not None:
                self._figures.answered(seconds)

    def _answer(self, payload: object) -> Any:  # noqa: ANN401  (any JSON)
        """As ``_post``, without counting."""
        try:
            response = self._transport.post(orjson.dumps(payload))
        except TransportError as error:
            raise RpcTransportError(str(error)) from error
        if response.status == _TOO_MANY_REQUESTS:
            raise RpcRateLimitedError("HTTP 429: the endpoint limits requests", _seconds(response.retry_after))
        try:
            reply = orjson.loads(response.body)
        except orjson.JSONDecodeError as error:
            kind = RpcRefusedError if 400 <= response.status < 500 else RpcTransportError
            raise kind(_unreadable(response)) from error
        if response.status >= 500 or not isinstance(reply, dict | list):
            raise RpcTransportError(_unreadable(response))
        return reply


def _named(calls: Sequence[Call]) -> str:
    """The label of a request: the method of all its calls, or "batch"."""
    methods = {method for method, _ in calls}
    return methods.pop() if len(methods) == 1 else "batch"


def _parsed(method: str, reply: dict[str, Any]) -> Any:  # noqa: ANN401  (any JSON)
    error = reply.get("error")
    if error is None:
        return reply["result"] if "result" in reply else RpcTransportError(f"{method}: neither result nor error")
    if not isinstance(error, dict) or not isinstance(error.get("code"), int):
        return RpcTransportError(f"{method}: an error without a code: {str(error)[:200]}")
    if error["code"] == _TOO_MANY_REQUESTS:  # some providers limit within HTTP 200
        return RpcRateLimitedError(f"{method}: {error.get('message')}")
    return RpcResponseError(error["code"], str(error.get("message")), error.get("data"))


def _seconds(header: str | None) -> float | None:
    """Retry-After in seconds; None for a date, which the header may also hold."""
    return float(header) if header is not None and header.isdecimal() else None


def _unreadable(response: Response) -> str:
    return f"HTTP {response.status}, no JSON-RPC: {response.body[:200].decode(errors='replace')!r}"
