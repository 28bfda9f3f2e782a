"""An attempt that only the history can decide neither fails nor delays the settlement of others."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from solders.pubkey import Pubkey

from db.models import Attempt, Order
from orderd.domain.order import OrderStatus
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.leases import Leases
from orderd.engine.publish import Publisher
from orderd.engine.settlement.finality import Finality
from orderd.solana.observer import Observer
from orderd.solana.rpc import RpcClient, RpcResponseError
from tests.integration.engine.conftest import WALLET, signature
from tests.integration.engine.settling import Worker, worker_of
from tests.integration.orders import built, read, sign
from tests.unit.solana.node import Node

SLOT = 5_000
EPOCH = {"slotIndex": 0, "slotsInEpoch": 432_000}
OLD, NEW = signature(1), signature(2)


@dataclass
class Endpoint:
    """Knows the transactions ``landed``; without ``history`` it refuses to search for old ones."""

    landed: set[str] = field(default_factory=set)
    history: bool = False
    level: str = "confirmed"

    def __post_init__(self) -> None:
        self.node = Node(
            getEpochInfo=lambda _: {"result": {"absoluteSlot": SLOT, "blockHeight": SLOT, "epoch": 0, **EPOCH}},
            getSignatureStatuses=self._statuses,
            getTransaction=_trade,
            getBlock=_refused,
        )

    def _statuses(self, params: list[Any]) -> Any:
        if params[1]["searchTransactionHistory"] and not self.history:
            return _refused(params)
        known = {"slot": SLOT, "err": None, "confirmationStatus": self.level}
        value = [known if each in self.landed else None for each in params[0]]
        return {"result": {"context": {"slot": SLOT}, "value": value}}


def _refused(_: list[Any]) -> Any:
    return {"error": {"code": -32011, "message": "Transaction history is not available from this node"}}


def _trade(params: list[Any]) -> Any:
    """The transaction sells 1.5 SOL for 152.4 USDC."""

    def amounts(sol: int, usdc: int) -> list[Any]:
        held = ((0, WSOL_MINT, "pool", sol), (1, USDC_MINT, WALLET, usdc), (2, USDC_MINT, "pool", 10**12 - usdc))
        return [
            {"accountIndex": index, "mint": mint, "owner": owner, "uiTokenAmount": {"amount": str(amount)}}
            for index, mint, owner, amount in held
        ]

    return {
        "result": {
            "slot": SLOT,
            "transaction": {"signatures": [params[0]], "message": {"accountKeys": ["vault", "purse", "other"]}},
            "meta": {
                "err": None,
                "fee": 5_000,
                "preBalances": [9, 9, 9],
                "postBalances": [9, 9, 9],
                "preTokenBalances": amounts(0, 0),
                "postTokenBalances": amounts(1_500_000_000, 152_400_000),
            },
        }
    }


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def observer(endpoint: Endpoint) -> Observer:
    rpc = RpcClient("http://node", transport=endpoint.node)
    return Observer(rpc, Pubkey.new_unique(), "finalized", is_one_node=False)


@pytest.fixture
def worker(observer: Observer, publisher: Publisher) -> Worker:
    """A worker that holds an attempt that is older than the statuses that every node keeps."""
    worker = worker_of(observer, publisher, Leases("worker-a", 15.0))
    worker.track(sign(built("worker-a"), OLD, last_valid_block_height=SLOT - 1_000))
    return worker


def test_the_refused_search_of_the_history_does_not_fail_the_pass_of_other_attempts(
    worker: Worker, endpoint: Endpoint
) -> None:
    assert worker.settlement.run_once() == 0
    with pytest.raises(RpcResponseError, match="-32011"):
        worker.settlement.run_late()
    new = sign(built("worker-a"), NEW, last_valid_block_height=SLOT + 100)
    worker.track(new)
    endpoint.landed.add(NEW)
    assert worker.settlement.run_once() == 1
    assert read(new.order.id).status is OrderStatus.CONFIRMED
    assert len(worker) == 1


def test_an_attempt_that_only_the_history_shows_is_settled_once_it_is_searched(
    worker: Worker, endpoint: Endpoint
) -> None:
    endpoint.landed.add(OLD)
    assert worker.settlement.run_once() == 0
    assert Order.get().status is OrderStatus.SUBMITTED
    endpoint.history = True
    assert worker.settlement.run_late() == 1
    assert Order.get().status is OrderStatus.CONFIRMED


def test_nothing_is_queried_for_late_attempts_in_the_passes_over_others(worker: Worker, endpoint: Endpoint) -> None:
    worker.settlement.run_once()
    queried = len(endpoint.node.requests)
    assert worker.settlement.run_once() == 0
    assert len(endpoint.node.requests) == queried


def test_a_late_success_does_not_delay_the_finality_of_others(
    observer: Observer, worker: Worker, endpoint: Endpoint, publisher: Publisher
) -> None:
    new = sign(built("worker-a"), NEW, last_valid_block_height=SLOT + 100)
    worker.track(new)
    endpoint.history, endpoint.landed = True, {OLD, NEW}
    worker.settle()
    worker.settle()
    endpoint.history, endpoint.level = False, "finalized"
    final = Finality(observer, publisher)
    assert [final.run_once() for _ in range(2)] == [0, 0]
    awaiting = {each.signature for each in Attempt.select().where(Attempt.awaits_finality)}
    assert awaiting == {OLD}
    with pytest.raises(RpcResponseError, match="-32011"):
        final.run_late()
    endpoint.history = True
    assert final.run_late() == 0
    assert not Attempt.select().where(Attempt.awaits_finality).count()
