"""A surfpool validator with the programs' binaries, and the accounts of simnet's first block set by its cheat codes."""

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
"""What the wallet holds beside SOL, in base units."""
_WALLET_LAMPORTS: Final = 1_000 * SOL


@dataclass(frozen=True)
class Validator:
    url: str
    ws_url: str

    @property
    def settings(self) -> dict[str, str]:
        """Of a daemon that trades there."""
        return {"ORDERD_CHAIN": "localnet", "ORDERD_RPC_URL": self.url, "ORDERD_RPC_WS_URL": self.ws_url}

    def upgrade(self, programs: Iterable[Pubkey]) -> None:
        """Deploy the same binaries once more: in a later slot, which makes them other programs."""
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
        return "SURFPOOL does not name surfpool's addon for node, from npm's @solana/surfpool-linux-x64-gnu"
    if not programs or not any(Path(programs).glob("*.so")):
        return "PROGRAMS names no directory of program binaries"
    return None if shutil.which("node") else "there is no node to run surfpool's addon with"


@contextmanager
def running_surfpool(addon: Path, programs: Path, wallet: Pubkey) -> Iterator[Validator]:
    """A chain of its own on which ``wallet`` holds SOL, USDC and CHILLGUY; no other wallet trades there."""
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
        assert line, f"surfpool ended with {process.wait(_STOP_SECONDS)}, and its standard error says why"
        validator = Validator(**json.loads(line))
        with closing(RpcClient(validator.url)) as rpc:
            _furnish(rpc, wallet)
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
    """Mints, pools and traders as simnet begins with them, and the wallet's; not what every validator brings."""
    now = int(time.time())
    block = Genesis(now).block()
    first = FirstAccounts(now, {key: account for key, account in block.changed.items() if account is not None})
    first.accounts[wallet] = LedgerAccount(_WALLET_LAMPORTS, system.PROGRAM_ID)
    for mint, amount in _WALLET.items():
        first.tokens(wallet, mint, amount)
    return {key: account for key, account in first.accounts.items() if key not in {*PROGRAMS, sysvars.RENT}}


def _furnish(rpc: RpcClient, wallet: Pubkey) -> None:
    for key, account in first_accounts(wallet).items():
        values = {"lamports": account.lamports, "owner": str(account.owner), "data": account.data.hex()}
        rpc.call("surfnet_setAccount", [str(key), values])
