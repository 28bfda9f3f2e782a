"""``python -m docs.postman`` writes docs/postman_collection.json, made from the OpenAPI document.

Each operation has a request per example and, where one is easily provoked, a refused one. Each request checks its
answer against the document: the status, the media type, the members and the error code.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import structlog

from orderd.domain.errors import ErrorCode
from orderd.gateway.docs.openapi import openapi_document
from orderd.gateway.http.app import application
from orderd.gateway.problem import MEDIA_TYPE, HttpProblem

Json = dict[str, Any]

FILE: Final = Path(__file__).with_name("postman_collection.json")
_ONE_OF_TWO: Final = frozenset({"amount_in"})
"""Parameters that are required unless another one is given, which OpenAPI cannot express."""
PROMISED: Final = "const promised = "
"""Begins the line of a test that lists, as JSON, the expected statuses and what their answers contain."""
_SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_DESCRIPTION: Final = """\
The HTTP API of orderd. `baseUrl` is the address of the daemon, `apiKey` an API key if the daemon requires one. Against
the local chain (`make run`) all requests pass their tests when they are run in the given order."""
_SEND_API_KEY: Final = (
    "const apiKey = pm.variables.get('apiKey');",
    "if (apiKey) pm.request.headers.upsert({ key: 'Authorization', value: `Bearer ${apiKey}` });",
)
_TESTS: Final = (
    "const expected = promised[pm.response.code];",
    "pm.test('the status is documented', () =>",
    "    pm.expect(Object.keys(promised)).to.include(String(pm.response.code)));",
    "pm.test('the media type is as documented', () =>",
    "    pm.expect(pm.response.headers.get('Content-Type')).to.include(expected.type));",
    "if (expected.members) pm.test('all required members are present', () =>",
    "    pm.expect(pm.response.json()).to.include.all.keys(expected.members));",
    "if (expected.code) pm.test('the error code is the expected one', () =>",
    "    pm.expect(pm.response.json().code).to.equal(expected.code));",
)
_KEEP_ORDER: Final = "if (pm.response.code < 300) pm.collectionVariables.set('order', pm.response.json().{});"
_UNKNOWN_ORDER: Final = "no-such-order"
_INVALID_BODY: Final = {"unknown_member": True}
_OTHER_ENGINES: Final[Mapping[str, tuple[str, Json]]] = {
    "a": ("/api/orders/execute", {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5}),
    "b": ("/orders", {"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5}),
    "c": ("/api/orders", {"inputToken": "SOL", "outputToken": "USDC", "amount": 10}),
    "d": (
        "/api/orders/execute",
        {
            "walletAddress": "6xKS8hCXqh5VCBKhNJ6YJJqzqGwKCyp8CYVDJqmz3Lez",
            "tokenIn": "So11111111111111111111111111111111111111112",
            "tokenOut": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
            "amountIn": 1.5,
            "orderType": "market",
            "slippage": 1.0,
        },
    ),
}
"""Paths and bodies by dialect, as in docs/dialects.md; the OpenAPI document does not describe them."""


def collection(document: Mapping[str, Any]) -> Json:
    """The collection for an OpenAPI document of orderd."""
    folders: dict[str, list[Json]] = {tag["name"]: [] for tag in document["tags"]}
    refusals: list[Json] = []
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            request = _Operation(document, path, verb, operation)
            folders[operation["tags"][0]] += request.by_example()
            refusals += request.refused()
    folders |= {"dialects of other engines": list(_of_other_engines()), "refusals": refusals}
    return {
        "info": {"name": "orderd", "description": _DESCRIPTION, "schema": _SCHEMA},
        "variable": [
            {"key": "baseUrl", "value": "http://localhost:3000"},
            {"key": "apiKey", "value": ""},
            {"key": "order", "value": ""},
        ],
        "event": [_script("prerequest", _SEND_API_KEY)],
        "item": [{"name": name, "item": items} for name, items in folders.items()],
    }


class _Operation:
    def __init__(self, document: Mapping[str, Any], path: str, verb: str, operation: Mapping[str, Any]) -> None:
        self._document = document
        self._path = path
        self._verb = verb
        self._operation = operation
        self._summary: str = operation["summary"]
        self._is_of_an_order = "{order}" in path
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        self._bodies: Mapping[str, Any] = {name: each["value"] for name, each in body.get("examples", {}).items()}

    def by_example(self) -> Iterator[Json]:
        """One request per example of a body, or one without a body."""
        order = "{{order}}" if self._is_of_an_order else ""
        expected = dict(self._successes())
        for name, body in self._bodies.items() or [("", None)]:
            title = f"{self._summary}: {name}" if len(self._bodies) > 1 else self._summary
            keep = "order.id" if self._operation["operationId"] == "submit_order" else None
            yield _item(title, self._request(order, body), expected, keep)

    def refused(self) -> Iterator[Json]:
        if self._is_of_an_order:
            body = next(iter(self._bodies.values()), None)
            request = self._request(_UNKNOWN_ORDER, body)
            yield _item(f"{self._summary}: unknown order", request, _refusal("404", ErrorCode.ORDER_NOT_FOUND))
        if self._bodies:
            order = "{{order}}" if self._is_of_an_order else ""
            request = self._request(order, _INVALID_BODY)
            yield _item(f"{self._summary}: invalid body", request, _refusal("422", ErrorCode.REQUEST_INVALID))
        if any(each["required"] for each in self._parameters("query")):
            request = self._request("", None, complete=False)
            yield _item(f"{self._summary}: missing parameters", request, _refusal("422", ErrorCode.REQUEST_INVALID))

    def _successes(self) -> Iterator[tuple[str, Json]]:
        """The possible answers to a valid request. A conflict is one of them if it depends on the order's state."""
        for status, response in self._operation["responses"].items():
            if status < "300":
                ((media_type, content),) = response["content"].items()
                members = self._members(content["schema"])
                yield status, {"type": media_type} | ({"members": members} if members else {})
            elif status == "409" and self._is_of_an_order:
                codes = response["content"][MEDIA_TYPE]["examples"].keys() - {ErrorCode.ORDER_AMBIGUOUS}
                if codes:
                    yield status, _PROBLEM

    def _members(self, schema: Mapping[str, Any]) -> list[str]:
        if "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return list(schema.get("required", ()))

    def _parameters(self, where: str) -> list[Mapping[str, Any]]:
        return [each for each in self._operation.get("parameters", ()) if each["in"] == where]

    def _request(self, order: str, body: Json | None, *, complete: bool = True) -> Json:
        """Optional parameters are included, but disabled."""
        query = [
            {
                "key": each["name"],
                "value": _text(each.get("example", "")),
                "description": each.get("description", ""),
                "disabled": not ((each["required"] or each["name"] in _ONE_OF_TWO) and complete),
            }
            for each in self._parameters("query")
        ]
        request = _request(self._verb, self._path.replace("{order}", order), body, query)
        request["description"] = next(iter(self._operation["responses"].values()))["description"]
        request["header"] += [
            {"key": each["name"], "value": each["example"], "disabled": True} for each in self._parameters("header")
        ]
        return request


