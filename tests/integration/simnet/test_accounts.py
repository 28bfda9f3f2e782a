"""Accounts over JSON-RPC always show their current state, whatever was cached."""

import base64
from pathlib import Path

import pytest
import zstandard
from solders.clock import Clock
from solders.keypair import Keypair
from solders.litesvm import LiteSVM

from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.actors import TRADERS
from orderd.simnet.genesis import USDC
from orderd.simnet.sysvars import CLOCK
from orderd.solana.programs import associated_token
from tests.integration.simnet.server import SOL, RpcFailureError
from tests.integration.simnet.stepped import stepped

OPTIONS = {"commitment": "confirmed", "encoding": "base64"}
PRICE = SOL // 100


def test_a_changed_account_shows_its_current_state(tmp_path: Path) -> None:
    shop = Keypair().pubkey()
    lamports = []
    with stepped(tmp_path) as chain:
        for _ in range(3):
            chain.pay(shop)
            chain.make_slots()
            lamports.append(chain.call("getAccountInfo", str(shop), OPTIONS)["value"]["lamports"])

    assert lamports == [PRICE, 2 * PRICE, 3 * PRICE]


def test_an_account_is_returned_in_the_requested_encoding_and_slice(tmp_path: Path) -> None:
    pool = str(SOL_USDC_CPMM)
    with stepped(tmp_path) as chain:
        whole = chain.call("getAccountInfo", pool, OPTIONS)["value"]
        part = chain.call("getAccountInfo", pool, {**OPTIONS, "dataSlice": {"offset": 8, "length": 4}})["value"]
        parsed = chain.call("getAccountInfo", pool, {**OPTIONS, "encoding": "jsonParsed"})["value"]
        zipped = chain.call("getAccountInfo", pool, {**OPTIONS, "encoding": "base64+zstd"})["value"]["data"]
        several = chain.call("getMultipleAccounts", [pool, str(Keypair().pubkey()), pool], OPTIONS)["value"]

    data = base64.b64decode(whole["data"][0])
    assert len(data) == whole["space"]
    assert part == {**whole, "data": [base64.b64encode(data[8:12]).decode(), "base64"]}
    assert parsed == whole
    assert (zstandard.decompress(base64.b64decode(zipped[0])), zipped[1]) == (data, "base64+zstd")
    assert several == [whole, None, whole]


def test_the_clock_sysvar_has_the_slot_and_the_block_time(tmp_path: Path) -> None:
    """In the layout of LiteSVM, which has a validator's runtime."""
    with stepped(tmp_path) as chain:
        chain.make_slots()
        found = chain.call("getAccountInfo", str(CLOCK), OPTIONS)
        slot, time = found["context"]["slot"], chain.call("getBlockTime", found["context"]["slot"])

    svm = LiteSVM()
    svm.set_clock(Clock(slot, 0, 0, 1, time))
    expected = svm.get_account(CLOCK)
    assert expected is not None
    assert base64.b64decode(found["value"]["data"][0]) == expected.data
    assert (found["value"]["owner"], found["value"]["lamports"]) == (str(expected.owner), 1_169_280)


def test_the_largest_holders_of_a_mint_are_listed(tmp_path: Path) -> None:
    with stepped(tmp_path) as chain:
        found = chain.call("getTokenLargestAccounts", str(USDC), {"commitment": "confirmed"})["value"]
        supply = chain.call("getTokenSupply", str(USDC), {"commitment": "confirmed"})["value"]
        with pytest.raises(RpcFailureError, match="could not find mint"):
            chain.call("getTokenLargestAccounts", str(Keypair().pubkey()))

    amounts = [int(each["amount"]) for each in found]
    trader = associated_token.address(TRADERS[0].pubkey(), USDC)
    assert str(trader) in {each["address"] for each in found}
    assert amounts == sorted(amounts, reverse=True)
    assert sum(amounts) == int(supply["amount"])
    assert {each["decimals"] for each in found} == {6}
