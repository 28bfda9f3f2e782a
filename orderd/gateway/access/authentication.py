"""Who is calling: bearer tokens, known to the database by their SHA-256 only.

A token is 256 random bits, so a plain hash is enough, and looking it up by the hash takes no time that depends on
how much of a guess is right.
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
from db.models import DEFAULT_ACCOUNT, ApiToken
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.engine.allowance import UNLIMITED, Limits
from orderd.gateway.access.pace import Bucket

TOKEN_ENDED: Final = "orderd_token_ended"
"""The channel on which Postgres tells the ids of tokens that are revoked, or whose expiry is changed."""
PREFIX: Final = "orderd_"
"""What all tokens begin with, so that scanners for leaked secrets know them."""


class Scope(StrEnum):
    """Each includes the ones before it."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


_RANK: Final = {scope: rank for rank, scope in enumerate(Scope)}


@dataclass(frozen=True, slots=True)
class Pace:
    """How many requests a token may make in a minute, and how many of them at once."""

    per_minute: int
    burst: int


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever is at the other end of a connection, or makes a request."""

    account_id: UUID
    scope: Scope
    name: str
    expires_at: datetime | None = None
    token_id: UUID | None = None
    address: str = ""
    limits: Limits = UNLIMITED
    pace: Pace | None = None
    bucket: Bucket | None = None
    """Counts the requests of all connections of the token, where it has a ``pace``."""

    @property
    def actor(self) -> Actor:
        """As the audit knows it."""
        return Actor(self.name, self.address, self.token_id)

    @property
    def sees_all(self) -> bool:
        """Whether the orders of all accounts are shown, and obey; new ones are still those of the own account."""
        return self.scope is Scope.ADMIN

    def require(self, scope: Scope) -> None:
        """Let one request pass.

        Raises OrderdError: AUTH_FORBIDDEN without the scope, AUTH_INVALID when the token has ended meanwhile,
        LIMIT_REQUESTS when it makes too many.
        """
        if self.bucket is not None:
            self.bucket.take()
        if self.expires_at is not None and self.expires_at <= datetime.now(UTC):
            raise OrderdError(ErrorCode.AUTH_INVALID, f"the token {self.name} expired at {self.expires_at}")
        if _RANK[self.scope] < _RANK[scope]:
            raise OrderdError(ErrorCode.AUTH_FORBIDDEN, f"the token {self.name} lacks the scope {scope}")


LOCAL_TRADER: Final = Principal(DEFAULT_ACCOUNT, Scope.ADMIN, "local")
"""Anyone on this machine, where no token is asked for."""


def token_required(settings: Settings) -> bool:
    """No token is needed only where nobody else can reach the port and no real money is at stake."""
    return not (settings.chain == "simnet" and settings.is_local)


def check_anyone_may_enter(settings: Settings) -> None:
    """Raises OrderdError SERVICE_EXPOSED where other machines can reach the port, and no token would let one in.

    Needs a database connection.
    """
    if settings.is_local:
        return
    lasts = ApiToken.expires_at.is_null() | (ApiToken.expires_at > datetime.now(UTC))
    if not ApiToken.select().where(ApiToken.revoked_at.is_null() & lasts).exists():
        raise OrderdError(ErrorCode.SERVICE_EXPOSED, f"it would listen on {settings.host}")


def new_token() -> str:
    """A fresh secret; the database is given ``token_hash`` of it, and nobody can read it again."""
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    return sha256(token.encode()).digest()


def authenticate(authorization: str | None, *, required: bool) -> Principal:
    """Whom an Authorization header stands for; a token that is given must be good even where none is required.

    Raises OrderdError: AUTH_REQUIRED or AUTH_INVALID. Needs a database connection.
    """
    if authorization is None:
        if required:
            raise OrderdError(ErrorCode.AUTH_REQUIRED, "the request carries no bearer token")
        return LOCAL_TRADER
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OrderdError(ErrorCode.AUTH_INVALID, "the Authorization header is not of the form: Bearer TOKEN")
    row = ApiToken.get_or_none(ApiToken.hash == token_hash(token.strip()))
    if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= datetime.now(UTC)):
        raise OrderdError(ErrorCode.AUTH_INVALID, "the request's token is none of those that are valid now")
    scope = max((Scope(name) for name in row.scopes), key=_RANK.__getitem__)
    mints, per_minute, burst = row.allowed_mints, row.requests_per_minute, row.burst
    return Principal(
        row.account_id,
        scope,
        row.name,
        row.expires_at,
        row.id,
        limits=Limits(
            None if mints is None else frozenset(mints), row.max_notional_per_order, row.max_notional_per_day
        ),
        pace=None if per_minute is None or burst is None else Pace(per_minute, burst),
    )


def ended_tokens(token_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Those of the tokens that are good no more. Needs a database connection."""
    rows = database.execute_sql(
        """
        SELECT id FROM api_tokens
        WHERE id = ANY(%s::uuid[]) AND (revoked_at IS NOT NULL OR expires_at <= statement_timestamp())""",
        ([str(token_id) for token_id in token_ids],),
    )
    return frozenset(UUID(str(token_id)) for (token_id,) in rows)


def note_use(token_ids: Iterable[UUID]) -> None:
    """Remember that tokens were used just now, to the minute. Needs a database connection."""
    database.execute_sql(
        """
        UPDATE api_tokens SET last_used_at = clock_timestamp()
        WHERE id = ANY(%s::uuid[])
          AND (last_used_at IS NULL OR last_used_at < statement_timestamp() - interval '1 minute')""",
        ([str(token_id) for token_id in token_ids],),
    )
