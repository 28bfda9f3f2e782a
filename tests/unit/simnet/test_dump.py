"""A dumped transaction has everything needed to run it again, from the ledger alone, while it is kept."""

import base64
import sqlite3
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS
from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import Executed
from orderd.simnet.dump import NotRecordedError, dump_transaction
from orderd.simnet.images import Image, pack, unpack
from orderd.simnet.invoke import Clock
from orderd.simnet.ledger.file import SCHEMAS, LedgerError
from orderd.simnet.ledger.ledger import Ledger
from orderd.simnet.ledger.records import Row
from orderd.simnet.programs.table import PROGRAMS
from orderd.simnet.record import transaction_meta
from orderd.simnet.runtime import execute
from orderd.simnet.transaction import decode
from orderd.solana.programs import system
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import Clmm
from tests.unit.simnet.world import NOBODY, SOL


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = Ledger(path)
    yield opened
    opened.close()


def row(chain: LocalChain, executed: Executed) -> Row:
    transaction, outcome, _ = executed
    return Row(
        transaction.signature,
        orjson.dumps(None if outcome.error is None else outcome.error.to_json()),
        orjson.dumps(transaction_meta(transaction, outcome, chain.bank.accounts.get)),
        transaction.raw,
        transaction.keys,
        False,
        tuple(map(Image, outcome.before, outcome.after)),
    )


def write_block(chain: LocalChain, ledger: Ledger) -> None:
    """Seal the open block into the ledger."""
    rows = [row(chain, each) for each in chain.bank.open.executed]
    ledger.append(chain.bank.seal(), rows)


def account(written: dict[str, Any] | None) -> LedgerAccount | None:
    """The account from its form in the dump."""
    if written is None:
        return None
    data = base64.b64decode(written["data"])
    return LedgerAccount(written["lamports"], Pubkey.from_string(written["owner"]), data, written["executable"])


def test_account_images_survive_packing() -> None:
    small, large = (
        LedgerAccount(5, system.PROGRAM_ID),
        LedgerAccount(2**63, NOBODY.pubkey(), bytes(10_240), executable=True),
    )
    images = [
        Image(small, small),
        Image(None, None),
        Image(None, large),
        Image(large, None),
        Image(large, large._replace(lamports=1)),
        Image(small, large),
    ]

    assert unpack(pack([images, [], images[::-1]])) == [images, [], images[::-1]]


def test_unchanged_zeros_take_little_space() -> None:
    arrays = [LedgerAccount(1, system.PROGRAM_ID, bytes(10_240)) for _ in range(3)]

    assert len(pack([[Image(each, each) for each in arrays]])) < 400


def test_what_a_transaction_leaves_is_not_written_again_for_the_next() -> None:
    states = [LedgerAccount(1, system.PROGRAM_ID, Random(seed).randbytes(10_240)) for seed in range(3)]
    first, second = ([Image(before, after)] for before, after in pairwise(states))

    assert len(pack([first, second])) < 3.1 * 10_240
    assert unpack(pack([first, second])) == [first, second]


@pytest.mark.parametrize("limit", [1, 2**63], ids=["landed", "failed"])
def test_a_dump_suffices_to_run_the_transaction_again(
    chain: LocalChain, ledger: Ledger, path: Path, limit: int
) -> None:
    chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
    chain.send(Clmm(chain, SOL_USDC_CLMM_4BPS).swap(2_000 * SOL, limit, forward=True))
    executed = chain.bank.open.executed[-1]
    write_block(chain, ledger)

    dumped = dump_transaction(path, executed.transaction.signature)

    transaction = decode(base64.b64decode(dumped["transaction"]))
    assert bytes(transaction.parsed.message) == base64.b64decode(dumped["message"])
    assert [each["pubkey"] for each in dumped["accounts"]] == [str(key) for key in transaction.keys]
    assert dumped["accounts"][0]["signer"]
    before = {key: account(each["before"]) for key, each in zip(transaction.keys, dumped["accounts"], strict=True)}
    again = execute(transaction, before.get, Clock(dumped["slot"], dumped["block_time"]), PROGRAMS)
    assert list(again.after) == [account(each["after"]) for each in dumped["accounts"]]
    assert (None if again.error is None else again.error.to_json()) == dumped["error"]
    assert (dumped["error"] is None) == (limit == 1)
    assert list(again.logs) == dumped["logs"]
    assert (again.units, again.fee) == (dumped["units"], dumped["fee"])


