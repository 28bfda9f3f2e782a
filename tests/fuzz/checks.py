"""Checks in addition to those of schemathesis, which loads this module."""

import json
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response

_FORM_CODES = {"REQUEST_INVALID", "AMOUNT_INVALID"}
_TRIES_OF_LATE = 10
_BEYOND_SCHEMAS = (
    "client_order_id and the Idempotency-Key are the same thing, but differ",
    "account: there is none with the name or id ",
    "amount_in: is required",
)
"""Beginnings of details of refusals that have such a code but that no schema can express."""


@schemathesis.check
def well_formed_requests_are_not_refused_for_their_form(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """A request that conforms to the document can be refused for its content, but not for its form."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = _problem(response)
    assert problem["code"] not in _FORM_CODES or problem["detail"].startswith(_BEYOND_SCHEMAS), problem["detail"]


@schemathesis.check
def problems_explain_themselves(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every refusal has a reason and a next step, and names its request."""
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    if response.status_code == 503 and case.operation.path == "/ready":
        return
    problem = _problem(response)
    assert problem["status"] == response.status_code
    assert problem["detail"]
    assert problem["next_step"]
    assert problem["instance"].startswith("/")


@schemathesis.check
def a_late_answer_is_not_late_each_time(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """On a busy machine an answer can miss its deadline; 504 then says that the outcome is unknown."""
    for _ in range(_TRIES_OF_LATE):
        if response.status_code != 504:
            return
        response = case.call()
    raise AssertionError(f"late {_TRIES_OF_LATE} times: {_problem(response)['detail']}")


@schemathesis.check
def every_answer_has_an_id_and_safe_headers(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    assert response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == ["nosniff"]
    assert response.headers["content-security-policy"]


@schemathesis.check
class cancelled_orders_stay_cancelled:  # noqa: N801  (checks are named after their functions)
    """Also if the order is read or cancelled again, or submitted again with the same key."""

    def __init__(self) -> None:
        self._cancelled: set[str] = set()

    def after_response(self, ctx: CheckContext, response: Response, case: Case[Any]) -> None:
        # 202 is the answer for a signed order, whose transaction decides how it ends.
        if response.status_code >= 202 or not response.content or not case.operation.path.startswith("/api/orders"):
            return
        body = json.loads(response.content)
        orders = body["orders"] if "orders" in body else [body["order"]] if "order" in body else []
        for order in orders:
            if order["id"] in self._cancelled or case.method == "DELETE":
                assert order["status"] == "cancelled", order
                self._cancelled.add(order["id"])


@schemathesis.check
class every_operation_succeeds_at_times:  # noqa: N801  (checks are named after their functions)
    """Otherwise the run has only tested refusals of that operation."""

    def __init__(self) -> None:
        self._tried: set[str] = set()
        self._reached: set[str] = set()

    def after_response(self, ctx: CheckContext, response: Response, case: Case[Any]) -> None:
        self._tried.add(case.operation.label)
        if response.status_code < 300:
            self._reached.add(case.operation.label)

    def after_run(self, ctx: CheckContext) -> None:
        assert self._tried == self._reached, f"never answered with success: {sorted(self._tried - self._reached)}"


def _problem(response: Response) -> dict[str, Any]:
    assert response.headers["content-type"] == ["application/problem+json"], response.headers["content-type"]
    problem: dict[str, Any] = json.loads(response.content)
    return problem
