"""Alerts on a real Postgres, with a subscription to every kind."""

from collections.abc import Iterator

import pytest

from db import alerts
from db.connection import database
from orderd.domain.alerts import AlertKind
from tests.receiver import AlertReceiver, receiving


@pytest.fixture(autouse=True)
def in_use(connected: str) -> Iterator[None]:
    with database.connection_context():
        yield


@pytest.fixture
def subscribed() -> None:
    alerts.subscribe(AlertKind)


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with receiving() as receiver:
        yield receiver
