"""Clients written for other order engines, word for word, against a real daemon."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.temporary import Daemon, running_daemon
from tests.conftest import QUICK

Frame = dict[str, Any]
UNKNOWN = "01980000-0000-7000-8000-000000000001"
SECONDS = 20


@dataclass(frozen=True)
class Dialect:
    """What a client sends, the status of the answer, and where it listens to an order."""

    path: str
    body: Frame
    status: int
    stream: str
    words: tuple[str, ...]


EXECUTE = Dialect(
    "/api/orders/execute",
    {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5},
    200,
    "/api/orders/execute?orderId={}",
    ("pending", "routing", "building", "submitted", "confirmed"),
)
SNAPSHOTS = Dialect(
    "/orders",
    {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5},
    200,
    "/ws/orders?orderId={}",
    ("PENDING", "ROUTING", "BUILDING", "CONFIRMED"),
)
ROUTING_COMPLETE = Dialect(
    "/api/orders",
    {"inputToken": "SOL", "outputToken": "USDC", "amount": 10},
    201,
    "/ws/orders/{}",
    ("ROUTING", "ROUTING_COMPLETE", "CONFIRMED"),
)
ALL = (EXECUTE, SNAPSHOTS, ROUTING_COMPLETE)


@dataclass(frozen=True)
class Engine:
    """The daemon, as a client of other engines knows it."""

    http: httpx.Client
    websocket: str
    daemon: Daemon

    def submit(self, dialect: Dialect, **changes: object) -> str:
        answer = self.http.post(dialect.path, json=dialect.body | changes)
        assert answer.status_code == dialect.status, answer.text
        order_id: str = answer.json()["orderId"]
        return order_id

    def listen(self, path: str) -> ClientConnection:
        return connect(self.websocket + path, open_timeout=SECONDS)

    def story(self, dialect: Dialect, order_id: str) -> list[Frame]:
        """All frames until the daemon closes the stream, as it does when it has told all."""
        with self.listen(dialect.stream.format(order_id)) as websocket:
            frames = [json.loads(message) for message in websocket]
            assert websocket.protocol.close_code == 1000
        return frames

    @contextmanager
    def worker_held(self) -> Iterator[None]:
        """Meanwhile orders wait: whoever listens comes before they have ended."""
        pid = int((self.daemon.log.parent / "worker.lock").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def wallet(self) -> str:
        wallet: str = self.http.get("/api/status").json()["wallet"]
        return wallet

    def stored(self, order_id: str) -> Frame:
        order: Frame = self.http.get(f"/api/orders/{order_id}").json()["order"]
        return order


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Engine]:
    with running_daemon(tmp_path_factory.mktemp("daemon"), QUICK | shared_database) as daemon:
        address = urlsplit(daemon.url).netloc
        with httpx.Client(base_url=f"http://{address}", timeout=SECONDS) as http:
            yield Engine(http, f"ws://{address}", daemon)


def statuses(frames: list[Frame]) -> tuple[str, ...]:
    return tuple(frame["status"] for frame in frames)


def is_moment(text: str) -> bool:
    return datetime.fromisoformat(text).utcoffset() is not None


# The documented request and stream of each


def test_execute(engine: Engine) -> None:
    answer = engine.http.post("/api/orders/execute", json={"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5})
    assert (answer.status_code, set(answer.json())) == (200, {"orderId", "message"})
    order_id = answer.json()["orderId"]

    pending, routing, building, submitted, confirmed = engine.story(EXECUTE, order_id)

    assert pending == {"status": "pending", "orderId": order_id}
    assert routing.keys() == {"status", "timestamp"}
    assert routing["status"] == "routing"
    assert is_moment(routing["timestamp"])
    assert building.keys() == {"status", "dex", "price"}
    assert (building["status"], building["dex"] in ("Raydium", "Meteora")) == ("building", True)
    assert building["price"] > 0
    assert submitted == {"status": "submitted"}
    order = engine.stored(order_id)
    price = float(order["executed_price"])
    assert confirmed == {"status": "confirmed", "txHash": order["signature"], "executedPrice": price}


def test_a_snapshot_and_events(engine: Engine) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(engine.worker_held())
        answer = engine.http.post("/orders", json={"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5})
        assert answer.status_code == 200
        order_id = answer.json()["orderId"]
        with engine.listen(f"/ws/orders?orderId={order_id}") as websocket:
            frames = [json.loads(websocket.recv(SECONDS))]
            waiting.close()
            frames += [json.loads(message) for message in websocket]

    assert [frame["type"] for frame in frames] == ["SNAPSHOT", "EVENT", "EVENT", "EVENT"]
    assert statuses(frames) == ("PENDING", "ROUTING", "BUILDING", "CONFIRMED")
    assert {frame["orderId"] for frame in frames} == {order_id}
    assert all(is_moment(frame["timestamp"]) for frame in frames)
    assert frames[-1]["txHash"] == engine.stored(order_id)["signature"]


def test_routing_complete(engine: Engine) -> None:
    answer = engine.http.post("/api/orders", json={"inputToken": "SOL", "outputToken": "USDC", "amount": 10})
    assert (answer.status_code, set(answer.json())) == (201, {"orderId", "message"})
    order_id = answer.json()["orderId"]

    frames = engine.story(ROUTING_COMPLETE, order_id)

    assert statuses(frames) == ("ROUTING", "ROUTING_COMPLETE", "CONFIRMED")
    assert frames[-1]["txHash"] == engine.stored(order_id)["signature"]
    assert engine.stored(order_id)["amount_in"] == "10"


def test_every_update_with_its_quote(engine: Engine) -> None:
    body = {
        "walletAddress": engine.wallet(),
        "tokenIn": WSOL_MINT,
        "tokenOut": USDC_MINT,
        "amountIn": 1.5,
        "orderType": "market",
        "slippage": 1.0,
    }
    with engine.listen("/ws") as websocket:
        order_ids = [engine.http.post("/api/orders/execute", json=body).json()["orderId"] for _ in range(3)]
        told: dict[str, list[Frame]] = {order_id: [] for order_id in order_ids}
        while not all(frames and frames[-1]["status"] == "confirmed" for frames in told.values()):
            frame = json.loads(websocket.recv(SECONDS))
            told[frame["orderId"]].append(frame)
        assert websocket.protocol.close_code is None

    for order_id, frames in told.items():
        assert statuses(frames) == ("pending", "routing", "building", "submitted", "confirmed")
        answer = engine.http.get(f"/api/orders/{order_id}").json()
        assert (answer["orderId"], answer["status"]) == (order_id, "confirmed")
        assert (answer["selectedDex"], answer["txSignature"]) == (frames[-1]["selectedDex"], frames[-1]["txSignature"])
        assert all(is_moment(frame["timestamp"]) for frame in frames)
        order = engine.stored(order_id)
        assert order["slippage"] == "1"
        for frame in frames[2:]:
            quote = frame["quote"]
            assert quote.keys() == {"dex", "amountOut", "priceImpact", "fee", "route"}
            assert quote["dex"] == frame["selectedDex"] == order["venue"].capitalize()
            assert quote["amountOut"] == float(order["quoted_amount_out"])
            assert order["pool"] in quote["route"]
        assert frames[-1]["txHash"] == order["signature"]


def test_the_queue_and_the_health(engine: Engine) -> None:
    engine.story(SNAPSHOTS, engine.submit(SNAPSHOTS))
    metrics = engine.http.get("/api/orders").json()["queue"]
    assert {"waiting", "active", "delayed", "confirmed", "failed"} <= metrics.keys()
    assert metrics["confirmed"] > 0
    assert engine.http.get("/health").json()["status"] == "ok"


def test_the_router_logs_the_choice_and_the_price_of_both(engine: Engine) -> None:
    order_id = engine.submit(SNAPSHOTS)
    engine.story(SNAPSHOTS, order_id)
    lines = [json.loads(line) for line in engine.daemon.log.read_text().splitlines() if line.startswith("{")]
    (line,) = (line for line in lines if line.get("action") == "routed" and line["order_id"] == order_id)
    assert line["selected_dex"] in ("raydium", "meteora")
    assert line["best_prices"].keys() == {"raydium", "meteora"}
    assert line["best_prices"][line["selected_dex"]] == max(line["best_prices"].values(), key=Decimal)


# Late, again, and not at all


@pytest.mark.parametrize("dialect", [EXECUTE, ROUTING_COMPLETE])
def test_whoever_comes_late_is_told_the_whole_story(engine: Engine, dialect: Dialect) -> None:
    order_id = engine.submit(dialect)
    story = engine.story(dialect, order_id)
    assert statuses(story) == dialect.words
    assert engine.story(dialect, order_id) == story


def test_the_snapshot_of_an_order_that_has_ended_is_its_end(engine: Engine) -> None:
    order_id = engine.submit(SNAPSHOTS)
    end = engine.story(SNAPSHOTS, order_id)[-1]
    (snapshot,) = engine.story(SNAPSHOTS, order_id)
    assert (snapshot["type"], snapshot["status"]) == ("SNAPSHOT", "CONFIRMED")
    assert (snapshot["txHash"], snapshot["executedPrice"]) == (end["txHash"], end["executedPrice"])
    assert (snapshot["tokenIn"], snapshot["tokenOut"], snapshot["amount"]) == ("SOL", "USDC", 1.5)


@pytest.mark.parametrize("dialect", [EXECUTE, ROUTING_COMPLETE])
def test_whoever_comes_again_is_told_all_again(engine: Engine, dialect: Dialect) -> None:
    order_id = engine.submit(dialect)
    with engine.listen(dialect.stream.format(order_id)) as websocket:
        first = json.loads(websocket.recv(SECONDS))
    story = engine.story(dialect, order_id)
    assert story[0] == first
    assert statuses(story) == dialect.words


@pytest.mark.parametrize("dialect", ALL)
def test_an_order_that_fails_says_why(engine: Engine, dialect: Dialect) -> None:
    order_id = engine.submit(dialect, amount=2000)  # twice what the wallet has
    end = engine.story(dialect, order_id)[-1]
    assert end["status"].lower() == "failed"
    assert engine.stored(order_id)["error"]["detail"] in end["error"]
    again = engine.story(dialect, order_id)[-1]
    assert (again["status"], again["error"]) == (end["status"], end["error"])
    answer = engine.http.get(f"/api/orders/{order_id}").json()
    assert (answer["status"], answer["errorMessage"]) == ("failed", end["error"])


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(("order_id", "status"), [(UNKNOWN, 404), ("no%20id", 422), ("", 422)])
def test_an_order_that_is_not_there_is_refused(engine: Engine, dialect: Dialect, order_id: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as caught:
        engine.listen(dialect.stream.format(order_id))
    response = caught.value.response
    assert response.status_code == status
    assert json.loads(response.body)["error"]


@pytest.mark.parametrize("path", ["/ws/orders", "/api/orders/execute", "/nowhere"])
def test_a_stream_of_nothing_is_refused(engine: Engine, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        engine.listen(path)
    assert 400 <= caught.value.response.status_code < 500


def test_a_web_page_cannot_listen(engine: Engine) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(engine.websocket + "/ws", origin=Origin("http://evil.example"))
    assert caught.value.response.status_code == 403


# Orders


@pytest.mark.parametrize("dialect", ALL)
@pytest.mark.parametrize(
    ("written", "amount"),
    [("1.1", "1.1"), ('"1.1"', "1.1"), ("1e-9", "0.000000001"), ("0.100000001", "0.100000001"), ("3", "3")],
)
def test_the_amount_is_read_exactly(engine: Engine, dialect: Dialect, written: str, amount: str) -> None:
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
def test_what_is_no_amount_is_refused(engine: Engine, dialect: Dialect, written: str, code: str) -> None:
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
def test_what_is_no_order_is_refused(engine: Engine, path: str, body: object, code: str) -> None:
    answer = engine.http.post(path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["error"]


@pytest.mark.parametrize("written", ["1e-2", '"0.01"'])
def test_the_least_that_is_accepted_is_a_part_of_the_order(engine: Engine, written: str) -> None:
    body = f'{{"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1, "minAmountOut": {written}}}'
    answer = engine.http.post("/orders", content=body, headers={"content-type": "application/json"})
    assert engine.stored(answer.json()["orderId"])["min_out"] == "0.01"


def test_the_wallet_has_to_be_the_daemons(engine: Engine) -> None:
    body = {"walletAddress": WSOL_MINT, "tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, "orderType": "market"}
    answer = engine.http.post("/api/orders/execute", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "WALLET_OTHER")
    assert WSOL_MINT in answer.json()["error"]
    assert engine.wallet() in answer.json()["error"]


def test_only_market_orders_are_taken(engine: Engine) -> None:
    body = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1, "orderType": "limit", "limitPrice": 150}
    answer = engine.http.post("/api/orders/execute", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "ORDER_TYPE_UNSUPPORTED")
    assert "limit" in answer.json()["error"]


@pytest.mark.parametrize("dialect", ALL)
def test_what_is_not_said_to_be_json_is_refused(engine: Engine, dialect: Dialect) -> None:
    answer = engine.http.post(dialect.path, content=json.dumps(dialect.body), headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "REQUEST_MEDIA_TYPE")


@pytest.mark.parametrize("dialect", ALL)
def test_the_same_key_is_the_same_order(engine: Engine, dialect: Dialect) -> None:
    headers = {"Idempotency-Key": f"key-{ALL.index(dialect)}"}
    first, second = (engine.http.post(dialect.path, json=dialect.body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    other = engine.http.post(dialect.path, json=dialect.body | {"amount": 7}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "ORDER_CONFLICT")


def test_an_order_in_the_daemons_own_words_is_answered_in_them(engine: Engine) -> None:
    """Even where it contains a dialect's words as a value."""
    body = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "client_order_id": "inputToken"}
    answer = engine.http.post("/api/orders", json=body)
    assert answer.status_code == 201
    assert answer.json()["order"]["client_order_id"] == "inputToken"
