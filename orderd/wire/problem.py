"""Errors as problem details (RFC 9457)."""

from uuid import UUID

from pydantic import Field

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.message import Message


class Problem(Message):
    """Problem details with the code that programs match on, and the next step for people."""

    type: str
    title: str
    status: int
    detail: str
    code: ErrorCode
    retryable: bool
    next_step: str
    order_id: UUID | None = None
    retry_after: int | None = Field(
        None,
        exclude_if=lambda seconds: seconds is None,
        description="seconds until a retry may succeed, if known",
    )

    @classmethod
    def of(cls, error: OrderdError, order_id: UUID | None = None) -> "Problem":
        spec = error.spec
        return cls(
            type=f"urn:orderd:error:{error.code}",
            title=spec.title,
            status=spec.http_status,
            detail=error.detail,
            code=error.code,
            retryable=spec.retryable,
            next_step=spec.next_step,
            order_id=order_id,
            retry_after=error.retry_after,
        )
