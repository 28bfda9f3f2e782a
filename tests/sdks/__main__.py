"""``python -m tests.sdks [DIRECTORY]`` prints a table. Exits with 1 if a quote of an SDK differs or its swap fails.

The newest versions of the SDKs within their majors are installed with npm into DIRECTORY, unless it contains them
already. Without DIRECTORY a temporary one is used.
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
"""Amounts to sell, in base units: each is worth about as much as 1 SOL, the amount in the other direction."""


@dataclass(frozen=True)
class SwapRequest:
    """A swap, as the script reads it."""

    kind: PoolKind
    pool: str
    mintIn: str  # noqa: N815  (names of the script)
    mintOut: str  # noqa: N815
    amountIn: str  # noqa: N815


def main() -> int:
    if missing := [name for name in ("node", "npm") if shutil.which(name) is None]:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
        return 2
    different = 0
    with _sdks(*sys.argv[1:]) as directory:
        print("| pool | sells | orderd | SDK | received |\n| --- | --- | --- | --- | --- |")
        for sells_sol in (True, False):
            with TemporaryDirectory() as made, running(Path(made), "--no-market") as (server, chain):
                different += _compare(directory, server, chain, sells_sol=sells_sol)
    return int(different > 0)


def _compare(directory: Path, server: Server, chain: Client, *, sells_sol: bool) -> int:
    """Quote each pool and swap in it, in one direction. Returns the number of differences."""
    owner, different = Keypair(), 0
    quotes = dict(_quotes(RpcClient(server.http_url), sells_sol=sells_sol))
    chain.fund(owner.pubkey(), 500 * SOL)
    for mint, amount in _AMOUNTS.items():
        wanted = {"mint": mint, "owner": str(owner.pubkey()), "amount": str(10 * amount)}
        chain.wait(chain.call("simnet_mintTokens", wanted))
    requests = json.dumps([asdict(request) for request in quotes])
    command = ["node", "trade.mjs", server.http_url, server.ws_url, bytes(owner.secret()).hex(), requests]
    done = subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    by_pool = {line["pool"]: line for line in map(json.loads, done.stdout.splitlines())}
    for request, quoted in quotes.items():
        result: dict[str, Any] = by_pool.get(request.pool, {"error": "the script printed no result"})
        different += not str(quoted) == result.get("quoted") == result.get("received")
        name = f"{request.kind} {request.pool[:6]}"
        print(f"| {name} | {request.amountIn} | {quoted} | {result.get('quoted')} | {result.get('received')} |")
        if "error" in result:
            print(f"{name}: {result['error']}", file=sys.stderr)
    return different


def _quotes(rpc: RpcClient, *, sells_sol: bool) -> Iterator[tuple[SwapRequest, int]]:
    """orderd's quote of each pool of the chain."""
    for kind in PoolKind:
        venue = venue_class(kind)(rpc, max_age_ms=0)
        for other, amount in _AMOUNTS.items():
            sold, bought = (WSOL_MINT, other) if sells_sol else (other, WSOL_MINT)
            paid = SOL if sells_sol else amount
            for pool in venue.liquidity(sold, bought).pools:
                yield SwapRequest(kind, pool.address, sold, bought, str(paid)), pool.side.quote(paid).amount_out


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
