"""The observer: what it asks an endpoint that may be several nodes, and how it interprets the answers."""

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature
from uuid_utils.compat import uuid7

from orderd.domain.memo import Memo
from orderd.solana.expiry import STATUSES_KEPT, Sighting, Validity
from orderd.solana.observer import Observer, PaidTransaction, Sent
from orderd.solana.rpc import RpcClient, RpcError, RpcRateLimitedError, RpcResponseError, RpcTransportError
from orderd.solana.rpc_types import EpochInfo, TransactionInfo
from tests.unit.solana.node import Node

MAX_BYTES_PER_REQUEST = 50 * 1024
WALLET = Pubkey.new_unique()
SLOT, HEIGHT = 5_000, 4_000
EPOCH = {"slotIndex": 0, "slotsInEpoch": 432_000}
FINALIZED = EpochInfo(SLOT, HEIGHT, 0)
EXPIRED = Validity(HEIGHT - 1, SLOT - 160)
UNDER_WAY = Validity(HEIGHT, SLOT - 150)

Answer = Callable[[list[Any]], Any]


def signatures(count: int) -> list[Signature]:
    return [Signature.from_bytes(number.to_bytes(64, "big")) for number in range(1, count + 1)]


WITNESS = signatures(1_000)[-1]


def landed(params: list[Any], payer: Pubkey = WALLET) -> dict[str, Any]:
    """The requested transaction."""
    return {
        "slot": 7,
        "transaction": {"signatures": [params[0]], "message": {"accountKeys": [str(payer)]}},
        "meta": {"err": None, "fee": 5_000, "preBalances": [9], "postBalances": [4]},
    }


class Cluster:
    """An endpoint; ``asked`` are the parameters of each call by method."""

    def __init__(
        self, *, final_at: Any = "finalized", is_one_node: bool = False, is_simnet: bool = False, **methods: Answer
    ) -> None:
        self.asked: dict[str, list[list[Any]]] = {}
        self.methods: dict[str, Answer] = {
            "getEpochInfo": lambda _: {"result": {"absoluteSlot": SLOT, "blockHeight": HEIGHT, "epoch": 0, **EPOCH}},
            "getSignatureStatuses": lambda params: statuses({}, params),
            "getBlock": lambda _: {"result": {"signatures": [str(WITNESS)]}},
            "getSignaturesForAddress": lambda _: {"result": []},
            "getTransaction": lambda params: {"result": landed(params)},
            **methods,
        }
        self.node = Node(**{name: self._recorded(name) for name in self.methods})
        rpc = RpcClient("http://cluster", transport=self.node)
        self.observer = Observer(rpc, WALLET, final_at, is_one_node=is_one_node, is_simnet=is_simnet)

    def observe(self, attempts: Mapping[Signature, Validity]) -> dict[Signature, Sighting]:
        return self.observer.observe(attempts, self.observer.finalized())

    def _recorded(self, method: str) -> Answer:
        def answer(params: list[Any]) -> Any:
            self.asked.setdefault(method, []).append(params)
            return self.methods[method](params)

        return answer


def statuses(known: dict[Signature, str], params: list[Any], slot: int = SLOT + 32) -> Any:
    """The answer of a node that knows only ``known``, each at its commitment."""
    by_text = {str(signature): level for signature, level in known.items()}
    value = [
        {"slot": SLOT, "err": None, "confirmationStatus": by_text[each]} if each in by_text else None
        for each in params[0]
    ]
    return {"result": {"context": {"slot": slot}, "value": value}}


def answering(result: Any) -> Answer:
    return lambda _: {"result": result}


def failing(code: int) -> Answer:
    return lambda _: {"error": {"code": code, "message": "no"}}


def by(level: str) -> Answer:
    return lambda params: statuses({WITNESS: level}, params)


def test_a_witness_is_queried_in_the_same_call() -> None:
    cluster = Cluster(getSignatureStatuses=by("finalized"))
    seen = cluster.observe(dict.fromkeys(signatures(300), EXPIRED))
    asked = cluster.asked["getSignatureStatuses"]
    assert [len(params[0]) for params in asked] == [256, 46]
    assert all(params[0][0] == str(WITNESS) for params in asked)
    assert len(seen) == 300
    assert all(sighting.proves_expiry(EXPIRED) for sighting in seen.values())


