"""Authentication: API keys, of which the database has the SHA-256 only.

An API key is 256 random bits, so a plain hash is enough, and the duration of a lookup by the hash does not show how
close a guess is.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from db.audit import Actor
from db.connection import database
from db.models import DEFAULT_ACCOUNT, ApiKey
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine.allowance import UNLIMITED, TradingLimits
from orderd.gateway.access.pace import Bucket

KEY_ENDED: Final = "orderd_token_ended"
"""The channel on which Postgres notifies of API keys that are revoked, or whose expiry is changed."""
PREFIX: Final = "orderd_"
"""Prefix of all API keys, by which scanners for leaked secrets recognize them."""


class Scope(StrEnum):
    """Each includes the ones before it."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


_RANK: Final = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class RequestRate:
    """The request limit of an API key: requests per minute, and the size of a burst."""

    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Principal:
    """The client of a connection or a request."""

    account_id: UUID
    scope: Scope
    name: str
    expires_at: datetime | None = None
    key_id: UUID | None = None
    address: str = ""
    limits: TradingLimits = UNLIMITED
    pace: RequestRate | None = None
    bucket: Bucket | None = None
    """Counts the requests of all connections of the API key, if it has a ``pace``."""

    @property
    def actor(self) -> Actor:
        """The client as an actor in the audit."""
        return Actor(self.name, self.address, self.key_id)

    @property
    def sees_all(self) -> bool:
        """Whether the client may see and change the orders of all accounts. Its new orders still belong to its own
        account."""
        return self.scope is Scope.ADMIN

    def require(self, scope: Scope) -> None:
        """Let one request pass.

        Raises OrderdError: AUTH_FORBIDDEN without the scope, AUTH_INVALID when the API key has ended meanwhile,
        LIMIT_REQUESTS when it makes too many.
        """
        if self.bucket is not None:
            self.bucket.take()
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise OrderdError(ErrorCode.AUTH_INVALID, f"the API key {self.name} expired at {self.expires_at}")
        if _RANK[self.scope] < _RANK[scope]:
            raise OrderdError(ErrorCode.AUTH_FORBIDDEN, f"the API key {self.name} lacks the scope {scope}")


LOCAL_TRADER: Final = Principal(DEFAULT_ACCOUNT, Scope.ADMIN, "local")
"""Any client on this machine, if no API key is required."""


def api_key_required(settings: Settings) -> bool:
    """An API key is not needed only if no other machine can reach the port, and no real money is at stake."""
    return not (settings.is_local_chain and settings.is_local)


def check_exposure(settings: Settings) -> None:
    """Raises OrderdError SERVICE_EXPOSED if other machines can reach the port, and no API key would let one in.

    Needs a database connection.
    """
    if settings.is_local:
        return
    lasts = ApiKey.expires_at.is_null() | (ApiKey.expires_at > datetime.now(UTC))
    if not ApiKey.select().where(ApiKey.revoked_at.is_null() & lasts).exists():
        raise OrderdError(ErrorCode.SERVICE_EXPOSED, f"it would listen on {settings.host}")


def new_api_key() -> str:
    """A new API key. Only its ``api_key_hash`` is stored, so the key cannot be read again."""
    return PREFIX + secrets.token_urlsafe(32)


def api_key_hash(key: str) -> bytes:
    return sha256(key.encode()).digest()


def authenticate(authorization: str | None, *, required: bool) -> Principal:
    """The client that an Authorization header identifies. A given API key must be valid even if none is required.

    Raises OrderdError: AUTH_REQUIRED or AUTH_INVALID. Needs a database connection.
    """
    if authorization is None:
        if required:
            raise OrderdError(ErrorCode.AUTH_REQUIRED, "the request carries no API key")
        return LOCAL_TRADER
    scheme, _, key = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise OrderdError(ErrorCode.AUTH_INVALID, "the Authorization header is not of the form: Bearer KEY")
    row = ApiKey.get_or_none(ApiKey.hash == api_key_hash(key.strip()))
    if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= datetime.now(UTC)):
        raise OrderdError(ErrorCode.AUTH_INVALID, "the request's API key is not valid")
    scope = max((Scope(name) for name in row.scopes), key=_RANK.__getitem__)
    mints, per_minute, burst = row.allowed_mints, row.requests_per_minute, row.burst
    return Principal(
        row.account_id,
        scope,
        row.name,
        row.expires_at,
        row.id,
        limits=TradingLimits(
            None if mints is None else frozenset(mints), row.max_notional_per_order, row.max_notional_per_day
        ),
        pace=None if per_minute is None or burst is None else RequestRate(per_minute, burst),
    )


def ended_keys(key_ids: Iterable[UUID]) -> frozenset[UUID]:
    """The API keys among these that are no longer valid. Needs a database connection."""
    rows = database.execute_sql(
        """
        SELECT id FROM api_tokens
        WHERE id = ANY(%s::uuid[]) AND (revoked_at IS NOT NULL OR expires_at <= statement_timestamp())""",
        ([str(key_id) for key_id in key_ids],),
    )
    return frozenset(UUID(str(key_id)) for (key_id,) in rows)


def note_use(key_ids: Iterable[UUID]) -> None:
    """Remember that API keys were used just now, to the minute. Needs a database connection."""
    database.execute_sql(
        """
        UPDATE api_tokens SET last_used_at = clock_timestamp()
        WHERE id = ANY(%s::uuid[])
          AND (last_used_at IS NULL OR last_used_at < statement_timestamp() - interval '1 minute')""",
        ([str(key_id) for key_id in key_ids],),
    )
