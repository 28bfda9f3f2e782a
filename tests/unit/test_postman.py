"""The Postman collection is current and complete."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from docs.postman import FILE, PROMISED, written
from orderd.gateway.docs.openapi import openapi_document
from orderd.gateway.http.app import application

COLLECTION: dict[str, Any] = json.loads(FILE.read_text())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document(application(), api_key_required=False)


def requests() -> Iterator[dict[str, Any]]:
    for folder in COLLECTION["item"]:
        yield from folder["item"]


def test_the_collection_is_generated_from_the_openapi_document(document: dict[str, Any]) -> None:
    assert FILE.read_text() == written(document), "renew it with: make reference"


def test_the_collection_has_a_request_for_each_operation(document: dict[str, Any]) -> None:
    operations = {(verb.upper(), path) for path, item in document["paths"].items() for verb in item}
    made = {(each["request"]["method"], "/" + "/".join(each["request"]["url"]["path"])) for each in requests()}
    assert operations <= {(verb, path.replace("{{order}}", "{order}")) for verb, path in made}


def test_requests_of_the_collection_have_unique_names_and_tests() -> None:
    names = [each["name"] for each in requests()]
    assert len(names) == len(set(names)) > 20
    for each in requests():
        (script,) = (event["script"]["exec"] for event in each["event"] if event["listen"] == "test")
        promised = json.loads(script[0].removeprefix(PROMISED).removesuffix(";"))
        assert promised
        assert all(re.fullmatch("[2-4][0-9][0-9]", status) and answer["type"] for status, answer in promised.items())
        assert sum("pm.test(" in line for line in script) >= 4
