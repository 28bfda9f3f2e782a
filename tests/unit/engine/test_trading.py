"""What is assembled per chain: the traded programs, and when a failure is final."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from solders.signature import Signature

from orderd.commands.simnet import chain_of
from orderd.config.settings import Settings
from orderd.domain.pool_kind import PoolKind
from orderd.engine import chain as chain_check
from orderd.engine import trading
from orderd.engine.proved_kinds import ProvedVenue
from orderd.engine.trading import final_at, open_trading, open_venues, slot_time_of
from orderd.solana.expiry import Validity
from orderd.solana.keys import Wallet, WalletError, create_wallet
from orderd.solana.pool_programs import Chain
from orderd.solana.rpc import RpcClient
from orderd.solana.transport import Response
from orderd.venues.base import Venue


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORDERD_CONFIG", str(tmp_path / "none.toml"))


def venues(settings: Settings) -> list[Venue]:
    return open_venues(settings, RpcClient("http://127.0.0.1"), 400)


def kinds(settings: Settings) -> set[PoolKind]:
    return {venue.kind for venue in venues(settings)}


@pytest.mark.parametrize(
    ("chain", "asked", "needs_proof"),
    [
        ("simnet", None, False),
        ("localnet", None, False),
        ("localnet", True, True),
        ("devnet", None, True),
        ("mainnet", None, True),
        ("mainnet", False, False),
    ],
)
def test_a_kind_is_traded_on_a_real_chain_only_while_proved(
    chain: Chain, asked: bool | None, needs_proof: bool
) -> None:
    settings = Settings(chain=chain, require_proof=asked)
    assert kinds(settings) == set(PoolKind)
    assert [isinstance(venue, ProvedVenue) for venue in venues(settings)] == [needs_proof] * len(PoolKind)


def test_only_configured_kinds_are_traded() -> None:
    named = (PoolKind.RAYDIUM_AMM_V4, PoolKind.METEORA_DLMM)
    assert kinds(Settings(chain="mainnet", pool_kinds=named)) == set(named)


GENESIS: dict[Chain, str] = {
    "simnet": "4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi",
    "localnet": "5ZbcRXBosGfm7akJhNXVFKX7byu5VAvQxMrpGSTFjZMR",
    "devnet": "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG",
    "mainnet": "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
}


@pytest.mark.parametrize(
    ("settings", "slot_ms", "local", "commitment"),
    [
        (Settings(), 400, (400, 32), "confirmed"),
        (Settings(simnet_profile="2026"), 200, (200, 1), "finalized"),
        (Settings(simnet_profile="2026", simnet_slot_ms=25), 200, (25, 1), "finalized"),
    ],
    ids=["2025", "2026", "a faster chain"],
)
def test_timings_on_the_local_chain_follow_its_profile(
    settings: Settings, slot_ms: int, local: tuple[int, int], commitment: str
) -> None:
    """Timings that depend on the slot are not shortened if the local chain merely runs faster."""
    slot_time = slot_time_of(settings)
    assert (slot_time.ms, slot_time.commitment) == (slot_ms, commitment)
    assert final_at(settings) == commitment, "confirmed is final on a single node without forks"
    assert final_at(settings.model_copy(update={"rpc_single_node": False})) == "finalized"
    config = chain_of(settings)
    assert (config.slot_ms, config.finality_slots) == local


def test_timings_follow_the_slot_time_measured_at_the_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = {"numSlots": 300, "samplePeriodSecs": 60}
    node = Node("mainnet", "confirmed", getRecentPerformanceSamples=[sample], getSlot=7)
    monkeypatch.setattr(trading, "HttpTransport", lambda *_, **__: node)
    create_wallet(tmp_path / "wallet.json")
    settings = Settings(chain="mainnet", rpc_url="http://127.0.0.1:1", wallet=tmp_path / "wallet.json")
    opened = open_trading(settings)
    assert (opened.retry.slot_ms, opened.pool_age_ms()) == (200, 200)
    assert opened.rpc.commitment == "finalized", "confirmed and final slots are equal"
    as_before = settings.model_copy(update={"commitment": "confirmed"})
    assert open_trading(as_before).rpc.commitment == "confirmed"
    assert open_trading(settings.model_copy(update={"pool_max_age_ms": 50})).pool_age_ms() == 50
    assert not opened.refresh_chain()
    sample["numSlots"] = 150
    assert opened.refresh_chain()
    assert (opened.retry.slot_ms, opened.pool_age_ms()) == (400, 400)


@pytest.mark.parametrize(("setting", "versions"), [("auto", [0, 1]), ("0", [0, 0]), ("1", [1, 1])])
def test_transactions_have_the_configured_or_the_newest_accepted_version(
    setting: str, versions: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = trial("UnsupportedVersion")
    node = Node("mainnet", "confirmed", simulateTransaction=answer)
    monkeypatch.setattr(trading, "HttpTransport", lambda *_, **__: node)
    create_wallet(tmp_path / "wallet.json")
    settings = Settings(chain="mainnet", rpc_url="http://127.0.0.1:1", wallet=tmp_path / "wallet.json")
    opened = open_trading(settings.model_copy(update={"transaction_version": setting}))
    found = [opened.versions.current]
    answer |= trial("AccountNotFound")
    opened.refresh_chain()
    assert [*found, opened.versions.current] == versions


def trial(err: str | None) -> dict[str, Any]:
    """The node's answer to a simulation."""
    return {"context": {"slot": 20}, "value": {"err": err, "logs": [], "unitsConsumed": 0}}


