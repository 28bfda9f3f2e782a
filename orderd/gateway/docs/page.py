"""The documentation page: generated from the OpenAPI document, without scripts or external resources.

Its Content-Security-Policy allows only its style sheet, because the page shares its origin with the trading API.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape

from orderd.domain.errors import ERRORS
from orderd.gateway.problem import MEDIA_TYPE
from orderd.gateway.style_sheet import StyleSheet

_ENVIRONMENT: Final = Environment(loader=PackageLoader("orderd.gateway.docs", "."), autoescape=True, trim_blocks=True)
_STYLE: Final = StyleSheet("orderd.gateway.docs", "page.css")
CONTENT_SECURITY_POLICY: Final = _STYLE.policy


def docs_page(document: Mapping[str, Any], address: str) -> str:
    """The page for an OpenAPI document of ours; its commands go to the daemon at ``address``, such as http://HOST:PORT."""
    sections: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for operation in _operations(document, address):
        sections[operation["tags"][0]].append(operation)
    secured = next(each["security"] for section in sections.values() for each in section if "security" in each)
    return _ENVIRONMENT.get_template("page.html.j2").render(
        api=document,
        sections=sections,
        tags={tag["name"]: tag["description"] for tag in document["tags"]},
        api_key_required={} not in secured,
        errors=ERRORS,
        style=_STYLE.markup,
    )


def _operations(document: Mapping[str, Any], address: str) -> Iterator[dict[str, Any]]:
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            yield {
                "parameters": (),
                **operation,
                "path": path,
                "verb": verb.upper(),
                "scope": _scope(verb, operation),
                "body": None if body is None else _resolved(document, body["schema"]),
                "curl": _curl(address + path, verb, operation, body),
                "answers": list(_answers(operation)),
                "refusals": [
                    (status, list(response["content"][MEDIA_TYPE]["examples"]))
                    for status, response in operation["responses"].items()
                    if MEDIA_TYPE in response["content"]
                ],
            }


def _scope(verb: str, operation: Mapping[str, Any]) -> str:
    if "security" not in operation:
        return "no API key"
    return f"scope {'read' if verb == 'get' else 'trade'}"


def _answers(operation: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for status, response in operation["responses"].items():
        content = response["content"].get("application/json") or response["content"].get("text/plain")
        if content is not None:
            yield (
                status,
                {
                    "description": response["description"],
                    "model": content["schema"] if "$ref" in content["schema"] else None,
                    "example": content.get("example"),
                },
            )


def _curl(address: str, verb: str, operation: Mapping[str, Any], body: Mapping[str, Any] | None) -> str:
    query = {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            address = address.replace(f"{{{parameter['name']}}}", parameter["example"])
        elif parameter["in"] == "query" and parameter["required"]:
            query[parameter["name"]] = parameter["example"]
    address += f"?{urlencode(query)}" if query else ""
    words = ["curl"] if verb == "get" else ["curl", "-X", verb.upper()]
    words.append(f"'{address}'")
    if body is not None:
        example = next(iter(body["examples"].values()))["value"]
        words += ["\\\n  -H 'Content-Type: application/json'", f"\\\n  -d '{json.dumps(example)}'"]
    return " ".join(words)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _type(schema: Mapping[str, Any]) -> Markup:
    """A schema in a few words, with links to named models."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return Markup('<a href="#model-{0}">{0}</a>').format(name)
    if "anyOf" in schema or "oneOf" in schema:
        choices = [_type(each) for each in schema.get("anyOf", schema.get("oneOf", ())) if each.get("type") != "null"]
        return Markup(" or ").join(choices)
    if schema.get("type") == "array":
        return Markup("list of ") + _type(schema.get("items", schema.get("prefixItems", [{}])[0]))
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("map to ") + _type(schema["additionalProperties"])
    if "const" in schema:
        return Markup("<code>{}</code>").format(schema["const"])
    if "enum" in schema:
        return Markup(" or ").join(Markup("<code>{}</code>").format(value) for value in schema["enum"])
    return escape(schema.get("format") or schema.get("type", "any"))


def _marked(text: str) -> Markup:
    """Text whose words in backquotes are code."""
    return Markup(re.sub(r"`+([^`]+)`+", r"<code>\1</code>", str(escape(text))))  # noqa: S704  (escaped right here)


def _json(value: object) -> str:
    return json.dumps(value, indent=2)


_ENVIRONMENT.filters |= {"type": _type, "marked": _marked, "json": _json}
