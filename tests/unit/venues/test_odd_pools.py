"""A pool in any state that its accounts can hold may be left out, but does not affect other pools."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from orderd.amm.curve import NEVER, Curve
from orderd.amm.swap import SwapError, SwapErrorKind
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.solana.programs.layout import Record
from orderd.solana.rpc import ChainAccount
from orderd.venues.base import OpenPool
from orderd.venues.guest import SWAP_ERRORS, PoolRefusedError
from orderd.venues.pool_venue import PoolVenue
from tests.unit.venues.asking import best_quote
from tests.unit.venues.chain import Chain
from tests.unit.venues.test_acceptance import HUNDRED_USDC, ONE_SOL, SOL, USDC, VENUES, Card

GOOD, ODD = Pubkey.from_bytes(b"\x0d" * 32), Pubkey.from_bytes(b"\x0e" * 32)
OWNER = Pubkey.from_bytes(b"\x0f" * 32)
EXTREMES = (0, 1, 2**8 - 1, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, 2**127 - 1, 2**128 - 1, -1, -(2**31))


@pytest.fixture(params=VENUES, ids=lambda card: str(card.kind))
def card(request: pytest.FixtureRequest) -> Card:
    chosen: Card = request.param
    return chosen


def beside_a_good_one(card: Card) -> Chain:
    chain = Chain()
    card.pool(chain, GOOD)
    card.pool(chain, ODD)
    return chain


def numbers_of(record: Record, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The paths of numbers in a record and its nested records."""
    found = []
    for field in fields(record):  # type: ignore[arg-type]  # every record is a dataclass
        value = getattr(record, field.name)
        if isinstance(value, Record):
            found += numbers_of(value, (*path, field.name))
        elif isinstance(value, int):
            found.append((*path, field.name))
    return found


def changed(record: Any, path: tuple[str, ...], value: int) -> Any:
    name, *rest = path
    return replace(record, **{name: changed(getattr(record, name), tuple(rest), value) if rest else value})


def fits(record: Record) -> bool:
    try:
        record.encode()
    except (struct.error, OverflowError):
        return False
    return True


def odd_states(card: Card) -> st.SearchStrategy[bytes]:
    """The pool's account with some numbers at their extremes."""
    chain = beside_a_good_one(card)
    venue = card.venue(chain)
    state = venue.layout.record.decode(chain.accounts[ODD][1])
    places = numbers_of(state)

    def put(changes: Mapping[tuple[str, ...], int]) -> bytes:
        account = state
        for path, value in changes.items():
            candidate = changed(account, path, value)
            account = candidate if fits(candidate) else account
        return bytes(account.encode())

    values = st.just(0) | st.sampled_from(EXTREMES)
    return st.dictionaries(st.sampled_from(places), values, min_size=1, max_size=4).map(put)


def trade(venue: PoolVenue[Any, Any], pool: OpenPool, amount: int) -> None:
    """Everything that an order may request from a pool."""
    try:
        quote = pool.venue_quote(pool.side.quote(amount))
        venue.swap_instruction(quote, OWNER, OWNER, OWNER, 1, small=True)
    except (SwapError, PoolRefusedError):
        pass
    Curve(pool.side.segments(), amount).at(NEVER)


@pytest.mark.parametrize("kind", VENUES, ids=lambda card: str(card.kind))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_the_good_pool_trades_whatever_the_odd_pools_account_holds(kind: Card, data: st.DataObject) -> None:
    chain = beside_a_good_one(kind)
    chain.accounts[ODD] = (kind.program, data.draw(odd_states(kind)))
    venue = kind.venue(chain)
    for request in (ONE_SOL, HUNDRED_USDC):
        liquidity = venue.liquidity(request.mint_in, request.mint_out)
        pools = {pool.address: pool for pool in liquidity.pools}
        assert str(GOOD) in pools
        assert str(ODD) in pools or len(liquidity.refusals) == 1 or str(ODD) not in venue.pools(SOL_MINT, USDC_MINT)
        for pool in pools.values():
            trade(venue, pool, request.amount)


SOL_MINT, USDC_MINT = str(SOL), str(USDC)


@pytest.mark.parametrize("price", ["sqrt_min_price", "sqrt_price", "sqrt_max_price"])
def test_a_damm_v2_pool_of_the_first_layout_with_a_price_of_zero_is_left_out(price: str) -> None:
    """Its account does not store its balances, which are computed from its prices."""
    (damm_v2,) = (card for card in VENUES if card.kind is PoolKind.METEORA_DAMM_V2)
    changes: dict[str, Any] = {"layout_version": 0, price: 0}
    chain = Chain()
    damm_v2.pool(chain, GOOD)
    damm_v2.pool(chain, ODD, **changes)
    liquidity = damm_v2.venue(chain).liquidity(SOL_MINT, USDC_MINT)
    assert [pool.address for pool in liquidity.pools] == [str(GOOD)]
    assert [refusal.code for refusal in liquidity.refusals] == [ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY]


class UnforeseenError(Exception):
    """An exception that no code handles by type."""


def raising(*_: Any, **__: Any) -> Any:
    raise UnforeseenError