_PROBLEM: Final[Json] = {
    "type": MEDIA_TYPE,
    "members": list(HttpProblem.model_json_schema(mode="serialization")["required"]),
}


def _refusal(status: str, code: ErrorCode) -> Json:
    return {status: _PROBLEM | {"code": code}}


def _of_other_engines() -> Iterator[Json]:
    for letter, (path, body) in _OTHER_ENGINES.items():
        answer = {"type": "application/json", "members": ["orderId", "message"]}
        expected = {"201" if path == "/api/orders" else "200": answer}
        yield _item(f"Submit an order, dialect {letter}", _request("post", path, body), expected, "orderId")


def _request(verb: str, path: str, body: Json | None, query: Iterable[Json] = ()) -> Json:
    query = list(query)
    sent = "&".join(f"{each['key']}={each['value']}" for each in query if not each["disabled"])
    url: Json = {
        "raw": f"{{{{baseUrl}}}}{path}" + (f"?{sent}" if sent else ""),
        "host": ["{{baseUrl}}"],
        "path": path.strip("/").split("/"),
    }
    if query:
        url["query"] = query
    request: Json = {"method": verb.upper(), "header": [], "url": url}
    if body is not None:
        request["header"] = [{"key": "Content-Type", "value": "application/json"}]
        request["body"] = {"mode": "raw", "raw": json.dumps(body, indent=2), "options": {"raw": {"language": "json"}}}
    return request


def _item(name: str, request: Json, expected: Json, keep: str | None = None) -> Json:
    """``keep`` is the member of the answer that contains the order's id, which later requests use."""
    lines = [f"{PROMISED}{json.dumps(expected)};", *_TESTS]
    if keep is not None:
        lines.append(_KEEP_ORDER.format(keep))
    return {"name": name, "event": [_script("test", lines)], "request": request}


def _script(listens: str, lines: Iterable[str]) -> Json:
    return {"listen": listens, "script": {"type": "text/javascript", "exec": list(lines)}}


def _text(example: object) -> str:
    if isinstance(example, list):
        return _text(example[0])
    return example if isinstance(example, str) else json.dumps(example)


def written(document: Mapping[str, Any]) -> str:
    return json.dumps(collection(document), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    FILE.write_text(written(openapi_document(application(), api_key_required=False)))
