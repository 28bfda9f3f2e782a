"""The account of a Raydium AMM v4 pool. The program does not use Anchor, so the account has no discriminator.

Layouts: raydium-io/raydium-amm, ``program/src/state.rs``.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from orderd.pools.raydium_amm_v4.maths.pool import AmmV4Pool
from orderd.solana.programs.layout import U64, U128, Key, Record, raw
from orderd.solana.programs.unsupported import Unsupported, UnsupportedPoolError, check_reserved


class AmmStatus(IntEnum):
    UNINITIALIZED = 0
    INITIALIZED = 1
    DISABLED = 2
    WITHDRAW_ONLY = 3
    LIQUIDITY_ONLY = 4
    ORDER_BOOK_ONLY = 5
    SWAP_ONLY = 6
    WAITING_TRADE = 7
    """The first swap after ``pool_open_time`` changes it to SWAP_ONLY."""


_SWAPPING: Final = frozenset({AmmStatus.INITIALIZED, AmmStatus.SWAP_ONLY, AmmStatus.WAITING_TRADE})


@dataclass(frozen=True, slots=True)
class Fees(Record):
    """Fee fractions. Swaps use ``swap_fee``; the others belong to the former order book."""

    min_separate_numerator: U64
    min_separate_denominator: U64
    trade_fee_numerator: U64
    trade_fee_denominator: U64
    pnl_numerator: U64
    pnl_denominator: U64
    swap_fee_numerator: U64
    swap_fee_denominator: U64


@dataclass(frozen=True, slots=True)
class StateData(Record):
    """The amounts owed to the pool's owner (``need_take_pnl_*``, base units in the vaults), and counters.

    ``pool_open_time`` in unix seconds.
    """

    need_take_pnl_coin: U64
    need_take_pnl_pc: U64
    total_pnl_pc: U64
    total_pnl_coin: U64
    pool_open_time: U64
    padding: Annotated[bytes, raw(16)]
    orderbook_to_init_time: U64
    swap_coin_in_amount: U128
    swap_pc_out_amount: U128
    swap_acc_pc_fee: U64
    swap_pc_in_amount: U128
    swap_coin_out_amount: U128
    swap_acc_coin_fee: U64


@dataclass(frozen=True, slots=True)
class AmmInfo(Record):
    """A pool, 752 bytes."""

    status: U64
    nonce: U64
    order_num: U64
    depth: U64
    coin_decimals: U64
    pc_decimals: U64
    state: U64
    reset_flag: U64
    min_size: U64
    vol_max_cut_ratio: U64
    amount_wave: U64
    coin_lot_size: U64
    pc_lot_size: U64
    min_price_multiplier: U64
    max_price_multiplier: U64
    sys_decimal_value: U64
    fees: Fees
    state_data: StateData
    coin_vault: Key
    pc_vault: Key
    coin_mint: Key
    pc_mint: Key
    lp_mint: Key
    open_orders: Key
    market: Key
    market_program: Key
    target_orders: Key
    padding_1: Annotated[bytes, raw(64)]
    amm_owner: Key
    lp_amount: U64
    client_order_id: U64
    recent_epoch: U64
    padding_2: U64

    def accepts_swaps(self, unix_time: int) -> bool:
        """Whether the program accepts swaps now; if not, it fails with InvalidStatus."""
        if self.status == AmmStatus.WAITING_TRADE:
            return unix_time >= self.state_data.pool_open_time
        return self.status in _SWAPPING

    def to_pool(
        self, coin_vault: int, pc_vault: int, *, open_orders_coin: int = 0, open_orders_pc: int = 0
    ) -> AmmV4Pool:
        """The pool for the maths, with the vaults' balances in base units.

        Open orders count only for older releases of the program, which traded on an order book. Raises
        UnsupportedPoolError for a status without swaps, and if both mints are the same.
        """
        if self.status not in _SWAPPING:
            raise UnsupportedPoolError(Unsupported.SWAPS_OFF)
        if self.coin_mint == self.pc_mint:
            raise UnsupportedPoolError(Unsupported.SAME_MINTS)
        check_reserved(self, "padding_2")
        return AmmV4Pool(
            status=self.status,
            swap_fee_numerator=self.fees.swap_fee_numerator,
            swap_fee_denominator=self.fees.swap_fee_denominator,
            need_take_pnl_coin=self.state_data.need_take_pnl_coin,
            need_take_pnl_pc=self.state_data.need_take_pnl_pc,
            coin_vault=coin_vault,
            pc_vault=pc_vault,
            open_orders_coin=open_orders_coin,
            open_orders_pc=open_orders_pc,
        )
