"""What all dialects have in common: reconnecting to streams, refusals, and the parsing of amounts."""

import json
from dataclasses import dataclass

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.acceptance.dialects.engine import SECONDS, Engine, Frame, statuses

UNKNOWN = "01980000-0000-7000-8000-000000000001"


@dataclass(frozen=True)
class Dialect:
    """The path, body and status of a submission, the path of the order's stream, and the statuses of a market order."""

    path: str
    body: Frame
    status: int
    stream: str
    market_statuses: list[str]

    def stream_of(self, order_id: str) -> str:
        return self.stream.format(order_id)


EXECUTE = Dialect(
    "/api/orders/execute",
    {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5},
    200,
    "/api/orders/execute?orderId={}",
    ["pending", "routing", "building", "submitted", "confirmed"],
)
SNAPSHOTS = Dialect(
    "/orders",
    {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5},
    200,
    "/ws/orders?orderId={}",
    ["PENDING", "ROUTING", "BUILDING", "CONFIRMED"],
)
ROUTING_COMPLETE = Dialect(
    "/api/orders",
    {"inputToken": "SOL", "outputToken": "USDC", "amount": 10},
    201,
    "/ws/orders/{}",
    ["ROUTING", "ROUTING_COMPLETE", "CONFIRMED"],
)
ALL = (EXECUTE, SNAPSHOTS, ROUTING_COMPLETE)


def submit(engine: Engine, dialect: Dialect, **changes: object) -> str:
    answer = engine.http.post(dialect.path, json=dialect.body | changes)
    assert answer.status_code == dialect.status, answer.text
    order_id: str = answer.json()["orderId"]
    return order_id


# Streams


@pytest.mark.parametrize("dialect", [EXECUTE, ROUTING_COMPLETE])
def test_a_stream_opened_after_the_end_of_an_order_contains_all_its_events(engine: Engine, dialect: Dialect) -> None:
    order_id = submit(engine, dialect)
    frames = engine.frames_of(dialect.stream_of(order_id))
    assert statuses(frames) == dialect.market_statuses
    assert engine.frames_of(dialect.stream_of(order_id)) == frames


@pytest.mark.parametrize("dialect", [EXECUTE, ROUTING_COMPLETE])
def test_a_stream_that_is_opened_again_begins_with_the_first_event(engine: Engine, dialect: Dialect) -> None:
    order_id = submit(engine, dialect)
    with engine.listen(dialect.stream_of(order_id)) as websocket:
        first = json.loads(websocket.recv(SECONDS))
    frames = engine.frames_of(dialect.stream_of(order_id))
    assert frames[0] == first
    assert statuses(frames) == dialect.market_statuses


@pytest.mark.parametrize("dialect", ALL)
def test_the_last_frame_of_a_failed_order_contains_its_error(engine: Engine, dialect: Dialect) -> None:
    order_id = submit(engine, dialect, amount=2000)  # twice what the wallet has
    end = engine.frames_of(dialect.stream_of(order_id))[-1]
    assert end["status"].lower() == "failed"
    assert engine.stored(order_id)["error"]["detail"] in end["error"]
    again = engine.frames_of(dialect.stream_of(order_id))[-1]
    assert (again["status"], again["error"]) == (end["status"], end["error"])
    answer = engine.http.get(f"/api/orders/{order_id}").json()
    assert (answer["status"], answer["errorMessage"]) == ("failed", end["error"])


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(("order_id", "status"), [(UNKNOWN, 404), ("no%20id", 422), ("", 422)])
def test_the_stream_of_an_unknown_order_is_refused(
    engine: Engine, dialect: Dialect, order_id: str, status: int
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        engine.listen(dialect.stream_of(order_id))
    response = caught.value.response
    assert response.status_code == status
    assert json.loads(response.body)["error"]


@pytest.mark.parametrize("path", ["/ws/orders", "/api/orders/execute", "/nowhere"])
def test_a_stream_without_an_order_id_or_at_an_unknown_path_is_refused(engine: Engine, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        engine.listen(path)
    assert 400 <= caught.value.response.status_code < 500


def test_a_connection_with_the_origin_of_a_web_page_is_refused(engine: Engine) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(engine.websocket + "/ws", origin=Origin("http://evil.example"))
    assert caught.value.response.status_code == 403


# Orders


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    ("written", "amount"),
    [("1.1", "1.1"), ('"1.1"', "1.1"), ("1e-9", "0.000000001"), ("0.100000001", "0.100000001"), ("3", "3")],
)
def test_the_amount_is_parsed_exactly(engine: Engine, dialect: Dialect, written: str, amount: str) -> None:
    body = json.dumps(dialect.body | {"amount": "AMOUNT"}).replace('"AMOUNT"', written)
    answer = engine.http.post(dialect.path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == dialect.status, answer.text
    assert engine.stored(answer.json()["orderId"])["amount_in"] == amount


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("0", "AMOUNT_NOT_POSITIVE"),
        ("-1.5", "AMOUNT_NOT_POSITIVE"),
        ('"-1"', "AMOUNT_NOT_POSITIVE"),
        ("0.1000000000000000055511151231257827", "AMOUNT_TOO_PRECISE"),
        ("0.0000000001", "AMOUNT_TOO_PRECISE"),
        ("99999999999999999999", "AMOUNT_TOO_LARGE"),
        ("1e400", "AMOUNT_INVALID"),
        ('"all"', "AMOUNT_INVALID"),
        ('"NaN"', "AMOUNT_INVALID"),
        ("NaN", "REQUEST_INVALID"),
        ("Infinity", "REQUEST_INVALID"),
        ("true", "REQUEST_INVALID"),
        ("null", "REQUEST_INVALID"),
        ("1, " + '"amount": 100', "REQUEST_INVALID"),
    ],
)
def test_an_invalid_amount_is_refused(engine: Engine, dialect: Dialect, written: str, code: str) -> None:
    body = json.dumps(dialect.body | {"amount": "AMOUNT"}).replace('"AMOUNT"', written)
    answer = engine.http.post(dialect.path, content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["detail"] in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/api/orders/execute", {"tokenIn": "SOL", "tokenOut": "NOPE", "amount": 1}, "TOKEN_UNKNOWN"),
        ("/orders", {"tokenIn": "SOL", "tokenOut": "SOL", "amount": 1}, "TOKEN_SAME"),
        ("/api/orders", {"inputToken": "SOL", "outputToken": "NOPE", "amount": 1}, "TOKEN_UNKNOWN"),
        ("/api/orders", {"inputToken": "SOL", "amount": 1}, "REQUEST_INVALID"),
        ("/orders", {"tokenIn": 1, "tokenOut": "USDC", "amount": 1}, "REQUEST_INVALID"),
        ("/orders", {"tokenIn": "SOL", "inputToken": "USDC", "tokenOut": "USDC", "amount": 1}, "REQUEST_INVALID"),
        ("/orders", {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, "side": "sell"}, "REQUEST_INVALID"),
        ("/orders", {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, "slippage": 101}, "SLIPPAGE_OUT_OF_RANGE"),
        ("/orders", {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, "minAmountOut": 0}, "AMOUNT_NOT_POSITIVE"),
        ("/orders", [], "REQUEST_INVALID"),
    ],
)
def test_an_invalid_order_is_refused(engine: Engine, path: str, body: object, code: str) -> None:
    answer = engine.http.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["error"]


