"""Log lines for machines and for people."""

import json
import logging
from collections import Counter
from collections.abc import Iterator

import pytest
import structlog

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import VenueName
from orderd.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, ours = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.configure(**ours)


def test_a_log_line_is_a_json_object_with_its_action_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.get_logger("orderd.test").warning("queue unavailable", action="enqueue_failed", orders=3)
    captured = capsys.readouterr()
    line = json.loads(captured.err)
    assert captured.out == ""
    assert line["action"] == "enqueue_failed"
    assert line["event"] == "queue unavailable"
    assert line["orders"] == 3
    assert line["level"] == "warning"
    assert line["logger"] == "orderd.test"
    assert line["timestamp"].endswith("Z")


def test_an_exception_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    try:
        int("no good")
    except ValueError:
        structlog.get_logger().exception("failed", action="test_failed")
    line = json.loads(capsys.readouterr().err)
    assert "ValueError: invalid literal" in line["exception"]


def test_lines_of_libraries_have_the_same_format_and_a_higher_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("websockets.server").info("connection open")
    logging.getLogger("websockets.server").error("handshake of %s failed", "a peer")
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "handshake of a peer failed"
    assert line["action"] == "websockets"


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("warning")
    structlog.get_logger().info("chatter", action="chatter")
    assert capsys.readouterr().err == ""


def test_the_console_format_is_readable(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(render="console")
    prices = {VenueName.RAYDIUM: ["1.5", ErrorCode.POOL_CLOSED]}
    structlog.get_logger().info("listening", action="gateway_listening", port=3000, prices=prices)
    line = capsys.readouterr().err
    assert "listening" in line
    assert "port=3000" in line
    assert "prices={'raydium': ['1.5', 'POOL_CLOSED']}" in line
    assert "\x1b" not in line


def test_log_lines_caused_by_clients_without_a_key_are_limited(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("orderd.telemetry.time.monotonic", lambda: now)
    configure_logging()
    ours, library = structlog.get_logger("orderd.gateway"), logging.getLogger("uvicorn.error")
    for _ in range(500):
        ours.info("connection refused", action="connection_refused", code="AUTH_REQUIRED")
        library.warning("Invalid %s", "x" * 10_000)
        ours.info("order accepted", action="order_accepted")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert Counter(line["action"] for line in lines) == {"connection_refused": 10, "uvicorn": 10, "order_accepted": 500}
    assert max(len(line["event"]) for line in lines) <= 500

    now = 60.0
    ours.info("connection refused", action="connection_refused", code="AUTH_REQUIRED")
    library.warning("Invalid")
    refused, invalid = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert refused["left_out"] == 490
    assert invalid["event"] == "Invalid (490 more lines were left out)"
