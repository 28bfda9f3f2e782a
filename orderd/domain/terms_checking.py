"""Checks what is given of terms before their tokens are known: the kind of the order, its prices, times and bounds.

``orderctl`` checks the same before it asks the daemon.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import WARNINGS
from orderd.domain.money import parse_slippage_bps
from orderd.domain.order import MARKET_EXITS, CatchUp, Floor, OrderKind, TimeInForce
from orderd.domain.price import parse_price
from orderd.domain.terms_given import GivenTerms
from orderd.domain.times import parse_moment, parse_span
from orderd.domain.tokens import Token
from orderd.domain.trigger import ADVERSE, CONFIRMED_BY, MAX_SLIPPAGE_BPS, Trail

T = TypeVar("T")
AT_THE_MOMENT: Final = MARKET_EXITS | {OrderKind.TAKE_PROFIT}
"""Kinds whose tries use the current price, because an earlier quote is outdated."""
_ENTRIES: Final = frozenset({OrderKind.MARKET, OrderKind.LIMIT, OrderKind.TWAP, OrderKind.ON_LIQUIDITY})
"""Kinds that may have exits."""
_CONFIRMED_BY: Final = dict.fromkeys(ADVERSE | {OrderKind.OCO}, CONFIRMED_BY) | {OrderKind.ON_LIQUIDITY: 1}
"""Kinds that several checks may have to confirm, and the default number of checks."""
MAX_POOL_FEE_BPS: Final = 500
MAX_ROUND_TRIP_LOSS_BPS: Final = 1_000
"""Default maximum loss of a round trip of an order on liquidity."""
_MIN_FILL_BPS: Final = 1_000
_IOC_SECONDS: Final = 5
"""Maximum age of the market's price for an IOC order."""


def check_side(given: GivenTerms) -> None:
    """Raises OrderdError REQUEST_INVALID without an amount, AMOUNT_NOT_ONE_SIDE if it is not that of one side."""
    sells, buys = given.amount_in is not None, given.exact_out is not None
    if not (sells or buys):
        raise OrderdError(ErrorCode.REQUEST_INVALID, "amount_in: is required")
    if sells and buys:
        raise OrderdError(ErrorCode.AMOUNT_NOT_ONE_SIDE, "both amount_in and exact_out are given")
    if buys and given.min_out is not None:
        raise OrderdError(ErrorCode.AMOUNT_NOT_ONE_SIDE, "min_out bounds what amount_in is sold for, not exact_out")
    if sells and given.max_in is not None:
        raise OrderdError(ErrorCode.AMOUNT_NOT_ONE_SIDE, "max_in bounds what exact_out is bought for, not amount_in")


def check_prices(given: GivenTerms) -> dict[str, Any]:
    """The kind of the order, its prices and its times: fields of OrderTerms by name.

    Raises OrderdError PRICE_INVALID, SLIPPAGE_OUT_OF_RANGE, TIME_INVALID or ORDER_TERMS_CONTRADICT.
    """
    kind = _kind_of(given)
    return {
        "kind": kind,
        "limit_price": _if_given(parse_price, given.limit_price),
        "stop_price": _if_given(parse_price, given.stop_price),
        "take_profit_price": _if_given(parse_price, given.take_profit_price),
        "trail": _if_given(lambda text: Trail.parse(text).text, given.trail),
        "max_slippage_bps": _max_slippage_bps(given, kind),
        "slippage_widens": given.slippage is None and kind in MARKET_EXITS,
        "max_pool_fee_bps": _guard_bps(given.max_pool_fee, kind, MAX_POOL_FEE_BPS),
        "max_round_trip_loss_bps": _guard_bps(given.max_round_trip_loss, kind, MAX_ROUND_TRIP_LOSS_BPS),
        "max_holder_bps": _if_given(parse_slippage_bps, given.max_holder),
        "allowed_traits": _if_given(_traits, given.allow),
        "confirm": given.confirm or _CONFIRMED_BY.get(kind),
        "confirm_seconds": _if_given(parse_span, given.confirm_for),
        "time_in_force": given.time_in_force or (TimeInForce.GTC if kind is OrderKind.LIMIT else None),
        "partial": given.partial or given.time_in_force is TimeInForce.IOC,
        "min_fill_bps": _min_fill_bps(given),
        "slices": given.slices,
        "every_seconds": _every_seconds(given),
        "jitter_bps": None if given.jitter is None else parse_slippage_bps(given.jitter.removesuffix("%")),
        "catch_up": given.catch_up or (CatchUp.ONE if kind is OrderKind.TWAP else None),
        "then_take_profit_price": _if_given(parse_price, given.then_take_profit),
        "then_stop_price": _if_given(parse_price, given.then_stop),
        "valid_seconds": _valid_seconds(given),
        "expires_at": _if_given(parse_moment, given.expires),
        "floor": given.floor or (Floor.EACH if kind in AT_THE_MOMENT else Floor.FIRST),
    }


def _min_fill_bps(given: GivenTerms) -> int | None:
    if not (given.partial or given.time_in_force is TimeInForce.IOC):
        return None
    bps = _MIN_FILL_BPS if given.min_fill is None else parse_slippage_bps(given.min_fill.removesuffix("%"))
    if bps == 0:
        raise OrderdError(ErrorCode.ORDER_TERMS_CONTRADICT, "min_fill is above 0 %")
    return bps


def _valid_seconds(given: GivenTerms) -> int | None:
    if given.valid_for is not None:
        return parse_span(given.valid_for)
    return _IOC_SECONDS if given.time_in_force is TimeInForce.IOC and given.expires is None else None


