"""A local chain with many additional pairs, each of SOL and its own token, whose prices change at a given rate.

Each pair has one pool. Its price varies around a level, too little to meet resting orders. A jump raises the level once
by ``JUMP``. The time of the first transaction in a pool that has jumped is recorded; it is executed on arrival.
"""

import asyncio
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog
import uvloop
from solders.pubkey import Pubkey

from orderd.domain.tokens import Token
from orderd.pools.raydium_cpmm.accounts import PoolState
from orderd.pools.raydium_cpmm.addresses import authority_address, config_address, pool_address, vault_address
from orderd.pools.raydium_cpmm.simnet.genesis import add_sol_usdc
from orderd.simnet.actors import FAUCET
from orderd.simnet.bank import Bank
from orderd.simnet.block import Block, Executed, SealedBlock
from orderd.simnet.config import SimnetConfig
from orderd.simnet.genesis.accounts import SOL, USDC, FirstAccounts
from orderd.simnet.server import serve
from orderd.solana.programs import token
from orderd.solana.programs.token import Mint, TokenAccount

START_PRICE: Final = 1_000
"""Tokens of a pair for one SOL."""
JUMP: Final = 0.007
_NOISE: Final = 0.001
_PARTS: Final = 10**6
_CONFIG: Final = 9
_LAMPORTS: Final = 24_000 * SOL
_DECIMALS: Final = 6
_PATIENCE_SECONDS: Final = 20.0


def token_of(pair: int) -> Token:
    """The token of a pair."""
    # CPMM pools sort their mints, and wrapped SOL has a low address.
    mint = Pubkey.from_bytes(b"\x7f" + hashlib.sha256(b"benchmark token %d" % pair).digest()[1:])
    return Token(f"T{pair}", str(mint), _DECIMALS)


class Reaction(NamedTuple):
    """The times at which the block of a jump was opened and confirmed, and the order arrived, in unix seconds."""

    pair: int
    opened: float
    confirmed: float
    arrived: float


class Moves(NamedTuple):
    """The numbers of price changes and jumps, and the reactions to the jumps that met an order."""

    changes: int
    jumps: int
    reactions: list[Reaction]