@pytest.mark.parametrize(
    "answer",
    [by("confirmed"), by("processed"), lambda params: statuses({}, params)],
    ids=["confirmed only", "processed only", "unknown"],
)
def test_a_witness_that_is_not_finalized_proves_nothing(answer: Answer) -> None:
    (sighting,) = Cluster(getSignatureStatuses=answer).observe({signatures(1)[0]: EXPIRED}).values()
    assert sighting.is_too_late(EXPIRED)
    assert not sighting.proves_expiry(EXPIRED)


@pytest.mark.parametrize("block", [failing(-32004), failing(-32011), lambda _: {"result": {"signatures": []}}])
def test_nothing_is_proved_without_a_witness(block: Answer) -> None:
    cluster = Cluster(getSignatureStatuses=by("finalized"), getBlock=block)
    (sighting,) = cluster.observe({signatures(1)[0]: EXPIRED}).values()
    assert not sighting.proves_expiry(EXPIRED)


def test_a_later_transaction_of_the_wallet_is_the_witness_of_an_empty_block() -> None:
    def found(slot: int) -> Answer:
        return lambda _: {"result": [{"signature": str(WITNESS), "slot": slot, "err": None}]}

    empty: Answer = lambda _: {"result": {"signatures": []}}  # noqa: E731
    for slot, proven in ((SLOT, True), (SLOT - 1, False)):
        cluster = Cluster(getSignatureStatuses=by("finalized"), getBlock=empty, getSignaturesForAddress=found(slot))
        (sighting,) = cluster.observe({signatures(1)[0]: EXPIRED}).values()
        assert sighting.proves_expiry(EXPIRED) is proven
        assert cluster.asked["getSignaturesForAddress"][0][1]["minContextSlot"] == SLOT


def test_the_witness_is_from_the_finalized_slot_of_the_height() -> None:
    cluster = Cluster(getSignatureStatuses=by("finalized"))
    cluster.observe({signatures(1)[0]: EXPIRED})
    assert cluster.asked["getEpochInfo"] == [[{"commitment": "finalized"}]]
    slot, config = cluster.asked["getBlock"][0]
    assert (slot, config["commitment"], config["transactionDetails"]) == (SLOT, "finalized", "signatures")


def test_no_block_is_read_before_an_attempt_can_have_expired() -> None:
    cluster = Cluster()
    cluster.observe({signatures(1)[0]: UNDER_WAY})
    assert "getBlock" not in cluster.asked


def test_a_landed_transaction_is_final_as_soon_as_its_slot_is() -> None:
    landed, later = (Validity(HEIGHT + 100, SLOT - 100, slot) for slot in (SLOT, SLOT + 1))
    cluster = Cluster(getSignatureStatuses=by("finalized"))
    first, second = signatures(2)
    seen = cluster.observe({first: landed, second: later})
    assert seen[first].proves_rollback(landed)
    assert not seen[second].proves_rollback(later)


def test_a_witness_is_reused_until_a_newer_one_is_needed() -> None:
    now = [SLOT, HEIGHT]
    cluster = Cluster(
        getSignatureStatuses=by("finalized"),
        getEpochInfo=lambda _: {"result": {"absoluteSlot": now[0], "blockHeight": now[1], "epoch": 0, **EPOCH}},
    )
    attempt = signatures(1)[0]
    for _ in range(3):
        cluster.observe({attempt: EXPIRED})
    assert len(cluster.asked["getBlock"]) == 1
    now[:] = [SLOT + 1, HEIGHT + 1]
    (sighting,) = cluster.observe({attempt: UNDER_WAY}).values()
    assert len(cluster.asked["getBlock"]) == 2
    assert sighting.proves_expiry(UNDER_WAY)
    now[:] = [SLOT + 300, HEIGHT + 300]
    cluster.observe({attempt: UNDER_WAY})
    assert len(cluster.asked["getBlock"]) == 3, "nodes may have dropped the old witness"


