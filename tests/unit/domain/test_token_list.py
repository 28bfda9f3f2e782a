"""Token lists in the two published formats."""

import json

import pytest

from orderd.domain.token_list import read_list
from orderd.domain.tokens import Listing

ONE, OTHER = (f"{letter * 43}1" for letter in "AB")
JUPITER = [
    {"id": ONE, "symbol": "JUP", "name": "Jupiter", "decimals": 6, "isVerified": True, "tags": ["community"]},
    {"id": OTHER, "symbol": "jup", "name": "Not\nJupiter", "decimals": 6, "isVerified": False, "tags": None},
]
OLD = {
    "name": "Solana Token List",
    "tokens": [
        {"chainId": 101, "address": ONE, "symbol": "JUP", "name": "Jupiter", "decimals": 6, "tags": ["strict", 1]},
        {"chainId": 103, "address": OTHER, "symbol": "DEV", "decimals": 6},
    ],
}


def read(content: object, chain: str = "mainnet") -> list[Listing]:
    return read_list(json.dumps(content).encode(), chain)


def test_jupiters_format_is_read() -> None:
    assert read(JUPITER) == [Listing("JUP", ONE, "Jupiter", verified=True), Listing("jup", OTHER, "Not Jupiter")]


def test_the_old_format_is_filtered_by_chain() -> None:
    assert read(OLD) == [Listing("JUP", ONE, "Jupiter", verified=True)]
    assert read(OLD, "devnet") == [Listing("DEV", OTHER)]
    assert read(OLD, "simnet") == [], "the local chain has no chain id"


@pytest.mark.parametrize(
    "entry",
    [
        "JUP",
        {"symbol": "JUP"},
        {"id": ONE},
        {"id": 1, "symbol": "JUP"},
        {"id": ONE, "symbol": None},
        {"id": "short", "symbol": "JUP"},
        {"id": ONE, "symbol": "two words"},
        {"id": ONE, "symbol": "U\N{CYRILLIC CAPITAL LETTER ES}DC"},
        {"id": ONE, "symbol": OTHER},
        {"id": ONE, "symbol": ""},
    ],
)
def test_an_invalid_entry_is_left_out(entry: object) -> None:
    assert read([entry, JUPITER[0]]) == [Listing("JUP", ONE, "Jupiter", verified=True)]


def test_only_true_means_verified() -> None:
    assert [each.verified for each in read([{**JUPITER[0], "isVerified": "true"}])] == [False]


@pytest.mark.parametrize("text", [b"", b"{", b"1", b'{"tokens": 1}', b"{}", b"\xff"])
def test_an_invalid_list_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_list(text, "mainnet")
