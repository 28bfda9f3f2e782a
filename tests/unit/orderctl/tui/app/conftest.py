"""Queries are sent once, so that a test sees each answer."""

import pytest

from tests.unit.orderctl.tui.desks import poll_once


@pytest.fixture(autouse=True)
def _asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    poll_once(monkeypatch, read_seconds=0)
