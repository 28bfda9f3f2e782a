"""Example answers of the records: the fill of the order in ``examples``."""

from datetime import UTC, datetime
from typing import Final

from orderd.domain.order import OrderKind
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.gateway.docs import examples
from orderd.wire.fills import HistoryFill, HistoryResult, HistoryTotals, PairTotal
from orderd.wire.prices import PriceCandle, PricesResult
from orderd.wire.profit import Holding, PnlDay, PnlResult, PnlToken, PnlTotals, PortfolioResult

HISTORY: Final = HistoryResult(
    fills=tuple(
        HistoryFill(
            **dict(fill),
            client_order_id=examples.DETAIL.order.client_order_id,
            account="default",
            kind=OrderKind.MARKET,
            token_in="SOL",
            token_out="USDC",
            venue=examples.DETAIL.order.venue,
            quote_slippage_bps="0.75",
            mid_slippage_bps="6.39",
        )
        for fill in examples.DETAIL.fills
    ),
    totals=HistoryTotals(
        fills=1,
        network_fee="0.0000062",
        rent="0",
        pairs=(
            PairTotal(
                token_in="SOL",
                token_out="USDC",
                fills=1,
                amount_in="1.5",
                amount_out="214.102",
                price="142.734667",
            ),
        ),
    ),
    next_cursor=None,
)
PRICES: Final = PricesResult(
    base="SOL",
    quote="USDC",
    interval="1m",
    candles=(
        PriceCandle(
            at=datetime(2026, 11, 21, 9, 30, tzinfo=UTC), open="142.81", high="142.9", low="142.74", close="142.826"
        ),
    ),
)
_EARNED: Final = {"realised": "12.302", "fees": "0.000885", "rent": "0"}
PNL: Final = PnlResult(
    unit="USDC",
    method="fifo",
    since=None,
    tokens=(
        PnlToken(
            token="SOL",
            mint=WSOL_MINT,
            held="12.40911",
            cost="1669.884",
            price="142.826",
            value="1772.343546",
            unrealised="102.459546",
            uncovered="0",
            is_estimated=True,
            **_EARNED,
        ),
    ),
    days=(PnlDay(day="2026-11-21", token="SOL", **_EARNED),),
    totals=PnlTotals(unrealised="102.459546", net="114.760661", **_EARNED),
    fills=1,
    movements=1,
)
PORTFOLIO: Final = PortfolioResult(
    wallet=examples.BALANCES.wallet,
    unit="USDC",
    value="1986.445544",
    change="1.21",
    holdings=(
        Holding(
            token="SOL",
            mint=WSOL_MINT,
            amount="12.40911",
            price="142.826",
            value="1772.343544",
            share="89.22",
            change="1.36",
        ),
        Holding(
            token="USDC", mint=USDC_MINT, amount="214.102", price="1", value="214.102", share="10.78", change="0.00"
        ),
    ),
)
