"""The last route of a pair, as a new process reads it."""

import pytest

from db import journal
from db.connection import database
from db.journal import Change
from db.prices import last_route
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Routed
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quoted import Refused, RoutedLeg
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from tests.integration.orders import built, claimed, pending
from tests.samples.orders import METEORA as QUOTED

pytestmark = pytest.mark.usefixtures("connection")

LEG = RoutedLeg(
    hop=1,
    venue=VenueName.RAYDIUM,
    pool="leg",
    pool_kind=PoolKind.RAYDIUM_CLMM,
    token_in="SOL",
    token_out="USDC",
    share="100",
    amount_in="1.5",
    amount_out="150",
)


def test_the_newest_route_of_a_pair_is_returned_with_its_candidate_pools() -> None:
    built()
    order = claimed()
    routed = Routed(chosen=QUOTED, quotes=(QUOTED,), min_amount_out="149", route=(LEG,))
    journal.apply([Change(order.id, routed, order.version, {"quoted_amount_out": 150_000_000})])
    past = last_route(WSOL_MINT, USDC_MINT, 300)
    assert past is not None
    assert (past.amount_in, past.amount_out, past.price_impact_bps) == (1_500_000_000, 150_000_000, "5")
    assert past.pools == {QUOTED.pool, "leg"}
    assert 0 <= past.age < 300
    assert last_route(USDC_MINT, WSOL_MINT, 300) is None


@pytest.mark.parametrize(
    ("min_out", "code", "counts"),
    [
        (None, ErrorCode.RPC_UNAVAILABLE, True),
        (1, ErrorCode.POOL_CLOSED, True),
        (1, ErrorCode.RPC_UNAVAILABLE, False),
        (1, ErrorCode.ROUTE_STALE, False),
    ],
)
def test_a_route_found_during_an_outage_with_an_own_minimum_is_not_a_price(
    min_out: int | None, code: ErrorCode, counts: bool
) -> None:
    (moved,) = journal.claim([pending(min_out=min_out)], "worker-a", 15.0)
    refused = Refused(venue=VenueName.RAYDIUM, code=code, detail="why")
    routed = Routed(chosen=QUOTED, quotes=(QUOTED,), refusals=(refused,), min_amount_out="1")
    journal.apply([Change(moved.order.id, routed, moved.order.version, {"quoted_amount_out": 2})])
    assert (last_route(WSOL_MINT, USDC_MINT, 300) is not None) is counts


@pytest.mark.parametrize(("max_in", "counts"), [(None, True), (2_000_000_000, False)])
def test_the_price_of_an_exact_purchase_is_that_of_its_route(max_in: int | None, counts: bool) -> None:
    """A purchase with its own maximum accepts routes that others would not; here a venue did not answer."""
    (moved,) = journal.claim([pending(exact_out=150_000_000, max_in=max_in)], "worker-a", 15.0)
    refused = Refused(venue=VenueName.RAYDIUM, code=ErrorCode.RPC_UNAVAILABLE, detail="why")
    routed = Routed(chosen=QUOTED, quotes=(QUOTED,), refusals=(refused,), min_amount_out="150", max_amount_in="1.6")
    columns = {"quoted_amount_out": 150_000_000, "quoted_amount_in": 1_500_000_000, "max_amount_in": 1_600_000_000}
    journal.apply([Change(moved.order.id, routed, moved.order.version, columns)])
    past = last_route(WSOL_MINT, USDC_MINT, 300)
    assert (past is not None) is counts
    assert past is None or (past.amount_in, past.amount_out) == (1_500_000_000, 150_000_000)


def test_old_or_unrouted_orders_give_no_price() -> None:
    claimed()
    assert last_route(WSOL_MINT, USDC_MINT, 300) is None
    built()
    assert last_route(WSOL_MINT, USDC_MINT, -1) is None
    assert not database.in_transaction()
