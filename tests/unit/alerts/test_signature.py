"""Webhook signatures match the specification and the verification in docs/alarms.md."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orderd.alerts.webhook import signature
from tests.receiver import SECRET

DOCUMENT = (Path(__file__).parents[3] / "docs" / "alarms.md").read_text()
BODY = b'{"id": "alert-1"}'
Received = Callable[[dict[str, str], bytes], dict[str, Any] | None]


def test_the_signature_matches_the_specifications_test_vector() -> None:
    """From the tests of the libraries in https://github.com/standard-webhooks/standard-webhooks."""
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.fixture
def received() -> Received:
    """The receiver in the document."""
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    function: Received = names["received"]
    return function


def headers(body: bytes = BODY, *, age: int = 0, secret: str = SECRET) -> dict[str, str]:
    sent = int(time.time()) - age
    return {
        "webhook-id": "alert-1",
        "webhook-timestamp": str(sent),
        "webhook-signature": signature(secret, "alert-1", sent, body),
    }


def test_the_documented_receiver_accepts_each_alert_once(received: Received) -> None:
    assert received(headers(), BODY) == {"id": "alert-1"}
    assert received(headers(), BODY) is None


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (headers(), BODY + b" "),
        (headers(secret="whsec_" + "A" * 32), BODY),
        (headers() | {"webhook-id": "alert-2"}, BODY),
        (headers(age=3600), BODY),
    ],
    ids=["another body", "another secret", "another id", "too old"],
)
def test_the_documented_receiver_refuses_forged_and_old_alerts(
    received: Received, given: dict[str, str], body: bytes
) -> None:
    with pytest.raises(ValueError, match=r"old|wrong"):
        received(given, body)
