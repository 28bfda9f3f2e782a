"""Routing: the best offer wins, and a venue that is slow, down or broken keeps no order from the others."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderTerms
from orderd.domain.quote import PoolKind, QuoteRequest, RoutingDecision, VenueName, VenueQuote
from orderd.domain.tokens import BUILTIN_TOKENS
from orderd.engine.offers import offer_of
from orderd.engine.routing import Router

SOL, USDC = BUILTIN_TOKENS[:2]
REQUEST = QuoteRequest(SOL.mint, USDC.mint, 1_500_000_000)
QUOTE = VenueQuote(
    venue=VenueName.RAYDIUM,
    pool="pool",
    pool_kind=PoolKind.RAYDIUM_CPMM,
    mint_in=SOL.mint,
    mint_out=USDC.mint,
    amount_in=REQUEST.amount_in,
    amount_out=152_400_000,
    fee=3_750_000,
    fee_mint=SOL.mint,
    price_impact_bps=Decimal("0.63"),
    slot=7,
)


@dataclass
class StubVenue:
    """A venue that answers with what ``answer`` returns or raises."""

    name: VenueName
    answer: Callable[[], VenueQuote]
    fresh: bool = False

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        return ("pool",)

    def is_fresh(self, request: QuoteRequest) -> bool:
        return self.fresh

    def quote(self, request: QuoteRequest) -> VenueQuote:
        return self.answer()

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        raise AssertionError("routing builds nothing")

    def swap_instructions(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, min_amount_out: int
    ) -> list[Instruction]:
        raise AssertionError("routing builds nothing")


def offering(name: VenueName, amount_out: int, *, fresh: bool = False) -> StubVenue:
    return StubVenue(name, lambda: replace(QUOTE, venue=name, amount_out=amount_out), fresh)


def failing(name: VenueName, error: Exception) -> StubVenue:
    def fail() -> VenueQuote:
        raise error

    return StubVenue(name, fail)


def router(*venues: StubVenue, timeout_ms: int = 5_000, max_price_impact_bps: int = 500) -> Router:
    return Router(venues, timeout_ms=timeout_ms, max_price_impact_bps=max_price_impact_bps, threads=2)


@pytest.mark.parametrize("fresh", [True, False], ids=["from state at hand", "asked in parallel"])
def test_the_venue_that_pays_most_wins_and_all_answers_are_kept(fresh: bool) -> None:
    decision = router(
        offering(VenueName.RAYDIUM, 152_400_000, fresh=fresh), offering(VenueName.METEORA, 152_456_000, fresh=fresh)
    ).route(REQUEST)
    assert decision.chosen.venue is VenueName.METEORA
    assert [quote.amount_out for quote in decision.quotes] == [152_400_000, 152_456_000]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OrderdError(ErrorCode.RPC_UNAVAILABLE, "refused"), ErrorCode.RPC_UNAVAILABLE),
        (OrderdError(ErrorCode.POOL_CLOSED, "closed"), ErrorCode.POOL_CLOSED),
        (ZeroDivisionError("a bug"), ErrorCode.SERVICE_INTERNAL),
    ],
)
def test_one_venue_down_leaves_the_order_to_the_other(error: Exception, code: ErrorCode) -> None:
    decision = router(failing(VenueName.RAYDIUM, error), offering(VenueName.METEORA, 1)).route(REQUEST)
    assert decision.chosen.venue is VenueName.METEORA
    assert [(refusal.venue, refusal.code) for refusal in decision.refusals] == [(VenueName.RAYDIUM, code)]


@pytest.fixture
def stuck() -> Iterator[StubVenue]:
    """A venue that answers only when the test is over."""
    over = threading.Event()

    def wait() -> VenueQuote:
        over.wait()
        return QUOTE

    yield StubVenue(VenueName.RAYDIUM, wait)
    over.set()


def test_a_late_venue_is_left_behind(stuck: StubVenue) -> None:
    decision = router(stuck, offering(VenueName.METEORA, 1), timeout_ms=50).route(REQUEST)
    assert decision.chosen.venue is VenueName.METEORA
    assert [refusal.code for refusal in decision.refusals] == [ErrorCode.SERVICE_TIMEOUT]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ((ErrorCode.RPC_UNAVAILABLE, ErrorCode.RPC_RATE_LIMITED), ErrorCode.ROUTE_VENUES_UNAVAILABLE),
        ((ErrorCode.ROUTE_NOT_FOUND, ErrorCode.RPC_UNAVAILABLE), ErrorCode.ROUTE_VENUES_UNAVAILABLE),
        ((ErrorCode.ROUTE_NOT_FOUND, ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY), ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY),
        ((ErrorCode.ROUTE_NOT_FOUND, ErrorCode.ROUTE_NOT_FOUND), ErrorCode.ROUTE_NOT_FOUND),
    ],
)
def test_without_an_offer_the_most_telling_reason_is_given(codes: tuple[ErrorCode, ErrorCode], told: ErrorCode) -> None:
    venues = [failing(name, OrderdError(code, "why")) for name, code in zip(VenueName, codes, strict=True)]
    with pytest.raises(OrderdError, match="raydium: why; meteora: why") as caught:
        router(*venues).route(REQUEST)
    assert caught.value.code is told


def test_an_offer_that_moves_the_price_too_far_is_refused() -> None:
    venue = StubVenue(VenueName.RAYDIUM, lambda: replace(QUOTE, price_impact_bps=Decimal("500.01")))
    with pytest.raises(OrderdError, match=r"by 500\.01 basis points, the limit is 500") as caught:
        router(venue).route(REQUEST)
    assert caught.value.code is ErrorCode.ROUTE_PRICE_IMPACT


def test_an_offer_is_told_in_whole_tokens() -> None:
    terms = OrderTerms(SOL, USDC, REQUEST.amount_in, slippage_bps=50)
    offer = offer_of(terms, RoutingDecision(QUOTE, (QUOTE,), ()))
    told = offer.chosen
    assert (told.amount_out, told.price, told.fee, told.fee_token) == ("152.4", "101.6", "0.00375", "SOL")
    assert offer.min_amount_out == 151_638_000


def test_an_offer_of_nothing_after_slippage_is_refused() -> None:
    terms = OrderTerms(SOL, USDC, REQUEST.amount_in, slippage_bps=10_000)
    with pytest.raises(OrderdError) as caught:
        offer_of(terms, RoutingDecision(QUOTE, (QUOTE,), ()))
    assert caught.value.code is ErrorCode.ROUTE_AMOUNT_TOO_SMALL
