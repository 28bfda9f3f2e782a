"""Raydium AMM v4: its maths against a binary from before the program left the order book.

The binary supports only the former instructions, which name the market's accounts. Here they are dummies, because a
pool with the status SWAP_ONLY does not read them.
Source: raydium-io/raydium-amm, ``program/src/instruction.rs``, before 2026.
"""

from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.amm.swap import U64_MAX, SwapError
from orderd.pools.raydium_amm_v4.addresses import authority_address
from orderd.pools.raydium_amm_v4.program import PROGRAM_ID
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4
from orderd.simnet.account import LedgerAccount
from orderd.solana.programs import token
from orderd.solana.programs.layout import U64, Record
from orderd.solana.programs.metas import readonly, signer, writable
from tests.conformance.orders import World, random_amount, random_limit
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import AmmV4

DUST: Final = 400
"""Input in base units below which the binary rounds the fee and the price to the nearest instead of up."""


@dataclass(frozen=True, slots=True)
class SwapBaseIn(Record):
    DISCRIMINATOR = b"\x09"
    amount_in: U64
    minimum_amount_out: U64


@dataclass(frozen=True, slots=True)
class SwapBaseOut(Record):
    DISCRIMINATOR = b"\x0b"
    max_amount_in: U64
    amount_out: U64


class FormerPool:
    """The pool of the first block, with the additional accounts of the former instructions."""

    def __init__(self, chain: LocalChain) -> None:
        self.pool = AmmV4(chain, SOL_USDC_AMM_V4)
        state = self.pool.state
        for key in (state.open_orders, state.market, *_MARKET):
            chain.bank.accounts.setdefault(key, LedgerAccount(10**9, state.market_program, bytes(3_228)))

    def swap(self, order: SwapBaseIn | SwapBaseOut, *, forward: bool) -> Instruction:
        state, chain = self.pool.state, self.pool.chain
        source, destination = (chain.held(mint) for mint in self.pool.mints(forward=forward))
        accounts = [
            readonly(token.PROGRAM_ID),
            writable(self.pool.address),
            readonly(authority_address()[0]),
            writable(state.open_orders),
            writable(state.coin_vault),
            writable(state.pc_vault),
            readonly(state.market_program),
            writable(state.market),
            *map(writable, _MARKET),
            readonly(_VAULT_SIGNER),
            writable(source),
            writable(destination),
            signer(chain.trader.pubkey()),
        ]
        return Instruction(PROGRAM_ID, order.encode(), accounts)


_MARKET: Final = tuple(Pubkey.from_bytes(bytes([100 + number] * 32)) for number in range(5))
"""Bids, asks, event queue, and both vaults."""
_VAULT_SIGNER: Final = Pubkey.from_bytes(bytes([110] * 32))


def swaps(world: World, random: Random) -> tuple[Instruction, Instruction, bool]:
    """A random swap as a current instruction for the handler and as a former one for the binary; whether it is dust."""
    pool = FormerPool(world.chain)
    forward, exact_out, amount = random.random() < 0.5, random.random() < 0.4, random_amount(random)
    limit = random_limit(pool.pool, amount, random, forward=forward, exact_out=exact_out)
    former = SwapBaseOut(limit, amount) if exact_out else SwapBaseIn(amount, limit)
    current = pool.pool.swap(amount, limit, forward=forward, exact_out=exact_out)
    return (
        current,
        pool.swap(former, forward=forward),
        _paid(pool.pool, amount, forward=forward, exact_out=exact_out) < DUST,
    )


def _paid(pool: AmmV4, amount: int, *, forward: bool, exact_out: bool) -> int:
    if not exact_out:
        return amount
    with suppress(SwapError):
        return pool.quote(amount, forward=forward, exact_out=True).amount_in
    return U64_MAX