def test_the_history_is_searched_only_for_old_attempts() -> None:
    recent, old = signatures(2)
    cluster = Cluster()
    cluster.observe({recent: EXPIRED, old: Validity(HEIGHT - 900, SLOT - STATUSES_KEPT - 1)})
    asked = {params[0][-1]: params[1]["searchTransactionHistory"] for params in cluster.asked["getSignatureStatuses"]}
    assert asked == {str(recent): False, str(old): True}


def test_a_node_without_history_answers_for_recent_attempts() -> None:
    recent, old = signatures(2)

    def answer(params: list[Any]) -> Any:
        searches = params[1]["searchTransactionHistory"]
        return failing(-32011)(params) if searches else statuses({WITNESS: "finalized"}, params)

    cluster = Cluster(getSignatureStatuses=answer)
    attempts = {recent: EXPIRED, old: Validity(HEIGHT - 900, SLOT - 1_000)}
    seen = cluster.observe(attempts)
    assert set(seen) == {recent}
    assert seen[recent].proves_expiry(EXPIRED)
    with pytest.raises(RpcResponseError, match="-32011"):
        cluster.observe({old: attempts[old]})


def test_an_endpoint_without_history_is_detected_by_its_answer() -> None:
    assert Cluster().observer.keeps_history()
    assert not Cluster(getSignatureStatuses=failing(-32011)).observer.keeps_history()
    with pytest.raises(RpcResponseError, match="-32603"):
        Cluster(getSignatureStatuses=failing(-32603)).observer.keeps_history()


def of_one_node(
    kept: Collection[int] = range(SLOT + 1), others: Mapping[str, Answer] | None = None, *, is_simnet: bool = False
) -> Cluster:
    """A single node that has the blocks of these slots. Every slot of its chain has a block."""

    def blocks(params: list[Any]) -> Any:
        return {"result": [slot for slot in range(params[0], params[1] + 1) if slot in kept]}

    def block(params: list[Any]) -> Any:
        return {"result": {"blockHeight": params[0] - SLOT + HEIGHT, "parentSlot": params[0] - 1}}

    cluster = Cluster(
        is_one_node=True,
        is_simnet=is_simnet,
        getBlocks=blocks,
        getBlock=block,
        getFirstAvailableBlock=lambda _: {"result": 0},
    )
    cluster.methods |= others or {}
    return cluster


@pytest.mark.parametrize(
    ("age", "kept", "proven"),
    [
        (200, range(0), True),
        (1_000, range(SLOT - 1_000, SLOT + 1), True),
        (1_000, range(SLOT - 999, SLOT + 1), False),
        (1_000, {*range(SLOT - 900), *range(SLOT - 700, SLOT + 1)}, False),
        (1_000, {*range(SLOT - 1_100), *range(SLOT - 1_050, SLOT + 1)}, True),
    ],
    ids=["recent", "within its history", "before its history", "in a gap", "after a gap"],
)
def test_a_single_node_needs_its_history_instead_of_a_witness(age: int, kept: Collection[int], proven: bool) -> None:
    cluster = of_one_node(kept)
    validity = Validity(HEIGHT - 1, SLOT - age)
    (sighting,) = cluster.observe({signatures(1)[0]: validity}).values()
    assert sighting.proves_expiry(validity) is proven
    assert ("getBlocks" in cluster.asked) is (age > STATUSES_KEPT)


def test_a_node_that_does_not_list_its_blocks_proves_nothing_old() -> None:
    validity = Validity(HEIGHT - 1, SLOT - 1_000)
    for silent in ("getBlocks", "getBlock"):
        cluster = of_one_node(others={silent: failing(-32601)})
        (sighting,) = cluster.observe({signatures(1)[0]: validity}).values()
        assert not sighting.proves_expiry(validity)


