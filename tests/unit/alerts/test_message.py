"""What receivers are sent: deterministic, complete for programs, and short for people."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from db.alerts import Alert
from orderd.alerts.message import body, digest, line
from orderd.alerts.notifier import pause_seconds
from orderd.domain.alerts import AlertKind

AT = datetime(2026, 11, 27, 23, 22, 2, tzinfo=UTC)
ORDER = {"client_order_id": "bot-17", "account": "default", "kind": "market", "token_in": "SOL", "token_out": "USDC"}
FILLED = Alert(
    "a-5",
    AlertKind.FILLED,
    AT,
    {},
    UUID(int=7),
    5,
    ORDER,
    {"kind": "confirmed", "amount_in": "1.5", "amount_out": "152.5"},
)
FAILED = Alert(
    "b-5", AlertKind.FAILED, AT, {}, UUID(int=8), 5, ORDER, {"kind": "failed", "code": "TX_FAILED", "detail": "no"}
)
HALTED = Alert("c", AlertKind.HALTED, AT, {"state": "firing", "cause": "operator", "text": "halted by me: lunch"})
RESUMED = Alert("d", AlertKind.HALTED, AT, {"state": "resolved", "key": "halted:operator"})


def test_a_program_gets_the_order_and_its_event() -> None:
    assert json.loads(body(FILLED)) == {
        "id": "a-5",
        "type": "filled",
        "timestamp": "2026-11-27T23:22:02Z",
        "message": "order filled: 1.5 SOL for 152.5 USDC (bot-17)",
        "data": {"order_id": str(UUID(int=7)), **ORDER, "seq": 5, "event": FILLED.event},
    }


def test_the_facts_of_a_condition_are_sent_without_its_text() -> None:
    content = json.loads(body(HALTED))
    assert content["data"] == {"state": "firing", "cause": "operator"}
    assert content["message"] == "trading is halted: halted by me: lunch"


@pytest.mark.parametrize(
    ("alert", "said"),
    [
        (FAILED, "order failed: SOL to USDC (bot-17): TX_FAILED: no"),
        (RESUMED, "over: trading is halted (halted:operator)"),
        (Alert("e", AlertKind.RESTARTED, AT, {}), "a process died and its work was taken over"),
        (Alert("f", AlertKind.FILLED, AT, {}, UUID(int=9), 5, ORDER, None), "order filled: SOL to USDC (bot-17)"),
    ],
)
def test_each_alert_has_a_one_line_text(alert: Alert, said: str) -> None:
    assert line(alert) == said


def test_a_digest_lists_due_alerts_and_counts_the_rest() -> None:
    assert digest([FAILED]) == ("orderd: order failed", f"23:22:02 UTC: {line(FAILED)}")
    title, text = digest([FILLED] * 25)
    assert title == "orderd: 25 alerts"
    assert text.splitlines()[-1] == "and 5 more"
    assert len(text.splitlines()) == 21


def test_retry_pauses_grow_to_ten_minutes() -> None:
    for tries, seconds in ((1, 1), (2, 2), (5, 16), (10, 512), (11, 600), (10_000, 600)):
        assert seconds <= pause_seconds(tries) <= seconds * 1.2
