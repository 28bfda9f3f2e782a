"""Health checks of a slow, unavailable or often queried service are answered soon, with one request to the service."""

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway import service_probe as health
from orderd.gateway.service_probe import Probe

pytestmark = pytest.mark.asyncio


class Service:
    """Counts its requests; answers once it may, with ``error`` if set."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.error = error

    async def ask(self) -> None:
        self.asked += 1
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error


async def test_concurrent_and_soon_repeated_checks_share_one_answer() -> None:
    service = Service()
    service.may_answer.set()
    probe = Probe(service.ask)
    states = await asyncio.gather(*(probe.state() for _ in range(10)))
    assert await probe.state() == states[0]
    assert all(state.ok for state in states)
    assert states[0].latency_ms is not None
    assert service.asked == 1


async def test_an_old_answer_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "MAX_AGE_SECONDS", 0.0)
    service = Service()
    service.may_answer.set()
    probe = Probe(service.ask)
    assert (await probe.state()).ok
    service.error = OSError("gone")
    assert not (await probe.state()).ok


async def test_a_hanging_service_delays_no_request_and_is_queried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.01)
    service = Service()
    probe = Probe(service.ask)
    for _ in range(3):
        state = await probe.state()
        assert not state.ok
        assert state.latency_ms is None
        assert "no answer" in state.detail
    assert service.asked == 1
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 60)
    service.may_answer.set()
    assert (await probe.state()).ok


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (OrderdError(ErrorCode.RPC_UNAVAILABLE, "127.0.0.1:8899: refused"), "127.0.0.1:8899: refused"),
        (RedisConnectionError("connection lost"), "connection lost"),
        (TimeoutError(), "TimeoutError"),
    ],
)
async def test_the_error_of_a_service_is_reported(error: Exception, detail: str) -> None:
    service = Service(error)
    service.may_answer.set()
    state = await Probe(service.ask).state()
    assert (state.ok, state.detail, state.latency_ms) == (False, detail, None)