def test_gaps_are_searched_periodically_and_attempts_after_them_are_decided() -> None:
    cluster = of_one_node(range(SLOT - 900, SLOT + 1))
    old, later = (Validity(HEIGHT - 1, SLOT - age) for age in (1_000, 800))
    first, second = signatures(2)
    for _ in range(3):
        seen = cluster.observe({first: old, second: later})
        assert not seen[first].proves_expiry(old)
        assert seen[second].proves_expiry(later)
    assert len(cluster.asked["getBlocks"]) == 1


def test_simnet_reports_the_begin_of_its_history_itself() -> None:
    """It deletes old blocks without wallet transactions, which would look like gaps."""
    for first, proven in ((SLOT - 1_000, True), (SLOT - 999, False)):
        available = {"getFirstAvailableBlock": answering(first)}
        cluster = of_one_node({SLOT}, available, is_simnet=True)
        validity = Validity(HEIGHT - 1, SLOT - 1_000)
        (sighting,) = cluster.observe({signatures(1)[0]: validity}).values()
        assert sighting.proves_expiry(validity) is proven


def test_only_a_searched_history_is_a_proof() -> None:
    """The process was suspended between two queries, and the second node has dropped the status since."""
    forgetful: Answer = lambda params: statuses({}, params, slot=SLOT + 1_000)  # noqa: E731
    cluster = of_one_node(others={"getSignatureStatuses": forgetful})
    old, recent = (Validity(HEIGHT - 1, SLOT - age) for age in (400, 200))
    first, second = signatures(2)
    seen = cluster.observe({first: old, second: recent})
    searched = {params[0][0]: params[1]["searchTransactionHistory"] for params in cluster.asked["getSignatureStatuses"]}
    assert searched == {str(first): True, str(second): False}
    assert seen[first].proves_expiry(old)
    assert not seen[second].proves_expiry(recent)


# Transactions paid by the wallet

ORDER = uuid7()
MEMO = Memo(ORDER, 1, b"tag of 8", b"mine").text


def mention(signature: Signature, memo: str | None = f"[40] {MEMO}", slot: int = SLOT - 1, err: Any = None) -> Any:
    return {"signature": str(signature), "slot": slot, "err": err, "memo": memo}


OURS, OTHERS, FUNDING = signatures(3)


def strangers(count: int) -> list[Signature]:
    return signatures(count + 3)[3:]


def history(*mentions: Any) -> Answer:
    """The wallet's transactions; the oldest has funded it, before the attempt's blockhash."""
    return lambda _: {"result": [*mentions, mention(FUNDING, memo=None, slot=SLOT - 160)]}


def paid(cluster: Cluster) -> dict[UUID, Signature]:
    found = cluster.observer.paid_for({ORDER: Sent(OURS, SLOT - 160)}, FINALIZED)
    return signatures_of(found)


def signatures_of(found: Mapping[UUID, PaidTransaction | RpcError | None]) -> dict[UUID, Signature]:
    """The signatures of the found transactions. Raises the error of a search that failed."""
    for each in found.values():
        if isinstance(each, RpcError):
            raise each
    return {order: each.signature for order, each in found.items() if isinstance(each, PaidTransaction)}


def test_a_transaction_of_the_wallet_with_the_orders_memo_is_found() -> None:
    cluster = Cluster(getSignaturesForAddress=history(mention(OTHERS)))
    assert paid(cluster) == {ORDER: OTHERS}
    (address, config) = cluster.asked["getSignaturesForAddress"][0]
    assert (address, config["commitment"], config["minContextSlot"]) == (str(WALLET), "finalized", SLOT)


def test_the_attempts_transaction_is_found_without_its_memo() -> None:
    cluster = Cluster(getSignaturesForAddress=history(mention(OTHERS, memo=None), mention(OURS, memo=None)))
    assert paid(cluster) == {ORDER: OURS}


