"""Checks of our own, beside those of schemathesis, which loads this module."""

import json
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, Response

_FORM = {"REQUEST_INVALID", "AMOUNT_INVALID"}
_BEYOND_SCHEMAS = (
    "client_order_id and the Idempotency-Key are the same thing, but differ",
    "account: there is none with the name or id ",
    "amount_in: is required",
)
"""How the details begin of what no schema can say and has the code of a wrong form, which is a promise."""


@schemathesis.check
def well_formed_requests_are_not_refused_for_their_form(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What is all that the document asks for may be refused for what it says, but not for how it looks."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code != 422:
        return
    problem = _problem(response)
    assert problem["code"] not in _FORM or problem["detail"].startswith(_BEYOND_SCHEMAS), problem["detail"]


@schemathesis.check
def problems_explain_themselves(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """Every refusal says what, why and what to do, of the request that was made."""
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
def every_answer_has_an_id_and_is_no_page(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    assert response.headers["x-request-id"]
    assert response.headers["x-content-type-options"] == ["nosniff"]
    assert response.headers["content-security-policy"]


@schemathesis.check
class cancelled_orders_stay_cancelled:  # noqa: N801  (a check goes by its name)
    """Also while others ask for it, cancel it again, or send its key once more."""

    def __init__(self) -> None:
        self._cancelled: set[str] = set()

    def after_response(self, ctx: CheckContext, response: Response, case: Case[Any]) -> None:
        # 202 is of an order that is signed: it ends as its transaction does.
        if response.status_code >= 202 or not response.content or not case.operation.path.startswith("/api/orders"):
            return
        body = json.loads(response.content)
        orders = body["orders"] if "orders" in body else [body["order"]] if "order" in body else []
        for order in orders:
            if order["id"] in self._cancelled or case.method == "DELETE":
                assert order["status"] == "cancelled", order
                self._cancelled.add(order["id"])


@schemathesis.check
class every_operation_succeeds_at_times:  # noqa: N801  (a check goes by its name)
    """Else nothing behind its refusals was tried."""

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
