"""Every method and path, with every kind of key and origin: access matches the table of this module."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode
from orderd.gateway.access.authentication import new_api_key
from orderd.gateway.dialects.streams import ALL_ORDERS_PATH, NATIVE_PATH, ORDER_PATH, QUERY_PATHS
from orderd.gateway.http.dashboard import KEY_PATH
from orderd.wire.rpc import Method
from tests.integration.gateway.api_keys import bearer, issue
from tests.integration.gateway.conftest import CallRefusedError, Rig

pytestmark = pytest.mark.asyncio

Need = Literal["nothing", "read", "trade", "admin"]

HTTP: dict[tuple[str, str], Need] = {
    ("GET", "/health"): "nothing",
    ("GET", "/ready"): "nothing",
    ("GET", "/openapi.json"): "read",
    ("GET", "/asyncapi.json"): "read",
    ("GET", "/docs"): "read",
    ("GET", "/metrics"): "read",
    ("GET", "/dashboard"): "read",
    ("POST", "/api/orders"): "trade",
    ("GET", "/api/orders"): "read",
    ("GET", "/api/orders/{order}"): "read",
    ("GET", "/api/orders/{order}/timeline"): "read",
    ("DELETE", "/api/orders/{order}"): "trade",
    ("PATCH", "/api/orders/{order}"): "trade",
    ("GET", "/api/orders/{order}/simulated-fill"): "read",
    ("GET", "/api/orders/{order}/evidence"): "read",
    ("POST", "/api/orders/{order}/resolution"): "admin",
    ("GET", "/api/quote"): "read",
    ("GET", "/api/history"): "read",
    ("GET", "/api/prices"): "read",
    ("GET", "/api/pnl"): "read",
    ("GET", "/api/portfolio"): "read",
    ("GET", "/api/tokens"): "read",
    ("GET", "/api/tokens/search"): "read",
    ("POST", "/api/tokens"): "admin",
    ("DELETE", "/api/tokens"): "admin",
    ("GET", "/api/pools"): "read",
    ("GET", "/api/balances"): "read",
    ("GET", "/api/status"): "read",
    ("POST", "/api/halt"): "admin",
    ("DELETE", "/api/halt"): "admin",
    ("POST", "/api/orders/execute"): "trade",
    ("POST", "/orders"): "trade",
}
CALLS: dict[Method, Need] = {
    Method.ORDER_SUBMIT: "trade",
    Method.ORDER_PREVIEW: "read",
    Method.ORDER_GET: "read",
    Method.ORDER_CANCEL: "trade",
    Method.ORDER_AMEND: "trade",
    Method.ORDER_SIMULATE_FILL: "read",
    Method.ORDER_EVIDENCE: "read",
    Method.ORDER_RESOLVE: "admin",
    Method.ORDERS_LIST: "read",
    Method.ORDERS_SUBSCRIBE: "read",
    Method.ORDERS_UNSUBSCRIBE: "read",
    Method.QUOTE: "read",
    Method.BALANCES: "read",
    Method.HISTORY: "read",
    Method.PRICES: "read",
    Method.PRICES_SUBSCRIBE: "read",
    Method.PRICES_UNSUBSCRIBE: "read",
    Method.PNL: "read",
    Method.PORTFOLIO: "read",
    Method.TOKENS: "read",
    Method.TOKENS_SEARCH: "read",
    Method.TOKENS_NAME: "admin",
    Method.TOKENS_UNNAME: "admin",
    Method.POOLS: "read",
    Method.STATUS: "read",
    Method.HALT: "admin",
    Method.LIFT: "admin",
}
ORDER = "matrix-order"
STREAMS: dict[str, Need] = {
    NATIVE_PATH: "read",
    ALL_ORDERS_PATH: "read",
    f"{ORDER_PATH}{ORDER}": "read",
    f"/api/orders/execute?orderId={ORDER}": "read",
    f"/ws/orders?orderId={ORDER}": "read",
}
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/api/orders"): {"token_in": "SOL", "token_out": "USDC", "amount_in": "1"},
    ("POST", "/api/orders/execute"): {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1},
    ("POST", "/orders"): {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1},
    ("POST", "/api/orders/{order}/resolution"): {"dead": True},
    ("PATCH", "/api/orders/{order}"): {"amount_in": "2"},
    ("POST", "/api/halt"): {"reason": "a test"},
    ("POST", "/api/tokens"): {"symbol": "USDC", "mint": "no mint"},
}
TERMS = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1"}
PARAMS: dict[Method, dict[str, Any]] = {
    Method.ORDER_SUBMIT: TERMS | {"client_order_id": "another"},
    Method.ORDER_PREVIEW: TERMS | {"client_order_id": "another"},
    Method.ORDER_GET: {"order": ORDER},
    Method.ORDER_CANCEL: {"order": ORDER},
    Method.ORDER_AMEND: {"order": ORDER, "amount_in": "2"},
    Method.ORDER_SIMULATE_FILL: {"order": ORDER},
    Method.ORDER_EVIDENCE: {"order": ORDER},
    Method.ORDER_RESOLVE: {"order": ORDER, "dead": True},
    Method.ORDERS_UNSUBSCRIBE: {"subscription": 1},
    Method.QUOTE: TERMS,
    Method.TOKENS_SEARCH: {"text": "sol"},
    Method.TOKENS_NAME: {"symbol": "USDC", "mint": "no mint"},
    Method.TOKENS_UNNAME: {"symbol": "NEW"},
    Method.PRICES: {"pair": "SOL/USDC"},
    Method.PRICES_SUBSCRIBE: {"pair": "SOL/USDC"},
    Method.PRICES_UNSUBSCRIBE: {"subscription": 1},
    Method.HALT: {"reason": "a test"},
}

GOOD_FOR: dict[str, frozenset[Need]] = {
    "read": frozenset({"nothing", "read"}),
    "trade": frozenset({"nothing", "read", "trade"}),
    "admin": frozenset({"nothing", "read", "trade", "admin"}),
}
KINDS = ("no token", "wrong", "expired", "revoked", "read", "trade", "admin")
ORIGINS = ("good", "bad", "absent")


def expected(need: Need, kind: str, origin: str) -> ErrorCode | None:
    """The code with which a request is refused; None if it is authorised, whatever the answer then is."""
    if origin == "bad":
        return ErrorCode.AUTH_ORIGIN_REFUSED
    if need == "nothing":
        return None
    if kind == "no token":
        return ErrorCode.AUTH_REQUIRED
    if kind not in GOOD_FOR:
        return ErrorCode.AUTH_INVALID
    return None if need in GOOD_FOR[kind] else ErrorCode.AUTH_FORBIDDEN


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"chain": "devnet"})


@pytest_asyncio.fixture
async def tokens(rig: Rig) -> dict[str, str | None]:
    """A key of each kind."""
    now = datetime.now(UTC)

    def make() -> dict[str, str | None]:
        return {
            "no token": None,
            "wrong": new_api_key(),
            "expired": issue("admin", expires_at=now - timedelta(seconds=1)),
            "revoked": issue("admin", revoked_at=now),
            **{scope: issue(scope) for scope in GOOD_FOR},
        }

    return await asyncio.to_thread(make)


def headers(rig: Rig, token: str | None, origin: str) -> dict[str, str]:
    pages = {
        "good": {"Origin": f"http://127.0.0.1:{rig.port}"},
        "bad": {"Origin": "https://evil.example"},
        "absent": {},
    }
    return (bearer(token) if token else {}) | pages[origin]


def routes(rig: Rig) -> set[tuple[str, str]]:
    """All HTTP routes of the port, documented or not."""
    edge: Any = rig.gateway._port._http._config.app
    app: FastAPI = edge._app._app  # below the fast path
    return {
        (method, re.sub(r":\w+}", "}", str(route.path)))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }


async def test_details_of_services_require_the_scope_read(
    http: httpx.AsyncClient, tokens: dict[str, str | None]
) -> None:
    """A load balancer without a key only learns that the process lives."""
    for kind in KINDS:
        token = tokens[kind]
        health = await http.get("/health", headers=bearer(token) if token else {})
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        assert bool(health.json()["dependencies"]) is (kind in GOOD_FOR)


async def test_the_table_names_every_route_method_and_stream(
    rig: Rig, http: httpx.AsyncClient, tokens: dict[str, str | None]
) -> None:
    """A new route, method or stream fails here until the table says who may use it."""
    described = (await http.get("/openapi.json", headers=bearer(tokens["read"] or ""))).json()["paths"]
    in_description = {(method.upper(), path) for path, operations in described.items() for method in operations}
    assert routes(rig) == set(HTTP) | {("GET", KEY_PATH)}, "test_dashboard covers the path that contains a key"
    assert in_description <= set(HTTP)
    assert set(rig.gateway._rpc.routes) == set(CALLS) == set(Method)
    assert {path.partition("?")[0].removesuffix(ORDER) for path in STREAMS} == {
        NATIVE_PATH,
        ALL_ORDERS_PATH,
        ORDER_PATH,
        *QUERY_PATHS,
    }


async def test_http_access_matches_the_table(rig: Rig, http: httpx.AsyncClient, tokens: dict[str, str | None]) -> None:
    wrong = []
    for (method, path), need in HTTP.items():
        for kind in KINDS:
            for origin in ORIGINS:
                answer = await http.request(
                    method,
                    path.replace("{order}", ORDER),
                    headers=headers(rig, tokens[kind], origin),
                    json=BODIES.get((method, path)),
                )
                got = answer.json()["code"] if answer.status_code in (401, 403) else None
                if got != expected(need, kind, origin) or answer.status_code == 500:
                    wrong.append((method, path, kind, origin, answer.status_code, got))
    assert not wrong


async def test_preflights_are_refused_if_no_origin_is_allowed(rig: Rig, http: httpx.AsyncClient) -> None:
    for origin in (f"http://127.0.0.1:{rig.port}", "https://evil.example"):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = await http.options("/api/orders", headers=preflight)
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_access_to_streams_and_calls_matches_the_table(rig: Rig, tokens: dict[str, str | None]) -> None:
    async with rig.client(additional_headers=bearer(tokens["trade"] or "")) as trader:
        await trader.submit(ORDER)
    wrong = []
    for path, need in STREAMS.items():
        for kind in KINDS:
            for origin in ORIGINS:
                got = await _connected(rig, path, headers(rig, tokens[kind], origin))
                if got != expected(need, kind, origin):
                    wrong.append((path, kind, origin, got))
    assert not wrong


async def _connected(rig: Rig, path: str, fields: dict[str, str]) -> ErrorCode | None:
    """The code with which a websocket is refused."""
    url = f"ws://127.0.0.1:{rig.port}{path}"
    try:
        async with connect(url, additional_headers=fields, compression=None, proxy=None):
            return None
    except InvalidStatus as refused:
        return ErrorCode(json.loads(refused.response.body or b"{}")["code"])


@pytest.mark.parametrize("origin", ["good", "absent"])
@pytest.mark.parametrize("kind", list(GOOD_FOR))
async def test_calls_are_accepted_with_the_scopes_of_the_table(
    rig: Rig, tokens: dict[str, str | None], kind: str, origin: str
) -> None:
    async with rig.client(additional_headers=bearer(tokens["trade"] or "")) as trader:
        await trader.submit(ORDER)
    wrong = []
    async with rig.client(additional_headers=headers(rig, tokens[kind], origin)) as client:
        for method, need in CALLS.items():
            code = None
            try:
                await client.call(method, **PARAMS.get(method, {}))
            except CallRefusedError as refused:
                code = refused.problem.code
            got = code if code in (ErrorCode.AUTH_FORBIDDEN, ErrorCode.AUTH_INVALID, ErrorCode.AUTH_REQUIRED) else None
            if got != expected(need, kind, origin):
                wrong.append((method, got))
    assert not wrong


class TestAllowedOrigins:
    """With CORS configured, the same origins are allowed over HTTP and websocket."""

    PAGE = "https://desk.example"

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"allowed_origins": (self.PAGE,)})

    async def test_an_allowed_origin_may_send_a_preflight_and_read_the_answer(
        self, rig: Rig, http: httpx.AsyncClient, tokens: dict[str, str | None]
    ) -> None:
        preflight = await http.options(
            "/api/orders",
            headers={
                "Origin": self.PAGE,
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
            },
        )
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == self.PAGE
        assert "access-control-allow-credentials" not in preflight.headers
        fields = bearer(tokens["trade"] or "") | {"Origin": self.PAGE}
        answer = await http.post("/api/orders", json=TERMS, headers=fields)
        assert answer.status_code == 201
        assert answer.headers["access-control-allow-origin"] == self.PAGE
        assert "location" in answer.headers["access-control-expose-headers"].lower()
        assert await _connected(rig, "/", fields) is None

    async def test_an_allowed_origin_needs_a_key(self, http: httpx.AsyncClient, rig: Rig) -> None:
        assert (await http.get("/api/orders", headers={"Origin": self.PAGE})).status_code == 401
        assert await _connected(rig, "/", {"Origin": self.PAGE}) is ErrorCode.AUTH_REQUIRED

    @pytest.mark.parametrize(
        "page", ["http://desk.example", "https://desk.example:8443", "https://evil.example", "null"]
    )
    async def test_another_origin_is_refused(
        self, rig: Rig, http: httpx.AsyncClient, tokens: dict[str, str | None], page: str
    ) -> None:
        fields = bearer(tokens["trade"] or "") | {"Origin": page}
        answer = await http.get("/api/orders", headers=fields)
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert await _connected(rig, "/", fields) is ErrorCode.AUTH_ORIGIN_REFUSED
