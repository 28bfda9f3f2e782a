"""Version 1 transactions on a chain that supports them, and on one that does not."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from solders.keypair import Keypair
from solders.message import MessageV1, TransactionConfig
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.solana.programs import memo, system
from orderd.solana.rpc import RpcClient
from orderd.solana.transaction import TransactionVersion
from orderd.solana.version_choice import VersionChoice
from tests.integration.simnet.server import SOL, Client, RpcFailureError, encoded, running

PAYER = Keypair()
FEE = 777
Chain = tuple[str, Client, int]
"""The URL, a client, and the newest supported transaction version."""


@pytest.fixture(params=[0, 1], ids=["older", "newer"], scope="module")
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    options = ("--slot-ms", "25", "--no-market", "--newest-version", str(request.param))
    with running(tmp_path_factory.mktemp("simnet"), *options) as (server, client):
        client.fund(PAYER.pubkey())
        yield server.http_url, client, request.param


def payment(client: Client, to: Pubkey, text: str) -> VersionedTransaction:
    config = TransactionConfig(
        priority_fee=FEE, compute_unit_limit=400_000, loaded_accounts_data_size_limit=64 * 1024 * 1024
    )
    instructions = [system.transfer(PAYER.pubkey(), to, SOL), memo.memo(text)]
    message = MessageV1.try_compile(PAYER.pubkey(), instructions, client.blockhash(), config)
    return VersionedTransaction(message, [PAYER])


def test_the_newest_supported_version_is_detected(chain: Chain) -> None:
    url, _, newest = chain
    with closing(RpcClient(url)) as rpc:
        for payer in (PAYER.pubkey(), Pubkey.new_unique()):
            choice = VersionChoice.asking(rpc, payer)
            choice.refresh()
            assert choice.current == TransactionVersion(newest), "the detection must not depend on the payer's balance"


@pytest.mark.parametrize("length", [5, 2_000])
def test_version_1_lands_only_on_a_chain_that_supports_it(chain: Chain, length: int) -> None:
    _, client, newest = chain
    to = Pubkey.new_unique()
    transaction = payment(client, to, "x" * length)
    before = client.balance(PAYER.pubkey())
    if not newest:
        for method in ("sendTransaction", "simulateTransaction"):
            with pytest.raises(RpcFailureError, match="VersionedTransaction") as refused:
                client.call(method, encoded(transaction), {"encoding": "base64", "skipPreflight": True})
            assert refused.value.code == -32602
        assert client.balance(to) == 0
        return
    signature = client.send(transaction, preflightCommitment="confirmed")
    assert signature == str(transaction.signatures[0]), "the id is the first signature"
    client.wait(signature)
    assert client.balance(to) == SOL
    assert client.balance(PAYER.pubkey()) == before - SOL - 5_000 - FEE

    known = {"commitment": "confirmed", "maxSupportedTransactionVersion": 1}
    found = client.call("getTransaction", signature, known)
    assert (found["version"], found["meta"]["fee"]) == (1, 5_000 + FEE)
    assert found["transaction"]["message"]["transactionConfig"] == {
        "priorityFee": FEE,
        "computeUnitLimit": 400_000,
        "loadedAccountsDataSizeLimit": 64 * 1024 * 1024,
        "heapSize": None,
    }
    whole = client.call("getTransaction", signature, known | {"encoding": "base64"})
    assert whole["transaction"][0] == encoded(transaction)
    mentions = client.call("getSignaturesForAddress", str(to), {"commitment": "confirmed"})
    assert [each["signature"] for each in mentions] == [signature]
    with pytest.raises(RpcFailureError, match=r"version \(1\) is not supported") as refused:
        client.call("getTransaction", signature, known | {"maxSupportedTransactionVersion": 0})
    assert refused.value.code == -32015
