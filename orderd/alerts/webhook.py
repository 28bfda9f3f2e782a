"""Sends one alert to one webhook: signed as the Standard Webhooks specification says, once, with a short time-out.

Only the status of the answer counts. Its body is not read, and redirects are not followed.
Source of the signature: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from typing import Final

import httpx

from db.alerts import Alert
from orderd.alerts.message import body
from orderd.config.alerts import SECRET_PREFIX, WebhookReceiver
from orderd.domain.host import is_loopback

SECONDS: Final = 10.0
"""Maximum time from the look-up of the host's name to the status."""


class UndeliveredError(Exception):
    """The receiver did not confirm. Its text shows no address and no secret."""


def signature(secret: str, message_id: str, timestamp: int, content: bytes) -> str:
    """The header ``webhook-signature``: HMAC-SHA256 over id, timestamp (seconds since 1970) and body.

    ``secret`` is ``whsec_`` and the key in base64.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + content
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


async def send(receiver: WebhookReceiver, alert: Alert) -> None:
    """Raises UndeliveredError unless the receiver answers with a status from 200 to 299 in time."""
    content, timestamp = body(alert), int(time.time())
    headers = {
        "content-type": "application/json",
        "user-agent": "orderd",
        "webhook-id": alert.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(receiver.secret.get_secret_value(), alert.id, timestamp, content),
    }
    try:
        async with asyncio.timeout(SECONDS):
            status = await _post(receiver.webhook.get_secret_value(), headers, content)
    except TimeoutError:
        raise UndeliveredError(f"it did not answer within {SECONDS:.0f} s") from None
    except httpx.HTTPError as error:
        raise UndeliveredError(f"it was not reached: {type(error).__name__}") from None
    if 300 <= status < 400:
        raise UndeliveredError(f"it redirects (status {status}), which is not followed")
    if not 200 <= status < 300:
        raise UndeliveredError(f"it answered with status {status}")


async def _post(url: str, headers: dict[str, str], content: bytes) -> int:
    # Like everywhere in orderd, no proxy is used for addresses of this machine.
    by_proxy = not is_loopback(httpx.URL(url).host)
    async with (
        httpx.AsyncClient(timeout=SECONDS, follow_redirects=False, trust_env=by_proxy) as client,
        client.stream("POST", url, headers=headers, content=content) as answer,
    ):
        return answer.status_code
