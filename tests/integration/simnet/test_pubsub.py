"""Subscriptions over the websocket."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from solders.keypair import Keypair
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

from orderd.simnet.genesis import USDC
from orderd.solana.programs import associated_token, token
from tests.integration.simnet.server import SOL, Client, Server, payment

CONFIRMED = {"commitment": "confirmed"}


class Listener:
    """One connection, which keeps answers and notifications apart."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self._notifications: list[dict[str, Any]] = []

    def ask(self, method: str, *params: Any) -> dict[str, Any]:
        self.connection.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)}))
        while "id" not in (message := self._receive()):
            self._notifications.append(message)
        assert message["id"] == 7
        return message

    def subscribe(self, method: str, *params: Any) -> int:
        number: int = self.ask(method, *params)["result"]
        return number

    def hear(self) -> dict[str, Any]:
        """The next notification."""
        return self._notifications.pop(0) if self._notifications else self._receive()

    def _receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=20))
        return message


@pytest.fixture
def listener(server: Server) -> Iterator[Listener]:
    with connect(server.ws_url) as connection:
        yield Listener(connection)


@pytest.mark.parametrize("commitment", ["processed", "confirmed", "finalized"])
def test_a_signature_is_reported_once_at_its_commitment(
    client: Client, wallet: Keypair, listener: Listener, commitment: str
) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, client.blockhash())
    signature = str(transaction.signatures[0])
    number = listener.subscribe("signatureSubscribe", signature, {"commitment": commitment})
    client.send(transaction, skipPreflight=True)

    notified = listener.hear()

    status = client.wait(signature, commitment)
    assert notified["method"] == "signatureNotification"
    assert notified["params"] == {
        "result": {"context": {"slot": status["slot"]}, "value": {"err": None}},
        "subscription": number,
    }
    assert "error" in listener.ask("signatureUnsubscribe", number)  # the subscription ended by itself


def test_an_already_landed_signature_is_reported_at_once(client: Client, wallet: Keypair, listener: Listener) -> None:
    signature = client.send(payment(wallet, Keypair().pubkey(), 10**6 * SOL, client.blockhash()), skipPreflight=True)
    client.wait(signature)

    listener.subscribe("signatureSubscribe", signature, CONFIRMED)

    assert listener.hear()["params"]["result"]["value"]["err"] == {"InstructionError": [0, {"Custom": 1}]}


@pytest.mark.parametrize("commitment", ["processed", "confirmed", "finalized"])
def test_changes_of_an_account_are_reported(
    client: Client, wallet: Keypair, listener: Listener, commitment: str
) -> None:
    shop = Keypair().pubkey()
    number = listener.subscribe("accountSubscribe", str(shop), {"commitment": commitment, "encoding": "base64"})
    client.send(payment(wallet, shop, SOL, client.blockhash()), skipPreflight=True)

    notified = listener.hear()

    assert notified["method"] == "accountNotification"
    assert notified["params"]["subscription"] == number
    value = notified["params"]["result"]["value"]
    assert (value["lamports"], value["data"]) == (SOL, ["", "base64"])
    assert base64.b64decode(value["data"][0]) == b""


def test_slots_are_reported_in_order(listener: Listener) -> None:
    listener.subscribe("slotSubscribe")

    slots = [listener.hear()["params"]["result"] for _ in range(5)]

    assert [each["slot"] for each in slots] == list(range(slots[0]["slot"], slots[0]["slot"] + 5))
    assert all(each["parent"] == each["slot"] - 1 and each["root"] < each["parent"] for each in slots)


def test_nothing_is_reported_after_unsubscribing(client: Client, wallet: Keypair, listener: Listener) -> None:
    first, second = Keypair().pubkey(), Keypair().pubkey()
    options = {"commitment": "processed", "encoding": "base64"}
    silenced = listener.subscribe("accountSubscribe", str(first), options)
    heard = listener.subscribe("accountSubscribe", str(second), options)
    assert listener.ask("accountUnsubscribe", silenced)["result"] is True

    for shop in (first, second):
        client.send(payment(wallet, shop, SOL, client.blockhash()), skipPreflight=True)

    assert listener.hear()["params"]["subscription"] == heard


