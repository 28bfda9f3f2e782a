"""Hints of landings are requested for few transactions, whatever the number of live attempts."""

from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import pytest
from solders.signature import Signature
from uuid_utils.compat import uuid7

from db.leases import LiveAttempt
from db.models import Order
from orderd.engine.leases import Leases
from orderd.engine.settlement.live import LiveAttempts


def sent_together(live: LiveAttempts, orders: int) -> list[str]:
    """The signatures of attempts that were sent in one turn."""
    signatures = [str(Signature.new_unique()) for _ in range(orders)]
    for each in signatures:
        order = cast("Order", SimpleNamespace(id=uuid7(), version=1))
        live.track(LiveAttempt(order, 1, each, b"signed", 150, 1, 0))
    live.watch(signatures)
    return signatures


@pytest.fixture
def live() -> LiveAttempts:
    return LiveAttempts(cast("Leases", Mock()), resend_seconds=1.0)


@pytest.fixture
def watched(live: LiveAttempts) -> list[str]:
    found: list[str] = []
    live.on_watched = found.append
    return found


def test_each_of_a_few_is_watched_and_found_by_its_hint(live: LiveAttempts, watched: list[str]) -> None:
    signatures = sent_together(live, 3)
    assert watched == signatures

    live.hint(signatures[1])

    assert [str(each) for each in live.take_hinted()] == [signatures[1]]
    assert live.take_hinted() == {}


def test_the_last_of_many_is_watched_for_all_that_were_sent_with_it(live: LiveAttempts, watched: list[Any]) -> None:
    first, second = sent_together(live, 40), sent_together(live, 5)

    assert watched == [first[-1], second[-1]]
    live.hint(first[-1])
    assert live.take_hinted() == {}, "one of many asks for a pass over all"


def test_a_turn_that_stored_nothing_watches_nothing(live: LiveAttempts, watched: list[str]) -> None:
    assert sent_together(live, 0) == watched == []
