"""Each key has its effect before the next one is handled.

Textual gives a printable key to the focused field at once, but a key that is bound to an action, such as Backspace, Tab
or Enter, first bubbles up to the application. When keys arrive together, as over a slow connection, later ones overtake
it: ``1``, Backspace, ``2`` becomes ``1``, and what follows a Tab is added to the field before it (textual #6605). So
the next key waits until the messages of the one before have been handled.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final, TypeVar

from textual.app import App
from textual.dom import DOMNode
from textual.events import Event, Key
from textual.widgets import Input

Result = TypeVar("Result")

_SUBMIT: Final = "enter"
"""The key whose action sends a message, which takes the same way as the key."""
_SECONDS: Final = 0.1
"""Maximum wait for a node, which may be removed by the key and then handles nothing more."""


class KeysInOrder(App[Result]):
    """An application that handles its keys one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._keys = deque[Key]()
        self._delivery: asyncio.Task[None] | None = None

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._delivery is None or self._delivery.done():
            target = self.focused or self.screen
            await super().on_event(event)
            self._delivery = asyncio.create_task(self._deliver_after(event, target))
        else:
            self._keys.append(event)

    async def _deliver_after(self, key: Key, target: DOMNode) -> None:
        """Handle the waiting keys, each when the one before has had its effect; ``key`` is the first of these."""
        while True:
            await self._has_effect(key, target)
            if not self._keys:
                return
            key, target = self._keys.popleft(), self.focused or self.screen
            self.call_later(super().on_event, key)
            await _handled(self)

    async def _has_effect(self, key: Key, target: DOMNode) -> None:
        if key.is_printable and isinstance(target, Input):
            await _handled(target)  # which lets nobody else have it
            return
        way = target.ancestors_with_self
        for node in way * 2 if key.key == _SUBMIT else way:
            await _handled(node)
        await _handled(self.screen)  # which may have been opened by the key


async def _handled(node: DOMNode) -> None:
    """Wait until ``node`` has handled all messages that it has so far."""
    handled = asyncio.Event()
    if node.call_later(handled.set):
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                await handled.wait()
