"""Profit and loss from stored fills and movements, at stored prices."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from db import candles, movements
from db.candles import PairCandle
from db.connection import database
from db.models import DEFAULT_ACCOUNT
from db.movements import KeptMovement
from orderd.domain.candles import MINUTE, single
from orderd.domain.mint import MintFacts, Trait
from orderd.domain.movements import Movement, MovementKind
from orderd.domain.times import format_moment
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import CHILLGUY, registry_of
from orderd.engine.records.portfolio import value_of
from orderd.engine.records.profit import read_profit
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.profit import PnlParams, PnlResult, PnlToken, PortfolioParams
from tests.integration.engine.test_history import filled

pytestmark = pytest.mark.usefixtures("connection")

NOW = datetime.now(UTC)
TOKEN_2022 = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"
BEFORE = NOW - timedelta(hours=1)


def costs(mint: str, price: str, at: datetime = NOW, quote: str = USDC_MINT) -> None:
    candles.add([PairCandle(mint, quote, MINUTE, single(at, Decimal(price), MINUTE))])


def moved(mint: str, amount: int, kind: MovementKind, *, usdc: str | None = None, signature: str = "") -> None:
    movement = Movement(mint, amount, kind)
    price = None if usdc is None else Decimal(usdc)
    movements.keep("wallet", [KeptMovement(signature or f"{kind} {mint}", 7, BEFORE, movement, price)], 7)


def profit(account_id: UUID | None = None, **params: Any) -> PnlResult:
    return read_profit(registry_of("simnet"), account_id, PnlParams(**params))


def of(result: PnlResult, symbol: str) -> PnlToken:
    return next(token for token in result.tokens if token.token == symbol)


def test_a_sale_of_a_deposit_is_realised_and_the_rest_is_unrealised() -> None:
    moved(WSOL_MINT, 10 * 10**9, MovementKind.DEPOSIT, usdc="100")
    filled()  # 1.5 SOL for 152.310211 USDC, 5,000 lamports of fee and 0.002 SOL of rent
    costs(WSOL_MINT, "110")
    result = profit()
    sol, usdc = of(result, "SOL"), of(result, "USDC")
    assert (sol.realised, sol.fees, sol.rent) == ("2.310211", "0.0005", "0.2")
    assert (sol.held, sol.cost, sol.price, sol.is_estimated) == ("8.497995", "849.7995", "110", True)
    assert sol.unrealised == "84.97995"
    assert (usdc.held, usdc.cost, usdc.unrealised) == ("152.310211", "152.310211", "0")
    assert (result.totals.net, result.fills, result.movements) == ("87.089661", 1, 1)
    assert [(day.day, day.token, day.realised) for day in result.days] == [(f"{NOW:%Y-%m-%d}", "SOL", "2.310211")]


def test_a_purchase_is_a_lot_at_its_cost_in_sol() -> None:
    filled()
    costs(WSOL_MINT, "101.5401406")
    result = profit(unit="SOL", method="average")
    usdc = of(result, "USDC")
    assert (usdc.cost, usdc.realised) == ("1.5", "0")
    assert (result.totals.fees, result.totals.rent) == ("0.000005", "0.002")


def test_an_account_has_its_fills_but_no_deposits() -> None:
    moved(WSOL_MINT, 10 * 10**9, MovementKind.DEPOSIT, usdc="100")
    filled()
    own = profit(DEFAULT_ACCOUNT)
    assert (of(own, "SOL").uncovered, own.movements) == ("1.502005", 0)
    assert own.totals.realised == "0"


def test_an_external_swap_counts_as_a_trade() -> None:
    moved(WSOL_MINT, 10**9, MovementKind.DEPOSIT, usdc="100")
    moved(WSOL_MINT, -(10**9) // 2, MovementKind.TRADE, signature="outside")
    moved(USDC_MINT, 60_000_000, MovementKind.TRADE, signature="outside")
    moved(WSOL_MINT, -5_000, MovementKind.FEE, signature="outside")
    sol = of(profit(), "SOL")
    assert (sol.realised, sol.fees, sol.held) == ("10", "0.0005", "0.499995")


def test_tokens_without_a_price_are_reported_as_such() -> None:
    moved(CHILLGUY.mint, 5_000_000, MovementKind.DEPOSIT, usdc="2")
    result = profit()
    token = of(result, "CHILLGUY")
    assert (token.cost, token.price, token.value, token.unrealised) == ("10", None, None, None)
    assert (result.totals.unrealised, result.totals.net) == (None, None)


def test_a_price_through_sol_is_the_product_of_two_prices() -> None:
    moved(CHILLGUY.mint, 5_000_000, MovementKind.DEPOSIT, usdc="2")
    costs(CHILLGUY.mint, "0.02", quote=WSOL_MINT)
    costs(WSOL_MINT, "150")
    assert of(profit(), "CHILLGUY").price == "3"
    assert of(profit(unit="SOL"), "CHILLGUY").price == "0.02"


def test_only_the_requested_days_are_reported_and_summed() -> None:
    moved(WSOL_MINT, 10 * 10**9, MovementKind.DEPOSIT, usdc="100")
    filled()
    database.execute_sql("UPDATE movements SET at = at - interval '9 days'")
    database.execute_sql("UPDATE fills SET at = at - interval '3 days'")
    assert profit(since=format_moment(NOW - timedelta(days=4))).totals.realised == "2.310211"
    later = profit(since=format_moment(NOW - timedelta(days=1)))
    assert (later.totals.realised, later.days, of(later, "SOL").held) == ("0", (), "8.497995")


def test_totals_cover_all_records_up_to_a_slot() -> None:
    moved(WSOL_MINT, 10 * 10**9, MovementKind.DEPOSIT)
    filled()  # in slot 812
    assert movements.sums(7) == {WSOL_MINT: 10 * 10**9}
    assert movements.sums(1_000) == {WSOL_MINT: 10 * 10**9 - 1_500_000_000 - 5_000 - 2_000_000, USDC_MINT: 152_310_211}


def test_the_portfolio_has_values_shares_and_daily_changes() -> None:
    for price, at in (("100", NOW - timedelta(days=1)), ("110", NOW)):
        costs(WSOL_MINT, price, at)
    held = (("SOL", WSOL_MINT, "2"), ("USDC", USDC_MINT, "180"), ("CHILLGUY", CHILLGUY.mint, "7"))
    balances = BalancesResult(
        wallet="w", balances=tuple(Balance(token=name, mint=mint, amount=amount) for name, mint, amount in held)
    )
    found = value_of(registry_of("simnet"), balances, PortfolioParams())
    assert (found.value, found.change) == ("400", "5.26")
    assert [(each.value, each.share, each.change) for each in found.holdings] == [
        ("220", "55.00", "10.00"),
        ("180", "45.00", "0.00"),
        (None, None, None),
    ]
    nothing = value_of(registry_of("simnet"), BalancesResult(wallet="w", balances=()), PortfolioParams())
    assert (nothing.value, nothing.change) == ("0", None)


def test_a_token_that_is_not_traded_is_in_the_portfolio_without_a_value() -> None:
    tokens = registry_of("simnet")
    hooked, unread = "Hook111111111111111111111111111111111111111", "Unread1111111111111111111111111111111111111"
    tokens.learn(MintFacts(hooked, 2, TOKEN_2022, frozenset({Trait.TRANSFER_HOOK})))
    costs(WSOL_MINT, "110")
    held = (("SOL", WSOL_MINT, "2"), ("HOOK", hooked, "5"), (unread, unread, "7"))
    balances = BalancesResult(
        wallet="w", balances=tuple(Balance(token=name, mint=mint, amount=amount) for name, mint, amount in held)
    )
    found = value_of(tokens, balances, PortfolioParams())
    assert found.value == "220"
    assert [(each.token, each.amount, each.value, each.share) for each in found.holdings] == [
        ("SOL", "2", "220", "100.00"),
        ("HOOK", "5", None, None),
        (unread, "7", None, None),
    ]