@pytest.mark.parametrize("written", ["1e-2", '"0.01"'])
def test_the_minimum_amount_out_is_stored_with_the_order(engine: Engine, written: str) -> None:
    body = f'{{"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, "minAmountOut": {written}}}'
    answer = engine.http.post("/orders", content=body, headers={"content-type": "application/json"})
    assert engine.stored(answer.json()["orderId"])["min_out"] == "0.01"


@pytest.mark.parametrize("member", ["limitPrice", "targetPrice", "price"])
def test_a_limit_order_is_open_at_its_price(engine: Engine, member: str) -> None:
    body = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, "orderType": "LIMIT", member: 150.5}
    answer = engine.http.post("/api/orders/execute", json=body)
    stored = engine.stored(answer.json()["orderId"])
    assert (stored["kind"], stored["limit_price"], stored["status"]) == ("limit", "150.5", "open")


@pytest.mark.parametrize(
    ("terms", "code", "names"),
    [
        ({"orderType": "iceberg"}, "ORDER_TYPE_UNSUPPORTED", "iceberg"),
        ({"orderType": "on_liquidity"}, "ORDER_TYPE_UNSUPPORTED", "on_liquidity among them, are sent to /api/orders"),
        ({"orderType": "limit"}, "REQUEST_INVALID", "limitPrice"),
        ({"orderType": "market", "limitPrice": 150}, "ORDER_TERMS_CONTRADICT", "limit"),
        ({"limitPrice": 150, "price": 150}, "REQUEST_INVALID", "price"),
    ],
)
def test_an_order_whose_type_is_unsupported_or_contradicts_its_price_is_refused(
    engine: Engine, terms: dict[str, object], code: str, names: str
) -> None:
    body = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, **terms}
    answer = engine.http.post("/api/orders/execute", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert names in answer.json()["error"]


@pytest.mark.parametrize("dialect", ALL)
def test_a_body_whose_content_type_is_not_json_is_refused(engine: Engine, dialect: Dialect) -> None:
    answer = engine.http.post(dialect.path, content=json.dumps(dialect.body), headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "REQUEST_MEDIA_TYPE")


@pytest.mark.parametrize("dialect", ALL)
def test_a_repeated_idempotency_key_returns_the_same_order(engine: Engine, dialect: Dialect) -> None:
    headers = {"Idempotency-Key": f"key-{ALL.index(dialect)}"}
    first, second = (engine.http.post(dialect.path, json=dialect.body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    other = engine.http.post(dialect.path, json=dialect.body | {"amount": 7}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "ORDER_CONFLICT")


def test_an_order_in_the_format_of_the_daemon_is_answered_in_that_format(engine: Engine) -> None:
    """Even if one of its values is the name of a dialect's member."""
    body = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "client_order_id": "inputToken"}
    answer = engine.http.post("/api/orders", json=body)
    assert answer.status_code == 201
    assert answer.json()["order"]["client_order_id"] == "inputToken"
