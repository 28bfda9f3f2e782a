"""The client of a request, its address, and the rest of its request rate."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from uuid import UUID

from starlette.requests import HTTPConnection

from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Principal, api_key_required, authenticate
from orderd.gateway.access.pace import Bucket
from orderd.gateway.threads import DatabaseThreads


class Authenticator:
    def __init__(
        self, settings: Settings, database: DatabaseThreads, used: Callable[[UUID], None] = lambda _: None
    ) -> None:
        """``used`` is called with each valid API key that is used."""
        self._database = database
        self._used = used
        self._key_required = api_key_required(settings)
        self._trusted = tuple(ip_network(each) for each in settings.trusted_proxies)
        self._buckets: dict[UUID, Bucket] = {}
        self._ended: set[UUID] = set()

    def address(self, peer: str, forwarded: Sequence[str]) -> str:
        """The address of a request: the peer's, or the one that a trusted proxy names (X-Forwarded-For)."""
        hops = [hop.strip() for header in forwarded for hop in header.split(",")]
        while hops and self.trusts(peer):
            peer = hops.pop()
        return peer[:64]

    def trusts(self, address: str) -> bool:
        """Whether this is the address of a trusted proxy."""
        try:
            return any(ip_address(address) in network for network in self._trusted)
        except ValueError:
            return False

    async def identify(self, authorizations: Sequence[str], address: str) -> Principal:
        """The client that the Authorization headers of a request identify. Raises OrderdError: AUTH_REQUIRED,
        AUTH_INVALID."""
        if len(authorizations) > 1:
            raise OrderdError(ErrorCode.AUTH_INVALID, "there is more than one Authorization header")
        authorization = authorizations[0] if authorizations else None
        if authorization is None and not self._key_required:
            return replace(authenticate(None, required=False), address=address)
        principal = await self._database.run(authenticate, authorization, required=self._key_required)
        if principal.key_id is not None:
            self._used(principal.key_id)
        return replace(principal, address=address, bucket=self._bucket_of(principal))

    async def principal_of(self, request: HTTPConnection, key: str | None = None) -> Principal:
        """The client of an HTTP request; the request's state remembers it. Raises OrderdError like ``identify``.

        ``key`` is an API key that came in another way than by the Authorization header.
        """
        request.state.address = self.address(
            request.client.host if request.client else "", request.headers.getlist("x-forwarded-for")
        )
        shown = request.headers.getlist("authorization") if key is None else [f"Bearer {key}"]
        principal = await self.identify(shown, request.state.address)
        request.state.principal = principal
        return principal

    def close_to(self, key_ids: Iterable[UUID]) -> None:
        """These API keys have ended."""
        for key_id in key_ids:
            self._ended.add(key_id)
            self._buckets.pop(key_id, None)

    def has_ended(self, principal: Principal) -> bool:
        """Whether the client's API key has ended since it was authenticated."""
        return principal.key_id in self._ended

    def _bucket_of(self, principal: Principal) -> Bucket | None:
        """One for all connections of an API key."""
        if principal.key_id is None or principal.pace is None:
            return None
        pace = principal.pace
        return self._buckets.setdefault(principal.key_id, Bucket(pace.per_minute, pace.burst))
