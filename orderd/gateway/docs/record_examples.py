"""What the answers about the past look like: the fill of the order in ``examples``."""

from datetime import UTC, datetime
from typing import Final

from orderd.domain.order import OrderKind
from orderd.gateway.docs import examples
from orderd.records import HistoryFill, HistoryResult, HistoryTotals, PairTotal, PriceCandle, PricesResult

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
