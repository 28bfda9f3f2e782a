"""Simnet's first block with a token that has a transfer fee: USDC, as a Token-2022 mint."""

import struct
from collections.abc import Mapping
from dataclasses import replace

from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_damm_v2.accounts import Pool
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.raydium_cpmm.accounts import PoolState
from orderd.simnet.account import LedgerAccount, rent_exempt_minimum
from orderd.simnet.actors import TRADERS
from orderd.simnet.genesis import USDC
from orderd.solana.pool_programs import program_of
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import Mint, TokenAccount
from tests.samples.mints import extended, fee

WITHHELD = bytes([token.EXTENDED_ACCOUNT]) + struct.pack("<HHQ", 2, 8, 0)
HELD = 10**15
PROGRAM = token.TOKEN_2022_PROGRAM_ID


def taxed(
    accounts: Mapping[Pubkey, LedgerAccount | None], bps: int, maximum: int, later: tuple[int, int, int] | None = None
) -> dict[Pubkey, LedgerAccount]:
    """All accounts, with USDC under Token-2022, and the first trader's holding of it."""
    changed = {key: _taxed(account) for key, account in accounts.items() if account is not None}
    changed[USDC] = _account(extended(Mint.decode(changed[USDC].data), fee(bps, maximum, later=later)).data)
    owner = TRADERS[0].pubkey()
    own = replace(TokenAccount.new(USDC, owner, HELD), extensions=WITHHELD).encode()
    changed[associated_token.address(owner, USDC, PROGRAM)] = _account(own)
    return changed


def withheld(account: LedgerAccount) -> int:
    """The transfer fees withheld in an account, in base units."""
    (amount,) = struct.unpack_from("<Q", account.data, account.data.index(struct.pack("<HH", 2, 8)) + 4)
    return int(amount)


def _taxed(account: LedgerAccount) -> LedgerAccount:
    if account.owner == token.PROGRAM_ID and len(account.data) == token.ACCOUNT_SIZE:
        held = TokenAccount.decode(account.data)
        return _account(replace(held, extensions=WITHHELD).encode()) if held.mint == USDC else account
    pool = _with_program(account)
    return account if pool is None else account._replace(data=pool)


def _with_program(account: LedgerAccount) -> bytes | None:
    """The account of a pool that trades USDC, with the token's program replaced; None for any other account."""
    try:
        if account.owner == program_of(PoolKind.RAYDIUM_CPMM).ids["simnet"]:
            cpmm = PoolState.decode(account.data)
            return replace(cpmm, token_1_program=PROGRAM).encode() if cpmm.mint_1 == USDC else None
        if account.owner == program_of(PoolKind.METEORA_DLMM).ids["simnet"]:
            pair = LbPair.decode(account.data)
            return replace(pair, token_y_program_flag=1).encode() if pair.mint_y == USDC else None
        if account.owner == program_of(PoolKind.METEORA_DAMM_V2).ids["simnet"]:
            pool = Pool.decode(account.data)
            return replace(pool, token_b_flag=1).encode() if pool.token_b_mint == USDC else None
    except ValueError:
        return None
    return None


def _account(data: bytes) -> LedgerAccount:
    return LedgerAccount(rent_exempt_minimum(len(data)), PROGRAM, data)