@pytest.mark.parametrize(
    "known",
    [[], [mention(OTHERS, memo=None)], [mention(OTHERS, memo=None, slot=SLOT - 159)]],
    ids=["nothing", "a later transaction", "one of the first slot in which it could land"],
)
def test_a_node_whose_history_may_begin_after_the_attempt_is_an_error(known: list[Any]) -> None:
    answer: Answer = lambda _: {"result": known}  # noqa: E731
    with pytest.raises(RpcTransportError, match="no transaction from before 4840"):
        paid(Cluster(getSignaturesForAddress=answer))
    assert paid(Cluster(is_one_node=True, getSignaturesForAddress=answer)) == {}, "its own blocks decide"


def test_a_next_page_of_a_node_that_lacks_the_previous_one_is_an_error() -> None:
    page = [mention(each, memo=None) for each in strangers(1_000)]
    cluster = Cluster(getSignaturesForAddress=lambda params: {"result": [] if "before" in params[1] else page})
    with pytest.raises(RpcTransportError, match="no transaction from before"):
        paid(cluster)


@pytest.mark.parametrize(
    "other",
    [
        mention(OTHERS, memo=None),
        mention(OTHERS, memo=f"[40] {Memo(uuid7(), 1, b'tag of 8', b'mine').text}"),
        mention(OURS, err={"InstructionError": [2, {"Custom": 6005}]}),
        mention(OURS, slot=SLOT - 161),
    ],
    ids=["no memo", "another order", "failed", "before the attempt"],
)
def test_other_transactions_are_not_taken_for_the_orders(other: Any) -> None:
    assert paid(Cluster(getSignaturesForAddress=lambda _: {"result": [other, *history()([])["result"]]})) == {}


def test_memos_of_earlier_versions_are_recognised() -> None:
    before = mention(OTHERS, memo=f"[38] {ORDER}:1; [3] gm")
    assert paid(Cluster(getSignaturesForAddress=history(before))) == {ORDER: OTHERS}


def test_a_copied_memo_paid_by_another_wallet_is_ignored() -> None:
    cluster = Cluster(
        getSignaturesForAddress=history(mention(OTHERS)),
        getTransaction=lambda params: {"result": landed(params, Pubkey.new_unique())},
    )
    assert paid(cluster) == {}


@pytest.mark.parametrize("answer", [failing(-32603), lambda _: {"result": None}], ids=["an error", "not known here"])
def test_a_transaction_with_an_unknown_payer_is_an_error(answer: Answer) -> None:
    cluster = Cluster(getSignaturesForAddress=history(mention(OTHERS)), getTransaction=answer)
    with pytest.raises(RpcError):
        paid(cluster)


def test_the_search_reads_pages_back_to_the_attempt() -> None:
    page = [mention(each, memo=None) for each in strangers(1_000)]
    ours = Signature.from_bytes(bytes(63) + b"\0")

    def answer(params: list[Any]) -> Any:
        return {"result": page} if "before" not in params[1] else history(mention(ours))(params)

    cluster = Cluster(getSignaturesForAddress=answer)
    assert paid(cluster) == {ORDER: ours}
    assert cluster.asked["getSignaturesForAddress"][1][1]["before"] == page[-1]["signature"]


def test_a_wallet_with_too_many_transactions_is_an_error() -> None:
    page = [mention(each, memo=None) for each in strangers(1_000)]
    with pytest.raises(RpcTransportError, match="more than 20000"):
        paid(Cluster(getSignaturesForAddress=lambda _: {"result": page}))


SINCE = {ORDER: Sent(OURS, SLOT - 160)}
EARLIER = uuid7()


def test_a_search_that_does_not_reach_back_concerns_only_the_orders_before_its_end() -> None:
    older = {EARLIER: Sent(OTHERS, SLOT - 170)}
    for own, is_searched in ((SLOT - 159, True), (SLOT - 160, False)):
        cluster = Cluster(getSignaturesForAddress=history())
        found = cluster.observer.paid_for(older | {ORDER: Sent(OURS, own)}, FINALIZED)
        assert isinstance(found[EARLIER], RpcTransportError)
        assert (found[ORDER] is None) is is_searched


