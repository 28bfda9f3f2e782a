"""A pool of nodes behind one address: what each kind of node knows, and what no node ever reports."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.simnet.actors import IDENTITY
from tests.integration.simnet.server import RpcFailureError, encoded
from tests.integration.simnet.stepped import Stepped, stepped

PROCESSED = {"commitment": "processed"}
CONFIRMED = {"commitment": "confirmed"}
SIGNATURES = {"transactionDetails": "signatures", **CONFIRMED}
V0 = {"maxSupportedTransactionVersion": 0}
SHOP = Keypair.from_seed(bytes([8] * 32)).pubkey()


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Stepped]:
    with stepped(tmp_path, nodes="pool", views={"honest": 1}) as chain:
        yield chain


def code(chain: Stepped, method: str, *params: Any) -> int:
    """The error code of a call."""
    with pytest.raises(RpcFailureError) as failure:
        chain.call(method, *params)
    return failure.value.code


def balance(chain: Stepped, shop: Pubkey = SHOP) -> int:
    lamports: int = chain.call("getBalance", str(shop), PROCESSED)["value"]
    return lamports


def test_a_lagging_node_is_consistent_and_reports_itself_healthy(pool: Stepped) -> None:
    pool.make_slots(150)
    old = pool.pay(SHOP)
    pool.make_slots(130)
    new = pool.pay(SHOP)
    pool.make_slots(2)
    tip = pool.call("getEpochInfo", PROCESSED)

    pool.answered_by("behind", behind_slots=120)

    assert pool.call("getHealth") == "ok"
    there = pool.call("getEpochInfo", PROCESSED)
    assert tip["absoluteSlot"] - there["absoluteSlot"] == tip["blockHeight"] - there["blockHeight"] == 120
    assert pool.call("getSlot") == pool.call("getSlot", CONFIRMED) - 32 == there["absoluteSlot"] - 1 - 32
    assert pool.status(old)["confirmationStatus"] == "confirmed"
    assert pool.status(new, search=True) is None
    assert pool.call("getTransaction", new, V0 | CONFIRMED) is None
    assert balance(pool) == 10_000_000
    assert [each["signature"] for each in pool.call("getSignaturesForAddress", str(SHOP), CONFIRMED)] == [old]
    latest = pool.call("getLatestBlockhash", PROCESSED)
    assert latest["context"]["slot"] == there["absoluteSlot"]
    assert latest["value"]["lastValidBlockHeight"] == there["blockHeight"] + 150
    assert code(pool, "getBlock", tip["absoluteSlot"] - 2, CONFIRMED) == -32004


def test_a_restarted_node_has_statuses_but_no_transactions_from_before_its_snapshot(pool: Stepped) -> None:
    first = pool.pay(SHOP)
    pool.make_slots(200 - pool.bank.open.slot % 200)
    second = pool.pay(SHOP)
    slot = pool.bank.open.slot
    pool.make_slots(40)

    pool.answered_by("restarted", restart_slots=200)

    assert pool.call("getFirstAvailableBlock") == slot
    assert [each["signature"] for each in pool.call("getSignaturesForAddress", str(SHOP), CONFIRMED)] == [second]
    assert pool.call("getSignaturesForAddress", str(SHOP), CONFIRMED | {"before": first}) == []
    assert pool.call("getTransaction", second, V0 | CONFIRMED)["slot"] == slot
    assert pool.call("getTransaction", first, V0 | CONFIRMED) is None
    assert pool.status(first)["confirmationStatus"] == "finalized"
    assert code(pool, "getBlock", slot - 1) == -32001
    assert code(pool, "getBlockTime", slot - 1) == -32001
    assert pool.call("getBlocks", slot - 5, slot + 1, CONFIRMED) == [slot, slot + 1]

    pool.make_slots(320)

    assert pool.call("getFirstAvailableBlock") == slot + 200
    assert pool.status(first, search=True) is None
    pool.answered_by("honest")
    assert pool.status(first) is None
    assert pool.status(first, search=True)["confirmationStatus"] == "finalized"


def test_a_pruned_node_has_only_the_newest_blocks(pool: Stepped) -> None:
    pool.make_slots(100)
    old = pool.pay(SHOP)
    pool.make_slots(60)
    new = pool.pay(SHOP)
    pool.make_slots(20)

    pool.answered_by("pruned", pruned_blocks=50)

    first = pool.call("getFirstAvailableBlock")
    assert first == pool.bank.open.slot - 50
    assert pool.call("getTransaction", old, V0 | CONFIRMED) is None
    assert pool.call("getTransaction", new, V0 | CONFIRMED) is not None
    assert pool.status(old) is not None
    assert code(pool, "getBlock", first - 1) == -32001
    assert pool.call("getBlock", first, SIGNATURES)["signatures"]
    pool.make_slots()
    assert pool.call("getFirstAvailableBlock") == first + 1


def test_a_node_without_history_refuses_historical_queries(pool: Stepped) -> None:
    old = pool.pay(SHOP)
    pool.make_slots(330)
    new = pool.pay(SHOP)
    pool.make_slots(2)

    pool.answered_by("historyless")

    assert pool.status(new)["confirmationStatus"] == "confirmed"
    assert pool.status(old) is None
    assert code(pool, "getSignatureStatuses", [new], {"searchTransactionHistory": True}) == -32011
    assert code(pool, "getTransaction", new, V0 | CONFIRMED) == -32011
    assert code(pool, "getSignaturesForAddress", str(SHOP), CONFIRMED) == -32011
    assert code(pool, "getBlock", pool.bank.open.slot - 1, CONFIRMED) == -32011
    assert code(pool, "getBlocks", pool.bank.open.slot - 1, CONFIRMED) == -32011


def test_a_node_on_a_dead_fork_is_ahead_and_knows_nothing_of_the_chain(pool: Stepped) -> None:
    pool.make_slots(250 - pool.bank.open.slot % 250)
    before = pool.pay(SHOP)
    forked_at = pool.bank.open.slot
    pool.make_slots(200)
    after = pool.pay(SHOP)
    pool.make_slots(40)
    assert pool.status(after)["confirmationStatus"] == "finalized"
    tip = pool.call("getEpochInfo", PROCESSED)
    ours = pool.call("getLatestBlockhash", CONFIRMED)["value"]["blockhash"]

    pool.answered_by("forked", rejoin_slots=250)

    there = pool.call("getEpochInfo", PROCESSED)
    assert there["absoluteSlot"] > tip["absoluteSlot"]
    assert there["blockHeight"] > tip["blockHeight"]
    assert pool.call("getSlot") == forked_at - 1 - 32
    assert pool.call("getSlot", CONFIRMED) == forked_at - 1
    statuses = pool.call("getSignatureStatuses", [before, after], {"searchTransactionHistory": True})
    assert statuses["context"]["slot"] == there["absoluteSlot"]
    assert statuses["value"][0]["confirmationStatus"] == "processed"
    assert statuses["value"][1] is None
    assert pool.call("getTransaction", after, V0 | CONFIRMED) is None
    assert pool.call("getSignaturesForAddress", str(SHOP), CONFIRMED) == []
    assert code(pool, "getBlock", forked_at + 1, CONFIRMED) == -32004
    assert balance(pool) == 10_000_000
    assert pool.call("isBlockhashValid", ours, PROCESSED)["value"] is False
    theirs = pool.call("getLatestBlockhash", PROCESSED)["value"]
    assert theirs["lastValidBlockHeight"] == there["blockHeight"] + 150
    assert pool.call("isBlockhashValid", theirs["blockhash"], PROCESSED)["value"] is True
    pool.answered_by("honest")
    assert pool.call("isBlockhashValid", theirs["blockhash"], PROCESSED)["value"] is False


def test_a_dead_fork_finalizes_nothing_until_its_node_rejoins_the_chain(pool: Stepped) -> None:
    pool.make_slots(250 - pool.bank.open.slot % 250)
    forked_at = pool.bank.open.slot
    sent: list[str] = []
    finalized: set[int] = set()
    pool.answered_by("forked", rejoin_slots=250, lost_on_dead_fork=0)
    for _ in range(49):
        sent.append(pool.send(pool.payment(SHOP)))
        pool.make_slots(5)
        finalized.add(pool.call("getSlot"))
        statuses = pool.call("getSignatureStatuses", sent[1:], {"searchTransactionHistory": True})["value"]
        assert statuses == [None] * len(sent[1:])
    assert finalized == {forked_at - 33}

    pool.make_slots(40)

    assert pool.call("getSlot") > forked_at + 200
    assert pool.status(sent[1], search=True)["confirmationStatus"] == "finalized"


def test_no_node_contradicts_the_chain_about_a_transaction(pool: Stepped) -> None:
    """The honest node agrees with every slot, error and commitment that any node reports for a transaction."""
    sent: list[str] = []
    for _ in range(60):
        sent.append(pool.pay(SHOP))
        pool.make_slots(3)
        pool.answered_by("honest")
        truth = dict(zip(sent, pool.call("getSignatureStatuses", sent)["value"], strict=True))
        for view in ("behind", "restarted", "pruned", "forked", "historyless"):
            pool.answered_by(view, rejoin_slots=100, behind_slots=20)
            for signature, status in zip(sent, pool.call("getSignatureStatuses", sent)["value"], strict=True):
                firmness = ("processed", "confirmed", "finalized").index
                if status is not None:
                    assert (status["slot"], status["err"]) == (truth[signature]["slot"], truth[signature]["err"])
                    level, true_level = status["confirmationStatus"], truth[signature]["confirmationStatus"]
                    assert firmness(level) <= firmness(true_level)
        pool.answered_by("honest")


@pytest.mark.parametrize("view", ["honest", "behind", "restarted", "pruned", "historyless"])
def test_a_send_through_any_node_of_the_chain_reaches_it(pool: Stepped, view: str) -> None:
    pool.make_slots(20)
    pool.answered_by(view, behind_slots=10)

    signature = pool.pay(SHOP)

    pool.answered_by("honest")
    assert pool.status(signature)["confirmationStatus"] == "processed"


def test_a_send_to_a_dead_fork_may_be_lost(pool: Stepped) -> None:
    pool.make_slots(20)
    pool.answered_by("forked", lost_on_dead_fork=0.5)

    sent = [pool.pay(SHOP) for _ in range(60)]

    pool.answered_by("honest")
    landed = [signature for signature in sent if pool.status(signature)]
    assert 15 < len(landed) < 45
    pool.answered_by("forked")
    with pytest.raises(RpcFailureError, match="Blockhash not found"):
        pool.call("sendTransaction", encoded(pool.payment(SHOP)), {"encoding": "base64"})


def test_a_batch_is_split_over_the_nodes(tmp_path: Path) -> None:
    with stepped(tmp_path, nodes="pool") as pool:
        pool.make_slots(250)

        firsts = pool.answers(*[("getFirstAvailableBlock",)] * 100)
        slots = pool.answers(*[("getSlot", PROCESSED)] * 100)

        assert len(set(firsts)) == 3  # all blocks, those since the restart, and the newest
        tip = pool.bank.open.slot
        assert set(slots) == {tip, tip - 120, tip + 3}

        pool.call("simnet_setFaults", {"nodes": "one"})

        assert set(pool.answers(*[("getSlot", PROCESSED)] * 50)) == {tip}


def test_the_same_seed_selects_the_same_nodes(tmp_path: Path) -> None:
    met = []
    for name in ("one", "two"):
        with stepped(tmp_path / name, nodes="pool") as pool:
            start = pool.bank.open.slot
            pool.make_slots(150)
            met.append([slot - start for slot in pool.answers(*[("getSlot", PROCESSED)] * 50)])

    assert met[0] == met[1]


def test_every_block_of_a_pool_has_a_vote(pool: Stepped) -> None:
    first = pool.bank.open.slot
    pool.make_slots(40)

    blocks = [pool.call("getBlock", slot, SIGNATURES)["signatures"] for slot in range(first, first + 40)]

    assert [len(signatures) for signatures in blocks] == [1] * 40
    votes = pool.call("getSignaturesForAddress", str(IDENTITY.pubkey()), CONFIRMED)
    assert [each["signature"] for each in votes] == [signature for (signature,) in reversed(blocks)]
    assert pool.call("getTransaction", blocks[0][0], V0 | CONFIRMED)["meta"]["err"] is None
    (ephemeral,) = pool.chain.ledger._reader.execute("SELECT count(*) FROM transactions WHERE ephemeral").fetchone()
    assert ephemeral == 40


def test_a_single_node_casts_no_votes(tmp_path: Path) -> None:
    with stepped(tmp_path) as chain:
        chain.make_slots(5)

        assert chain.call("getBlock", chain.bank.open.slot - 1, SIGNATURES)["signatures"] == []


# Changing faults at run time


def test_faults_are_changed_individually_and_reset_by_a_restart(tmp_path: Path) -> None:
    with stepped(tmp_path, dropped_sends=1, nodes="pool") as chain:
        now = chain.call("simnet_setFaults", {"nodes": "one"})

        assert (now["nodes"], now["dropped_sends"]) == ("one", 1)
        assert chain.status(chain.pay(SHOP)) is None
        chain.call("simnet_setFaults", {"dropped_sends": 0})
        assert chain.status(chain.pay(SHOP)) is not None

    with stepped(tmp_path, dropped_sends=1, nodes="pool") as again:
        assert again.chain.dice.faults.nodes == "pool"


@pytest.mark.parametrize(
    "wrong",
    [
        {"nodes": "many"},
        {"views": {"honest": 0}},
        {"views": {"strange": 1}},
        {"behind_slots": 151},
        {"rejoin_slots": 251},
        {"fork_depth": [3, 1]},
        {"venue_outage": ["meteora"]},
    ],
)
def test_invalid_faults_change_nothing(pool: Stepped, wrong: dict[str, Any]) -> None:
    before = pool.chain.dice.faults

    assert code(pool, "simnet_setFaults", wrong) == -32602
    assert pool.chain.dice.faults == before
