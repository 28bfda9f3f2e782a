"""The OpenAPI document is consistent, and matches what the gateway serves."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from orderd.domain.errors import ERRORS, ErrorCode
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def document(rig: Rig) -> AsyncIterator[dict[str, Any]]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.port}", trust_env=False) as client:
        yield (await client.get("/openapi.json")).json()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


async def test_the_document_names_every_operation_for_generated_clients(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {name: operation["operationId"] for name, operation in operations(document)} == {
        "POST /api/orders": "submit_order",
        "GET /api/orders": "list_orders",
        "GET /api/orders/{order}": "get_order",
        "GET /api/orders/{order}/timeline": "get_order_timeline",
        "DELETE /api/orders/{order}": "cancel_order",
        "PATCH /api/orders/{order}": "amend_order",
        "GET /api/orders/{order}/simulated-fill": "simulate_fill",
        "GET /api/orders/{order}/evidence": "get_evidence",
        "POST /api/orders/{order}/resolution": "resolve_order",
        "GET /api/quote": "get_quote",
        "GET /api/tokens": "list_tokens",
        "GET /api/tokens/search": "search_tokens",
        "POST /api/tokens": "name_token",
        "DELETE /api/tokens": "unname_token",
        "GET /api/pools": "list_pools",
        "GET /api/balances": "get_balances",
        "GET /api/history": "list_fills",
        "GET /api/prices": "get_prices",
        "GET /api/pnl": "get_pnl",
        "GET /api/portfolio": "get_portfolio",
        "GET /api/status": "get_status",
        "POST /api/halt": "halt_trading",
        "DELETE /api/halt": "lift_halt",
        "GET /health": "get_health",
        "GET /ready": "get_readiness",
        "GET /metrics": "get_metrics",
    }
    tags = {tag["name"] for tag in document["tags"]}
    assert all(set(operation["tags"]) <= tags and operation["summary"] for _, operation in operations(document))


async def test_every_reference_of_the_document_resolves(document: dict[str, Any]) -> None:
    for reference in re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)):
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        assert found, reference
    ids = {operation["operationId"] for _, operation in operations(document)}
    links = document["paths"]["/api/orders"]["post"]["responses"]["201"]["links"]
    assert {link["operationId"] for link in links.values()} <= ids


async def test_the_examples_match_their_schemas(document: dict[str, Any]) -> None:
    components = {"components": document["components"]}
    checked = 0
    for name, operation in operations(document):
        bodies = [*operation["responses"].values(), *filter(None, [operation.get("requestBody")])]
        for content in (each for body in bodies for each in body.get("content", {}).values()):
            schema = content["schema"] | components
            examples = [content["example"]] if "example" in content else []
            examples += [each["value"] for each in content.get("examples", {}).values()]
            for example in examples:
                assert not list(Draft202012Validator(schema).iter_errors(example)), (name, example)
                checked += 1
        for parameter in operation.get("parameters", ()):
            if "example" in parameter:
                Draft202012Validator(parameter["schema"] | components).validate(parameter["example"])
    assert checked > 50


async def test_every_error_is_a_problem_whose_codes_have_its_status(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, response in operation["responses"].items():
            if status < "400" or "application/json" in response["content"]:
                continue
            content = response["content"]["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/HttpProblem"}
            for code in content["examples"]:
                assert ERRORS[ErrorCode(code)].http_status == int(status), (name, code)
            assert ("Retry-After" in response["headers"]) is (status in ("429", "503")), name


async def test_operations_that_need_a_key_declare_it(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    free = {name for name, operation in operations(document) if "security" not in operation}
    assert free == {"GET /health", "GET /ready"}
