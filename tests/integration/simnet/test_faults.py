"""Injected faults, from a client's point of view."""

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from solders.keypair import Keypair

from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.genesis import USDC
from orderd.solana.programs import associated_token
from tests.integration.simnet.server import SOL, Client, RpcFailureError, Server, StartFailedError, payment, running
from tests.integration.simnet.stepped import stepped
from tests.integration.simnet.test_rpc import request, swap

QUIET = ("--slot-ms", "30", "--no-market", "--faults")


def faults(**wanted: Any) -> tuple[str, ...]:
    return (*QUIET, orjson.dumps(wanted).decode())


def test_requests_are_answered_with_429(tmp_path: Path) -> None:
    with running(tmp_path, *faults(http_429=0.5)) as (_, client):
        answers = [client.post(request("getSlot")) for _ in range(100)]

    refused = [answer for answer in answers if answer.status_code == 429]
    assert 25 < len(refused) < 75
    assert all(answer.headers["retry-after"] == "1" for answer in refused)
    assert all(answer.json()["error"]["code"] == 429 for answer in refused)
    assert all("result" in answer.json() for answer in answers if answer.status_code == 200)


def test_answers_are_damaged(tmp_path: Path) -> None:
    with running(tmp_path, *faults(garbled_answers=0.5)) as (_, client):
        answers = [client.post(request("getGenesisHash")).content for _ in range(100)]
    (whole,) = {answer for answer in answers if answers.count(answer) > 20}
    damaged = sum(answer != whole for answer in answers)
    assert 3 < damaged < 50, "half of them are drawn, and some kinds of damage change only batches"


def test_reset_connections_may_have_handled_their_request(tmp_path: Path) -> None:
    with running(tmp_path, *faults(connection_resets=0.5)) as (server, _):
        shop = Keypair().pubkey()
        outcomes = [attempt(server, "requestAirdrop", str(shop), SOL) for _ in range(60)]
        lost = outcomes.count(None)
        answered = [outcome["result"] for outcome in outcomes if outcome is not None]
        patient = Client(server.http_url)
        received = ask_until_answered(patient, "getBalance", str(shop), {"commitment": "processed"})["value"] // SOL
        patient.close()

    assert 15 < lost < 45
    assert len(answered) < received < 60  # some requests with a lost answer were executed, some were not


def attempt(server: Server, method: str, *params: Any) -> dict[str, Any] | None:
    """The answer, or None if the connection was reset."""
    client = Client(server.http_url)
    try:
        return client.post(request(method, *params)).json()  # type: ignore[no-any-return]
    except httpx.TransportError:
        return None
    finally:
        client.close()


def ask_until_answered(client: Client, method: str, *params: Any) -> Any:
    while True:
        try:
            return client.call(method, *params)
        except httpx.TransportError:
            continue


