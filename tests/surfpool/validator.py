"""A surfpool validator with the programs' binaries and the accounts of simnet's first block."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from solders.pubkey import Pubkey

from orderd.simnet import sysvars
from orderd.simnet.account import LedgerAccount
from orderd.simnet.genesis import CHILLGUY, PROGRAMS, SOL, USDC, Genesis
from orderd.simnet.genesis.accounts import FirstAccounts
from orderd.solana.deployments import binary, program_data, program_data_address
from orderd.solana.programs import system
from orderd.solana.rpc import RpcClient

SLOT_MS: Final = 100
_START: Final = Path(__file__).with_name("start.cjs")
_STOP_SECONDS: Final = 10.0
_WALLET: Final = {USDC: 100_000 * 10**6, CHILLGUY: 100 * 10**6}
"""The wallet's tokens besides SOL, in base units."""
_WALLET_LAMPORTS: Final = 1_000 * SOL


@dataclass(frozen=True)
class Validator:
    url: str
    ws_url: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a daemon that trades on this chain."""
        return {"ORDERD_CHAIN": "localnet", "ORDERD_RPC_URL": self.url, "ORDERD_RPC_WS_URL": self.ws_url}

    def upgrade(self, programs: Iterable[Pubkey]) -> None:
        """Deploy the same binaries again in a later slot, which counts as an upgrade."""
        with closing(RpcClient(self.url)) as rpc:
            slot = rpc.get_slot("processed")
            for program in programs:
                found = binary(rpc, program)
                assert found is not None
                assert found.slot < slot
                data = program_data(slot, found.elf)
                rpc.call("surfnet_setAccount", [str(program_data_address(program)), {"data": data.hex()}])


def missing(addon: str | None, programs: str | None) -> str | None:
    """Why surfpool cannot be run here; None if it can."""
    if not addon or not Path(addon).is_file():
        return "SURFPOOL is not the path of surfpool's addon for node, from npm's @solana/surfpool-linux-x64-gnu"
    if not programs or not any(Path(programs).glob("*.so")):
        return "PROGRAMS is not a directory with program binaries"
    return None if shutil.which("node") else "node is not installed"


@contextmanager
def running_surfpool(addon: Path, programs: Path, wallet: Pubkey) -> Iterator[Validator]:
    """A new chain on which ``wallet`` holds SOL, USDC and CHILLGUY, without other traders."""
    deployed = [f"{each.stem}={each.resolve()}" for each in sorted(programs.glob("*.so"))]
    process = subprocess.Popen(
        [str(shutil.which("node")), str(_START), str(addon.resolve()), str(SLOT_MS), *deployed],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, f"surfpool ended with {process.wait(_STOP_SECONDS)}; see its standard error"
        validator = Validator(**json.loads(line))
        with closing(RpcClient(validator.url)) as rpc:
            _set_accounts(rpc, wallet)
        yield validator
    finally:
        process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def first_accounts(wallet: Pubkey) -> dict[Pubkey, LedgerAccount]:
    """The accounts of simnet's first block and of the wallet, without those that every validator has."""
    now = int(time.time())
    block = Genesis(now).block()
    first = FirstAccounts(now, {key: account for key, account in block.changed.items() if account is not None})
    first.accounts[wallet] = LedgerAccount(_WALLET_LAMPORTS, system.PROGRAM_ID)
    for mint, amount in _WALLET.items():
        first.tokens(wallet, mint, amount)
    return {key: account for key, account in first.accounts.items() if key not in {*PROGRAMS, sysvars.RENT}}


def _set_accounts(rpc: RpcClient, wallet: Pubkey) -> None:
    for key, account in first_accounts(wallet).items():
        values = {"lamports": account.lamports, "owner": str(account.owner), "data": account.data.hex()}
        rpc.call("surfnet_setAccount", [str(key), values])
