"""The accounts of a Raydium CPMM pool.

Layouts: raydium-io/raydium-cp-swap, ``programs/cp-swap/src/states``. Anchor discriminators are the first 8 bytes of
sha256("account:<name>").
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Annotated

from orderd.pools.raydium_cpmm.maths.pool import CREATOR_FEE_ON_TOKEN_1, CpmmPool
from orderd.solana.programs.layout import (
    U8,
    U16,
    U64,
    Key,
    Record,
    raw,
)
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError, check_reserved


class PoolStatus(IntFlag):
    """Bits of PoolState.status; each disables a function."""

    DEPOSIT_DISABLED = 1
    WITHDRAW_DISABLED = 2
    SWAP_DISABLED = 4


@dataclass(frozen=True, slots=True)
class AmmConfig(Record):
    """Fee rates (millionths) that many pools share, 236 bytes."""

    DISCRIMINATOR = bytes.fromhex("daf42168cbcb2b6f")
    bump: U8
    disable_create_pool: U8
    index: U16
    trade_fee_rate: U64
    protocol_fee_rate: U64
    fund_fee_rate: U64
    create_pool_fee: U64
    protocol_owner: Key
    fund_owner: Key
    creator_fee_rate: U64
    padding: Annotated[bytes, raw(120)] = bytes(120)


@dataclass(frozen=True, slots=True)
class PoolState(Record):
    """A pool, 637 bytes. Fees in base units, which are in the vaults until they are collected; ``open_time`` in unix
    seconds."""

    DISCRIMINATOR = bytes.fromhex("f7ede3f5d7c3de46")
    amm_config: Key
    pool_creator: Key
    vault_0: Key
    vault_1: Key
    lp_mint: Key
    mint_0: Key
    mint_1: Key
    token_0_program: Key
    token_1_program: Key
    observation: Key
    auth_bump: U8
    status: U8
    lp_mint_decimals: U8
    mint_0_decimals: U8
    mint_1_decimals: U8
    lp_supply: U64
    protocol_fees_0: U64
    protocol_fees_1: U64
    fund_fees_0: U64
    fund_fees_1: U64
    open_time: U64
    recent_epoch: U64
    creator_fee_on: U8
    enable_creator_fee: U8
    padding_1: Annotated[bytes, raw(6)]
    creator_fees_0: U64
    creator_fees_1: U64
    padding_2: Annotated[bytes, raw(224)] = bytes(224)

    def accepts_swaps(self, unix_time: int) -> bool:
        """Whether the program accepts swaps now; if not, it fails with NotApproved."""
        return not self.status & PoolStatus.SWAP_DISABLED and unix_time >= self.open_time

    def check_flags(self) -> None:
        """Raises UnsupportedPoolError for flags that this code does not know."""
        if (
            self.status & ~sum(PoolStatus)
            or self.creator_fee_on > CREATOR_FEE_ON_TOKEN_1
            or self.enable_creator_fee > 1
        ):
            raise UnsupportedPoolError(Unsupported.UNKNOWN_FLAG)
        check_reserved(self, "padding_1", "padding_2")

    def to_pool(self, config: AmmConfig, vault_0: int, vault_1: int) -> CpmmPool:
        """The pool for the maths, with the vaults' balances in base units."""
        return CpmmPool(
            trade_fee_rate=config.trade_fee_rate,
            protocol_fee_rate=config.protocol_fee_rate,
            fund_fee_rate=config.fund_fee_rate,
            creator_fee_rate=config.creator_fee_rate,
            vault_0=vault_0,
            vault_1=vault_1,
            protocol_fees_0=self.protocol_fees_0,
            protocol_fees_1=self.protocol_fees_1,
            fund_fees_0=self.fund_fees_0,
            fund_fees_1=self.fund_fees_1,
            creator_fees_0=self.creator_fees_0,
            creator_fees_1=self.creator_fees_1,
            creator_fee_on=self.creator_fee_on,
            enable_creator_fee=bool(self.enable_creator_fee),
        )
