"""A quote and the fill it led to, as an order's events tell them."""

from orderd.domain.events import Confirmed, Quoted
from orderd.domain.quote import PoolKind, VenueName

QUOTED = Quoted(
    venue=VenueName.METEORA,
    pool="pool",
    pool_kind=PoolKind.METEORA_DLMM,
    amount_out="152.49",
    price="101.66",
    fee="0.0006",
    fee_token="SOL",
    price_impact_bps="1.25",
    slot=7,
)
CONFIRMED = Confirmed(
    attempt=1,
    signature="sig",
    venue=VenueName.METEORA,
    slot=9,
    amount_in="1.5",
    amount_out="152.4",
    executed_price="101.6",
    network_fee="0.000005",
)
