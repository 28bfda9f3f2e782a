"""A pilot waits until its app has nothing left to do, also on a busy machine."""

import asyncio

import pytest
from textual import app, pilot
from textual._wait import wait_for_idle


@pytest.fixture(autouse=True)
def _waits_until_nothing_is_left_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Textual's own wait ends when the process uses little CPU time, as it also does while others use the CPU."""
    for module in (app, pilot):
        monkeypatch.setattr(module, "wait_for_idle", _until_nothing_is_ready)


async def _until_nothing_is_ready(*seconds: float) -> None:
    await wait_for_idle(*seconds)
    loop = asyncio.get_running_loop()
    while loop._ready:  # type: ignore[attr-defined]  # noqa: ASYNC110  (no event says it)
        await asyncio.sleep(0)
