"""Guards of an order on liquidity: requirements on a new market, in addition to its price.

A new pool has no history, and its creator may have created the token too. So the order sets the minimum liquidity, the
maximum pool fee, and the accepted powers over the token. All guards are checked before the order fires, and again
before it is signed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import MintFacts
from orderd.domain.money import BPS, format_amount
from orderd.domain.terms import OrderTerms

_HUNDREDTHS_PER_BPS: Final = 100


@dataclass(frozen=True, slots=True)
class ObservedMarket:
    """Observations of the order's route, and of the token that it buys.

    ``liquidity`` is the amount that the pools of the last hop can pay to sellers of the token, in base units of the
    token that the order sells. ``pool_fee`` is the highest fee on the route, as a fraction. ``back`` is the amount that
    selling again would pay now, in base units; None if no pool would buy, and then ``no_way_back`` is the reason.
    ``holder`` is the fraction of the supply in the largest account that does not belong to a pool; None if the node
    does not report it.
    """

    liquidity: int
    pool_fee: Fraction
    back: int | None
    facts: MintFacts
    no_way_back: str = ""
    holder: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard of an order on liquidity: the ``wanted`` and the ``found`` value."""

    name: str
    wanted: str
    found: str
    is_met: bool
    code: ErrorCode


def guards(terms: OrderTerms, market: ObservedMarket) -> Iterator[Guard]:
    """All guards of the order, with the values found."""
    yield of_mint(terms, market.facts)
    assert terms.min_liquidity is not None, "an order on liquidity says how much"
    yield Guard(
        "liquidity",
        f"at least {_amount(terms, terms.min_liquidity)}",
        _amount(terms, market.liquidity),
        market.liquidity >= terms.min_liquidity,
        ErrorCode.POOL_SHALLOW,
    )
    assert terms.max_pool_fee_bps is not None, "it has a default"
    yield Guard(
        "pool fee",
        _at_most(terms.max_pool_fee_bps),
        _percent(market.pool_fee),
        market.pool_fee * BPS <= terms.max_pool_fee_bps,
        ErrorCode.POOL_FEE,
    )
    yield _round_trip(terms, market)
    if terms.max_holder_bps is not None:
        yield Guard(
            "largest holder",
            _at_most(terms.max_holder_bps),
            "the node does not tell" if market.holder is None else _percent(market.holder),
            market.holder is not None and market.holder * BPS <= terms.max_holder_bps,
            ErrorCode.ROUTE_HOLDER_UNKNOWN if market.holder is None else ErrorCode.ROUTE_HOLDER,
        )


def _round_trip(terms: OrderTerms, market: ObservedMarket) -> Guard:
    assert terms.max_round_trip_loss_bps is not None, "it has a default"
    wanted = f"{_at_most(terms.max_round_trip_loss_bps)} lost"
    if market.back is None:
        return Guard("round trip", wanted, market.no_way_back, is_met=False, code=ErrorCode.ROUTE_ROUND_TRIP)
    lost = max(1 - Fraction(market.back, terms.amount), Fraction(0))
    found = f"{_percent(lost)}: {_amount(terms, market.back)} come back"
    is_met = lost * BPS <= terms.max_round_trip_loss_bps
    return Guard("round trip", wanted, found, is_met, ErrorCode.ROUTE_ROUND_TRIP)


def of_mint(terms: OrderTerms, facts: MintFacts) -> Guard:
    """The guard that concerns only the token, with or without a pool."""
    allowed = frozenset[str]() if terms.allowed_traits is None else frozenset(terms.allowed_traits.split(","))
    against = {trait: warning for trait, warning in facts.warnings() if trait not in allowed}
    found = ", ".join(sorted(trait for trait, _ in facts.warnings())) or "no powers over it"
    if against:
        found = "; ".join(f"{trait}: {warning}" for trait, warning in against.items())
    wanted = "nobody has power over it" if not allowed else f"nobody has power over it but {', '.join(sorted(allowed))}"
    return Guard("mint", wanted, found, not against, ErrorCode.ROUTE_TOKEN_POWERS)


def objection(found: Iterator[Guard]) -> OrderdError | None:
    """Why the order is not executed; None if all guards are met."""
    for guard in found:
        if not guard.is_met:
            return OrderdError(guard.code, f"{guard.name}: wanted is {guard.wanted}; found is {guard.found}")
    return None


def _amount(terms: OrderTerms, amount: int) -> str:
    return f"{format_amount(amount, terms.token_in.decimals)} {terms.token_in.symbol}"


def _at_most(bps: int) -> str:
    return f"at most {format_amount(bps, 2)} %"


def _percent(part: Fraction) -> str:
    """Rounded up to a hundredth of a basis point: no loss and no fee is shown smaller than it is."""
    hundredths = -(-part.numerator * BPS * _HUNDREDTHS_PER_BPS // part.denominator)
    return f"{format_amount(hundredths, 4)} %"
