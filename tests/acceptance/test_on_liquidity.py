"""Orders that wait for a pool: what they buy when it comes, what keeps them from it, and that they buy once."""

import signal
from collections.abc import Iterator
from decimal import Decimal
from subprocess import CalledProcessError
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from solders.pubkey import Pubkey

from benchmarks.processes import pid_of, send
from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Deferred
from orderd.domain.order import EventKind, OrderStatus
from orderd.process.temporary import running_daemon
from orderd.wire.orders import SubmitParams
from tests.acceptance.launches import Launches
from tests.acceptance.test_resting import SETTINGS, Desk, wait_until
from tests.acceptance.trader import trading

AMOUNT: Final = "100"
LEAST: Final = Decimal(9_000)
"""What is received for it at the limit price, and less than a hundred tokens for each USDC."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Desk]:
    settings = SETTINGS | shared_database
    with running_daemon(tmp_path_factory.mktemp("orderd"), settings) as daemon, trading(daemon.url) as trader:
        yield Desk(daemon, trader)


@pytest.fixture(scope="module")
def launches(desk: Desk) -> Launches:
    return Launches(desk.daemon.log.parent)


def terms(mint: str, **others: Any) -> dict[str, Any]:
    """Buys at up to 1/90 USDC, of pools with 5,000 USDC."""
    asked = {"token_in": "USDC", "token_out": mint, "amount_in": AMOUNT, "limit_price": "0.0111"}
    return {**asked, "min_liquidity": "5000", "client_order_id": uuid4().hex, **others}


def submit(desk: Desk, mint: str, **others: Any) -> UUID:
    return desk.trader.submit(SubmitParams.model_validate(terms(mint, **others)))


def reasons(desk: Desk, order_id: UUID) -> list[ErrorCode]:
    """What the order was told to wait for, one after another."""
    events = desk.trader.detail(order_id).events
    return [each.data.code for each in events if isinstance(each.data, Deferred) and each.data.code is not None]


def waits_for(desk: Desk, order_id: UUID, code: ErrorCode) -> None:
    wait_until(lambda: code in reasons(desk, order_id), f"{code} of {reasons(desk, order_id)}")
    assert desk.status(order_id) is OrderStatus.OPEN
    assert desk.landed(order_id) == []


def buys(desk: Desk, order_id: UUID) -> str:
    """The pool that it has bought from, once, for no more than its price."""
    assert desk.sees_end(order_id) is OrderStatus.CONFIRMED
    assert len(desk.landed(order_id)) == 1
    order = desk.trader.detail(order_id).order
    assert Decimal(order.amount_out or 0) >= LEAST
    return order.pool or ""


def test_it_buys_as_soon_as_there_is_a_pool(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    args = ("--on-liquidity", "--max-price", "0.0111", "--min-liquidity", "5000")
    order = desk.orderctl("submit", "USDC", mint, AMOUNT, *args)["order"]
    assert (order["status"], order["type"], order["min_liquidity"]) == ("open", "on_liquidity", "5000")
    assert order["price_reads"].startswith("pools that hold 5000 USDC, and 0.0111 USDC per ")
    assert desk.kinds(UUID(order["id"])) == [EventKind.ACCEPTED]
    pool = launches.pool(mint, 10_000)
    assert buys(desk, UUID(order["id"])) == pool


def test_a_dry_run_shows_each_guard_as_soon_as_there_is_a_pool(desk: Desk, launches: Launches) -> None:
    mint = launches.mint(mintAuthority=True)
    dry_run = ("submit", "USDC", mint, AMOUNT, "--limit", "0.0111", "--min-liquidity", "20000", "--dry-run")
    with pytest.raises(CalledProcessError):
        desk.orderctl(*dry_run)
    launches.pool(mint, 10_000)
    found = desk.orderctl(*dry_run)
    guards = {each["name"]: (each["is_met"], each["code"]) for each in found["quote"]["guards"]}
    assert found["would"] == "rest"
    assert guards == {
        "mint": (False, "ROUTE_TOKEN_POWERS"),
        "liquidity": (False, "POOL_SHALLOW"),
        "pool fee": (True, "POOL_FEE"),
        "round trip": (True, "ROUTE_ROUND_TRIP"),
    }


def test_dust_is_waited_out_and_a_second_pool_is_found(desk: Desk, launches: Launches) -> None:
    """Whoever comes first may put a dollar there, before the true pool is made."""
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 1, fee_bps=30)
    waits_for(desk, order_id, ErrorCode.ROUTE_PRICE_IMPACT)
    pool = launches.pool(mint, 10_000)
    assert buys(desk, order_id) == pool


def test_a_pool_has_to_have_as_much_as_was_asked_for(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 4_999)
    waits_for(desk, order_id, ErrorCode.POOL_SHALLOW)
    pool = launches.pool(mint, 5_100)
    assert buys(desk, order_id) == pool


def test_a_pool_that_it_does_not_accept_keeps_it_from_no_other(desk: Desk, launches: Launches) -> None:
    """One pays more after its high fee, one pays more and holds little: it buys from the third."""
    mint = launches.mint()
    launches.pool(mint, 10_000, 1_200_000, fee_bps=900)
    launches.pool(mint, 4_000, 480_000, fee_bps=30)
    fair = launches.pool(mint, 10_000)
    order_id = submit(desk, mint)
    assert buys(desk, order_id) == fair


def test_a_fee_that_is_too_high_is_waited_out(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 10_000, 1_100_000, fee_bps=600)
    waits_for(desk, order_id, ErrorCode.POOL_FEE)
    wide = submit(desk, mint, max_pool_fee="6.1", max_round_trip_loss="20")
    assert desk.sees_end(wide) is OrderStatus.CONFIRMED, "whoever allows it is not kept from it"
    launches.pool(mint, 10_000, 1_200_000)
    buys(desk, order_id)


def test_what_selling_again_would_lose_counts(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint, max_round_trip_loss="1")
    launches.pool(mint, 10_000)
    waits_for(desk, order_id, ErrorCode.ROUTE_ROUND_TRIP)
    launches.pool(mint, 1_000_000)
    buys(desk, order_id)


def test_powers_over_the_token_are_reported_before_there_is_a_pool(desk: Desk, launches: Launches) -> None:
    mint = launches.mint(mintAuthority=True, freezeAuthority=True)
    order_id = submit(desk, mint, allow="mint_authority")
    waits_for(desk, order_id, ErrorCode.ROUTE_TOKEN_POWERS)
    both = submit(desk, mint, allow="freeze_authority,mint_authority")
    launches.pool(mint, 10_000)
    buys(desk, both)
    assert reasons(desk, both) == []
    assert desk.status(order_id) is OrderStatus.OPEN
    assert reasons(desk, order_id) == [ErrorCode.ROUTE_TOKEN_POWERS], "each reason is told once"


def test_who_holds_most_counts_where_it_is_asked_for(desk: Desk, launches: Launches) -> None:
    mint = launches.mint(owner=str(Pubkey.new_unique()), amount=400_000 * 10**6)
    wary, other = submit(desk, mint, max_holder="20"), submit(desk, mint)
    launches.pool(mint, 10_000)
    buys(desk, other)
    waits_for(desk, wary, ErrorCode.ROUTE_HOLDER)
    launches.pool(mint, 20_000)
    buys(desk, wary)


def test_liquidity_that_goes_again_is_not_bought_from(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint, confirm=200)
    pool = launches.pool(mint, 10_000)
    hasty = submit(desk, mint)
    assert buys(desk, hasty) == pool, "it was seen"
    launches.pool(mint, 0)
    wait_until(lambda: reasons(desk, order_id) != [], "that it is gone")
    assert (desk.status(order_id), desk.landed(order_id)) == (OrderStatus.OPEN, [])


def test_it_outlives_the_worker(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 100)
    wait_until(lambda: reasons(desk, order_id) != [], "a look at the dust")
    send([pid_of(desk.daemon, "worker")], signal.SIGKILL)
    pool = launches.pool(mint, 10_000)
    assert buys(desk, order_id) == pool


def test_nothing_is_bought_during_a_halt_after_a_cancel_or_when_the_time_is_over(
    desk: Desk, launches: Launches
) -> None:
    mint = launches.mint()
    kept, cancelled, brief = submit(desk, mint), submit(desk, mint), submit(desk, mint, valid_for="1s")
    desk.trader.cancel(cancelled)
    assert desk.sees_end(brief) is OrderStatus.EXPIRED
    desk.trader.halt("a look at the launch")
    launches.pool(mint, 10_000)
    later = launches.mint()
    launches.pool(later, 10_000)
    # A worker that has not heard of the halt yet may let it fire; nothing is signed all the same.
    assert desk.landed(kept) == []
    desk.trader.lift()
    buys(desk, kept)
    assert [desk.landed(each) for each in (cancelled, brief)] == [[], []]


def test_the_same_order_with_another_guard_is_another_order(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    first = terms(mint)
    order_id = desk.trader.submit(SubmitParams.model_validate(first))
    assert desk.trader.submit(SubmitParams.model_validate(first)) == order_id
    with pytest.raises(RefusedError) as refused:
        desk.trader.submit(SubmitParams.model_validate(first | {"min_liquidity": "1"}))
    assert refused.value.problem.code is ErrorCode.ORDER_CONFLICT


def test_its_price_can_be_amended(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint, limit_price="0.009")
    launches.pool(mint, 10_000)
    waits_for(desk, order_id, ErrorCode.ROUTE_BELOW_FLOOR)
    assert desk.orderctl("amend", str(order_id), "--limit", "0.0111")["min_liquidity"] == "5000"
    buys(desk, order_id)
