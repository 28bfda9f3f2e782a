"""The news from Redis: one subscription a gateway, for ever renewed."""

import asyncio
from typing import Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from orderd.engine.publish import CHANNEL
from orderd.gateway.streaming.hub import Hub

RECONNECT_SECONDS: Final = 0.5
log = structlog.get_logger(__name__)


class Feed:
    """Brings what is published on Redis to the hub, and lets it sweep after each interruption."""

    def __init__(self, client: Redis, hub: Hub) -> None:
        self._client = client
        self._hub = hub

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                log.warning("redis subscription lost", action="feed_lost", error=str(error))
            finally:
                self._hub.has_news = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        async with self._client.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            async for message in channel.listen():
                if message["type"] == "message":
                    self._hub.hear(message["data"])
                elif message["type"] == "subscribe":
                    # Also after a reconnection that the client did by itself: what was published meanwhile is lost.
                    self._hub.has_news = True
                    self._hub.request_sweep()
                    log.info("redis subscription open", action="feed_open")
