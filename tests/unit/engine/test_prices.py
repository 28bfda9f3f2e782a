"""Prices are recorded from pool states that were read for other purposes, once per state."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from db import candles
from db import tokens as stored
from db.candles import PairCandle
from db.connection import database
from orderd.domain.candles import MINUTE
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.price import PairPrice
from orderd.domain.tokens import Token
from orderd.domain.well_known import WELL_KNOWN, registry_of
from orderd.engine.prices import recorder
from orderd.engine.prices.recorder import PriceRecorder
from orderd.engine.prices.reference import price_of
from orderd.engine.routing.quote_collection import Answers, Pair
from orderd.venues.base import OpenPool
from tests.unit.engine.test_routing import VAULTS, side

SOL, USDC, CHILLGUY = WELL_KNOWN["simnet"][:3]
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HUNDRED = 0.1
"""Base units of USDC per base unit of SOL: 100 USDC per SOL."""


def pool(
    price: float, slot: int = 7, *, sold: Token = SOL, bought: Token = USDC, name: str = "pool", depth: int = 10**15
) -> OpenPool:
    met = side(price, depth)
    return OpenPool(VenueName.RAYDIUM, name, PoolKind.RAYDIUM_CPMM, sold.mint, bought.mint, slot, met, 1, 0, VAULTS)


@pytest.mark.parametrize(("sold", "bought", "price"), [(SOL, USDC, HUNDRED), (USDC, SOL, 1 / HUNDRED)])
def test_the_price_is_that_of_the_base_token_in_either_direction(sold: Token, bought: Token, price: float) -> None:
    found = price_of([pool(price, sold=sold, bought=bought)], PairPrice(sold, bought))
    assert found is not None
    assert found == pytest.approx(Decimal(100), rel=Decimal("1e-9"))


def test_the_price_is_between_the_best_pools_and_ignores_nearly_empty_ones() -> None:
    found = [pool(0.1), pool(0.102, name="other"), pool(0.2, name="dust", depth=1_000)]
    price = price_of(found, PairPrice(SOL, USDC))
    assert price == pytest.approx(Decimal(101), rel=Decimal("1e-9"))


def test_pools_that_cannot_trade_give_no_price() -> None:
    assert price_of([], PairPrice(SOL, USDC)) is None


class Recording:
    """What the router has read, the clock, and the stored candles."""

    def __init__(self) -> None:
        self.seen: dict[Pair, Answers] = {}
        self.now = NOON
        self.stored: list[PairCandle] = []
        self.recorder = PriceRecorder(lambda: self.seen, registry_of("simnet"), now=lambda: self.now)

    def read(self, *pools: OpenPool) -> None:
        self.seen[pools[0].mint_in, pools[0].mint_out] = Answers(pools, ())

    def minutes(self) -> list[tuple[int, list[str]]]:
        """The minute of each candle, and its prices in whole USDC."""
        return [
            (
                each.candle.at.minute,
                [f"{value:.0f}" for value in (each.candle.open, each.candle.high, each.candle.low, each.candle.close)],
            )
            for each in self.stored
            if each.seconds == MINUTE
        ]


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Recording:
    recording = Recording()
    monkeypatch.setattr(candles, "add", recording.stored.extend)
    monkeypatch.setattr(stored, "mints_known", lambda _: [])
    monkeypatch.setattr(type(database), "connection_context", lambda _: nullcontext())
    return recording


def test_each_state_counts_once(recording: Recording) -> None:
    for second, price, slot in ((0, 0.1, 7), (1, 0.12, 8), (2, 0.12, 8), (3, 0.09, 9), (4, 0.5, 6)):
        recording.now = NOON + timedelta(seconds=second)
        recording.read(pool(price, slot))
        recording.recorder.run_once()
    assert recording.minutes() == [(0, ["100", "120", "90", "90"])], "an older state must be ignored"
    hours = [each for each in recording.stored if each.seconds != MINUTE]
    assert [each.candle.at for each in hours] == [NOON]
    assert {(each.base, each.quote) for each in recording.stored} == {(SOL.mint, USDC.mint)}


def test_an_unchanged_pool_has_a_price_in_each_minute_in_which_it_is_read(recording: Recording) -> None:
    still = pool(0.1)
    for minute in range(3):
        recording.now = NOON + timedelta(minutes=minute)
        if minute != 1:
            recording.read(replace(still, slot=still.slot + minute))
        recording.recorder.run_once()
    recording.recorder.store()
    assert [minute for minute, _ in recording.minutes()] == [0, 2], "the pool was not read in between"


def test_prices_that_could_not_be_stored_are_stored_later(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording.read(pool(0.1))
    recording.recorder.run_once()

    def fail(_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(candles, "add", fail)
        with pytest.raises(ConnectionError):
            recording.recorder.store()
    recording.recorder.store()
    assert len(recording.minutes()) == 1
    recording.recorder.store()
    assert len(recording.minutes()) == 1, "a candle was stored twice"


def test_a_pair_without_a_computable_price_does_not_affect_others(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def price_of_good(pools: Sequence[OpenPool], pair: PairPrice) -> Decimal | None:
        if pair.base == CHILLGUY:
            raise ZeroDivisionError
        return price_of(pools, pair)

    monkeypatch.setattr(recorder, "price_of", price_of_good)
    recording.read(pool(0.1, sold=CHILLGUY))
    recording.read(pool(0.1))
    recording.recorder.run_once()
    recording.recorder.store()
    assert {each.base for each in recording.stored} == {SOL.mint}


def test_pairs_in_neither_usdc_nor_sol_and_unknown_tokens_are_left_out(recording: Recording) -> None:
    other = Token("OTHER", "OtherMint1111111111111111111111111111111111", 6)
    recording.read(pool(0.1, sold=CHILLGUY, bought=other))
    recording.seen[SOL.mint, USDC.mint] = Answers((), ())
    recording.recorder.run_once()
    recording.recorder.store()
    assert recording.stored == []
