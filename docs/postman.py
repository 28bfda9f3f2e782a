"""``python -m docs.postman``: docs/postman_collection.json, made from the OpenAPI document.

Of each operation there is a request by example and, where one is easily provoked, a refusal. Each request tests its
answer by what the document promises: the status, the media type, the members, the code.
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
"""Parameters of which one is due, or another in its place, which a document cannot say."""
PROMISED: Final = "const promised = "
"""Begins the line of a test that says, as JSON, which statuses are expected, and what of each."""
_SCHEMA: Final = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
_DESCRIPTION: Final = """\
The HTTP API of orderd. `baseUrl` is where the daemon is, `token` its bearer token, where it asks for one. On the local
chain, which `make run` brings along, all requests pass their tests in the order in which they stand."""
_SEND_TOKEN: Final = (
    "const token = pm.variables.get('token');",
    "if (token) pm.request.headers.upsert({ key: 'Authorization', value: `Bearer ${token}` });",
)
_TESTS: Final = (
    "const expected = promised[pm.response.code];",
    "pm.test('the status is one that is promised', () =>",
    "    pm.expect(Object.keys(promised)).to.include(String(pm.response.code)));",
    "pm.test('so is the media type', () =>",
    "    pm.expect(pm.response.headers.get('Content-Type')).to.include(expected.type));",
    "if (expected.members) pm.test('and the members are there', () =>",
    "    pm.expect(pm.response.json()).to.include.all.keys(expected.members));",
    "if (expected.code) pm.test('the code is the one that is due', () =>",
    "    pm.expect(pm.response.json().code).to.equal(expected.code));",
)
_KEEP_ORDER: Final = "if (pm.response.code < 300) pm.collectionVariables.set('order', pm.response.json().{});"
_NOBODYS: Final = "nobody-has-this-id"
_NONSENSE: Final = {"nonsense": True}
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
"""Paths and bodies by dialect: those of docs/dialects.md, which the OpenAPI document does not describe."""


def collection(document: Mapping[str, Any]) -> Json:
    """The collection of an OpenAPI document of ours."""
    folders: dict[str, list[Json]] = {tag["name"]: [] for tag in document["tags"]}
    refusals: list[Json] = []
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            request = _Operation(document, path, verb, operation)
            folders[operation["tags"][0]] += request.by_example()
            refusals += request.refused()
    folders |= {"in the words of other engines": list(_of_other_engines()), "refusals": refusals}
    return {
        "info": {"name": "orderd", "description": _DESCRIPTION, "schema": _SCHEMA},
        "variable": [
            {"key": "baseUrl", "value": "http://localhost:3000"},
            {"key": "token", "value": ""},
            {"key": "order", "value": ""},
        ],
        "event": [_script("prerequest", _SEND_TOKEN)],
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
        """One request for each example of a body, or the one that has none."""
        order = "{{order}}" if self._is_of_an_order else ""
        expected = dict(self._successes())
        for name, body in self._bodies.items() or [("", None)]:
            title = f"{self._summary}, {name}" if len(self._bodies) > 1 else self._summary
            keep = "order.id" if self._operation["operationId"] == "submit_order" else None
            yield _item(title, self._request(order, body), expected, keep)

    def refused(self) -> Iterator[Json]:
        if self._is_of_an_order:
            body = next(iter(self._bodies.values()), None)
            request = self._request(_NOBODYS, body)
            yield _item(f"{self._summary}, where there is none", request, _refusal("404", ErrorCode.ORDER_NOT_FOUND))
        if self._bodies:
            order = "{{order}}" if self._is_of_an_order else ""
            request = self._request(order, _NONSENSE)
            yield _item(f"{self._summary}, by nonsense", request, _refusal("422", ErrorCode.REQUEST_INVALID))
        if any(each["required"] for each in self._parameters("query")):
            request = self._request("", None, complete=False)
            yield _item(f"{self._summary}, of nothing", request, _refusal("422", ErrorCode.REQUEST_INVALID))

    def _successes(self) -> Iterator[tuple[str, Json]]:
        """What may be answered to a good request. Where it stands with the order decides, a conflict is no fault."""
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
        """Parameters that may be left out are there and switched off."""
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
        yield _item(f"Submit an order, as clients of {letter} do", _request("post", path, body), expected, "orderId")


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
    """``keep`` is the member of the answer that is the order's id, for the requests that come after."""
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
