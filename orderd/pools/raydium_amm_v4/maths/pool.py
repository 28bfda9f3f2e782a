"""Raydium AMM v4: constant product, with one fee, all of which stays in the pool.

Formulas: raydium-io/raydium-amm, ``program/src/{processor,math}.rs``. "Coin" and "pc" are the program's names for the
base and the quote token. Amounts are base units.
"""

from fractions import Fraction
from typing import Final

from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div
from orderd.domain.frozen import dataclass

STATUS_WITH_ORDER_BOOK: Final = 1
"""The only status in which funds on the order book count towards the reserves."""


@dataclass(frozen=True, slots=True)
class AmmV4Pool:
    """A pool as AmmInfo, its vaults and its open orders store it. ``need_take_pnl_*`` is owed to the pool's owner."""

    status: int
    swap_fee_numerator: int
    swap_fee_denominator: int
    need_take_pnl_coin: int
    need_take_pnl_pc: int
    coin_vault: int
    pc_vault: int
    open_orders_coin: int
    open_orders_pc: int

    @property
    def reserve_coin(self) -> int:
        """The liquidity's balance of the coin."""
        placed = self.open_orders_coin if self.status == STATUS_WITH_ORDER_BOOK else 0
        return self.coin_vault + placed - self.need_take_pnl_coin

    @property
    def reserve_pc(self) -> int:
        """The liquidity's balance of the pc."""
        placed = self.open_orders_pc if self.status == STATUS_WITH_ORDER_BOOK else 0
        return self.pc_vault + placed - self.need_take_pnl_pc


@dataclass(frozen=True, slots=True)
class AmmV4Swap:
    """A swap's outcome in base units: ``amount_in`` is paid with the fee. ``pool`` is the state after the swap."""

    amount_in: int
    amount_out: int
    fee: int
    pool: AmmV4Pool

    @property
    def net_in(self) -> int:
        """The input that reached the curve, after the fee."""
        return self.amount_in - self.fee

    @property
    def gross_out(self) -> int:
        """The output of the curve; no fee is taken from it."""
        return self.amount_out


def swap_exact_in(pool: AmmV4Pool, amount_in: int, *, coin_to_pc: bool) -> AmmV4Swap:
    """Swap exactly ``amount_in`` base units of coin (``coin_to_pc``) or pc. Raises SwapError."""
    if amount_in <= 0:
        raise SwapError(SwapErrorKind.ZERO_INPUT)
    reserve_in, reserve_out = reserves(pool, coin_to_pc)
    fee = ceil_div(amount_in * pool.swap_fee_numerator, _fee_denominator(pool))
    net_in = amount_in - fee
    amount_out = reserve_out * net_in // (reserve_in + net_in)
    if amount_out == 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    return _settle(pool, amount_in, amount_out, fee, coin_to_pc)


def swap_exact_out(pool: AmmV4Pool, amount_out: int, *, coin_to_pc: bool) -> AmmV4Swap:
    """Swap for exactly ``amount_out`` base units of pc (``coin_to_pc``) or coin. Raises SwapError."""
    if amount_out <= 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    reserve_in, reserve_out = reserves(pool, coin_to_pc)
    if amount_out >= reserve_out:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    net_in = ceil_div(reserve_in * amount_out, reserve_out - amount_out)
    denominator = _fee_denominator(pool)
    amount_in = ceil_div(net_in * denominator, denominator - pool.swap_fee_numerator)
    return _settle(pool, amount_in, amount_out, amount_in - net_in, coin_to_pc)


def spot_price(pool: AmmV4Pool, *, coin_to_pc: bool) -> Fraction:
    """Base units of output per base unit of input for an infinitely small swap without fees. Raises SwapError."""
    reserve_in, reserve_out = reserves(pool, coin_to_pc)
    return Fraction(reserve_out, reserve_in)


def fee_rate(pool: AmmV4Pool) -> Fraction:
    """The fee as a fraction of the input. Raises SwapError if it is 1 or more."""
    return Fraction(pool.swap_fee_numerator, _fee_denominator(pool))


def reserves(pool: AmmV4Pool, coin_to_pc: bool) -> tuple[int, int]:
    """The liquidity's balances of the token in and of the token out. Raises SwapError if one is not positive."""
    coin, pc = pool.reserve_coin, pool.reserve_pc
    if coin <= 0 or pc <= 0:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    return (coin, pc) if coin_to_pc else (pc, coin)


def _fee_denominator(pool: AmmV4Pool) -> int:
    if pool.swap_fee_numerator >= pool.swap_fee_denominator:
        raise SwapError(SwapErrorKind.MATH_OVERFLOW)
    return pool.swap_fee_denominator


def _settle(pool: AmmV4Pool, amount_in: int, amount_out: int, fee: int, coin_to_pc: bool) -> AmmV4Swap:
    vault_in, vault_out = (pool.coin_vault, pool.pc_vault) if coin_to_pc else (pool.pc_vault, pool.coin_vault)
    if amount_in > U64_MAX:
        raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
    if vault_in + amount_in > U64_MAX:
        raise SwapError(SwapErrorKind.VAULT_BALANCE_OVERFLOW)
    if amount_out > vault_out:  # The rest of the reserve is on the order book.
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    vault_in += amount_in
    vault_out -= amount_out
    end = AmmV4Pool(
        status=pool.status,
        swap_fee_numerator=pool.swap_fee_numerator,
        swap_fee_denominator=pool.swap_fee_denominator,
        need_take_pnl_coin=pool.need_take_pnl_coin,
        need_take_pnl_pc=pool.need_take_pnl_pc,
        coin_vault=vault_in if coin_to_pc else vault_out,
        pc_vault=vault_out if coin_to_pc else vault_in,
        open_orders_coin=pool.open_orders_coin,
        open_orders_pc=pool.open_orders_pc,
    )
    return AmmV4Swap(amount_in, amount_out, fee, end)
