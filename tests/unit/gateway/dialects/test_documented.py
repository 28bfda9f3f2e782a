"""docs/dialects.md shows the frames that are sent."""

import re
from pathlib import Path

import pytest

from orderd.domain.events import Routed
from orderd.gateway.dialects.frames import EXECUTE, QUOTES, ROUTING_COMPLETE, SNAPSHOTS, Dialect
from orderd.gateway.dialects.streams import ALL_ORDERS_PATH, ORDER_PATH, QUERY_PATHS
from tests.samples.orders import ACCEPTED, ROUTED
from tests.unit.gateway.dialects.test_frames import CONFIRMED, FAILED, STARTED, SUBMITTED, frames

DOCUMENT = (Path(__file__).parents[4] / "docs/dialects.md").read_text()
STAMP = {"orderId", "timestamp"}


def documented(letter: str) -> list[tuple[set[str], set[str]]]:
    """The members of each frame in the block after ``letter``, and the given values."""
    found = re.search(rf"^{letter}[:,].*?```text\n(.*?)```", DOCUMENT, flags=re.MULTILINE | re.DOTALL)
    assert found
    shown = [re.findall(r'"(\w+)"(?:: "(\w+)")?', frame) for frame in re.findall(r"{(.*?)}", found[1])]
    return [({name for name, _ in frame}, {value for _, value in frame if value}) for frame in shown]


@pytest.mark.parametrize(
    ("letter", "dialect", "route", "in_each"),
    [
        ("a", EXECUTE, None, set()),
        ("b", SNAPSHOTS, None, STAMP),
        ("c", ROUTING_COMPLETE, None, STAMP),
        ("d", QUOTES, ROUTED, STAMP | {"quote", "selectedDex"}),
    ],
)
def test_the_documented_frames_are_sent(letter: str, dialect: Dialect, route: Routed | None, in_each: set[str]) -> None:
    happy = (ACCEPTED, STARTED, ROUTED, SUBMITTED, CONFIRMED)
    sent = [*frames(dialect, happy, route), frames(dialect, (*happy[:4], FAILED), route)[-1]]
    members = [(frame.keys() - in_each, {frame["status"], frame.get("type", frame["status"])}) for frame in sent]
    assert documented(letter) == members


def test_the_documented_paths_are_served() -> None:
    streams = set(re.findall(r"`(/[\w/]+?)(?:\?orderId=ID|/ID)?`", "".join(re.findall(r"^\| \w .*", DOCUMENT, re.M))))
    assert streams == {*QUERY_PATHS, ALL_ORDERS_PATH, ORDER_PATH.rstrip("/")}
