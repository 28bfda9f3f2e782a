"""Sends orders safely: after a lost response, an order can be sent again under the same client order id without a
duplicate."""

import time

from orderd.client import handshake
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, ClientError, RefusedError, UnreachableError
from orderd.domain.errors import ErrorCode
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams, SubmitResult

MAX_TRIES = 8

_OUTCOME_UNKNOWN = frozenset({ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL})
"""Error codes after which it is unknown whether the order was accepted."""


def send(client: Client, order: SubmitParams, again: str) -> SubmitResult:
    """Send an order. Raises what Client.call raises; ``again`` is the command that safely repeats it, for the next step
    of the error."""
    try:
        return client.call(Method.ORDER_SUBMIT, order, SubmitResult)
    except AnswerLostError as error:
        raise _unknown_outcome(order, again, error.detail, type(error)) from error
    except RefusedError as error:
        if error.problem.code in _OUTCOME_UNKNOWN:
            raise _unknown_outcome(order, again, f"{error.problem.code}: {error.detail}") from error
        if error.problem.retryable:
            error.next_step = f"retry, which cannot create a second order: {again}"
        raise


def send_through(client: Client, order: SubmitParams, again: str) -> SubmitResult:
    """Like ``send``, with up to eight tries if a retry may help."""
    for failures in range(MAX_TRIES - 1):
        try:
            return send(client, order, again)
        except (AnswerLostError, UnreachableError, RefusedError) as error:
            if not handshake.is_retryable(error):
                raise
            time.sleep(_wait(error, failures))
    return send(client, order, again)


def _wait(error: ClientError, failures: int) -> float:
    """Seconds until the next try: as the daemon requests, or a backoff."""
    retry_after = error.problem.retry_after if isinstance(error, RefusedError) else None
    return handshake.backoff(failures) if retry_after is None else retry_after


def _unknown_outcome(
    order: SubmitParams, again: str, reason: str, kind: type[AnswerLostError] = AnswerLostError
) -> AnswerLostError:
    return kind(
        "The outcome is unknown",
        reason,
        f"run: orderctl watch {order.client_order_id}; if no order has this id, run: {again}",
    )
