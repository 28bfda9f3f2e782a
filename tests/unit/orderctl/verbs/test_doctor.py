"""orderctl doctor: problems and their fixes."""

import json

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quoted import Refused
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.pools import PoolsResult
from orderd.wire.rpc import Method
from orderd.wire.status import ServiceHealth
from tests.samples.orders import QUOTE
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon
from tests.unit.orderctl.test_halting import HALT
from tests.unit.orderctl.tui.desks import STATUS


class TestDoctor:
    @pytest.fixture(autouse=True)
    def _all_is_well(self, daemon: FakeDaemon) -> None:
        daemon.answers(Method.STATUS, STATUS)
        daemon.answers(Method.QUOTE, QUOTE)
        held = Balance(token="SOL", mint="So1", amount="98.5")
        daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=(held,)))
        daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(), slot=None))

    def found(self, orderctl: Orderctl) -> tuple[int, dict[str, str]]:
        outcome = orderctl("doctor", "-o", "json")
        findings = json.loads(outcome.out)["findings"]
        for finding in findings:
            assert finding["fix"] if finding["result"] != "ok" else not finding["fix"]
        return outcome.code, {finding["check"]: finding["result"] for finding in findings}

    def test_a_healthy_daemon_passes_every_check(self, orderctl: Orderctl) -> None:
        code, findings = self.found(orderctl)

        assert code == 0
        assert set(findings.values()) == {"ok"}
        assert orderctl("doctor").out.splitlines()[1].split()[:2] == ["configuration", "ok"]

    @pytest.mark.parametrize(
        ("change", "check", "result"),
        [
            ({"draining": True}, "daemon", "warn"),
            ({"version": "9.9.9"}, "version", "warn"),
            ({"chain": "mainnet"}, "chain", "warn"),
            ({"workers": 0}, "workers", "fail"),
            ({"halts": (HALT,)}, "trading", "fail"),
            ({"rate_limit": STATUS.rate_limit.model_copy(update={"waiting": 3})}, "rate limit", "warn"),
            ({"services": {"redis": ServiceHealth(ok=False, detail="refused")}}, "redis", "fail"),
        ],
    )
    def test_each_problem_is_found(
        self, daemon: FakeDaemon, orderctl: Orderctl, change: dict[str, object], check: str, result: str
    ) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update=change))
        code, findings = self.found(orderctl)

        assert {name for name, found in findings.items() if found != "ok"} == {check}
        assert findings[check] == result
        assert code == (3 if result == "fail" else 0)

    def test_unproved_kinds_on_a_real_chain_are_found(self, daemon: FakeDaemon, orderctl: Orderctl) -> None:
        daemon.answers(Method.STATUS, STATUS.model_copy(update={"chain": "devnet"}))
        assert self.found(orderctl)[1]["programs"] == "ok"
        why = "raydium_cpmm: its program was upgraded at slot 8"
        refusal = Refused(venue="raydium", code=ErrorCode.POOL_UNPROVEN, detail=why)
        daemon.answers(Method.POOLS, PoolsResult(pools=(), refusals=(refusal,), slot=None))
        assert self.found(orderctl)[1]["programs"] == "warn"
        assert why in " ".join(orderctl("doctor").out.split())

    def test_an_empty_wallet_a_silent_market_and_an_unreachable_daemon_are_found(
        self, daemon: FakeDaemon, orderctl: Orderctl
    ) -> None:
        daemon.answers(Method.BALANCES, BalancesResult(wallet="9xQe", balances=()))
        daemon.answers(Method.QUOTE, OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, "nobody answers"))
        code, findings = self.found(orderctl)
        assert (code, findings["wallet"], findings["prices"]) == (3, "warn", "fail")

        away = json.loads(orderctl("doctor", "-o", "json", "--url", "ws://127.0.0.1:1/").out)["findings"]
        assert [(finding["check"], finding["result"]) for finding in away] == [
            ("configuration", "ok"),
            ("daemon", "fail"),
        ]
