"""Accounts over JSON-RPC are told as they are, however often they have been asked for before."""

import base64
from pathlib import Path

from solders.keypair import Keypair

from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from tests.integration.simnet.server import SOL
from tests.integration.simnet.stepped import stepped

OPTIONS = {"commitment": "confirmed", "encoding": "base64"}
PRICE = SOL // 100


def test_an_account_that_changes_is_told_as_it_is_now(tmp_path: Path) -> None:
    shop = Keypair().pubkey()
    told = []
    with stepped(tmp_path) as chain:
        for _ in range(3):
            chain.pay(shop)
            chain.make_slots()
            told.append(chain.call("getAccountInfo", str(shop), OPTIONS)["value"]["lamports"])

    assert told == [PRICE, 2 * PRICE, 3 * PRICE]


def test_an_account_is_told_in_the_encoding_and_the_part_that_is_asked_for(tmp_path: Path) -> None:
    pool = str(SOL_USDC_CPMM)
    with stepped(tmp_path) as chain:
        whole = chain.call("getAccountInfo", pool, OPTIONS)["value"]
        part = chain.call("getAccountInfo", pool, {**OPTIONS, "dataSlice": {"offset": 8, "length": 4}})["value"]
        parsed = chain.call("getAccountInfo", pool, {**OPTIONS, "encoding": "jsonParsed"})["value"]
        several = chain.call("getMultipleAccounts", [pool, str(Keypair().pubkey()), pool], OPTIONS)["value"]

    data = base64.b64decode(whole["data"][0])
    assert len(data) == whole["space"]
    assert part == {**whole, "data": [base64.b64encode(data[8:12]).decode(), "base64"]}
    assert parsed == whole
    assert several == [whole, None, whole]
