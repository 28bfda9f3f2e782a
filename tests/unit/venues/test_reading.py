"""Accounts that several readings need are read in one request, and decoded values are cached while unchanged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import orjson
import pytest
from solders.pubkey import Pubkey

from orderd.solana.json_rpc import RpcTransportError
from orderd.solana.rpc import MAX_ACCOUNTS_PER_CALL, ChainAccount, RpcClient, RpcError
from orderd.solana.rpc_types import AtSlot
from orderd.solana.transport import Response
from orderd.venues.reading import Accounts, Reading, read, read_batch
from orderd.venues.unchanged import Unchanged

KEYS = [Pubkey.from_bytes(bytes([number]) + bytes(31)) for number in range(1, 255)]
A, B, C = KEYS[:3]


def account(data: bytes) -> ChainAccount:
    return ChainAccount(lamports=1, owner=A, data=data, executable=False)


@dataclass
class Node:
    """Has an account per key, or an error for every request; counts the requests."""

    error: RpcError | None = None
    requests: list[list[Sequence[Pubkey]]] = field(default_factory=list)

    def get_account_groups(self, groups: Sequence[Sequence[Pubkey]]) -> list[Accounts | RpcError]:
        self.requests.append(list(groups))
        if self.error is not None:
            raise self.error
        return [AtSlot(7, {key: account(bytes(key)) for key in group}) for group in groups]

    def rpc(self) -> RpcClient:
        return cast("RpcClient", self)


def in_steps(*steps: Sequence[Pubkey]) -> Reading[list[int]]:
    """Reads in this many steps, and returns the number of accounts per step."""
    counts = []
    for keys in steps:
        accounts = yield keys
        counts.append(len(accounts.value))
    return counts


def broken() -> Reading[list[int]]:
    yield [C]
    raise ZeroDivisionError


def test_many_readings_share_requests_until_all_are_done() -> None:
    node = Node()
    results = read_batch(node.rpc(), [in_steps([A], [A, B]), in_steps(), in_steps([C]), broken()])
    assert results[:3] == [[1, 2], [], [1]]
    assert isinstance(results[3], ZeroDivisionError), "a failing reading must not affect others"
    assert node.requests == [[[A], [C], [C]], [[A, B]]]


def test_an_unavailable_node_is_an_error_for_each_reading() -> None:
    node = Node(RpcTransportError("refused"))
    results = read_batch(node.rpc(), [in_steps([A]), in_steps([B])])
    assert [str(result) for result in results] == ["refused", "refused"]
    with pytest.raises(RpcError, match="refused"):
        read(node.rpc(), in_steps([A]))


def test_a_single_reading_is_completed() -> None:
    assert read(Node().rpc(), in_steps([A], [B, C])) == [1, 2]


@dataclass
class Counting:
    """A transport to a node without accounts; records the number of accounts per call."""

    sizes: list[int] = field(default_factory=list)

    def post(self, body: bytes) -> Response:

        requests = orjson.loads(body)
        requests = requests if isinstance(requests, list) else [requests]
        self.sizes += [len(each["params"][0]) for each in requests]
        answers = [
            {"id": each["id"], "result": {"context": {"slot": slot}, "value": [None] * len(each["params"][0])}}
            for slot, each in enumerate(requests, start=5)
        ]
        return Response(200, orjson.dumps(answers if len(answers) > 1 else answers[0]))

    def close(self) -> None:
        pass


def test_a_group_is_read_at_one_slot_unless_it_exceeds_a_call() -> None:
    transport = Counting()
    groups = [KEYS[:60], KEYS[:60], KEYS[60:120], KEYS[: MAX_ACCOUNTS_PER_CALL + 20]]
    found = RpcClient("", transport=transport).get_account_groups(groups)
    assert transport.sizes == [60, 60, 100, 20]
    assert [each.slot for each in found if not isinstance(each, RpcError)] == [5, 5, 6, 7]
    assert all(
        each.value.keys() >= {*group}
        for each, group in zip(found, groups, strict=True)
        if not isinstance(each, RpcError)
    )


def test_a_decoded_value_is_kept_until_a_used_account_changes() -> None:
    kept, made = Unchanged[int](), list[int]()

    def make(accounts: Mapping[Pubkey, ChainAccount | None]) -> int:
        made.append(len(made))
        assert accounts[A] is not None
        return made[-1] if B in accounts else -1

    one, other = account(b"one"), account(b"other")
    assert kept.get("pool", {A: one, B: None}, make) == 0
    assert kept.get("pool", {A: account(b"one"), B: None, C: one}, make) == 0, (
        "equal accounts and unused ones keep the value"
    )
    assert kept.get("pool", {A: other, B: None}, make) == 1
    assert kept.get("pool", {A: other}, make) == -1, "a missing account changes the value"
    assert kept.get("another", {A: other}, make) == -1
    assert len(made) == 4
    with pytest.raises(AssertionError):
        kept.get("pool", {A: None}, make)
    assert kept.get("pool", {A: other}, make) == -1, "a failed decoding keeps the value"
    assert len(made) == 5