class BrokenSide:
    rates = quote = raising

    def segments(self) -> Any:
        yield from ()
        raise UnforeseenError


def only_for_odd(method: Callable[..., Any]) -> Callable[..., Any]:
    def call(first: Any, *rest: Any) -> Any:
        return raising() if getattr(first, "address", None) == ODD else method(first, *rest)

    return call


@pytest.mark.parametrize("step", ["_pool", "_side"])
def test_a_pool_that_raises_while_read_is_left_out(
    card: Card, step: str, monkeypatch: pytest.MonkeyPatch, injected_pool_faults: Callable[[], int]
) -> None:
    venue = card.venue(beside_a_good_one(card), max_age_ms=0, clock=iter(range(10**6)).__next__)
    monkeypatch.setattr(venue, step, only_for_odd(getattr(venue, step)))
    with capture_logs() as logs:
        for _ in range(3):
            liquidity = venue.liquidity(SOL_MINT, USDC_MINT)
            assert [pool.address for pool in liquidity.pools] == [str(GOOD)]
            (refusal,) = liquidity.refusals
            assert refusal.code is ErrorCode.POOL_UNSUPPORTED
            assert str(ODD) in refusal.detail
    assert injected_pool_faults() == 3, "every fault must be counted"
    logged = [line for line in logs if line["action"] == "pool_fault"]
    assert len(logged) == 1, "a fault must be logged once"
    assert isinstance(logged[0]["exc_info"], UnforeseenError)


def test_a_pool_that_cannot_be_decoded_is_skipped(
    card: Card, monkeypatch: pytest.MonkeyPatch, injected_pool_faults: Callable[[], int]
) -> None:
    chain = beside_a_good_one(card)
    odd = chain.accounts[ODD][1]
    venue = card.venue(chain)
    decode = venue._listing.decode
    chain.accounts[ODD] = (card.program, odd[:-1] + bytes([odd[-1] ^ 1]))

    def raising_on_odd(account: ChainAccount) -> Any:
        return decode(account) if account.data != chain.accounts[ODD][1] else raising()

    monkeypatch.setattr(venue._listing, "decode", raising_on_odd)
    assert [pool.address for pool in venue.liquidity(SOL_MINT, USDC_MINT).pools] == [str(GOOD)]
    assert injected_pool_faults() == 1


def test_a_side_that_raises_gives_a_typed_refusal_and_ends_its_curve(
    card: Card, monkeypatch: pytest.MonkeyPatch, injected_pool_faults: Callable[[], int]
) -> None:
    venue = card.venue(beside_a_good_one(card))
    monkeypatch.setattr(venue, "_side", lambda *_: BrokenSide())
    pool = venue.liquidity(SOL_MINT, USDC_MINT).pools[0]
    for ask in (pool.side.rates, lambda: pool.side.quote(1)):
        with pytest.raises(SwapError) as refused:
            ask()
        assert refused.value.kind is SwapErrorKind.UNFORESEEN
        assert pool.refused(refused.value).code is ErrorCode.POOL_UNSUPPORTED
    assert Curve(pool.side.segments(), 10**9).at(NEVER) == (0, 0)
    assert injected_pool_faults() == 3


def test_a_swap_that_cannot_be_built_is_a_refusal_of_its_pool(
    card: Card, monkeypatch: pytest.MonkeyPatch, injected_pool_faults: Callable[[], int]
) -> None:
    venue = card.venue(beside_a_good_one(card))
    quote = best_quote(venue, ONE_SOL)
    monkeypatch.setattr(venue, "_swap", raising)
    with pytest.raises(PoolRefusedError) as refused:
        venue.swap_instruction(quote, OWNER, OWNER, OWNER, 1, small=False)
    assert (refused.value.pool, refused.value.code) == (quote.pool, ErrorCode.POOL_UNSUPPORTED)
    assert not refused.value.passing
    assert injected_pool_faults() == 1


def test_a_swap_that_a_changed_pool_cannot_build_is_a_temporary_refusal(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(*_: Any) -> Any:
        raise SwapError(SwapErrorKind.INSUFFICIENT_LIQUIDITY)

    venue = card.venue(beside_a_good_one(card))
    quote = best_quote(venue, ONE_SOL)
    monkeypatch.setattr(venue, "_swap", moved)
    with pytest.raises(PoolRefusedError) as refused:
        venue.swap_instruction(quote, OWNER, OWNER, OWNER, 1, small=False)
    assert refused.value.passing
    assert refused.value.code is ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY


def test_a_pair_whose_pools_were_removed_after_the_quote_is_refused(card: Card) -> None:
    chain = Chain()
    card.pool(chain, GOOD)
    quote = best_quote(card.venue(chain), ONE_SOL)
    nothing_left = card.venue(Chain())
    with pytest.raises(OrderdError) as refused:
        nothing_left.token_programs(quote)
    assert refused.value.code is ErrorCode.ROUTE_NOT_FOUND


def test_every_refusal_of_the_maths_has_a_code() -> None:
    assert SWAP_ERRORS.keys() == set(SwapErrorKind)
