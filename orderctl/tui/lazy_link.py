"""The connection to the daemon, whose libraries are imported on first use, after the first frame."""

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from orderd.client.endpoint import Endpoint
from orderd.client.news import OnNews
from orderd.wire.message import Message
from orderd.wire.rpc import Method

if TYPE_CHECKING:
    from orderd.client.link import Link

A = TypeVar("A", bound=Message)


class LazyLink:
    """See ``Link``."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @cached_property
    def _link(self) -> "Link":
        from orderd.client.link import Link

        return Link(self._endpoint)

    async def run(self, on_news: OnNews) -> None:
        await self._link.run(on_news)

    async def call(self, method: Method, params: Message, answer: type[A]) -> A:
        return await self._link.call(method, params, answer)
