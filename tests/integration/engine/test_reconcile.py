"""The wallet's transactions are read from an endpoint that may be several nodes."""

from typing import Any

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from db import movements
from orderd.domain.tokens import WSOL_MINT
from orderd.domain.well_known import registry_of
from orderd.engine.records.reconcile import Reconciliation
from orderd.engine.records.wallet_history import WalletHistory
from orderd.solana.rpc import RpcClient, RpcError
from tests.unit.solana.node import Node

pytestmark = pytest.mark.usefixtures("connection")

WALLET = Pubkey.new_unique()
TIP = 1_000
BEHIND = {"error": {"code": -32016, "message": "Minimum context slot has not been reached"}}


def deposits(slots: list[int]) -> dict[str, int]:
    """A deposit of one lamport per slot, by signature."""
    return {str(Signature.from_bytes(slot.to_bytes(64, "big"))): slot for slot in slots}


class Endpoint:
    """A chain on which others send lamports to the wallet. The answering node knows it up to the slot ``known``."""

    def __init__(self, slots: list[int]) -> None:
        self.known = self.tip = TIP
        self._deposits = deposits(slots)
        node = Node(
            getSlot=lambda _: {"result": self.tip},
            getBalance=lambda _: {"result": {"context": {"slot": self.known}, "value": len(slots)}},
            getTokenAccountsByOwner=lambda _: {"result": {"context": {"slot": self.tip}, "value": []}},
            getSignaturesForAddress=lambda params: self._mentions(*params),
            getTransaction=lambda params: {"result": self._transaction(params[0])},
        )
        rpc = RpcClient("http://cluster", transport=node)
        self.reconciliation = Reconciliation(rpc, WALLET, registry_of("simnet"))

    def _mentions(self, address: str, config: dict[str, Any]) -> dict[str, Any]:
        if config["minContextSlot"] > self.known:
            return BEHIND
        newest_first = [] if address != str(WALLET) else sorted(self._deposits.items(), key=lambda each: -each[1])
        known = [each for each in newest_first if each[1] <= self.known]
        if "before" in config:
            known = known[[signature for signature, _ in known].index(config["before"]) + 1 :]
        page = [{"signature": signature, "slot": slot, "err": None} for signature, slot in known[: config["limit"]]]
        return {"result": page}

    def _transaction(self, signature: str) -> dict[str, Any]:
        slot = self._deposits[signature]
        return {
            "slot": slot,
            "blockTime": 1_780_000_000,
            "transaction": {
                "signatures": [signature],
                "message": {"accountKeys": [str(Pubkey.new_unique()), str(WALLET)], "instructions": []},
            },
            "meta": {
                "err": None,
                "fee": 5_000,
                "preBalances": [10_000, 0],
                "postBalances": [4_999, 1],
                "preTokenBalances": [],
                "postTokenBalances": [],
                "logMessages": [],
            },
        }


def test_all_pages_are_read_and_totals_agree_with_the_chain() -> None:
    endpoint = Endpoint([*range(10, 1_012), TIP + 5])
    report = endpoint.reconciliation.run()
    assert (report.slot, report.transactions) == (TIP, TIP - 9)
    assert movements.sums(TIP) == {WSOL_MINT: TIP - 9}
    assert endpoint.reconciliation.run().transactions == 0, "transactions were read again"


@pytest.mark.parametrize("lags", ["when it is asked for transactions", "when it is asked for balances"])
def test_transactions_missing_at_a_lagging_node_do_not_count_as_read(
    lags: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = Endpoint([10, 990])
    if lags == "when it is asked for balances":
        endpoint.known = 900
    else:
        held = Reconciliation._held

        def then_lags(*args: Any) -> Any:
            found = held(*args)
            endpoint.known = 900
            return found

        monkeypatch.setattr(Reconciliation, "_held", then_lags)
    with pytest.raises(RpcError):
        endpoint.reconciliation.run()
    assert movements.reconciled_slot(str(WALLET)) is None

    monkeypatch.undo()
    endpoint.known = TIP
    assert endpoint.reconciliation.run().transactions == 2, "the newest transaction was lost"


def test_a_long_history_is_read_in_parts_without_loss() -> None:
    endpoint = Endpoint([*range(1, 11)])
    found = [endpoint.reconciliation.catch_up(4).total() for _ in range(4)]
    assert found == [5, 5, 0, 0]
    assert movements.sums(TIP) == {WSOL_MINT: 10}


def test_the_elected_worker_reads_the_wallet_periodically() -> None:
    endpoint, now, mine = Endpoint([10, TIP + 5]), [0.0], [False]
    history = WalletHistory(endpoint.reconciliation, lambda: mine[0], every=600.0, clock=lambda: now[0])
    history.run_once()
    assert movements.reconciled_slot(str(WALLET)) is None
    mine[0] = True
    history.run_once()
    assert movements.sums(TIP) == {WSOL_MINT: 1}

    endpoint.tip = endpoint.known = TIP + 10
    now[0] = 599.0
    history.run_once()
    assert movements.sums(TIP + 10) == {WSOL_MINT: 1}
    now[0] = 600.0
    history.run_once()
    assert movements.sums(TIP + 10) == {WSOL_MINT: 2}
