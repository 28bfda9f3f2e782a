"""The AsyncAPI document is correct: it names what exists, and real traffic matches it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from solders.pubkey import Pubkey
from websockets.asyncio.client import ClientConnection, connect

from db import candles
from db.candles import PairCandle
from db.connection import database
from orderd.domain.candles import MINUTE, single
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.settlement.unknown import UnknownOutcomes
from orderd.gateway.streaming import heartbeat
from orderd.wire.rpc import Method
from tests.integration.engine.conftest import signature
from tests.integration.gateway.conftest import Rig, deferred
from tests.integration.orders import built, sign
from tests.samples.mints import SOMEBODY, spl

pytestmark = pytest.mark.asyncio
_DOCUMENT = "urn:asyncapi"


@pytest_asyncio.fixture
async def description(rig: Rig) -> Any:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"http://127.0.0.1:{rig.port}/asyncapi.json")
    assert answer.status_code == 200
    return answer.json()


def _keep_a_price() -> None:
    candle = single(datetime.now(UTC), Decimal(142), MINUTE)
    with database.connection_context():
        candles.add([PairCandle(WSOL_MINT, USDC_MINT, MINUTE, candle)])


@dataclass
class Traffic:
    """A websocket that checks every message in both directions against the document."""

    websocket: ClientConnection
    description: dict[str, Any]
    seen: set[str] = field(default_factory=set)
    """The names of the messages seen so far."""
    _calls: dict[int, str] = field(default_factory=dict)

    async def call(self, method: str, **params: Any) -> Any:
        """The result or the error of a call."""
        number = len(self._calls) + 1
        self._calls[number] = method
        call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        if method in self.description["operations"]:
            self._check(f"{method}.call", call)
        await self.websocket.send(json.dumps(call))
        while "id" not in (message := await self.next()):
            pass
        return message.get("result", message.get("error"))

    async def next(self) -> Any:
        async with asyncio.timeout(10):
            message = json.loads(await self.websocket.recv())
        self._check(self._name(message), message)
        return message

    def _name(self, message: dict[str, Any]) -> str:
        """The message of the document that this message claims to be."""
        if "error" in message:
            return "error"
        if "result" in message:
            return f"{self._calls[message['id']]}.result"
        if message["method"] in ("heartbeat", "price.candle"):
            return str(message["method"])
        model = {"SNAPSHOT": "Snapshot", "EVENT": "Event", "READY": "Ready", "RESYNC_REQUIRED": "ResyncRequired"}
        return f"{message['method']}.{model[message['params']['type']]}"

    def _check(self, name: str, message: Any) -> None:
        resource = DRAFT202012.create_resource(self.description)
        schema = {"$ref": f"{_DOCUMENT}#/components/messages/{name}/payload"}
        validator = Draft202012Validator(
            schema, registry=Registry().with_resource(_DOCUMENT, resource), format_checker=FormatChecker()
        )
        validator.validate(message)
        self.seen.add(name)


@asynccontextmanager
async def _traffic(rig: Rig, description: dict[str, Any]) -> AsyncIterator[Traffic]:
    async with connect(rig.url, compression=None, proxy=None) as websocket:
        yield Traffic(websocket, description)


async def test_the_document_names_all_methods_and_notifications(rig: Rig, description: Any) -> None:
    operations = description["operations"]
    received = {name for name, operation in operations.items() if operation["action"] == "receive"}
    assert received == {str(method) for method in rig.gateway._rpc.routes} == {str(method) for method in Method}
    assert {name for name, operation in operations.items() if operation["action"] == "send"} == {
        "order.event",
        "price.candle",
        "heartbeat",
    }


async def test_the_document_gives_parameters_result_and_scope_of_each_method(rig: Rig, description: Any) -> None:
    schemas = description["components"]["schemas"]
    for method, route in rig.gateway._rpc.routes.items():
        operation = description["operations"][method]
        assert operation["summary"]
        assert operation["description"] == f"Needs the scope {route.scope}."
        call, result, error = (
            _resolve(description, each) for each in (*operation["messages"], *operation["reply"]["messages"])
        )
        assert call["payload"]["properties"]["method"] == {"const": str(method)}
        params = call["payload"]["properties"]["params"]["$ref"].rpartition("/")[2]
        assert params == route.params.__name__
        assert set(schemas[params]["properties"]) == {
            field.alias or name for name, field in route.params.model_fields.items()
        }
        answer = result["payload"]["properties"]["result"]["$ref"].rpartition("/")[2]
        assert set(schemas[answer]["properties"]) == set(route.result.model_fields)
        assert error["payload"]["required"] == ["jsonrpc", "id", "error"]


async def test_every_reference_resolves_and_every_schema_is_valid(description: Any) -> None:
    for reference in _references(description):
        assert _resolve(description, {"$ref": reference}) is not None
    for schema in description["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    for message in description["components"]["messages"].values():
        Draft202012Validator.check_schema(message["payload"])


async def test_the_document_gives_the_address_that_the_client_used(rig: Rig, description: Any) -> None:
    (server,) = description["servers"].values()
    assert (server["host"], server["protocol"]) == (f"127.0.0.1:{rig.port}", "ws")
    assert description["asyncapi"] == "3.0.0"


async def test_real_traffic_matches_the_document(rig: Rig, description: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.05)
    terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}
    mint = rig.mints.has(Pubkey([1] * 32), spl(6, mint_authority=SOMEBODY), "New")
    async with _traffic(rig, description) as traffic:
        submitted = await traffic.call("order.submit", **terms, client_order_id="described")
        order_id = UUID(submitted["order"]["id"])
        await rig.happen(order_id, deferred(), deferred())
        for method, params in (
            ("order.get", {"order": "described"}),
            ("orders.list", {"limit": 10, "status": ["pending"]}),
            ("balances", {}),
            ("tokens", {}),
            ("tokens.name", {"symbol": "NEW", "mint": mint}),
            ("tokens.search", {"text": "new"}),
            ("tokens.unname", {"symbol": "NEW"}),
            ("status", {}),
            ("quote", terms),
            ("order.preview", terms | {"client_order_id": "not-sent"}),
            ("pools", {"token": ["SOL"]}),
            ("history", {}),
            ("pnl", {}),
            ("portfolio", {"unit": "SOL"}),
            ("prices", {"pair": "SOL/USDC", "from": "2026-11-21T00:00:00Z"}),
            ("prices.subscribe", {"pair": "SOL/USDC"}),
            ("orders.subscribe", {"order": "described", "after": 1}),
            ("orders.subscribe", {"order": "described", "after": 9}),
            ("orders.subscribe", {"token_in": "SOL", "token_out": "USDC"}),
            ("orders.unsubscribe", {"subscription": 3}),
            ("order.evidence", {"order": "described"}),
            ("order.resolve", {"order": "described", "dead": True}),
            ("order.cancel", {"order": "described"}),
            ("order.cancel", {"order": "nothing-of-the-kind"}),
            ("order.submit", terms | {"client_order_id": "rests", "limit_price": "105"}),
            ("order.amend", {"order": "rests", "limit_price": "104"}),
            ("order.simulate_fill", {"order": "rests"}),
            ("trading.halt", {"reason": "a test"}),
            ("status", {}),
            ("trading.lift", {}),
            ("no.such.method", {}),
        ):
            await traffic.call(method, **params)
        await asyncio.to_thread(_keep_a_price)
        while not {"heartbeat", "price.candle"} <= traffic.seen:
            await traffic.next()
        await traffic.call("prices.unsubscribe", subscription=99)
        assert set(description["components"]["messages"]) - traffic.seen <= {
            # The fake market refuses these.
            "quote.result",
            "order.preview.result",
            "order.simulate_fill.result",
            "pools.result",
            # The order has no attempt; a later test covers an order with an unknown outcome.
            "order.evidence.result",
            "order.resolve.result",
        }


async def test_an_order_with_every_kind_of_event_matches_the_document(rig: Rig, description: Any) -> None:
    """Failures and attempts are separate rows, stored here as a worker stores them."""
    async with _traffic(rig, description) as traffic:
        terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "client_order_id": "eventful"}
        order_id = (await traffic.call("order.submit", **terms))["order"]["id"]
        with database.connection_context():
            database.execute_sql(
                """INSERT INTO attempts (id, order_id, number, signature, signed_bytes, last_valid_block_height, venue,
                                         pool, min_amount_out, outcome, settled_at)
                   VALUES (gen_random_uuid(), %s, 1, 'sig', 'bytes', 9, 'raydium', 'pool', 5, 'expired', now())""",
                (order_id,),
            )
            database.execute_sql(
                """INSERT INTO order_failures (order_id, attempt, code, detail, logs)
                   VALUES (%s, 1, 'TX_EXPIRED', 'too late', '{}')""",
                (order_id,),
            )
        detail = await traffic.call("order.get", order=order_id)
        assert len(detail["attempts"]) == len(detail["failures"]) == 1


async def test_an_unknown_outcome_matches_the_document(rig: Rig, description: Any) -> None:
    def lose() -> str:
        with database.connection_context():
            order = str(sign(built(), signature(1)).order.id)
            database.execute_sql("UPDATE orders SET updated_at = updated_at - interval '301 s'")
        UnknownOutcomes(rig.publisher, 300).run_once()
        return order

    order_id = await asyncio.to_thread(lose)
    async with _traffic(rig, description) as traffic:
        evidence = await traffic.call("order.evidence", order=order_id)
        assert evidence["order"]["unknown_since"] is not None
        assert evidence["attempt"]["signature"] == signature(1)
        resolved = await traffic.call("order.resolve", order=order_id, dead=True)
        assert resolved["order"]["error"]["code"] == "TX_ABANDONED"
        assert {"order.evidence.result", "order.resolve.result"} <= traffic.seen


def _resolve(description: Any, reference: dict[str, str]) -> Any:
    found = description
    for step in reference["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return _resolve(description, found) if set(found) == {"$ref"} else found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)
