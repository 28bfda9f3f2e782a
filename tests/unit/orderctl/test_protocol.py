import json
from typing import Any

import pytest

from orderctl.output.exit_codes import ExitCode
from orderctl.output.failures import exit_code_of_error
from orderd.client import protocol
from orderd.client.errors import RefusedError, UnreachableError, UnreadableError
from orderd.client.notifications import read_notification
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.message import NoParams
from orderd.wire.orders import GetParams
from orderd.wire.prices import CandleChange
from orderd.wire.problem import Problem
from orderd.wire.rpc import ORDER_EVENT, PRICE_CANDLE, Method
from orderd.wire.subscriptions import Ready, SubscribeParams, SubscribeResult

PROBLEM = Problem.of(OrderdError(ErrorCode.AUTH_INVALID, "the token was revoked")).model_dump(mode="json")


def test_a_call_omits_null_parameters() -> None:
    call = json.loads(protocol.encode_call(7, Method.ORDERS_SUBSCRIBE, SubscribeParams(order="0199d3a0", after=None)))

    assert call == {"jsonrpc": "2.0", "id": 7, "method": "orders.subscribe", "params": {"order": "0199d3a0"}}


def test_unknown_members_of_a_newer_daemon_are_ignored() -> None:
    answer = {"id": 1, "result": {"subscription": 4, "new": "member"}}
    assert protocol.read_answer(answer, SubscribeResult) == SubscribeResult(subscription=4)

    news = {"method": ORDER_EVENT, "params": {"type": "READY", "subscription": 4, "orders": 1, "new": "member"}}
    assert read_notification(news) == Ready(subscription=4, orders=1)


def test_a_candle_of_a_newer_daemon_is_accepted() -> None:
    candle = {"at": "2026-11-21T09:30:00Z", **dict.fromkeys(("open", "high", "low", "close"), "142")}
    params = {"subscription": 3, "base": "SOL", "quote": "USDC", "interval": "1m", "candle": candle, "new": "member"}
    news = read_notification({"method": PRICE_CANDLE, "params": params})
    assert isinstance(news, CandleChange)
    assert (news.subscription, news.candle.close) == (3, "142")


@pytest.mark.parametrize(
    "message",
    [{"method": "price.tick", "params": {}}, {"method": ORDER_EVENT, "params": {"type": "HEARTBEAT"}}, {"id": 3}],
)
def test_unknown_notifications_are_ignored(message: dict[str, Any]) -> None:
    assert read_notification(message) is None


def test_an_error_keeps_the_daemons_text_and_has_its_exit_code() -> None:
    with pytest.raises(RefusedError) as refused:
        protocol.read_answer({"id": 1, "error": {"code": -32000, "message": "no", "data": PROBLEM}}, NoParams)

    assert refused.value.detail == "the token was revoked"
    assert refused.value.problem.code is ErrorCode.AUTH_INVALID
    assert exit_code_of_error(refused.value) is ExitCode.AUTH


@pytest.mark.parametrize(
    "message", [{"id": 1}, {"id": 1, "result": {"subscription": "x"}}, {"id": 1, "error": {"code": 1}}]
)
def test_an_invalid_answer_leaves_the_outcome_unknown(message: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError) as unreadable:
        protocol.read_answer(message, SubscribeResult)

    assert exit_code_of_error(unreadable.value) is ExitCode.UNKNOWN_OUTCOME


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\x00"])
def test_text_that_is_not_a_json_object_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableError):
        protocol.decode(text)


def test_invalid_parameters_are_refused_with_the_daemons_code_before_sending() -> None:
    with pytest.raises(OrderdError, match="order") as error:
        protocol.params_of(GetParams, order="no spaces, please")

    assert error.value.code is ErrorCode.REQUEST_INVALID


@pytest.mark.parametrize(
    ("status", "body", "exit_code"),
    [
        (401, json.dumps(PROBLEM).encode(), ExitCode.AUTH),
        (401, b"", ExitCode.AUTH),
        (403, b"<html>", ExitCode.AUTH),
        (404, b"", ExitCode.CONNECTION),
        (503, b"", ExitCode.CONNECTION),
    ],
)
def test_a_refused_handshake_has_its_exit_code(status: int, body: bytes, exit_code: ExitCode) -> None:
    error = protocol.read_handshake_refusal("ws://x/", status, body)

    assert isinstance(error, RefusedError | UnreachableError)
    assert exit_code_of_error(error) is exit_code
