"""Orders that wait for a pool: when they buy, which guards hold them back, and that they buy once."""

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
from orderd.wire.submissions import SubmitParams
from tests.acceptance.launches import Launches
from tests.acceptance.test_resting import SETTINGS, Desk, wait_until
from tests.acceptance.trader import trading

AMOUNT: Final = "100"
LEAST: Final = Decimal(9_000)
"""Tokens received for ``AMOUNT`` at the limit price; a new pool offers 100 tokens per USDC."""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Desk]:
    settings = SETTINGS | shared_database
    with running_daemon(tmp_path_factory.mktemp("orderd"), settings) as daemon, trading(daemon.url) as trader:
        yield Desk(daemon, trader)


@pytest.fixture(scope="module")
def launches(desk: Desk) -> Launches:
    return Launches(desk.daemon.log.parent)


def terms(mint: str, **others: Any) -> dict[str, Any]:
    """An order that buys at up to 1/90 USDC, from pools that hold 5,000 USDC."""
    asked = {"token_in": "USDC", "token_out": mint, "amount_in": AMOUNT, "limit_price": "0.0111"}
    return {**asked, "min_liquidity": "5000", "client_order_id": uuid4().hex, **others}


def submit(desk: Desk, mint: str, **others: Any) -> UUID:
    return desk.trader.submit(SubmitParams.model_validate(terms(mint, **others)))


def reasons(desk: Desk, order_id: UUID) -> list[ErrorCode]:
    """The codes of the order's deferrals, in order."""
    events = desk.trader.detail(order_id).events
    return [each.data.code for each in events if isinstance(each.data, Deferred) and each.data.code is not None]


def wait_for_deferral(desk: Desk, order_id: UUID, code: ErrorCode) -> None:
    wait_until(lambda: code in reasons(desk, order_id), f"{code} of {reasons(desk, order_id)}")
    assert desk.status(order_id) is OrderStatus.OPEN
    assert desk.landed(order_id) == []


def wait_for_purchase(desk: Desk, order_id: UUID) -> str:
    """Wait for the order's one purchase, check its price, and return its pool."""
    assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
    assert len(desk.landed(order_id)) == 1
    order = desk.trader.detail(order_id).order
    assert Decimal(order.amount_out or 0) >= LEAST
    return order.pool or ""


def test_an_order_buys_as_soon_as_a_pool_exists(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    args = ("--on-liquidity", "--max-price", "0.0111", "--min-liquidity", "5000")
    order = desk.orderctl("submit", "USDC", mint, AMOUNT, *args)["order"]
    assert (order["status"], order["type"], order["min_liquidity"]) == ("open", "on_liquidity", "5000")
    assert order["price_reads"].startswith("pools that hold 5000 USDC, and 0.0111 USDC per ")
    assert desk.kinds(UUID(order["id"])) == [EventKind.ACCEPTED]
    pool = launches.pool(mint, 10_000)
    assert wait_for_purchase(desk, UUID(order["id"])) == pool


def test_a_dry_run_shows_each_guard_once_a_pool_exists(desk: Desk, launches: Launches) -> None:
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


def test_an_order_does_not_buy_from_a_dust_pool(desk: Desk, launches: Launches) -> None:
    """Anyone may create a pool with a dollar in it before the real pool exists."""
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 1, fee_bps=30)
    wait_for_deferral(desk, order_id, ErrorCode.ROUTE_PRICE_IMPACT)
    pool = launches.pool(mint, 10_000)
    assert wait_for_purchase(desk, order_id) == pool


def test_an_order_waits_for_a_pool_with_its_minimum_liquidity(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 4_999)
    wait_for_deferral(desk, order_id, ErrorCode.POOL_SHALLOW)
    pool = launches.pool(mint, 5_100)
    assert wait_for_purchase(desk, order_id) == pool


def test_an_order_buys_from_a_good_pool_while_better_priced_pools_fail_its_guards(
    desk: Desk, launches: Launches
) -> None:
    """One pool pays more but has a high fee, one pays more but is shallow: the order buys from the third."""
    mint = launches.mint()
    launches.pool(mint, 10_000, 1_200_000, fee_bps=900)
    launches.pool(mint, 4_000, 480_000, fee_bps=30)
    fair = launches.pool(mint, 10_000)
    order_id = submit(desk, mint)
    assert wait_for_purchase(desk, order_id) == fair


