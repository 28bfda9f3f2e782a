"""The first block: programs, mints, pools and the actors' balances.

Pools are snapshots of mainnet pools at their real addresses, and constructed SOL/USDC pools at about the same price;
each kind's folder has its own. Addresses are derived as the programs derive them. Vaults hold at least what the pools
can pay.
"""

from dataclasses import dataclass
from typing import Final

from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.simnet import sysvars
from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.simnet.actors import ARBITRAGEUR, FAUCET, IDENTITY, TRADERS
from orderd.simnet.block import SealedBlock
from orderd.simnet.genesis import lookup_tables
from orderd.simnet.genesis.accounts import CHILLGUY, SOL, STACC, USDC, FirstAccounts, FirstPool
from orderd.simnet.transaction import BUILTINS
from orderd.solana.deployments import FIXED_LOADER
from orderd.solana.pool_programs import part, pool_programs
from orderd.solana.programs import associated_token, compute_budget, memo, system, token

__all__ = ["CHILLGUY", "SOL", "STACC", "USDC", "Genesis"]

START_PRICE: Final = 0.10166
"""USDC base units per lamport: 101.66 USDC per SOL, the price of the real CLMM pool."""

FIRST_SLOT: Final = 1_000
"""Higher than the first block's height of 0, because on a cluster slots are ahead of heights."""

PROGRAMS: Final = (
    system.PROGRAM_ID,
    compute_budget.PROGRAM_ID,
    token.PROGRAM_ID,
    token.TOKEN_2022_PROGRAM_ID,
    associated_token.PROGRAM_ID,
    memo.PROGRAM_ID,
    *(program.ids["simnet"] for program in pool_programs()),
)

_NATIVE_LOADER: Final = Pubkey.from_string("NativeLoader1111111111111111111111111111111")

FAUCET_LAMPORTS: Final = 400_000_000 * SOL
_USDC_UNIT: Final = 10**6


@dataclass(frozen=True, slots=True)
class Genesis:
    """The start of a chain. ``time`` in unix seconds."""

    time: int

    def block(self) -> SealedBlock:
        """The first block, which has no transactions."""
        first = FirstAccounts(self.time)
        _programs(first)
        first.mints()
        _actors(first)
        for pool in _pools():
            pool.add(first)
        first.accounts |= lookup_tables.accounts()
        return SealedBlock(
            slot=FIRST_SLOT,
            height=0,
            blockhash=Hash.hash(b"simnet genesis %d" % self.time),
            parent=Hash.default(),
            time=self.time,
            transaction_count=0,
            before={},
            changed=first.accounts,  # type: ignore[arg-type]  # only read, and no value is None
            executed=[],
            signatures=(),
            unit_prices=(),
        )


def _programs(first: FirstAccounts) -> None:
    for program in PROGRAMS:
        loader = _NATIVE_LOADER if program in BUILTINS else FIXED_LOADER
        first.accounts[program] = LedgerAccount(rent_exempt_minimum(36), loader, bytes(36), executable=True)
    first.accounts[sysvars.RENT] = sysvars.rent_account()


def _actors(first: FirstAccounts) -> None:
    first.accounts[FAUCET.pubkey()] = LedgerAccount(FAUCET_LAMPORTS, system.PROGRAM_ID)
    first.accounts[IDENTITY.pubkey()] = LedgerAccount(SOL, system.PROGRAM_ID)
    for trader in (ARBITRAGEUR, *TRADERS):
        first.accounts[trader.pubkey()] = LedgerAccount(100_000 * SOL, system.PROGRAM_ID)
        first.tokens(trader.pubkey(), token.NATIVE_MINT, 1_000_000 * SOL)
        first.tokens(trader.pubkey(), USDC, 100_000_000 * _USDC_UNIT)


def _pools() -> list[FirstPool]:
    """The pools of all kinds: first those of SOL/USDC, then two real pools of other tokens, reached from USDC by way of
    SOL."""
    pools: list[FirstPool] = [pool for kind in PoolKind for pool in part(kind, "simnet.genesis").POOLS]
    return sorted(pools, key=lambda pool: pool.token != USDC)
