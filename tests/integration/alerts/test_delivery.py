"""Delivery to receivers: a failing receiver loses no alert, and does not delay other receivers."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from db import alerts
from db.alerts import Alert
from db.connection import database
from orderd.alerts import apprise, webhook
from orderd.alerts.notifier import Delivery
from orderd.alerts.webhook import UndeliveredError, signature
from orderd.config.alerts import AppriseReceiver, WebhookReceiver
from orderd.domain.alerts import AlertKind
from tests.receiver import SECRET, AlertReceiver

ALERT = Alert("alert-1", AlertKind.TEST, datetime(2026, 11, 27, tzinfo=UTC), {"text": "a test"})


def bot(receiver: AlertReceiver) -> WebhookReceiver:
    return WebhookReceiver(webhook=SecretStr(receiver.url), secret=SecretStr(SECRET))


def send(receiver: AlertReceiver) -> None:
    asyncio.run(webhook.send(bot(receiver), ALERT))


def test_an_alert_is_delivered_signed_with_its_id(receiver: AlertReceiver) -> None:
    send(receiver)
    (received,) = receiver.received
    sent = int(received.headers["webhook-timestamp"])
    assert received.headers["webhook-id"] == "alert-1"
    assert received.headers["webhook-signature"] == signature(SECRET, "alert-1", sent, received.body)
    assert received.headers["content-type"] == "application/json"
    assert received.json["message"] == "test alert: a test"


@pytest.mark.parametrize("status", [100 + 300, 404, 410, 429, 500, 503])
def test_only_a_success_status_confirms_an_alert(receiver: AlertReceiver, status: int) -> None:
    receiver.answer = status
    with pytest.raises(UndeliveredError, match=f"it answered with status {status}"):
        send(receiver)


def test_a_redirect_is_not_followed(receiver: AlertReceiver) -> None:
    receiver.answer, receiver.location = 307, f"{receiver.url}/elsewhere"
    with pytest.raises(UndeliveredError, match="redirects"):
        send(receiver)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_a_receiver_that_does_not_finish_its_answer_times_out(
    receiver: AlertReceiver, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 0.3)
    receiver.mode = mode
    with pytest.raises(UndeliveredError, match="did not answer within"):
        send(receiver)


def test_an_unreachable_receiver_is_reported_without_its_url() -> None:
    nobody = WebhookReceiver(webhook=SecretStr("http://127.0.0.1:9/key-in-path"), secret=SecretStr(SECRET))
    with pytest.raises(UndeliveredError, match="it was not reached: ConnectError") as error:
        asyncio.run(webhook.send(nobody, ALERT))
    assert "key-in-path" not in str(error.value)


# Apprise


def phone(address: str) -> AppriseReceiver:
    return AppriseReceiver(apprise=SecretStr(address))


def test_apprise_sends_one_message_for_all_due_alerts(receiver: AlertReceiver) -> None:
    asyncio.run(apprise.send(phone(f"json://127.0.0.1:{receiver.port}/"), "two alerts", "one\ntwo"))
    (received,) = receiver.received
    assert (received.json["title"], received.json["message"]) == ("two alerts", "one\ntwo")


def test_an_address_unknown_to_apprise_is_reported(receiver: AlertReceiver) -> None:
    with pytest.raises(UndeliveredError, match="apprise does not know such an address"):
        asyncio.run(apprise.send(phone("carrier-pigeon://roof"), "title", "text"))


def test_a_service_that_hangs_is_killed(receiver: AlertReceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise, "SECONDS", 0.3)
    receiver.mode = "hang"
    with pytest.raises(UndeliveredError, match="did not take the message within"):
        asyncio.run(apprise.send(phone(f"json://127.0.0.1:{receiver.port}/"), "title", "text"))


# Outbox


def due(number: int = 1) -> None:
    for _ in range(number):
        alerts.store(AlertKind.RESTARTED, {"text": "host:1:a"})
    alerts.distribute({"bot": [AlertKind.RESTARTED], "phone": [AlertKind.RESTARTED]})


def passes(delivery: Delivery, number: int) -> list[bool]:
    async def some() -> list[bool]:
        return [await delivery.run_once() for _ in range(number)]

    return asyncio.run(some())


@pytest.mark.usefixtures("subscribed")
def test_each_alert_is_sent_until_it_is_confirmed_with_the_same_id_and_body(receiver: AlertReceiver) -> None:
    due()
    delivery = Delivery("bot", bot(receiver))
    receiver.answer = 503
    assert passes(delivery, 2) == [True, False]
    assert [error for *_, error in alerts.waiting()] == ["it answered with status 503", ""]
    database.execute_sql("UPDATE alert_deliveries SET due_at = clock_timestamp() WHERE due_at IS NOT NULL")
    receiver.answer = 200
    assert passes(delivery, 2) == [True, False]
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


@pytest.mark.usefixtures("subscribed")
def test_apprise_receivers_get_all_due_alerts_in_one_message(receiver: AlertReceiver) -> None:
    due(3)
    assert passes(Delivery("phone", phone(f"json://127.0.0.1:{receiver.port}/")), 2) == [True, False]
    assert [each.json["title"] for each in receiver.received] == ["orderd: 3 alerts"]