def test_an_order_waits_while_the_pool_fee_is_too_high(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 10_000, 1_100_000, fee_bps=600)
    wait_for_deferral(desk, order_id, ErrorCode.POOL_FEE)
    wide = submit(desk, mint, max_pool_fee="6.1", max_round_trip_loss="20")
    assert desk.wait_for_end(wide) is OrderStatus.CONFIRMED, "an order that allows the fee did not trade"
    launches.pool(mint, 10_000, 1_200_000)
    wait_for_purchase(desk, order_id)


def test_an_order_waits_while_a_round_trip_would_lose_too_much(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint, max_round_trip_loss="1")
    launches.pool(mint, 10_000)
    wait_for_deferral(desk, order_id, ErrorCode.ROUTE_ROUND_TRIP)
    launches.pool(mint, 1_000_000)
    wait_for_purchase(desk, order_id)


def test_mint_and_freeze_authorities_are_reported_before_a_pool_exists(desk: Desk, launches: Launches) -> None:
    mint = launches.mint(mintAuthority=True, freezeAuthority=True)
    order_id = submit(desk, mint, allow="mint_authority")
    wait_for_deferral(desk, order_id, ErrorCode.ROUTE_TOKEN_POWERS)
    both = submit(desk, mint, allow="freeze_authority,mint_authority")
    launches.pool(mint, 10_000)
    wait_for_purchase(desk, both)
    assert reasons(desk, both) == []
    assert desk.status(order_id) is OrderStatus.OPEN
    assert reasons(desk, order_id) == [ErrorCode.ROUTE_TOKEN_POWERS], "a reason was reported more than once"


def test_an_order_with_a_holder_limit_waits_while_one_holder_has_more(desk: Desk, launches: Launches) -> None:
    mint = launches.mint(owner=str(Pubkey.new_unique()), amount=400_000 * 10**6)
    wary, other = submit(desk, mint, max_holder="20"), submit(desk, mint)
    launches.pool(mint, 10_000)
    wait_for_purchase(desk, other)
    wait_for_deferral(desk, wary, ErrorCode.ROUTE_HOLDER)
    launches.pool(mint, 20_000)
    wait_for_purchase(desk, wary)


def test_an_order_with_confirm_does_not_buy_from_liquidity_that_disappears(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint, confirm=200)
    pool = launches.pool(mint, 10_000)
    hasty = submit(desk, mint)
    assert wait_for_purchase(desk, hasty) == pool, "the pool was not found"
    launches.pool(mint, 0)
    wait_until(lambda: reasons(desk, order_id) != [], "the missing liquidity is reported")
    assert (desk.status(order_id), desk.landed(order_id)) == (OrderStatus.OPEN, [])


def test_an_order_survives_a_kill_of_the_worker(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint)
    launches.pool(mint, 100)
    wait_until(lambda: reasons(desk, order_id) != [], "the dust pool was evaluated")
    send([pid_of(desk.daemon, "worker")], signal.SIGKILL)
    pool = launches.pool(mint, 10_000)
    assert wait_for_purchase(desk, order_id) == pool


def test_nothing_is_bought_during_a_halt_after_a_cancel_or_after_expiry(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    kept, cancelled, brief = submit(desk, mint), submit(desk, mint), submit(desk, mint, valid_for="1s")
    desk.trader.cancel(cancelled)
    assert desk.wait_for_end(brief) is OrderStatus.EXPIRED
    desk.trader.halt("a look at the launch")
    launches.pool(mint, 10_000)
    later = launches.mint()
    launches.pool(later, 10_000)
    # A worker that has not seen the halt yet may trigger the order, but must not sign.
    assert desk.landed(kept) == []
    desk.trader.lift()
    wait_for_purchase(desk, kept)
    assert [desk.landed(each) for each in (cancelled, brief)] == [[], []]


def test_the_same_order_with_another_guard_is_another_order(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    first = terms(mint)
    order_id = desk.trader.submit(SubmitParams.model_validate(first))
    assert desk.trader.submit(SubmitParams.model_validate(first)) == order_id
    with pytest.raises(RefusedError) as refused:
        desk.trader.submit(SubmitParams.model_validate(first | {"min_liquidity": "1"}))
    assert refused.value.problem.code is ErrorCode.ORDER_CONFLICT


def test_the_limit_price_of_a_waiting_order_can_be_amended(desk: Desk, launches: Launches) -> None:
    mint = launches.mint()
    order_id = submit(desk, mint, limit_price="0.009")
    launches.pool(mint, 10_000)
    wait_for_deferral(desk, order_id, ErrorCode.ROUTE_BELOW_FLOOR)
    assert desk.orderctl("amend", str(order_id), "--limit", "0.0111")["min_liquidity"] == "5000"
    wait_for_purchase(desk, order_id)
