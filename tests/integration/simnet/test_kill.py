"""kill -9 at any instruction: confirmed transactions stay, none is processed twice, and the number of lamports is
constant."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.simnet.chain import Chain
from orderd.simnet.config import SimnetConfig
from orderd.simnet.ledger.ledger import Ledger
from tests.integration.simnet.server import SOL, Client, Server, StartFailedError, payment, running

ROUNDS = 10
AMOUNT = 1_000_000


@dataclass
class Book:
    """What a client knows: what it sent, and what was reported as confirmed in which slot."""

    sent: dict[str, VersionedTransaction] = field(default_factory=dict)
    confirmed: dict[str, int] = field(default_factory=dict)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "--slot-ms", "15")
    server.start()
    yield server
    server.kill()


def test_a_chain_survives_repeated_kills(tmp_path: Path, server: Server) -> None:
    chance = random.Random(20)
    payer, shop = Keypair(), Keypair().pubkey()
    client = Client(server.http_url)
    client.fund(payer.pubkey(), 100 * SOL)
    supply = None
    book = Book()

    for number in range(ROUNDS):
        if number % 2:
            trade_and_kill_at_confirmation(server, client, payer, shop, book, payments=chance.randint(20, 60))
        else:
            trade_until_killed(server, client, payer, shop, book, replies=chance.randint(1, 60))
        client.close()
        supply = check_ledger(tmp_path, supply)
        server.start()
        client = Client(server.http_url)
        check_confirmed(client, book)

    for transaction in book.sent.values():
        client.send(transaction, skipPreflight=True)
    client.wait_for_slots(3, "confirmed")
    landed = [signature for signature in book.sent if client.status(signature) is not None]
    assert set(book.confirmed) <= set(landed)
    assert client.balance(shop) == AMOUNT * len(landed)
    assert client.balance(payer.pubkey()) == 100 * SOL - (AMOUNT + 5_000) * len(landed)
    client.close()
    assert server.stop() == 0
    check_ledger(tmp_path, supply)


def trade_until_killed(
    server: Server, client: Client, payer: Keypair, shop: Pubkey, book: Book, *, replies: int
) -> None:
    """Send payments and query their statuses; after a number of replies another thread kills the server."""
    sent: list[str] = []
    with server.killed_at_an_event() as enough:
        while True:
            sent.append(pay(client, payer, shop, book))
            statuses = client.value("getSignatureStatuses", sent[-200:])
            for each, status in zip(sent[-200:], statuses, strict=True):
                if status and status["confirmationStatus"] != "processed":
                    book.confirmed[each] = status["slot"]
            if len(sent) == replies:
                enough.set()


def trade_and_kill_at_confirmation(
    server: Server, client: Client, payer: Keypair, shop: Pubkey, book: Book, *, payments: int
) -> None:
    """Fill a block, and kill the server at the moment it reports the block as confirmed.

    If that was reported before the block is durable, the block is lost.
    """
    last = [pay(client, payer, shop, book) for _ in range(payments)][-1]
    status = client.wait(last, pause=0)
    server.kill()
    book.confirmed[last] = status["slot"]


def pay(client: Client, payer: Keypair, shop: Pubkey, book: Book) -> str:
    transaction = payment(payer, shop, AMOUNT, client.blockhash())
    signature = str(transaction.signatures[0])
    book.sent[signature] = transaction
    return client.send(transaction, skipPreflight=True)


def check_confirmed(client: Client, book: Book) -> None:
    """Each transaction ever reported as confirmed is still confirmed in the same slot."""
    for signature, slot in book.confirmed.items():
        status = client.status(signature)
        assert status is not None
        assert (status["slot"], status["err"]) == (slot, None)
        assert status["confirmationStatus"] in ("confirmed", "finalized")
        assert client.call("getTransaction", signature, {"maxSupportedTransactionVersion": 0})["slot"] == slot


def check_ledger(state_dir: Path, supply: int | None) -> int:
    """The file is one unbroken chain; returns its total of lamports, which is constant."""
    connection = sqlite3.connect(state_dir / "ledger.sqlite")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        blocks = connection.execute("SELECT slot, height, blockhash, parent FROM blocks ORDER BY slot").fetchall()
        for (slot, height, blockhash, _), (next_slot, next_height, _, parent) in pairwise(blocks):
            assert (next_slot, next_height, parent) == (slot + 1, height + 1, blockhash)
        (lamports,) = connection.execute("SELECT sum(lamports) FROM accounts").fetchone()
        assert supply in (None, lamports)
        return int(lamports)
    finally:
        connection.close()


def test_a_stop_seals_the_open_block(tmp_path: Path) -> None:
    payer, shop = Keypair(), Keypair().pubkey()
    with running(tmp_path, "--slot-ms", "60000", "--no-market") as (server, client):
        client.call("requestAirdrop", str(payer.pubkey()), SOL)
        processed = client.value("getLatestBlockhash", {"commitment": "processed"})
        assert processed
        signature = client.send(payment(payer, shop, SOL // 2, client.blockhash()), skipPreflight=True)
        status = client.status(signature)
        assert status is not None
        assert status["confirmationStatus"] == "processed"
        assert server.stop() == 0
        assert server.stdout == ""
        assert not (tmp_path / "simnet.json").exists()

    ledger = Ledger(tmp_path / "ledger.sqlite")
    restored = ledger.restore(10)
    ledger.close()
    assert restored is not None
    assert restored.accounts[shop].lamports == SOL // 2


def test_a_second_simnet_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with (
        running(tmp_path, "--no-market"),
        pytest.raises(StartFailedError, match=r"another simnet is running on .*choose another state directory"),
    ):
        Server(tmp_path).start()


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "one", "--no-market") as (server, _):
        port = server.http_url.rsplit(":", 1)[1]
        with pytest.raises(StartFailedError, match=f"port {port} or {int(port) + 1} is taken"):
            Server(tmp_path / "two", "--port", port).start()


def test_a_ledger_of_another_version_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 77")
    connection.close()

    with pytest.raises(StartFailedError, match=r"has version 77.*remove the file"):
        Server(tmp_path).start()


def test_a_restarted_chain_continues_where_it_stopped(tmp_path: Path) -> None:
    config = SimnetConfig(state_dir=tmp_path, market=False)
    first = Chain(config)
    genesis, accounts = first.genesis_hash, dict(first.bank.accounts)
    for _ in range(3):
        block = first.bank.seal()
        first._write(block)
        first.bank.confirm(block)
    tip = first.bank.view(first.bank.open.slot - 1)
    first.close()

    second = Chain(config)

    assert second.genesis_hash == genesis
    assert second.bank.accounts == accounts
    assert second.bank.open.slot == tip.slot + 1
    assert second.bank.open.parent == tip.blockhash
    assert second.bank.levels() == (tip.slot + 1, tip.slot, tip.slot)
    second.close()
