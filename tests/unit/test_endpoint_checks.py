"""What ``orderd doctor`` reports about endpoints with problems."""

import struct
import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from solders.pubkey import Pubkey

from orderd.commands.endpoint import examine
from orderd.commands.finding import DoctorFinding
from orderd.config.settings import Settings
from orderd.domain.pool_kind import PoolKind
from orderd.solana.rpc import RpcClient
from orderd.solana.transport import Response

WALLET = Pubkey.new_unique()
NOT_FOUND = {"code": -32601, "message": "Method not found"}


def account(data: bytes, lamports: int = 1) -> dict[str, Any]:
    encoded = [b64encode(data).decode(), "base64"]
    return {"lamports": lamports, "owner": str(Pubkey.default()), "data": encoded, "executable": False}


def clock(seconds: float) -> dict[str, Any]:
    return account(struct.pack("<QqQQq", 1_000, 0, 2, 3, int(time.time() + seconds)))


class Node:
    """Answers all methods; those in ``others`` with a given result, error or HTTP status."""

    def __init__(self, **others: Any) -> None:
        self.skew = 0.0
        self.lamports = 10**9
        self.others = others

    def post(self, body: bytes) -> Response:
        request = orjson.loads(body)
        requests = request if isinstance(request, list) else [request]
        for each in requests:
            if isinstance(status := self.others.get(each["method"]), int):
                return Response(status, b"no")
        replies = [self._reply(each) for each in requests]
        return Response(200, orjson.dumps(replies if isinstance(request, list) else replies[0]))

    def close(self) -> None: ...

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        method, params = request["method"], request["params"]
        if (reply := self.others.get(method)) is not None:
            return {"id": request["id"], **reply}
        return {"id": request["id"], "result": self._result(method, params)}

    def _result(self, method: str, params: list[Any]) -> Any:
        match method:
            case "getSlot":
                return 1_000 - 32 * (params[0]["commitment"] == "finalized") if params else 1_000
            case "getMultipleAccounts":
                accounts = [self._account(key) for key in params[0]]
                return {"context": {"slot": 1_000}, "value": accounts}
            case "getFirstAvailableBlock":
                return 10
            case "getRecentPerformanceSamples":
                return [{"numSlots": 150, "samplePeriodSecs": 60}]
            case "getRecentPrioritizationFees":
                return [{"slot": slot, "prioritizationFee": 20_000} for slot in range(4)]
            case "getMinimumBalanceForRentExemption":
                return 2_039_280
            case "getProgramAccounts":
                return {"context": {"slot": 1_000}, "value": []}
        return None

    def _account(self, key: str) -> dict[str, Any] | None:
        if key.startswith("SysvarC1ock"):
            return clock(self.skew)
        return account(b"", self.lamports) if key == str(WALLET) else None


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ORDERD_CONFIG", "/dev/null")
    return Settings(chain="mainnet", rpc_url="http://127.0.0.1:1", pool_kinds=(PoolKind.RAYDIUM_CPMM,))


def found(node: Node, settings: Settings, check: str) -> DoctorFinding:
    (finding,) = [each for each in examine(RpcClient("", transport=node), settings, WALLET) if each.check == check]
    assert bool(finding.fix) is (finding.result != "ok")
    return finding


def test_figures_of_a_healthy_endpoint_are_reported(settings: Settings) -> None:
    node = Node()
    assert found(node, settings, "slots") == DoctorFinding(
        "slots", "ok", "newest 1000, confirmed 0 behind, finalized 32 behind"
    )
    assert found(node, settings, "methods").result == "ok"
    assert "40 requests in" in found(node, settings, "pace").detail
    assert "recent priority fee 20000 micro-lamports" in found(node, settings, "fees").detail
    assert "at 20000 a swap costs about 0.000008 SOL" in found(node, settings, "fees").detail
    assert found(node, settings, "funds").detail.startswith(f"1 SOL and 0 wrapped SOL in {WALLET}")
    assert "0.00203928 SOL of rent" in found(node, settings, "funds").detail
    assert found(node, settings, "pools").detail.startswith("SOL/USDC: raydium_cpmm 0 (")


def _behind(node: Node) -> None:
    node.others["getHealth"] = {"error": {"code": -32005, "message": "Node is behind by 900 slots"}}


def _skewed(node: Node) -> None:
    node.skew = -40.0


def _poor(node: Node) -> None:
    node.lamports = 1_000


def _limited(node: Node) -> None:
    node.others["getSlot"] = 429


def _dear(node: Node) -> None:
    node.others["getRecentPrioritizationFees"] = {"result": [{"slot": 1, "prioritizationFee": 9_000_000}]}


def _unlisted(node: Node) -> None:
    node.others["getProgramAccounts"] = {"error": NOT_FOUND}


def _mute(node: Node) -> None:
    node.others |= {"sendTransaction": {"error": NOT_FOUND}, "getBlock": 403}


@pytest.mark.parametrize(
    ("change", "check", "result", "words"),
    [
        (_behind, "slots", "warn", "Node is behind by 900 slots"),
        (_skewed, "clock", "warn", "behind this machine's"),
        (_poor, "funds", "warn", "0.000001 SOL"),
        (_limited, "pace", "warn", "40 refused"),
        (_limited, "slots", "warn", "the check failed"),
        (_dear, "fees", "warn", "recent priority fee 9000000"),
        (_unlisted, "pools", "fail", "raydium_cpmm"),
        (_mute, "methods", "fail", "not supported: sendTransaction, getBlock"),
        (lambda _: None, "history", "warn", "blocks from slot 10 on, about 0 hours; a slot takes 400 ms"),
        (lambda _: None, "websocket", "warn", "not configured"),
    ],
)
def test_problems_of_an_endpoint_are_reported_with_a_next_step(
    settings: Settings, change: Callable[[Node], None], check: str, result: str, words: str
) -> None:
    node = Node()
    change(node)
    finding = found(node, settings, check)
    assert finding.result == result
    assert words in finding.detail


def test_a_silent_websocket_is_reported(settings: Settings) -> None:
    silent = settings.model_copy(update={"rpc_ws_url": "ws://127.0.0.1:9/"})
    assert "no notification was received" in found(Node(), silent, "websocket").detail


def trial(err: str | None) -> dict[str, Any]:
    value: dict[str, Any] = {"err": err, "logs": [], "unitsConsumed": 0}
    return {"result": {"context": {"slot": 1_000}, "value": value}}


@pytest.mark.parametrize(
    ("answer", "setting", "result", "detail"),
    [
        (trial(None), "auto", "ok", "the endpoint accepts version 1, up to 4,096 bytes"),
        (trial("UnsupportedVersion"), "auto", "ok", "the endpoint accepts version 0, up to 1,232 bytes"),
        (trial(None), "0", "ok", "use version 0, because of ORDERD_TRANSACTION_VERSION"),
        (trial("UnsupportedVersion"), "1", "fail", "but the endpoint does not accept version 1"),
        ({"error": NOT_FOUND}, "auto", "warn", "it is unknown whether the endpoint accepts version 1"),
    ],
)
def test_the_transaction_version_is_reported(
    settings: Settings, answer: dict[str, Any], setting: str, result: str, detail: str
) -> None:
    of_version = settings.model_copy(update={"transaction_version": setting})
    finding = found(Node(simulateTransaction=answer), of_version, "transactions")
    assert (finding.result, detail in finding.detail) == (result, True), finding
