"""Events from Redis: one subscription per gateway, which is always renewed."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from orderd.engine.publish import CHANNEL, events_of
from orderd.gateway.streaming.hub import Hub

RECONNECT_SECONDS: Final = 0.5
SILENCE_SECONDS: Final = 2.0
"""If Redis is silent for this long, the gateway sends a ping, and waits as long for the answer."""
log = structlog.get_logger(__name__)


class Feed:
    """Forwards messages from Redis to the hub, and requests a sweep after each interruption."""

    def __init__(self, client: Redis, hub: Hub) -> None:
        self._client = client
        self._hub = hub

    async def run(self) -> None:
        """Listen, until the task is cancelled."""
        while True:
            try:
                await self._listen()
            except (RedisError, OSError) as error:
                log.warning("redis subscription lost", action="feed_lost", error=str(error))
            finally:
                self._hub.is_redis_connected = False
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        async with self._client.pubsub() as channel:
            async with asyncio.timeout(SILENCE_SECONDS):
                await channel.subscribe(CHANNEL)
            pinged = False
            while True:
                message = await channel.get_message(timeout=SILENCE_SECONDS)
                if message is not None:
                    pinged = False
                    self._take(message)
                elif pinged:
                    raise TimeoutError(f"it has not answered for {SILENCE_SECONDS:g} s")
                else:
                    pinged = True
                    async with asyncio.timeout(SILENCE_SECONDS):
                        await channel.ping()

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "message":
            for event in events_of(message["data"]):
                self._hub.receive(event)
        elif message["type"] == "subscribe":
            # Also after an automatic reconnection of the client, because messages in between are lost.
            self._hub.is_redis_connected = True
            self._hub.request_sweep()
            log.info("redis subscription open", action="feed_open")