def test_a_dump_has_the_accounts_before_the_transaction(chain: LocalChain, ledger: Ledger, path: Path) -> None:
    """Not the accounts before the block: the second payment starts from the result of the first."""
    for _ in range(2):
        chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
    first, second = (each.transaction.signature for each in chain.bank.open.executed)
    write_block(chain, ledger)

    def of_nobody(signature: Signature) -> tuple[Any, Any]:
        (found,) = [
            each for each in dump_transaction(path, signature)["accounts"] if each["pubkey"] == str(NOBODY.pubkey())
        ]
        return found["before"], found["after"]

    one = {"owner": str(system.PROGRAM_ID), "lamports": SOL, "executable": False, "data": ""}
    assert of_nobody(first) == (None, one)
    assert of_nobody(second) == (one, one | {"lamports": 2 * SOL})


def test_only_the_newest_transactions_keep_their_accounts(
    chain: LocalChain, ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderd.simnet.ledger.ledger.KEEP_IMAGES", 2)
    signatures = []
    for _ in range(5):
        chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
        signatures.append(chain.bank.open.executed[-1].transaction.signature)
        write_block(chain, ledger)

    ledger.prune(0)

    for signature in signatures[:3]:
        with pytest.raises(NotRecordedError, match="does not have the accounts"):
            dump_transaction(path, signature)
    for signature in signatures[3:]:
        assert dump_transaction(path, signature)["error"] is None


def test_an_unknown_signature_is_an_error(ledger: Ledger, path: Path) -> None:
    with pytest.raises(NotRecordedError, match="another state directory"):
        dump_transaction(path, Signature.default())


def test_a_ledger_of_the_first_version_is_migrated(chain: LocalChain, path: Path) -> None:
    """Existing rows are kept; accounts are stored from then on."""
    chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
    early = row(chain, chain.bank.open.executed[0])
    block = chain.bank.seal()
    first = sqlite3.connect(path)
    first.executescript(SCHEMAS[0] + "PRAGMA user_version = 1;")
    with first:
        first.execute(
            "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, 1)",
            (block.slot, block.height, bytes(block.blockhash), bytes(block.parent), block.time),
        )
        first.execute(
            "INSERT INTO transactions VALUES (?, ?, 0, ?, ?, ?, 0)",
            (bytes(early.signature), block.slot, early.error, early.meta, early.raw),
        )
    first.close()
    with pytest.raises(LedgerError, match="earlier version"):
        dump_transaction(path, early.signature)

    ledger = Ledger(path)
    chain.send(system.transfer(chain.trader.pubkey(), NOBODY.pubkey(), SOL))
    late = chain.bank.open.executed[0].transaction.signature
    write_block(chain, ledger)
    ledger.close()

    reopened = Ledger(path)
    restored = reopened.restore(history=10)
    reopened.close()
    assert restored is not None
    assert early.signature in restored.statuses
    with pytest.raises(NotRecordedError, match="does not have the accounts"):
        dump_transaction(path, early.signature)
    assert dump_transaction(path, late)["error"] is None


def test_a_file_that_is_not_a_ledger_is_refused(path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger"):
        dump_transaction(path, Signature.default())
    path.write_text("not a database, but longer than the header of a database file")
    with pytest.raises(LedgerError, match="cannot be read"):
        dump_transaction(path, Signature.default())