class Node:
    """A node whose newest confirmed block has our failed transaction."""

    def __init__(self, chain: Chain, level: str, **others: Any) -> None:
        self._results: dict[str, Any] = {
            "getGenesisHash": GENESIS[chain],
            "getSlot": None,
            "simulateTransaction": trial("UnsupportedVersion"),
            "getEpochInfo": {"absoluteSlot": 20, "blockHeight": 18, "epoch": 0, "slotIndex": 20, "slotsInEpoch": 100},
            "getSignatureStatuses": {
                "context": {"slot": 20},
                "value": [{"slot": 19, "err": "ProgramFailedToComplete", "confirmationStatus": level}],
            },
            **others,
        }

    def post(self, body: bytes) -> Response:
        request = orjson.loads(body)
        return Response(200, orjson.dumps({"id": request["id"], "result": self._results[request["method"]]}))

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("chain", "level", "is_end"),
    [
        ("mainnet", "confirmed", False),
        ("mainnet", "finalized", True),
        ("devnet", "confirmed", False),
        ("devnet", "finalized", True),
        ("simnet", "confirmed", True),
        ("localnet", "confirmed", False),
        ("localnet", "finalized", True),
    ],
)
def test_a_failure_on_a_real_chain_is_final_only_in_a_finalized_block(
    chain: Chain, level: str, is_end: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the failure is rolled back, the same bytes may still succeed, besides those of another attempt."""
    monkeypatch.setattr(trading, "HttpTransport", lambda *_, **__: Node(chain, level))
    monkeypatch.setattr(chain_check, "bind_to", lambda genesis_hash: genesis_hash)
    create_wallet(tmp_path / "wallet.json")
    settings = Settings(chain=chain, rpc_url="http://127.0.0.1:1", wallet=tmp_path / "wallet.json")
    signature = Signature.default()
    observer = open_trading(settings).observer(settings)
    (sighting,) = observer.observe({signature: Validity(1_000, 10)}, observer.finalized()).values()
    assert sighting.landed is is_end


@pytest.mark.parametrize(
    ("chain", "options", "is_proved"),
    [
        ("mainnet", {}, False),
        ("devnet", {}, False),
        ("mainnet", {"rpc_single_node": True}, True),
        ("simnet", {}, True),
        ("localnet", {}, True),
        ("simnet", {"simnet_faults": {"nodes": "pool"}}, False),
    ],
    ids=[
        "mainnet",
        "devnet",
        "an own node of mainnet",
        "the local chain",
        "a local validator",
        "a local chain of many nodes",
    ],
)
def test_a_missing_status_proves_no_expiry_at_an_endpoint_of_many_nodes(
    chain: Chain, options: dict[str, Any], is_proved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint counts as many nodes unless declared as one; then a proof needs a witness, which is missing here."""
    nothing = {
        "getEpochInfo": {"absoluteSlot": 170, "blockHeight": 168, "epoch": 1, "slotIndex": 70, "slotsInEpoch": 100},
        "getSignatureStatuses": {"context": {"slot": 170}, "value": [None]},
        "getBlock": {"signatures": []},
        "getSignaturesForAddress": [],
    }
    monkeypatch.setattr(trading, "HttpTransport", lambda *_, **__: Node(chain, "", **nothing))
    monkeypatch.setattr(chain_check, "bind_to", lambda genesis_hash: genesis_hash)
    create_wallet(tmp_path / "wallet.json")
    settings = Settings(chain=chain, rpc_url="http://127.0.0.1:1", wallet=tmp_path / "wallet.json", **options)
    observer = open_trading(settings).observer(settings)
    validity = Validity(160, 10)
    (sighting,) = observer.observe({Signature.default(): validity}, observer.finalized()).values()
    assert sighting.is_too_late(validity)
    assert sighting.proves_expiry(validity) is is_proved


def test_a_process_that_does_not_sign_does_not_load_the_key(tmp_path: Path) -> None:
    """The gateway quotes and previews without the wallet's file."""
    address = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
    settings = Settings(rpc_url="http://127.0.0.1:1", wallet=tmp_path / "none.json", wallet_address=address)
    wallet = open_trading(settings, signs=False).wallet

    assert str(wallet.address) == address
    with pytest.raises(WalletError, match="only workers sign"):
        wallet.sign(b"")


def test_only_the_address_of_a_watched_wallet_is_kept(tmp_path: Path) -> None:
    created = create_wallet(tmp_path / "wallet.json")
    settings = Settings(rpc_url="http://127.0.0.1:1", wallet=tmp_path / "wallet.json")
    wallet = open_trading(settings, signs=False).wallet

    assert wallet.address == created.address
    assert not isinstance(wallet, Wallet)


def test_a_wallet_that_differs_from_the_configured_address_is_refused(tmp_path: Path) -> None:
    create_wallet(tmp_path / "wallet.json")
    address = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
    settings = Settings(rpc_url="http://127.0.0.1:1", wallet=tmp_path / "wallet.json", wallet_address=address)
    with pytest.raises(WalletError, match="ORDERD_WALLET_ADDRESS"):
        open_trading(settings)
