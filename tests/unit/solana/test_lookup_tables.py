"""Lookup tables on the chain: which accounts can be used, and what happens without an answer."""

import base64
import struct
from collections.abc import Callable
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.solana.lookup_tables import PROGRAM_ID, LookupTables
from orderd.solana.rpc import RpcClient
from tests.unit.solana.node import Node
from tests.unit.solana.records import key

IN_USE = (1 << 64) - 1
TABLE = key(90)


def account(
    *held: Pubkey, owner: Pubkey = PROGRAM_ID, closing: int = IN_USE, extended: int = 0, start: int = 0
) -> dict[str, Any]:
    data = struct.pack("<IQQB35x", 1, closing, extended, start) + b"".join(map(bytes, held))
    return {
        "lamports": 1,
        "owner": str(owner),
        "data": [base64.b64encode(data).decode(), "base64"],
        "executable": False,
        "rentEpoch": 0,
    }


def tables(answers: Callable[[], dict[str, Any]], clock: Callable[[], float] = lambda: 0.0) -> LookupTables:
    return LookupTables(
        RpcClient("", transport=Node(getMultipleAccounts=lambda _: answers())), [str(TABLE)], clock=clock
    )


def at_slot(slot: int, *accounts: dict[str, Any] | None) -> dict[str, Any]:
    return {"result": {"context": {"slot": slot}, "value": list(accounts)}}


def test_a_table_is_read_once_in_ten_minutes() -> None:
    now, asked = [0.0], []

    def answer() -> dict[str, Any]:
        asked.append(now[0])
        return at_slot(9, account(key(1), key(2)))

    known = tables(answer, lambda: now[0])
    assert [table.key for table in known.current()] == [TABLE]
    assert known.held() == {key(1), key(2)}
    now[0] = 601.0
    assert known.held() == {key(1), key(2)}
    assert asked == [0.0, 601.0]
    assert known.most_bytes == 34


def test_addresses_added_in_the_current_slot_are_not_used_yet() -> None:
    assert tables(lambda: at_slot(9, account(key(1), key(2), extended=9, start=1))).held() == {key(1)}
    assert tables(lambda: at_slot(10, account(key(1), key(2), extended=9, start=1))).held() == {key(1), key(2)}


@pytest.mark.parametrize(
    "there",
    [None, account(key(1), owner=key(5)), account(key(1), closing=7), account() | {"data": ["AQ==", "base64"]}],
    ids=["missing", "another owner", "being closed", "unreadable"],
)
def test_an_unusable_table_is_left_out(there: dict[str, Any] | None) -> None:
    known = tables(lambda: at_slot(9, there))
    assert (known.current(), known.held()) == ((), frozenset())


def test_known_tables_are_used_while_the_node_is_unavailable() -> None:
    now = [0.0]
    answers = [at_slot(9, account(key(1))), {"error": {"code": -32603, "message": "Internal error"}}]
    known = tables(lambda: answers.pop(0), lambda: now[0])
    assert known.held() == {key(1)}
    now[0] = 700.0
    assert known.held() == {key(1)}
    assert answers == []


def test_no_request_is_made_without_tables() -> None:
    known = LookupTables(RpcClient("", transport=Node()), [])
    assert (known.current(), known.held(), known.most_bytes) == ((), frozenset(), 0)
