"""``python -m tests.sdks [DIRECTORY]``: a table; exit code 1 where an SDK quotes otherwise, or its swap does not land.

The SDKs are npm's newest of their major versions. They are installed into the directory, if it is named and has none
yet, else into a temporary one.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from solders.keypair import Keypair

from orderd.domain.pool_kind import PoolKind
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.simnet.genesis.accounts import CHILLGUY, STACC
from orderd.solana.rpc import RpcClient
from orderd.venues.pool_venue import venue_class
from tests.integration.simnet.server import SOL, Client, Server, running

PACKAGES: Final = ("@solana/web3.js@1", "@meteora-ag/dlmm@1", "@meteora-ag/cp-amm-sdk@1", "@raydium-io/raydium-sdk-v2")
_SCRIPT: Final = Path(__file__).with_name("trade.mjs")
_AMOUNTS: Final = {USDC_MINT: 100 * 10**6, str(STACC): 10_000 * 10**6, str(CHILLGUY): 1_000 * 10**6}
"""What is sold in each pool, in base units: beside a SOL, about as much of the other token."""


@dataclass(frozen=True)
class Ask:
    """A swap, as the script takes it."""

    kind: PoolKind
    pool: str
    mintIn: str  # noqa: N815  (the script's words)
    mintOut: str  # noqa: N815
    amountIn: str  # noqa: N815


def main() -> int:
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
        return 2
    wrong = 0
    with _sdks(*sys.argv[1:]) as directory:
        print("| pool | sells | orderd | SDK | received |\n| --- | --- | --- | --- | --- |")
        for sells_sol in (True, False):
            with TemporaryDirectory() as made, running(Path(made), "--no-market") as (server, chain):
                wrong += _compare(directory, server, chain, sells_sol=sells_sol)
    return int(wrong > 0)


def _compare(directory: Path, server: Server, chain: Client, *, sells_sol: bool) -> int:
    """Quote each pool and swap in it, in one direction. How many differ."""
    owner, wrong = Keypair(), 0
    quotes = dict(_quotes(RpcClient(server.http_url), sells_sol=sells_sol))
    chain.fund(owner.pubkey(), 500 * SOL)
    for mint, amount in _AMOUNTS.items():
        wanted = {"mint": mint, "owner": str(owner.pubkey()), "amount": str(10 * amount)}
        chain.wait(chain.call("simnet_mintTokens", wanted))
    asked = json.dumps([asdict(ask) for ask in quotes])
    command = ["node", "trade.mjs", server.http_url, server.ws_url, bytes(owner.secret()).hex(), asked]
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    by_pool = {line["pool"]: line for line in map(json.loads, done.stdout.splitlines())}
    for ask, quoted in quotes.items():
        theirs: dict[str, Any] = by_pool.get(ask.pool, {"error": "the script told nothing"})
        is_right = str(quoted) == theirs.get("quoted") == theirs.get("received")
        wrong += not is_right
        name = f"{ask.kind} {ask.pool[:6]}"
        print(f"| {name} | {ask.amountIn} | {quoted} | {theirs.get('quoted')} | {theirs.get('received')} |")
        if "error" in theirs:
            print(f"{name}: {theirs['error']}", file=sys.stderr)
    return wrong


def _quotes(rpc: RpcClient, *, sells_sol: bool) -> Iterator[tuple[Ask, int]]:
    """What orderd says of each pool of the chain."""
    for kind in PoolKind:
        venue = venue_class(kind)(rpc, max_age_ms=0)
        for other, amount in _AMOUNTS.items():
            sold, bought = (WSOL_MINT, other) if sells_sol else (other, WSOL_MINT)
            paid = SOL if sells_sol else amount
            for pool in venue.liquidity(sold, bought).pools:
                yield Ask(kind, pool.address, sold, bought, str(paid)), pool.side.quote(paid).amount_out


@contextmanager
def _sdks(directory: str | None = None) -> Iterator[Path]:
    """A directory with the SDKs and the script."""
    if directory is not None:
        Path(directory).mkdir(parents=True, exist_ok=True)
        yield _installed(Path(directory))
        return
    with TemporaryDirectory() as made:
        yield _installed(Path(made))


def _installed(directory: Path) -> Path:
    shutil.copy(_SCRIPT, directory)
    if not (directory / "node_modules").exists():
        (directory / "package.json").write_text('{"private": true}')
        flags = ["--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(["npm", "install", *flags, *PACKAGES], cwd=directory, check=True, timeout=600)
    return directory


if __name__ == "__main__":
    sys.exit(main())
