"""Ends connections and subscriptions immediately when their API key ends."""

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Final
from uuid import UUID

import structlog
from psycopg2 import Error
from psycopg2.extensions import connection

from db.listening import listen, received
from orderd.domain.errors import OrderdError
from orderd.gateway.access.authentication import KEY_ENDED, ended_keys
from orderd.gateway.threads import DatabaseThreads, Threads

CHECK_SECONDS: Final = 5.0
"""How often the API keys in use are checked: an expiry sends no notice, and a notice may be lost."""
log = structlog.get_logger(__name__)


class Revocations:
    """Receives each revocation of an API key from Postgres, and searches for keys that have expired."""

    def __init__(
        self,
        database: DatabaseThreads,
        outside: Threads,
        *,
        held: Callable[[], set[UUID]],
        end: Callable[[Iterable[UUID]], None],
    ) -> None:
        """``held`` returns the API keys in use, ``end`` gets the keys that have ended."""
        self._database = database
        self._outside = outside
        self._held = held
        self._end = end

    async def check(self) -> None:
        """Check all API keys in use repeatedly."""
        while True:
            await self._check(self._held())
            await asyncio.sleep(CHECK_SECONDS)

    async def listen(self) -> None:
        """Receive notifications of API keys that end."""
        while True:
            try:
                with closing(await self._outside.run(listen, KEY_ENDED)) as listener:
                    await self._check(self._held())  # notifications may have been sent before it listened
                    await self._receive(listener)
            except (Error, OrderdError) as error:
                log.warning("notices of API keys lost", action="key_notices_lost", error=str(error))
            await asyncio.sleep(CHECK_SECONDS)

    async def _receive(self, listener: connection) -> None:
        readable = asyncio.Event()
        loop = asyncio.get_running_loop()
        # A duplicate, because the driver closes its descriptor when the connection is lost; a new client's socket could
        # then get the watched number.
        watched = os.dup(listener.fileno())
        loop.add_reader(watched, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                await self._check({UUID(payload) for payload in received(listener)})
        finally:
            loop.remove_reader(watched)
            os.close(watched)

    async def _check(self, suspected: set[UUID]) -> None:
        if not suspected:
            return
        try:
            ended = await self._database.run(ended_keys, suspected)
        except OrderdError as error:
            log.warning("API keys not checked", action="token_check_failed", error=error.detail)
            return
        self._end(ended)
