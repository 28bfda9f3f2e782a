"""Sends orders so that a lost answer costs nothing: each goes by its client order id, which cannot trade twice."""

import time

from orderd.client import handshake
from orderd.client.connection import Client
from orderd.client.errors import AnswerLostError, ClientError, RefusedError, UnreachableError
from orderd.domain.errors import ErrorCode
from orderd.wire.rpc import Method
from orderd.wire.submissions import SubmitParams, SubmitResult

MAX_TRIES = 8

_OUTCOME_UNKNOWN = frozenset({ErrorCode.SERVICE_TIMEOUT, ErrorCode.SERVICE_INTERNAL})
"""Answers that leave open whether the order was taken."""


def send(client: Client, order: SubmitParams, again: str) -> SubmitResult:
    """Raises what Client.call raises, with the next step for an order that may or may not have been taken: ``again`` is
    the command that sends it once more as the same one."""
    try:
        return client.call(Method.ORDER_SUBMIT, order, SubmitResult)
    except AnswerLostError as error:
        raise _unknown_outcome(order, again, error.detail, type(error)) from error
    except RefusedError as error:
        if error.problem.code in _OUTCOME_UNKNOWN:
            raise _unknown_outcome(order, again, f"{error.problem.code}: {error.detail}") from error
        if error.problem.retryable:
            error.next_step = f"try again, it cannot double: {again}"
        raise


def send_through(client: Client, order: SubmitParams, again: str) -> SubmitResult:
    """As ``send``, but where trying again may help it is tried again, eight times in all."""
    for failures in range(MAX_TRIES - 1):
        try:
            return send(client, order, again)
        except (AnswerLostError, UnreachableError, RefusedError) as error:
            if not handshake.is_retryable(error):
                raise
            time.sleep(_wait(error, failures))
    return send(client, order, again)


def _wait(error: ClientError, failures: int) -> float:
    """Seconds to wait: as the daemon says, or a backoff."""
    retry_after = error.problem.retry_after if isinstance(error, RefusedError) else None
    return handshake.backoff(failures) if retry_after is None else retry_after


def _unknown_outcome(
    order: SubmitParams, again: str, reason: str, kind: type[AnswerLostError] = AnswerLostError
) -> AnswerLostError:
    return kind(
        "The outcome is unknown",
        reason,
        f"run: orderctl watch {order.client_order_id}; where no order has this id, run: {again}",
    )
