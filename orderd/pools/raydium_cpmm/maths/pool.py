"""Raydium CPMM (cp-swap): constant product, with trade, protocol, fund and creator fees.

Formulas: raydium-io/raydium-cp-swap, ``programs/cp-swap/src/curve/{fees,calculator,constant_product}.rs`` and
``states/pool.rs``. Fee rates are millionths. The protocol's and the fund's fee are parts of the trade fee. Together
with the creator's fee they stay in the vault until they are collected, but do not belong to the liquidity.
"""

from fractions import Fraction
from typing import Final

from orderd.amm.swap import U64_MAX, SwapError, SwapErrorKind, ceil_div, less_fee
from orderd.domain.frozen import dataclass

FEE_RATE_DENOMINATOR: Final = 1_000_000

CREATOR_FEE_ON_INPUT: Final = 0
CREATOR_FEE_ON_TOKEN_0: Final = 1
CREATOR_FEE_ON_TOKEN_1: Final = 2


@dataclass(frozen=True, slots=True)
class CpmmPool:
    """A pool's rates (millionths) and balances (base units), as PoolState, AmmConfig and the vaults store them."""

    trade_fee_rate: int
    protocol_fee_rate: int
    fund_fee_rate: int
    creator_fee_rate: int
    vault_0: int
    vault_1: int
    protocol_fees_0: int
    protocol_fees_1: int
    fund_fees_0: int
    fund_fees_1: int
    creator_fees_0: int
    creator_fees_1: int
    creator_fee_on: int
    enable_creator_fee: bool

    @property
    def reserve_0(self) -> int:
        """The liquidity's balance of token 0: the vault without uncollected fees."""
        return self.vault_0 - self.protocol_fees_0 - self.fund_fees_0 - self.creator_fees_0

    @property
    def reserve_1(self) -> int:
        """The liquidity's balance of token 1."""
        return self.vault_1 - self.protocol_fees_1 - self.fund_fees_1 - self.creator_fees_1


@dataclass(frozen=True, slots=True)
class CpmmSwap:
    """A swap's outcome in base units: ``amount_in`` is paid with all fees, ``amount_out`` received after them.

    ``protocol_fee`` and ``fund_fee`` are parts of ``trade_fee``. ``pool`` is the state after the swap.
    """

    amount_in: int
    amount_out: int
    trade_fee: int
    protocol_fee: int
    fund_fee: int
    creator_fee: int
    creator_fee_on_input: bool
    pool: CpmmPool

    @property
    def net_in(self) -> int:
        """The input that reached the curve, after fees on the input."""
        return self.amount_in - self.trade_fee - (self.creator_fee if self.creator_fee_on_input else 0)

    @property
    def gross_out(self) -> int:
        """The output of the curve, before a creator fee on the output."""
        return self.amount_out + (0 if self.creator_fee_on_input else self.creator_fee)


def swap_exact_in(pool: CpmmPool, amount_in: int, *, zero_for_one: bool) -> CpmmSwap:
    """Swap exactly ``amount_in`` base units of token 0 (``zero_for_one``) or token 1. Raises SwapError."""
    if amount_in <= 0:
        raise SwapError(SwapErrorKind.ZERO_INPUT)
    reserve_in, reserve_out = reserves(pool, zero_for_one)
    creator_rate, on_input = creator_fee_rate(pool, zero_for_one)
    if on_input:
        rate = pool.trade_fee_rate + creator_rate
        fee = ceil_div(amount_in * rate, FEE_RATE_DENOMINATOR)
        creator_fee = fee * creator_rate // rate if creator_rate else 0
        trade_fee = fee - creator_fee
        net_in = less_fee(amount_in, fee)
        amount_out = reserve_out * net_in // (reserve_in + net_in)
    else:
        trade_fee = ceil_div(amount_in * pool.trade_fee_rate, FEE_RATE_DENOMINATOR)
        net_in = less_fee(amount_in, trade_fee)
        gross_out = reserve_out * net_in // (reserve_in + net_in)
        creator_fee = ceil_div(gross_out * creator_rate, FEE_RATE_DENOMINATOR)
        amount_out = less_fee(gross_out, creator_fee)
    if amount_out == 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    return _settle(pool, amount_in, amount_out, trade_fee, creator_fee, on_input, zero_for_one)


