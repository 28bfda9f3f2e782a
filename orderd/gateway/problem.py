"""Refusals over HTTP: RFC 9457 problems."""

from typing import Final

from pydantic import Field
from starlette.responses import Response

from orderd.domain.errors import OrderdError
from orderd.wire.problem import Problem

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER_SECONDS: Final = 1
"""Default if no better value is known."""


class HttpProblem(Problem):
    """RFC 9457; ``instance`` is the path of the request."""

    instance: str
    error: str = Field(description="title and detail in one, where clients of other order engines look for it")


def problem_response(error: OrderdError, instance: str, status: int | None = None) -> Response:
    """RFC 9457, with the status of the error's code unless HTTP has its own ``status`` for it."""
    status = status or error.spec.http_status
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None or status in (429, 503):
        headers["Retry-After"] = str(error.retry_after or RETRY_AFTER_SECONDS)
    sentence = f"{error.spec.title}: {error.detail}"
    problem = HttpProblem(**Problem.of(error).model_dump() | {"status": status}, instance=instance, error=sentence)
    return Response(
        problem.model_dump_json(exclude_none=True), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def raw_refusal(error: OrderdError, status: int, phrase: str) -> bytes:
    """A problem with its head, for a connection on which no request has been read; it is closed afterwards."""
    problem = problem_response(error, "", status)
    problem.headers["Connection"] = "close"
    head = "".join(f"{name}: {value}\r\n" for name, value in problem.headers.items())
    return f"HTTP/1.1 {status} {phrase}\r\n{head}\r\n".encode("latin-1") + bytes(problem.body)
