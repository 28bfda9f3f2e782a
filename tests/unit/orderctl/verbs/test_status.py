"""orderctl status, and orderctl without a verb."""

import json

from orderd.domain.order import OrderStatus
from orderd.release import this_release
from orderd.wire.orders import ListResult
from orderd.wire.rpc import WIRE_VERSION, Method
from orderd.wire.status import EndpointView, RateLimitUse, ServiceHealth, StatusResult
from tests.samples.orders import FILLED, START, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.tui.desks import STATUS

PENDING = order_after(history(FILLED[:1]))


class TestStatus:
    WELL = StatusResult(
        version=this_release().version,
        wire_version=WIRE_VERSION,
        chain="simnet",
        wallet="9xQe",
        started_at=START,
        draining=False,
        services={"postgres": ServiceHealth(ok=True), "redis": ServiceHealth(ok=True)},
        orders={OrderStatus.CONFIRMED: 12, OrderStatus.FAILED: 0},
        rate_limit=RateLimitUse(limit=100, window_seconds=60, used=14, waiting=2),
        queue_depth=3,
        workers=1,
        slot=8123,
    )

    def test_a_healthy_daemon_exits_with_0(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, self.WELL)

        outcome = orderctl("status")

        assert outcome.code == 0
        for shown in ("simnet, slot 8123", "14 of 100 starts in 60 s, 2 waiting", "3 waiting", "12 confirmed"):
            assert shown in outcome.out
        assert outcome.err == ""

    def test_an_endpoint_is_shown_with_its_errors(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        endpoint = EndpointView(
            host="rpc.example.com",
            window_seconds=60,
            processes=2,
            requests=321,
            latency_ms=11.2,
            latency_p99_ms=48.9,
            unanswered=0,
            refused=0,
            rate_limited=3,
            errors=1,
            slot=8123,
            slot_lag=2,
        )
        silent = endpoint.model_copy(update={"host": "other", "requests": 0, "latency_ms": None, "slot_lag": None})
        daemon.answers(Method.STATUS, self.WELL.model_copy(update={"endpoints": (endpoint, silent)}))

        outcome = orderctl("status")

        assert "rpc.example.com  321 requests in 60 s: median 11.2 ms, p99 48.9 ms\n" in outcome.out
        assert "at most 2 slots behind, 3 rate limited, 1 error\n" in outcome.out
        assert "other  no requests in the last 60 s" in outcome.out

    def test_a_failing_service_is_named_and_exits_with_3(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        services = {"postgres": ServiceHealth(ok=False, detail="connection refused")}
        daemon.answers(Method.STATUS, self.WELL.model_copy(update={"services": services}))

        outcome = orderctl("status")

        assert outcome.code == 3
        assert "not ok  connection refused" in outcome.out

    def test_unavailable_figures_are_unknown_and_never_zero(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        nothing = {
            "services": {"redis": ServiceHealth(ok=False, detail="no answer in 0.8 s")},
            "rate_limit": RateLimitUse(limit=100, window_seconds=60, used=0, waiting=0),
            "queue_depth": 0,
            "workers": 0,
            "orders": {},
            "executing": None,
            "executing_reasons": ("redis: no answer in 0.8 s",),
            "untold": ("orders", "unknown", "rate_limit.used", "rate_limit.waiting", "queue_depth", "workers"),
        }
        daemon.answers(Method.STATUS, self.WELL.model_copy(update=nothing))

        shown = orderctl("status").out.splitlines()

        for name in ("rate limit", "queue", "workers", "orders"):
            assert [line.split(name)[1].strip() for line in shown if line.startswith(name)] == ["unknown"]
        assert [line for line in shown if line.startswith("executing")] == [
            "executing   unknown  redis: no answer in 0.8 s"
        ]
        checked = json.loads(orderctl("doctor", "-o", "json").out)
        found = {finding["check"]: finding for finding in checked["findings"]}
        assert (found["workers"]["result"], found["rate limit"]["result"]) == ("warn", "warn")
        assert "unknown" in found["workers"]["detail"]

    def test_waiting_orders_are_reported(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        waits = {"executing": False, "executing_reasons": ("workers: none is alive",), "workers": 0}
        daemon.answers(Method.STATUS, self.WELL.model_copy(update=waits))

        assert "executing   orders wait  workers: none is alive" in orderctl("status").out

    def test_another_version_of_the_daemon_is_a_warning(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, self.WELL.model_copy(update={"version": "9.9.9"}))

        assert "the versions differ: orderd 9.9.9" in orderctl("status", "-o", "json").err


def test_without_a_verb_the_daemon_and_the_active_orders_are_shown(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    daemon.answers(Method.STATUS, STATUS)
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(PENDING,), next_cursor=None))

    outcome = orderctl()

    assert outcome.code == 0
    assert "33 of 100 starts" in outcome.out
    assert "0199d3a0-1234  pending" in outcome.out
    assert outcome.err == "3 active orders; all commands: orderctl --help\n"
    assert daemon.calls[1][1]["status"] == ["building", "held", "open", "pending", "routing", "submitted"]
