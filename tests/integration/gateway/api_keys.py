"""Valid and invalid API keys."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from db.connection import database
from db.models import DEFAULT_ACCOUNT, ApiKey
from orderd.gateway.access.authentication import api_key_hash, new_api_key


def issue(scope: str, **columns: Any) -> str:
    """A new key with this scope; ``columns`` are further columns of its row."""
    token = new_api_key()
    row = {"account_id": DEFAULT_ACCOUNT, "name": token[-8:], "scopes": [scope], "created_at": datetime.now(UTC)}
    with database.connection_context():
        ApiKey.insert(id=uuid4(), hash=api_key_hash(token), **row | columns).execute()
    return token


def revoke(token: str) -> None:
    with database.connection_context():
        ApiKey.update(revoked_at=datetime.now(UTC)).where(ApiKey.hash == api_key_hash(token)).execute()


def let_expire(token: str, seconds: float) -> None:
    """Let the key expire in so many seconds."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    with database.connection_context():
        ApiKey.update(expires_at=at).where(ApiKey.hash == api_key_hash(token)).execute()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
