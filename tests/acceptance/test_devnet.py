"""Trades on a chain like devnet: devnet's genesis hash and USDC, no token of mainnet, and an unlisted token.

The pools are Meteora's, whose programs have the same address on all chains.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.domain.tokens import DEVNET_USDC_MINT, USDC_MINT
from orderd.pools.meteora_damm_v2.simnet import genesis as damm_v2
from orderd.process.temporary import running_daemon
from orderd.simnet.account import TOKEN_PROGRAMS
from orderd.simnet.chain import ledger_path
from orderd.simnet.genesis import Genesis
from orderd.simnet.genesis.accounts import SOL, FirstAccounts, snapshot
from orderd.simnet.ledger.ledger import Ledger
from orderd.solana.keys import create_wallet
from orderd.solana.mints import metadata_address
from orderd.solana.pool_programs import pool_programs
from orderd.solana.programs import token
from tests.acceptance.simnet import call
from tests.conftest import QUICK, running_simnet
from tests.samples.mints import SOMEBODY, named, plain

GENESIS_HASH = Hash.from_string("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG")
UNKNOWN = Pubkey([0xF0] + [9] * 31)
PROGRAMS = Path(sys.executable).parent


def create_chain(directory: Path) -> None:
    """Create a first block without mainnet's tokens and pools, then add two pools."""
    first = Genesis(int(time.time())).block()
    pools = {program.ids["simnet"] for program in pool_programs()}
    gone = {key for key, account in first.changed.items() if account is not None and account.owner in pools}
    gone |= {key for key, account in first.changed.items() if account is not None and account.owner in TOKEN_PROGRAMS}
    accounts: dict[Pubkey, Any] = {key: each for key, each in first.changed.items() if key not in gone}
    accounts[token.NATIVE_MINT] = first.changed[token.NATIVE_MINT]
    chain = FirstAccounts(first.time, accounts)
    recorded = snapshot(PoolKind.METEORA_DAMM_V2, "recentred_sol_usdc_25bps")
    usdc = Pubkey.from_string(DEVNET_USDC_MINT)
    for number, mint in enumerate((usdc, UNKNOWN), start=1):
        chain.mint(mint, plain(6, mint_authority=SOMEBODY))
        damm_v2.add(chain, recorded, Pubkey([0xF1, number] + [9] * 30), mint)
    chain.data(metadata_address(UNKNOWN), named(UNKNOWN, "").owner, named(UNKNOWN, "USD Coin").data)
    directory.mkdir()
    with closing(Ledger(ledger_path(directory))) as ledger:
        ledger.append(replace(first, blockhash=GENESIS_HASH, changed=dict(chain.accounts)), ())


@dataclass
class Orderctl:
    """The installed program, with the API key that a real chain requires."""

    environment: dict[str, str]

    def __call__(self, *args: str) -> Any:
        """Run a command; returns its JSON document."""
        done = subprocess.run(
            [PROGRAMS / "orderctl", *args, "-o", "json"],
            env=self.environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, (done.stdout, done.stderr)
        return json.loads(done.stdout)

    def trade(self, token_in: str, token_out: str, amount: str) -> dict[str, Any]:
        """Submit an order and wait for its fill; returns the order."""
        submitted = self("submit", token_in, token_out, amount, "--yes")["order"]
        self("wait", submitted["id"], "--timeout", "60s")
        ended: dict[str, Any] = self("show", submitted["id"])["order"]
        assert ended["status"] == "confirmed", ended
        return ended


@pytest.fixture
def orderctl(tmp_path: Path, given_database: dict[str, str]) -> Iterator[Orderctl]:
    chain, state = tmp_path / "chain", tmp_path / "state"
    chain.mkdir()
    state.mkdir()
    create_chain(chain / "simnet")
    wallet = create_wallet(state / "wallet.json")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ORDERD_", "ORDERCTL_"))}
    made = subprocess.run(
        [PROGRAMS / "orderd", "api-key", "create", "me", "--scope", "trade"],
        env=inherited | given_database | {"ORDERD_CONFIG": os.devnull},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    with running_simnet(chain) as node:
        call(chain, "requestAirdrop", str(wallet.address), 10 * SOL)
        settings = QUICK | given_database | {"ORDERD_CHAIN": "devnet", "ORDERD_RPC_URL": node.url}
        with running_daemon(state, settings | {"ORDERD_REQUIRE_PROOF": "false"}) as daemon:
            own = {"ORDERCTL_URL": daemon.url, "ORDERCTL_API_KEY": made.stdout.strip(), "ORDERCTL_CONFIG": os.devnull}
            yield Orderctl(inherited | own)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [str(UNKNOWN), "USDC"], ids=["unlisted mint", "devnet's USDC"])
def test_a_token_is_quoted_and_traded_on_devnet(orderctl: Orderctl, name: str) -> None:
    quote = orderctl("quote", "SOL", name, "0.123456789")
    mint = quote["tokens"][1]["mint"]
    assert mint == (DEVNET_USDC_MINT if name == "USDC" else name)
    if name != "USDC":
        assert quote["tokens"][1]["name"] == "USD Coin", "the name is not a symbol"
    bought = orderctl.trade("SOL", name, "0.123456789")
    assert Decimal(bought["amount_out"]) == Decimal(quote["chosen"]["amount_out"])
    sold = orderctl.trade(name, "SOL", bought["amount_out"])
    assert Decimal(sold["amount_in"]) == Decimal(bought["amount_out"])
    assert USDC_MINT not in json.dumps([quote, bought, sold])
