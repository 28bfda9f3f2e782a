"""Which programs are traded in on which chain."""

from pathlib import Path

import pytest

from orderd.domain.quote import PoolKind
from orderd.engine.trading import open_venues
from orderd.settings import Chain, Settings
from orderd.solana.rpc import RpcClient

WITHOUT_AMM_V4 = set(PoolKind) - {PoolKind.RAYDIUM_AMM_V4}


@pytest.fixture(autouse=True)
def nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ORDERD_CONFIG", str(tmp_path / "none.toml"))


def kinds(settings: Settings) -> set[PoolKind]:
    return {venue.kind for venue in open_venues(settings, RpcClient("http://127.0.0.1"))}


@pytest.mark.parametrize(
    ("chain", "traded"), [("simnet", set(PoolKind)), ("devnet", WITHOUT_AMM_V4), ("mainnet", WITHOUT_AMM_V4)]
)
def test_amm_v4_takes_part_by_itself_on_the_local_chain_alone(chain: Chain, traded: set[PoolKind]) -> None:
    assert kinds(Settings(chain=chain)) == traded


def test_what_is_named_is_traded_in_and_nothing_else() -> None:
    named = (PoolKind.RAYDIUM_AMM_V4, PoolKind.METEORA_DLMM)
    assert kinds(Settings(chain="mainnet", pool_kinds=named)) == set(named)