def swap_exact_out(pool: CpmmPool, amount_out: int, *, zero_for_one: bool) -> CpmmSwap:
    """Swap for exactly ``amount_out`` base units of token 1 (``zero_for_one``) or token 0. Raises SwapError."""
    if amount_out <= 0:
        raise SwapError(SwapErrorKind.ZERO_OUTPUT)
    reserve_in, reserve_out = reserves(pool, zero_for_one)
    creator_rate, on_input = creator_fee_rate(pool, zero_for_one)
    gross_out = amount_out if on_input else _before_fee(amount_out, creator_rate)
    if gross_out >= reserve_out:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    net_in = ceil_div(reserve_in * gross_out, reserve_out - gross_out)
    if on_input:
        rate = pool.trade_fee_rate + creator_rate
        amount_in = _before_fee(net_in, rate)
        fee = amount_in - net_in
        creator_fee = fee * creator_rate // rate if creator_rate else 0
        trade_fee = fee - creator_fee
    else:
        amount_in = _before_fee(net_in, pool.trade_fee_rate)
        creator_fee = gross_out - amount_out
        trade_fee = amount_in - net_in
    return _settle(pool, amount_in, amount_out, trade_fee, creator_fee, on_input, zero_for_one)


def spot_price(pool: CpmmPool, *, zero_for_one: bool) -> Fraction:
    """Base units of output per base unit of input for an infinitely small swap without fees. Raises SwapError."""
    reserve_in, reserve_out = reserves(pool, zero_for_one)
    return Fraction(reserve_out, reserve_in)


def reserves(pool: CpmmPool, zero_for_one: bool) -> tuple[int, int]:
    """The liquidity's balances of the token in and of the token out. Raises SwapError if one is not positive."""
    reserve_0, reserve_1 = pool.reserve_0, pool.reserve_1
    if reserve_0 <= 0 or reserve_1 <= 0:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)
    return (reserve_0, reserve_1) if zero_for_one else (reserve_1, reserve_0)


def creator_fee_rate(pool: CpmmPool, zero_for_one: bool) -> tuple[int, bool]:
    """The creator's rate in this direction, and whether it is taken from the input."""
    rate = pool.creator_fee_rate if pool.enable_creator_fee else 0
    token_in = CREATOR_FEE_ON_TOKEN_0 if zero_for_one else CREATOR_FEE_ON_TOKEN_1
    return rate, pool.creator_fee_on in (CREATOR_FEE_ON_INPUT, token_in)


def _before_fee(net: int, rate: int) -> int:
    """The smallest amount that leaves ``net`` after a fee of ``rate``."""
    if rate >= FEE_RATE_DENOMINATOR:
        raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
    return ceil_div(net * FEE_RATE_DENOMINATOR, FEE_RATE_DENOMINATOR - rate)


def _settle(
    pool: CpmmPool,
    amount_in: int,
    amount_out: int,
    trade_fee: int,
    creator_fee: int,
    creator_fee_on_input: bool,
    zero_for_one: bool,
) -> CpmmSwap:
    """The result of a swap, with the pool's state after it."""
    if amount_in > U64_MAX:
        raise SwapError(SwapErrorKind.AMOUNT_IN_EXCEEDS_U64)
    if (pool.vault_0 if zero_for_one else pool.vault_1) + amount_in > U64_MAX:
        raise SwapError(SwapErrorKind.VAULT_BALANCE_OVERFLOW)
    protocol_fee = trade_fee * pool.protocol_fee_rate // FEE_RATE_DENOMINATOR
    fund_fee = trade_fee * pool.fund_fee_rate // FEE_RATE_DENOMINATOR
    creator_fee_in_token_0 = creator_fee_on_input == zero_for_one
    end = CpmmPool(
        trade_fee_rate=pool.trade_fee_rate,
        protocol_fee_rate=pool.protocol_fee_rate,
        fund_fee_rate=pool.fund_fee_rate,
        creator_fee_rate=pool.creator_fee_rate,
        vault_0=pool.vault_0 + (amount_in if zero_for_one else -amount_out),
        vault_1=pool.vault_1 + (-amount_out if zero_for_one else amount_in),
        protocol_fees_0=pool.protocol_fees_0 + (protocol_fee if zero_for_one else 0),
        protocol_fees_1=pool.protocol_fees_1 + (0 if zero_for_one else protocol_fee),
        fund_fees_0=pool.fund_fees_0 + (fund_fee if zero_for_one else 0),
        fund_fees_1=pool.fund_fees_1 + (0 if zero_for_one else fund_fee),
        creator_fees_0=pool.creator_fees_0 + (creator_fee if creator_fee_in_token_0 else 0),
        creator_fees_1=pool.creator_fees_1 + (0 if creator_fee_in_token_0 else creator_fee),
        creator_fee_on=pool.creator_fee_on,
        enable_creator_fee=pool.enable_creator_fee,
    )
    return CpmmSwap(amount_in, amount_out, trade_fee, protocol_fee, fund_fee, creator_fee, creator_fee_on_input, end)