@dataclass(frozen=True)
class ManyPairs:
    """The addresses and the process of the chain."""

    url: str
    ws_url: str
    process: subprocess.Popen[bytes]

    @property
    def settings(self) -> dict[str, str]:
        """Settings of a daemon that uses the chain."""
        return {"ORDERD_RPC_URL": self.url, "ORDERD_RPC_WS_URL": self.ws_url}

    def run(self, seconds: float, *, changes: float = 0, jumps: float = 0) -> Moves:
        """Change prices and let pools jump, at rates per second. Each pair jumps at most once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        plan = {"seconds": seconds, "changes": changes, "jumps": jumps}
        self.process.stdin.write(json.dumps(plan).encode() + b"\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return Moves(answer["changes"], answer["jumps"], [Reaction(*each) for each in answer["reactions"]])


@contextmanager
def running_many_pairs(pairs: int, slot_ms: int) -> Iterator[ManyPairs]:
    """Run the chain in a process during the block."""
    command = [sys.executable, "-m", "benchmarks.many_pairs", "--serve", str(pairs), str(slot_ms)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with process.stdin:  # the process ends when this is closed, also if this process dies
            url, ws_url = process.stdout.readline().decode().split()
            yield ManyPairs(url, ws_url, process)


@dataclass
class _Jump:
    """Its slot, and the times at which its block was opened and confirmed and an order traded, in unix seconds."""

    slot: int
    opened: float
    confirmed: float | None = None
    reacted: float | None = None


class Pairs:
    """The pools by the numbers of their pairs."""

    def __init__(self, bank: Bank, pairs: int) -> None:
        self._bank = bank
        self._pools = [_add(bank, pair) for pair in range(pairs)]
        self._pairs = {pool: pair for pair, pool in enumerate(self._pools)}
        self._levels = [1.0] * pairs
        self._chance = random.Random(1)
        self._next = 0
        self.changes_per_slot = self.jumps_per_slot = 0.0
        self._changes_due = self._jumps_due = 0.0
        self.changes = 0
        self.jumps: dict[int, _Jump] = {}
        self.reacted = asyncio.Event()
        bank.on_opened.append(self._opened)
        bank.on_executed.append(self._executed)
        bank.on_confirmed.append(self._confirmed)

    def _opened(self, block: Block) -> None:
        self._changes_due += self.changes_per_slot
        self._jumps_due += self.jumps_per_slot
        while self._jumps_due >= 1 and len(self.jumps) < len(self._pools):
            pair = len(self.jumps)
            self.jumps[pair] = _Jump(block.slot, time.time())
            self._levels[pair] *= 1 + JUMP
            self.move(pair)
            self._jumps_due -= 1
        while self._changes_due >= 1:
            self.move(self._next)
            self._next = (self._next + 1) % len(self._pools)
            self._changes_due -= 1

    def move(self, pair: int) -> None:
        """Set a random price near the pair's level. Changes the pool's account as well, as a swap does."""
        pool, there = self._pools[pair], self._bank.accounts
        state = PoolState.decode(there[pool].data)
        parts = round(self._levels[pair] * (1 + self._chance.uniform(-_NOISE, _NOISE)) * _PARTS)
        amounts = {
            state.vault_0: _LAMPORTS + state.protocol_fees_0 + state.fund_fees_0,
            state.vault_1: _LAMPORTS * START_PRICE * parts * 10**_DECIMALS // (SOL * _PARTS),
        }
        changed = {
            vault: there[vault]._replace(data=replace(TokenAccount.decode(there[vault].data), amount=amount).encode())
            for vault, amount in amounts.items()
        }
        state = replace(state, protocol_fees_1=state.protocol_fees_1 + 1)
        self._bank.replace({**changed, pool: there[pool]._replace(data=state.encode())})
        self.changes += 1

    def _executed(self, slot: int, executed: Executed) -> None:  # noqa: ARG002
        for key in executed.transaction.keys:
            if (pair := self._pairs.get(key)) in self.jumps and self.jumps[pair].reacted is None:
                self.jumps[pair].reacted = time.time()
                self.reacted.set()

    def _confirmed(self, block: SealedBlock) -> None:
        for jump in self.jumps.values():
            if jump.confirmed is None and jump.slot <= block.slot:
                jump.confirmed = time.time()


def _add(bank: Bank, pair: int) -> Pubkey:
    """Add a pool with its mint. Returns its address."""
    mint = Pubkey.from_string(token_of(pair).mint)
    pool = pool_address(config_address(_CONFIG), token.NATIVE_MINT, mint)
    first = FirstAccounts(time=0)
    first.mints()
    first.mint(mint, Mint.new(_DECIMALS, authority=FAUCET.pubkey()))
    add_sol_usdc(first, pool, _CONFIG, (_LAMPORTS, 0))
    state = replace(
        PoolState.decode(first.accounts[pool].data),
        mint_1=mint,
        mint_1_decimals=_DECIMALS,
        vault_1=vault_address(pool, mint),
    )
    first.accounts[pool] = first.accounts[pool]._replace(data=state.encode())
    authority, _ = authority_address()
    first.tokens(authority, mint, _LAMPORTS * START_PRICE * 10**_DECIMALS // SOL, state.vault_1)
    own = {key: account for key, account in first.accounts.items() if key not in bank.accounts}
    del own[vault_address(pool, USDC)]
    bank.replace(own)
    return pool


async def _serve(pairs: int, slot_ms: int) -> None:
    """Run the plans from standard input until it ends."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("error"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    with tempfile.TemporaryDirectory(prefix="many-pairs-") as directory:
        async with serve(SimnetConfig(state_dir=Path(directory), slot_ms=slot_ms, market=False)) as simnet:
            market = Pairs(simnet.chain.bank, pairs)
            print(simnet.http_url, simnet.ws_url, flush=True)
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await _run(market, slot_ms / 1_000, **json.loads(line))), flush=True)


async def _run(market: Pairs, slot_seconds: float, seconds: float, changes: float, jumps: float) -> dict[str, Any]:
    began, jumped = market.changes, len(market.jumps)
    market.changes_per_slot, market.jumps_per_slot = changes * slot_seconds, jumps * slot_seconds
    await asyncio.sleep(seconds)
    market.jumps_per_slot = 0.0
    changes = market.changes - began
    new = {pair: jump for pair, jump in market.jumps.items() if pair >= jumped}
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while any(jump.reacted is None for jump in new.values()):
                market.reacted.clear()
                await market.reacted.wait()
    market.changes_per_slot = 0.0
    reacted = [
        Reaction(pair, jump.opened, jump.confirmed, jump.reacted)
        for pair, jump in new.items()
        if jump.reacted is not None and jump.confirmed is not None
    ]
    return {"changes": changes, "jumps": len(new), "reactions": reacted}


if __name__ == "__main__":
    if sys.argv[1:2] != ["--serve"]:
        raise SystemExit("this is a chain for another benchmark; see: python -m benchmarks.triggers")
    uvloop.run(_serve(int(sys.argv[2]), int(sys.argv[3])))