def _every_seconds(given: GivenTerms) -> int | None:
    if given.slices is None:
        return None
    if given.every is not None:
        return parse_span(given.every)
    assert given.over is not None
    every = parse_span(given.over) // given.slices
    if every == 0:
        why = f"{given.slices} executions within {given.over} are more than one per second"
        raise OrderdError(ErrorCode.ORDER_TERMS_CONTRADICT, why)
    return every


def _if_given(parse: Callable[[str], T], text: str | None) -> T | None:
    return None if text is None else parse(text)


def _max_slippage_bps(given: GivenTerms, kind: OrderKind) -> int | None:
    if given.max_slippage is not None:
        return parse_slippage_bps(given.max_slippage)
    return MAX_SLIPPAGE_BPS if kind in MARKET_EXITS else None


def _kind_of(given: GivenTerms) -> OrderKind:
    fires_at = {
        OrderKind.STOP: given.stop_price,
        OrderKind.TAKE_PROFIT: given.take_profit_price,
        OrderKind.TRAILING: given.trail,
    }
    named = [kind for kind, price in fires_at.items() if price is not None]
    kind = named[0] if named else OrderKind.MARKET if given.limit_price is None else OrderKind.LIMIT
    if kind is OrderKind.STOP and given.limit_price is not None:
        kind = OrderKind.STOP_LIMIT
    if named == [OrderKind.STOP, OrderKind.TAKE_PROFIT]:
        kind, named = OrderKind.OCO, []
    if given.slices is not None:
        kind = OrderKind.TWAP
    if given.min_liquidity is not None and kind is OrderKind.LIMIT:
        kind = OrderKind.ON_LIQUIDITY
    is_on_liquidity = kind is OrderKind.ON_LIQUIDITY
    needs = ", which has limit_price and min_liquidity" if given.type is OrderKind.ON_LIQUIDITY else ""
    for is_wrong, why in (
        (len(named) > 1, f"an order is either {' or '.join(named)}"),
        (kind is OrderKind.TWAP and named != [], "the executions of a TWAP have a limit price at most"),
        (kind is OrderKind.OCO and given.limit_price is not None, "the two orders of an OCO have no limit price"),
        (given.partial and kind is not OrderKind.LIMIT, "partial is for limit orders"),
        (
            (given.then_take_profit, given.then_stop) != (None, None) and kind not in _ENTRIES,
            f"exit prices need an order that buys, not a {kind} order",
        ),
        (given.partial and given.time_in_force is TimeInForce.FOK, "a fok order is executed whole"),
        (
            given.min_fill is not None and not given.partial and given.time_in_force is not TimeInForce.IOC,
            "min_fill belongs to partial",
        ),
        (kind is OrderKind.TWAP and (given.over is None) == (given.every is None), "give over or every, and not both"),
        (kind is not OrderKind.TWAP and given.jitter is not None, "jitter belongs to slices"),
        (kind is not OrderKind.TWAP and (given.over, given.every) != (None, None), "over and every belong to slices"),
        (kind is not OrderKind.TWAP and given.catch_up is not None, "catch_up belongs to slices"),
        (
            given.min_liquidity is not None and not is_on_liquidity,
            "min_liquidity belongs to an order with limit_price, and with no other price",
        ),
        (not is_on_liquidity and any(_guards(given)), "the conditions of a new pool need min_liquidity"),
        (
            given.type not in (None, kind),
            f"the prices that are given make it a {kind} order, and not {given.type}{needs}",
        ),
        (kind is OrderKind.TRAILING and given.limit_price is not None, "a trailing stop has no limit price"),
        (given.max_slippage is not None and kind not in MARKET_EXITS, f"max_slippage is for stops, and not for {kind}"),
        (
            (given.confirm, given.confirm_for) != (None, None) and kind not in _CONFIRMED_BY,
            "only a stop and an order on liquidity are confirmed",
        ),
        (given.time_in_force is not None and kind is not OrderKind.LIMIT, "time_in_force is for limit orders"),
        (given.valid_for is not None and given.expires is not None, "give valid_for or expires, and not both"),
        (
            given.exact_out is not None and kind is not OrderKind.MARKET,
            f"the amount of a {kind} order is an amount_in",
        ),
    ):
        if is_wrong:
            raise OrderdError(ErrorCode.ORDER_TERMS_CONTRADICT, why)
    return kind


def _guards(given: GivenTerms) -> tuple[str | None, ...]:
    return given.max_pool_fee, given.max_round_trip_loss, given.max_holder, given.allow


def _guard_bps(percent: str | None, kind: OrderKind, default: int) -> int | None:
    if percent is not None:
        return parse_slippage_bps(percent)
    return default if kind is OrderKind.ON_LIQUIDITY else None


def _traits(text: str) -> str:
    """Names of traits in the one order in which they are kept. Raises OrderdError REQUEST_INVALID."""
    named = {each.strip() for each in text.split(",")} - {""}
    known = [str(trait) for trait in WARNINGS]
    if unknown := sorted(named.difference(known)):
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"allow: {unknown[0][:50]!r} is none of {', '.join(known)}")
    return ",".join(sorted(named))


def check_wrapped(given: GivenTerms, token_in: Token) -> None:
    """Raises OrderdError TOKEN_NOT_WRAPPED if ``use_wrapped`` is set for another token than SOL."""
    if given.use_wrapped and not token_in.is_native:
        why = f"the order would sell {token_in.symbol} from the wallet's wrapped SOL"
        raise OrderdError(ErrorCode.TOKEN_NOT_WRAPPED, why)
