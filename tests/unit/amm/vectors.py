"""The reference vectors in tests/vectors: answers of the official SDKs and of the programs."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parents[2] / "vectors"


def load(name: str) -> dict[str, Any]:
    """A vector file, with its decimal strings converted to integers."""
    document: dict[str, Any] = _integers(json.loads((VECTORS / name).read_text()))
    return document


def cases(document: dict[str, Any]) -> list[Any]:
    """The cases with a unique answer, each a parameter named by its id."""
    return [pytest.param(case, id=case["id"]) for case in document["cases"] if "ambiguous" not in case]


def _integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _integers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_integers(each) for each in value]
    if isinstance(value, str) and value.removeprefix("-").isdecimal():
        return int(value)
    return value
