"""The children of an order that sell: the two orders of an OCO, and what follows an order that buys."""

from dataclasses import replace

from orderd.domain.order import Floor, OrderKind
from orderd.domain.terms import OrderTerms
from orderd.domain.trigger import CONFIRMED_BY, MAX_SLIPPAGE_BPS


def take_profit_of(oco: OrderTerms) -> OrderTerms:
    """The child of an OCO that sells at the better price."""
    return replace(
        oco,
        kind=OrderKind.TAKE_PROFIT,
        stop_price=None,
        max_slippage_bps=None,
        slippage_widens=False,
        confirm=None,
        confirm_seconds=None,
        floor=Floor.EACH,
    )


def stop_of(oco: OrderTerms) -> OrderTerms:
    """The child of an OCO that sells at the worse one."""
    return replace(oco, kind=OrderKind.STOP, take_profit_price=None, floor=Floor.EACH)


def exit_of(entry: OrderTerms) -> OrderTerms:
    """The terms of an entry's exit: an OCO, a stop or a take-profit, without an amount until the entry is filled."""
    profit, stop = entry.then_take_profit_price, entry.then_stop_price
    kind = OrderKind.TAKE_PROFIT if stop is None else OrderKind.STOP if profit is None else OrderKind.OCO
    has_stop = stop is not None
    return OrderTerms(
        token_in=entry.token_out,
        token_out=entry.token_in,
        amount_in=None,
        slippage_bps=entry.slippage_bps,
        floor=Floor.EACH,
        kind=kind,
        take_profit_price=profit,
        stop_price=stop,
        max_slippage_bps=MAX_SLIPPAGE_BPS if has_stop else None,
        slippage_widens=has_stop,
        confirm=CONFIRMED_BY if has_stop else None,
    )
