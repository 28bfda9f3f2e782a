"""Short reasons why venues are not part of a route."""

from collections.abc import Iterable, Sequence
from typing import Final

from orderd.amm.side import Quote
from orderd.amm.swap import SwapError
from orderd.domain.errors import AWAITED, ErrorCode, OrderdError, OutageError
from orderd.domain.pool_kind import VenueName
from orderd.domain.quote import UNANSWERED, VenueQuote, VenueRefusal
from orderd.domain.quoted import Refused
from orderd.engine.routing.quote_collection import Answers

# If no venue offers anything, the most informative reason is given.
_BY_INFORMATION: Final = (
    ErrorCode.RPC_WRONG_CHAIN,
    ErrorCode.ROUTE_VENUES_UNAVAILABLE,
    ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY,
    ErrorCode.ROUTE_AMOUNT_TOO_SMALL,
    ErrorCode.POOL_CLOSED,
    ErrorCode.POOL_UNSUPPORTED,
    ErrorCode.POOL_UNPROVEN,
    ErrorCode.ROUTE_NOT_FOUND,
)


def reasons(
    answers: Answers, singles: Sequence[Quote | SwapError], quotes: Sequence[VenueQuote], venues: Iterable[VenueName]
) -> tuple[VenueRefusal, ...]:
    """For each venue why it did not answer and, if it has no quote, the most informative reason of its pools.

    Pools that cool down are always named, because any of them might have been the best.
    """
    given = list(answers.refusals)
    for pool, single in zip(answers.pools, singles, strict=True):
        if isinstance(single, SwapError):
            given.append(pool.refused(single))
    quoting = {quote.venue for quote in quotes}
    refused: list[VenueRefusal] = []
    for name in dict.fromkeys(venues):
        own = [refusal for refusal in given if refusal.venue == name]
        absent = {refusal.code: refusal for refusal in own if refusal.code in UNANSWERED}
        refused += absent.values()
        final = [refusal for refusal in own if refusal.code not in UNANSWERED]
        cools = any(refusal.venue == name for refusal in answers.cooling)
        if name not in quoting and (final or not (absent or cools)):
            # It may still be part of a route through a third token.
            no_pool = VenueRefusal(
                name, ErrorCode.ROUTE_NOT_FOUND, f"{name} has no pool that trades this pair directly"
            )
            refused.append(min(final, key=lambda refusal: _rank(refusal.code), default=no_pool))
    return (*refused, *answers.cooling)


def no_offer_error(refusals: Sequence[VenueRefusal], *, has_pools: bool) -> OrderdError:
    """The error of an order for which no venue has an offer; without any pools, no other order of the pair has one."""
    error = OrderdError if has_pools else OutageError
    detail = "; ".join(f"{refusal.venue}: {refusal.detail}" for refusal in refusals)
    if {refusal.code for refusal in refusals} == {ErrorCode.RPC_POOLS_UNLISTED}:
        return error(ErrorCode.RPC_POOLS_UNLISTED, detail)
    codes = {ErrorCode.ROUTE_VENUES_UNAVAILABLE if refusal.code in UNANSWERED else refusal.code for refusal in refusals}
    code = min(codes, key=_rank, default=ErrorCode.ROUTE_NOT_FOUND)
    return error(code, detail or "no venue is configured")


def unless_missed(refusals: Iterable[VenueRefusal | Refused], refused: OrderdError) -> OrderdError:
    """The error of a refused order: if venues did not answer, that, because their pools might have taken the order."""
    missed = [each for each in refusals if each.code in AWAITED]
    if not missed:
        return refused
    unavailable = "; ".join(f"{each.venue}: {each.detail}" for each in missed)
    return OrderdError(ErrorCode.ROUTE_VENUES_UNAVAILABLE, f"{unavailable}; and of what is left, {refused.detail}")


def _rank(code: ErrorCode) -> int:
    return _BY_INFORMATION.index(code) if code in _BY_INFORMATION else len(_BY_INFORMATION)