def test_pages_that_are_not_answered_concern_only_the_orders_that_need_them() -> None:
    page = [mention(each, memo=None, slot=SLOT - number) for number, each in enumerate(strangers(1_000))]
    cluster = Cluster(
        getSignaturesForAddress=lambda params: failing(-32603)(params) if "before" in params[1] else {"result": page}
    )
    found = cluster.observer.paid_for(SINCE | {EARLIER: Sent(FUNDING, SLOT - 1_000)}, FINALIZED)
    assert found[ORDER] is None, "the first page reaches back to it"
    assert isinstance(found[EARLIER], RpcError)


def test_an_unreadable_transaction_of_one_order_does_not_affect_others() -> None:
    theirs = Memo(EARLIER, 1, b"tag of 8", b"mine").text
    cluster = Cluster(
        getSignaturesForAddress=history(mention(OURS), mention(OTHERS, memo=theirs)),
        getTransaction=lambda params: {"result": None if params[0] == str(OTHERS) else landed(params)},
    )
    found = cluster.observer.paid_for(SINCE | {EARLIER: Sent(OTHERS, SLOT - 160)}, FINALIZED)
    assert isinstance(found[EARLIER], RpcTransportError)
    assert signatures_of({ORDER: found[ORDER]}) == {ORDER: OURS}


def test_a_copied_memo_that_cannot_be_read_does_not_hide_the_orders_transaction() -> None:
    for copies in ([mention(OTHERS), mention(OURS)], [mention(OURS), mention(OTHERS)]):
        cluster = Cluster(
            getSignaturesForAddress=history(*copies),
            getTransaction=lambda params: {"result": None if params[0] == str(OTHERS) else landed(params)},
        )
        assert paid(cluster) == {ORDER: OURS}


# Landed transactions


def test_requests_for_many_transactions_are_split() -> None:
    cluster = Cluster()
    found = cluster.observer.fetch(signatures(500))
    assert all(isinstance(each, TransactionInfo) for each in found)
    assert len(found) == 500
    assert max(map(len, cluster.node.requests)) <= MAX_BYTES_PER_REQUEST


def test_an_unreadable_transaction_does_not_affect_others() -> None:
    known, odd = signatures(2)
    cluster = Cluster(
        getTransaction=lambda params: {"result": landed(params) | ({"meta": None} if params[0] == str(odd) else {})}
    )
    good, bad = cluster.observer.fetch([known, odd])
    assert isinstance(good, TransactionInfo)
    assert isinstance(bad, RpcTransportError)


def test_a_refused_request_is_an_error_for_each_transaction() -> None:
    (single,) = Cluster(getTransaction=failing(429)).observer.fetch(signatures(1))
    assert isinstance(single, RpcRateLimitedError)


def test_hinted_transactions_are_read_in_one_request() -> None:
    first, second = signatures(2)
    cluster = Cluster(getSignatureStatuses=lambda params: statuses({first: "confirmed"}, params))
    assert cluster.observer.observe_hinted([first]) == {}, "the finalized slot is not known yet"
    cluster.observe({first: UNDER_WAY})
    requests = len(cluster.node.requests)
    seen = cluster.observer.observe_hinted([first, second])
    assert len(cluster.node.requests) == requests + 1
    assert [sighting.landed for sighting, _ in seen.values()] == [True, False]
    assert not seen[first][0].is_final
    assert [transaction is not None for _, transaction in seen.values()] == [True, True]


def test_a_glance_never_proves_an_expiry() -> None:
    (signature,) = signatures(1)
    cluster = Cluster(getSignatureStatuses=by("finalized"))
    assert cluster.observe({signature: EXPIRED})[signature].proves_expiry(EXPIRED)
    ((sighting, _),) = cluster.observer.observe_hinted([signature]).values()
    assert sighting.is_too_late(EXPIRED)
    assert not sighting.proves_expiry(EXPIRED)


def test_a_glance_without_statuses_returns_nothing() -> None:
    (signature,) = signatures(1)
    answers = [by("finalized"), failing(-32005)]
    cluster = Cluster(getSignatureStatuses=lambda params: answers[0](params))
    cluster.observe({signature: UNDER_WAY})
    answers.pop(0)
    with pytest.raises(RpcError):
        cluster.observer.observe_hinted([signature])
