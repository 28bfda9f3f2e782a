from collections.abc import Iterator

import pytest

from db.connection import database


@pytest.fixture
def connection(connected: str) -> Iterator[None]:
    with database.connection_context():
        yield
