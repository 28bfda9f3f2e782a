"""Each key has its effect before the next one is handled.

Textual gives a printable key to the focused field at once, but a key that is bound to an action, such as Backspace, Tab
or Enter, first bubbles up to the application. When keys arrive together, as over a slow connection, later ones overtake
it: ``1``, Backspace, ``2`` becomes ``1``, and what follows a Tab is added to the field before it (textual #6605). So
the next key waits until the messages of the one before have been handled.
"""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final, Generic, TypeVar

from textual.app import App
from textual.dom import DOMNode
from textual.events import Event, Key
from textual.widgets import Input

Result = TypeVar("Result")

_PASSES: Final = 2
"""The first pass is the way of the key, and the second one that of a message that its action has sent."""
_SECONDS: Final = 0.1
"""Maximum wait for a node, which may be removed by the key and then handles nothing more."""


class KeysInOrder(App[Result], Generic[Result]):
    """An application that handles its keys one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._keys = deque[Key]()
        self._delivery: asyncio.Task[None] | None = None

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
            return
        self._keys.append(event)
        if self._delivery is None or self._delivery.done():
            self._delivery = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        while self._keys:
            key, target = self._keys.popleft(), self.focused or self.screen
            self.call_later(super().on_event, key)
            await _handled(self)
            if key.is_printable and isinstance(target, Input):
                await _handled(target)  # which lets nobody else have it
                continue
            for _ in range(_PASSES):
                for node in target.ancestors_with_self:
                    await _handled(node)
            await _handled(self.screen)  # which may have been opened by the key


async def _handled(node: DOMNode) -> None:
    """Wait until ``node`` has handled all messages that it has so far."""
    handled = asyncio.Event()
    if node.call_later(handled.set):
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS):
                await handled.wait()