def test_a_lagging_node_is_consistently_behind(tmp_path: Path) -> None:
    """Balance, status, height and blockhash of an answer all belong to the slot that it names."""
    payer, shop = Keypair(), Keypair().pubkey()
    with running(tmp_path, *faults(lagging_reads=0.6, lag_slots=[1, 6])) as (_, client):
        client.fund(payer.pubkey(), 100 * SOL)
        client.wait_for_slots(8)
        sent: list[str] = []
        slots: list[int] = []
        behind = 0
        for _ in range(150):
            sent.append(client.send(payment(payer, shop, SOL // 1_000, fresh(client)), skipPreflight=True))
            batch = [
                request("getSignatureStatuses", sent[-100:]),
                request("getBalance", str(shop), {"commitment": "processed"}),
                request("getEpochInfo", {"commitment": "processed"}),
                request("getLatestBlockhash", {"commitment": "processed"}),
                request("getLatestBlockhash", {"commitment": "confirmed"}),
            ]
            statuses, balance, epoch, latest, confirmed = (each["result"] for each in client.post(batch).json())
            slot = statuses["context"]["slot"]
            assert slot == balance["context"]["slot"] == epoch["absoluteSlot"] == latest["context"]["slot"]
            assert latest["value"]["lastValidBlockHeight"] in (epoch["blockHeight"] + 149, epoch["blockHeight"] + 150)
            assert confirmed["context"]["slot"] < slot
            assert all(status is None or status["slot"] <= slot for status in statuses["value"])
            landed = [status for status in statuses["value"] if status is not None and status["err"] is None]
            if len(sent) <= 100:
                assert balance["value"] == len(landed) * SOL // 1_000
            behind += bool(slots) and slot < slots[-1]
            slots.append(slot)

    assert behind > 10


def fresh(client: Client) -> Any:
    """A blockhash that every node accepts."""
    return client.blockhash()


def test_a_lagging_node_refuses_a_context_it_has_not_reached(tmp_path: Path) -> None:
    with running(tmp_path, *faults(lagging_reads=0.5, lag_slots=[5, 5])) as (_, client):
        client.wait_for_slots(12)
        refused = 0
        for _ in range(40):
            tip = max(client.call("getSlot", {"commitment": "processed"}) for _ in range(6))
            answer = client.post(request("getSlot", {"commitment": "processed", "minContextSlot": tip})).json()
            if "result" in answer:
                assert answer["result"] >= tip
            else:
                assert answer["error"]["code"] == -32016
                assert answer["error"]["data"]["contextSlot"] < tip
                refused += 1

    assert refused > 5


def test_dropped_and_late_sends_are_answered_like_any_other(tmp_path: Path) -> None:
    payer, shop = Keypair(), Keypair().pubkey()
    options = faults(dropped_sends=0.3, late_landing=0.5, late_slots=[2, 6])
    with running(tmp_path, *options) as (_, client):
        client.fund(payer.pubkey(), 100 * SOL)
        sent, at_once = [], 0
        for _ in range(100):
            sent.append(client.send(payment(payer, shop, SOL // 1_000, client.blockhash()), skipPreflight=True))
            at_once += client.status(sent[-1]) is not None
        client.wait_for_slots(10, "confirmed")
        landed = [each for each in sent if client.status(each) is not None]

        assert 50 < len(landed) < 90
        assert 20 < at_once < len(landed)
        assert client.balance(shop) == len(landed) * SOL // 1_000


def test_answers_are_delayed_by_the_latency(tmp_path: Path) -> None:
    with running(tmp_path, *faults(latency_ms=[50, 60])) as (_, client):
        assert client.post(request("getSlot")).elapsed.total_seconds() >= 0.05


def test_only_one_venue_answers_late(tmp_path: Path) -> None:
    with stepped(tmp_path, venue_latency_ms={"meteora": [100, 100]}) as chain:
        for pools, venues in (
            ([SOL_USDC_BS4], {"meteora"}),
            ([SOL_USDC_CPMM], {"raydium"}),
            ([SOL_USDC_CPMM, SOL_USDC_BS4], {"raydium", "meteora"}),
            ([], set()),
        ):
            asked = request("getMultipleAccounts", [str(pool) for pool in pools], {"encoding": "base64"})
            answer, read = chain.dispatcher.answer_and_venues(orjson.dumps(asked))
            assert "result" in orjson.loads(answer)
            assert read == venues
    with running(tmp_path / "served", *faults(venue_latency_ms={"meteora": [100, 100]})) as (_, client):
        answered = client.post(request("getAccountInfo", str(SOL_USDC_BS4), {"encoding": "base64"}))
        assert answered.elapsed.total_seconds() >= 0.1


@pytest.mark.parametrize("method", ["getAccountInfo", "getMultipleAccounts", "getProgramAccounts"])
def test_an_outage_hides_only_the_venues_accounts(tmp_path: Path, method: str) -> None:
    def of(pool: Any, program: Any) -> Any:
        target: Any = {"getAccountInfo": str(pool), "getMultipleAccounts": [str(pool)]}.get(method, str(program))
        return target, {"encoding": "base64", "commitment": "confirmed"}

    with running(tmp_path, *faults(venue_outage=["meteora"])) as (_, client):
        assert client.call(method, *of(SOL_USDC_CPMM, raydium_cpmm.PROGRAM_ID))
        with pytest.raises(RpcFailureError, match="cannot be read"):
            client.call(method, *of(SOL_USDC_BS4, "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"))


def test_injected_failures_land_with_an_error_and_do_not_change_balances(tmp_path: Path) -> None:
    with running(tmp_path, *faults(failure_rate=1)) as (_, client):
        transaction = swap(client)
        account = str(associated_token.address(transaction.message.account_keys[0], USDC))
        before = client.value("getTokenAccountBalance", account, {"commitment": "confirmed"})

        status = client.wait(client.send(transaction, preflightCommitment="confirmed"))

        assert status["err"] == {"InstructionError": [0, {"Custom": 6005}]}
        assert client.value("getTokenAccountBalance", account, {"commitment": "confirmed"}) == before


@pytest.mark.parametrize("wrong", ['{"dropped_sends": 2}', '{"dropped_sents": 0.1}', "nonsense"])
def test_invalid_faults_are_refused_at_the_start(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(StartFailedError, match=r"faults|dropped|JSON"):
        Server(tmp_path, "--faults", wrong).start()