def test_a_connection_cannot_end_anothers_subscription(server: Server, listener: Listener) -> None:
    number = listener.subscribe("slotSubscribe")
    with connect(server.ws_url) as other:
        assert Listener(other).ask("slotUnsubscribe", number)["error"]["code"] == -32602

    assert listener.hear()["params"]["subscription"] == number


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", -32700),
        ('{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "slotSubscribe"}', -32600),
        ("[]", -32600),
        ('{"jsonrpc":"2.0","id":1,"method":"voteSubscribe"}', -32601),
        ('{"jsonrpc":"2.0","id":1,"method":"signatureSubscribe","params":["abc"]}', -32602),
        ('{"jsonrpc":"2.0","id":1,"method":"accountSubscribe","params":[5]}', -32602),
    ],
)
def test_each_error_has_its_code(listener: Listener, message: str, code: int) -> None:
    listener.connection.send(message)

    assert json.loads(listener.connection.recv(timeout=20))["error"]["code"] == code
    assert listener.subscribe("slotSubscribe") > 0  # the connection stays open


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_foreign_hosts_and_origins_cannot_subscribe(server: Server, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(server.ws_url, additional_headers=headers, proxy=None)


@pytest.mark.parametrize("commitment", ["processed", "confirmed", "finalized"])
def test_accounts_of_a_program_are_reported_if_they_match_the_filters(
    client: Client, wallet: Keypair, listener: Listener, commitment: str
) -> None:
    options = {"commitment": commitment, "encoding": "base64"}
    mine = {"filters": [{"dataSize": 165}, {"memcmp": {"offset": 32, "bytes": str(wallet.pubkey())}}]}
    number = listener.subscribe("programSubscribe", str(token.PROGRAM_ID), {**options, **mine})
    for mint in (USDC, token.NATIVE_MINT):  # other accounts are numerous
        gift = {"mint": str(mint), "owner": str(wallet.pubkey()), "amount": 7}
        client.wait(client.call("simnet_mintTokens", gift), commitment)

    notified = [listener.hear()["params"] for _ in range(2)]

    keys = {str(associated_token.address(wallet.pubkey(), mint)) for mint in (USDC, token.NATIVE_MINT)}
    assert {each["subscription"] for each in notified} == {number}
    assert {each["result"]["value"]["pubkey"] for each in notified} == keys
    assert {each["result"]["value"]["account"]["owner"] for each in notified} == {str(token.PROGRAM_ID)}
    assert listener.ask("programUnsubscribe", number)["result"] is True


@pytest.mark.parametrize("commitment", ["processed", "confirmed", "finalized"])
@pytest.mark.parametrize("everything", [True, False])
def test_logs_of_all_transactions_or_of_one_account_are_reported(
    client: Client, wallet: Keypair, listener: Listener, commitment: str, everything: bool
) -> None:
    shop = Keypair().pubkey()
    wanted = "all" if everything else {"mentions": [str(shop)]}
    number = listener.subscribe("logsSubscribe", wanted, {"commitment": commitment})
    client.send(payment(wallet, Keypair().pubkey(), 10**6 * SOL, client.blockhash()), skipPreflight=True)
    signature = client.send(payment(wallet, shop, SOL, client.blockhash()), skipPreflight=True)
    client.wait(signature, commitment)

    notified = listener.hear()["params"]
    while everything and notified["result"]["value"]["signature"] != signature:
        notified = listener.hear()["params"]

    client.wait(signature)
    landed = client.call("getTransaction", signature, {**CONFIRMED, "maxSupportedTransactionVersion": 0})
    assert notified["subscription"] == number
    assert notified["result"]["value"]["signature"] == signature
    assert notified["result"]["value"]["err"] is None
    assert notified["result"]["value"]["logs"] == landed["meta"]["logMessages"]


def test_a_subscription_to_logs_of_two_accounts_is_refused(listener: Listener) -> None:
    mentions = {"mentions": [str(Keypair().pubkey()) for _ in range(2)]}
    assert listener.ask("logsSubscribe", mentions)["error"]["message"] == "Invalid Request: Only 1 address supported"
