"""Orders that child orders execute, from orderctl to the ledger: the children sell the parent's amount once."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson
import pytest

from orderd.domain.order import TERMINAL, EventKind, OrderStatus
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.process.temporary import running_daemon
from orderd.wire.orders import OrderView
from tests.acceptance.ledger import Landed
from tests.acceptance.orderctl.conftest import ORDERCTL
from tests.acceptance.simnet import call
from tests.acceptance.test_resting import SECONDS, SOL, Desk, wait_until
from tests.acceptance.trader import trading
from tests.conftest import QUICK

SETTINGS: Final = QUICK | {"ORDERD_POOL_MAX_AGE_MS": "0"}
OK, ENDED, BAD = 0, 1, 2


class FamilyDesk(Desk):
    """A desk that also checks parents and their children."""

    def run_orderctl(self, *args: str) -> "subprocess.CompletedProcess[str]":
        env = {name: value for name, value in os.environ.items() if not name.startswith("ORDERCTL_")}
        env |= {"ORDERCTL_URL": self.daemon.url, "ORDERCTL_CONFIG": os.devnull}
        return subprocess.run(
            [str(ORDERCTL), *args], env=env, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    def submit_with_orderctl(self, *args: str) -> UUID:
        """Submit with orderctl; returns the order's id."""
        return UUID(self.orderctl(*args)["order"]["id"])

    def order(self, order_id: UUID) -> OrderView:
        return self.trader.detail(order_id).order

    def children(self, parent_id: UUID) -> list[OrderView]:
        """In the order of their creation."""
        return sorted((each for each in self.trader.orders() if each.parent_id == parent_id), key=lambda each: each.id)

    def sales(self, parent_id: UUID) -> list[Landed]:
        """The successful transactions of all children."""
        return [sale for child in self.children(parent_id) for sale in self.landed(child.id)]

    def check_fills_match_ledger(self, parent_id: UUID) -> None:
        """The daemon's totals and average price match the ledger."""
        order, sales = self.order(parent_id), self.sales(parent_id)
        sold = Decimal(-sum(sale.received[WSOL_MINT] for sale in sales))
        bought = Decimal(sum(sale.received[USDC_MINT] for sale in sales))
        assert Decimal(order.filled_amount_in or 0) * SOL == sold
        assert Decimal(order.amount_out or 0) * 10**6 == bought
        assert order.executed_price is not None
        assert Decimal(order.executed_price) == pytest.approx(bought * 1_000 / sold, rel=Decimal("0.000001"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[FamilyDesk]:
    with (
        running_daemon(tmp_path_factory.mktemp("orderd"), SETTINGS | shared_database) as daemon,
        trading(daemon.url) as trader,
    ):
        yield FamilyDesk(daemon, trader)


@pytest.fixture
def desk(shared: FamilyDesk) -> Iterator[FamilyDesk]:
    """The shared desk at a price of 100 USDC per SOL, without open orders."""
    shared.set_price("100")
    yield shared
    call(shared.daemon.log.parent, "simnet_setFaults", {"dropped_sends": 0.0})
    for order in shared.trader.orders():
        if order.status not in TERMINAL and order.parent_id is None:
            shared.trader.cancel(order.id)


# OCO


@pytest.mark.parametrize(("price", "sold", "left"), [("105.1", 0, 1), ("94.9", 1, 0)], ids=["profit", "stop"])
def test_one_side_of_an_oco_sells_and_the_other_is_cancelled(
    desk: FamilyDesk, price: str, sold: int, left: int
) -> None:
    parent = desk.submit_with_orderctl("oco", "SOL", "USDC", "0.5", "--take-profit", "105", "--stop", "95")
    wait_until(lambda: len(desk.children(parent)) == 2, "its two orders")
    desk.set_price(price)
    assert desk.run_orderctl("watch", str(parent)).returncode == OK
    ends = desk.children(parent)
    assert (ends[sold].status, ends[left].status) == (OrderStatus.CONFIRMED, OrderStatus.CANCELLED)
    assert len(desk.sales(parent)) == 1
    desk.check_fills_match_ledger(parent)


def test_an_oco_sells_once_when_the_price_crosses_both_sides_in_turn(desk: FamilyDesk) -> None:
    orders = [
        desk.submit_with_orderctl("oco", "SOL", "USDC", "0.1", "--take-profit", "105", "--stop", "95", "--confirm", "1")
        for _ in range(3)
    ]
    wait_until(lambda: all(len(desk.children(each)) == 2 for each in orders), "their orders")
    desk.prices.script(["105.2", "94.8"] * 40)
    for parent in orders:
        assert desk.wait_for_end(parent) is OrderStatus.CONFIRMED
        assert sorted(child.status for child in desk.children(parent)) == ["cancelled", "confirmed"]
        assert len(desk.sales(parent)) == 1


# TWAP


def test_a_twap_sells_the_whole_amount_in_as_many_executions(desk: FamilyDesk) -> None:
    parent = desk.submit_with_orderctl("submit", "SOL", "USDC", "1", "--twap", "3", "--over", "3s", "--jitter", "20")
    assert desk.run_orderctl("watch", str(parent)).returncode == OK
    assert [child.amount_in for child in desk.children(parent)] == ["0.333333333", "0.333333333", "0.333333334"]
    assert (desk.order(parent).filled_amount_in, len(desk.sales(parent))) == ("1", 3)
    desk.check_fills_match_ledger(parent)


def test_a_slice_that_fails_is_carried_into_the_next(desk: FamilyDesk) -> None:
    desk.set_price("90")
    parent = desk.submit_with_orderctl("submit", "SOL", "USDC", "0.9", "--twap", "3", "--every", "1s", "--limit", "99")
    wait_until(lambda: OrderStatus.FAILED in [child.status for child in desk.children(parent)], "a slice that failed")
    desk.set_price("100")
    assert desk.wait_for_end(parent) is OrderStatus.CONFIRMED
    assert desk.order(parent).filled_amount_in == "0.9"
    desk.check_fills_match_ledger(parent)


def test_a_twap_that_is_paused_and_cancelled_keeps_what_it_has_sold(desk: FamilyDesk) -> None:
    parent = desk.submit_with_orderctl("submit", "SOL", "USDC", "1", "--twap", "10", "--every", "1s")
    desk.wait_for_event(parent, EventKind.FILLED)
    assert desk.orderctl("pause", str(parent))["paused"]
    wait_until(lambda: all(child.status in TERMINAL for child in desk.children(parent)), "the end of its executions")
    begun = len(desk.children(parent))
    desk.prices.wait(desk.prices.slot + 60)
    assert len(desk.children(parent)) == begun < 10
    assert "paused" not in desk.orderctl("resume", str(parent))
    wait_until(lambda: len(desk.children(parent)) > begun, "another execution")
    assert desk.run_orderctl("cancel", str(parent)).returncode == OK
    assert desk.run_orderctl("watch", str(parent)).returncode == ENDED
    assert desk.order(parent).status is OrderStatus.CANCELLED
    assert 0 < Decimal(desk.order(parent).filled_amount_in or 0) < 1
    desk.check_fills_match_ledger(parent)


# Simulated fills


def test_a_simulated_fill_of_each_family_shows_what_it_would_do_now(desk: FamilyDesk) -> None:
    oco = desk.submit_with_orderctl("oco", "SOL", "USDC", "0.5", "--take-profit", "105", "--stop", "96")
    simulated = desk.orderctl("simulate-fill", str(oco))
    assert [(each["kind"], each["price"]) for each in simulated["waits_for"]] == [
        ("take_profit", "105"),
        ("stop", "96"),
    ]
    profit, stop = (Decimal(each["away"]) for each in simulated["waits_for"])
    assert 3 < stop < 4 < profit < 6
    assert (simulated["would"], simulated["quote"].get("part_in"), simulated["units_consumed"] is None) == (
        "rest",
        None,
        False,
    )

    twap = desk.submit_with_orderctl("submit", "SOL", "USDC", "1", "--twap", "4", "--every", "1h")
    desk.wait_for_event(twap, EventKind.FILLED)
    simulated = desk.orderctl("simulate-fill", str(twap))
    assert (simulated["would"], simulated["quote"]["part_in"], simulated["quote"]["amount_in"]) == ("rest", "0.25", "1")
    assert simulated["at"] == desk.orderctl("show", str(twap))["order"]["next_at"]

    parts = desk.submit_with_orderctl("submit", "SOL", "USDC", "300", "--limit", "101", "--partial", "--min-fill", "1")
    simulated = desk.orderctl("simulate-fill", str(parts))
    assert (simulated["would"], simulated["quote"]["part_in"], simulated["units_consumed"]) == ("rest", "3", None)


# Partial fills


def test_a_partial_limit_order_sells_only_parts_that_meet_its_limit(desk: FamilyDesk) -> None:
    parent = desk.submit_with_orderctl(
        "submit", "SOL", "USDC", "300", "--limit", "99.952", "--partial", "--min-fill", "1"
    )
    desk.wait_for_event(parent, EventKind.FILLED)
    desk.set_price("90")
    wait_until(lambda: all(child.status in TERMINAL for child in desk.children(parent)), "the end of its parts")
    assert desk.order(parent).status is OrderStatus.OPEN, "the remaining amount is not open"
    desk.run_orderctl("cancel", str(parent))
    assert desk.run_orderctl("watch", str(parent)).returncode == ENDED
    sold = Decimal(desk.order(parent).filled_amount_in or 0)
    assert 3 <= sold < 300
    for sale in desk.sales(parent):
        assert Decimal(sale.received[USDC_MINT]) * 1_000 / -sale.received[WSOL_MINT] >= Decimal("99.952")
    desk.check_fills_match_ledger(parent)


def test_a_partial_order_expires_with_the_fills_it_has(desk: FamilyDesk) -> None:
    terms = ("--limit", "99.952", "--partial", "--min-fill", "1", "--valid-for", "3s")
    parent = desk.submit_with_orderctl("submit", "SOL", "USDC", "300", *terms)
    desk.wait_for_event(parent, EventKind.FILLED)
    desk.set_price("90")
    assert desk.run_orderctl("watch", str(parent)).returncode == ENDED
    assert desk.order(parent).status is OrderStatus.EXPIRED
    desk.check_fills_match_ledger(parent)


# Brackets


def exit_order(desk: FamilyDesk, entry: UUID) -> OrderView:
    (found,) = [each for each in desk.trader.orders() if each.entry_id == entry]
    return found


BRACKET: Final = ("submit", "USDC", "SOL", "20", "--limit", "95", "--then-take-profit", "105", "--then-stop", "90")


def test_a_bracket_is_held_until_its_entry_fills_and_then_sells_what_was_received(desk: FamilyDesk) -> None:
    entry = desk.submit_with_orderctl(*BRACKET)
    held = exit_order(desk, entry)
    assert (held.status, held.amount_in) == (OrderStatus.HELD, None)
    amended = desk.orderctl("amend", f"{entry}-exit", "--take-profit", "104")
    assert (amended["id"], amended["status"], amended["take_profit_price"]) == (str(held.id), "held", "104")
    desk.set_price("94.8")
    assert desk.wait_for_end(entry) is OrderStatus.CONFIRMED
    desk.wait_for_event(held.id, EventKind.RELEASED)
    (bought,) = desk.landed(entry)
    wait_until(lambda: len(desk.children(held.id)) == 2, "its two orders")
    desk.set_price("104.1")
    assert desk.run_orderctl("watch", str(held.id)).returncode == OK
    (sale,) = desk.sales(held.id)
    assert -sale.received[WSOL_MINT] == bought.received[WSOL_MINT], (
        "the exit did not sell exactly what the entry bought"
    )
    desk.check_fills_match_ledger(held.id)


def test_a_held_exit_order_ends_with_its_entry(desk: FamilyDesk) -> None:
    entry = desk.submit_with_orderctl(*BRACKET)
    assert desk.run_orderctl("cancel", str(entry)).returncode == OK
    assert desk.wait_for_end(exit_order(desk, entry).id) is OrderStatus.CANCELLED
    late = desk.submit_with_orderctl(*BRACKET, "--valid-for", "1s")
    assert desk.wait_for_end(exit_order(desk, late).id) is OrderStatus.EXPIRED


def test_a_held_exit_order_can_be_cancelled_without_its_entry(desk: FamilyDesk) -> None:
    entry = desk.submit_with_orderctl(*BRACKET)
    assert desk.run_orderctl("cancel", f"{entry}-exit").returncode == OK
    desk.set_price("94.8")
    assert desk.wait_for_end(entry) is OrderStatus.CONFIRMED
    assert desk.status(exit_order(desk, entry).id) is OrderStatus.CANCELLED


# Amendments and cancels


def test_an_amended_order_fires_at_its_new_terms(desk: FamilyDesk) -> None:
    parent = desk.submit_with_orderctl("submit", "SOL", "USDC", "0.5", "--limit", "105")
    amended = desk.orderctl("amend", str(parent), "--limit", "103", "--amount", "0.4")
    assert (amended["id"], amended["limit_price"], amended["amount_in"]) == (str(parent), "103", "0.4")
    refused = desk.run_orderctl("amend", str(parent), "--limit", "1030")
    assert (refused.returncode, "PRICE_OFF_MARKET" in refused.stderr) == (BAD, True)
    desk.set_price("103.1")
    assert desk.wait_for_end(parent) is OrderStatus.CONFIRMED
    (sale,) = desk.landed(parent)
    assert -sale.received[WSOL_MINT] == 4 * SOL // 10
    late = desk.run_orderctl("amend", str(parent), "--limit", "104")
    assert (late.returncode, "ORDER_NOT_AMENDABLE" in late.stderr) == (ENDED, True)


@pytest.mark.parametrize("lands", [True, False], ids=["transaction lands", "transaction is lost"])
def test_a_cancelled_order_in_flight_ends_as_its_transaction_does(desk: FamilyDesk, lands: bool) -> None:
    call(desk.daemon.log.parent, "simnet_setFaults", {"dropped_sends": 1.0})
    order_id = desk.submit_with_orderctl("submit", "SOL", "USDC", "0.1", "--no-watch")
    desk.wait_for_event(order_id, EventKind.SUBMITTED)
    assert desk.trader.cancel(order_id).cancel_requested
    if lands:
        call(desk.daemon.log.parent, "simnet_setFaults", {"dropped_sends": 0.0})
    assert desk.run_orderctl("cancel", str(order_id)).returncode == OK, "a second cancel failed"
    assert desk.wait_for_end(order_id) is (OrderStatus.CONFIRMED if lands else OrderStatus.CANCELLED)
    assert len(desk.trader.detail(order_id).attempts) == 1, "another transaction was signed"
    assert len(desk.landed(order_id)) == lands


@pytest.mark.parametrize(
    ("args", "code", "messages"),
    [
        (("--limit", "1050"), "PRICE_OFF_MARKET", ("1050 USDC per SOL", "SOL per USDC")),
        (("--stop", "101"), "PRICE_WRONG_SIDE", ("the market pays",)),
        (("--take-profit", "99"), "PRICE_WRONG_SIDE", ("the market pays",)),
        (("--limit", "105", "--expires", "2020-01-01T00:00:00Z"), "TIME_PAST", ("2020-01-01",)),
    ],
)
def test_implausible_terms_are_refused(
    desk: FamilyDesk, args: Sequence[str], code: str, messages: Sequence[str]
) -> None:
    refused = desk.run_orderctl("submit", "SOL", "USDC", "0.5", *args)
    assert refused.returncode in (ENDED, BAD)
    assert all(words in refused.stderr for words in (code, *messages))


def test_a_resubmitted_order_is_recognised_whatever_the_market_price(desk: FamilyDesk) -> None:
    command = ("submit", "SOL", "USDC", "0.5", "--stop", "95", "--client-order-id", "a-stop", "--no-watch")
    order_id = desk.submit_with_orderctl(*command)
    desk.orderctl("amend", str(order_id), "--stop", "60")
    desk.set_price("70")
    again = desk.orderctl(*command)
    assert (again["created"], again["order"]["id"]) == (False, str(order_id))


# Kills and forks


@pytest.mark.timeout(240)
def test_a_twap_survives_kills_of_its_daemon(tmp_path: Path, given_database: dict[str, str]) -> None:
    """The daemon is killed three times, each time after a new child exists: nothing is sold twice or left out."""
    parent: UUID | None = None
    for number in range(4):
        with running_daemon(tmp_path, SETTINGS | given_database) as daemon, trading(daemon.url) as trader:
            desk = FamilyDesk(daemon, trader)
            if parent is None:
                desk.set_price("100")
                parent = desk.submit_with_orderctl(
                    "submit", "SOL", "USDC", "1", "--twap", "5", "--every", "2s", "--catch-up", "all"
                )
            order_id = parent
            if number < 3:
                _wait_for_more(desk, order_id, number)
                daemon.process.kill()
                daemon.process.wait()
                continue
            assert desk.wait_for_end(order_id) is OrderStatus.CONFIRMED
            assert desk.order(order_id).filled_amount_in == "1"
            assert len(desk.children(order_id)) == 5
            desk.check_fills_match_ledger(order_id)


@pytest.mark.timeout(240)
def test_a_bracket_survives_kills_of_its_daemon(tmp_path: Path, given_database: dict[str, str]) -> None:
    """The daemon is killed when the entry is signed and when the exit is released: the exit is created exactly once."""
    entry: UUID | None = None
    for until in (EventKind.SUBMITTED, EventKind.RELEASED, None):
        with running_daemon(tmp_path, SETTINGS | given_database) as daemon, trading(daemon.url) as trader:
            desk = FamilyDesk(daemon, trader)
            if entry is None:
                desk.set_price("94.8")
                entry = desk.submit_with_orderctl(*BRACKET, "--no-watch")
            held = exit_order(desk, entry)
            if until is not None:
                desk.wait_for_event(entry if until is EventKind.SUBMITTED else held.id, until)
                daemon.process.kill()
                daemon.process.wait()
                continue
            desk.set_price("105.1")
            assert desk.wait_for_end(held.id) is OrderStatus.CONFIRMED
            assert desk.kinds(held.id).count(EventKind.RELEASED) == 1
            (bought,), (sale,) = desk.landed(entry), desk.sales(held.id)
            assert -sale.received[WSOL_MINT] == bought.received[WSOL_MINT]


def _wait_for_more(desk: FamilyDesk, parent_id: UUID, than: int) -> None:
    wait_until(lambda: len(desk.children(parent_id)) > than, "another child")


ALL_HONEST: Final = {"honest": 1, "behind": 0, "restarted": 0, "pruned": 0, "forked": 0, "historyless": 0}
FORKING: Final = SETTINGS | {
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_FAULTS": orjson.dumps({"nodes": "pool", "views": ALL_HONEST, "landing_again": 0.0}).decode(),
    "ORDERD_RPC_SINGLE_NODE": "false",
}


@pytest.mark.timeout(120)
def test_a_rolled_back_fill_of_an_oco_does_not_lead_to_a_second_sale(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """The price has moved to the stop by then, which waits until the profit's transaction is final or dead."""
    with running_daemon(tmp_path, FORKING | given_database) as daemon, trading(daemon.url) as trader:
        desk = FamilyDesk(daemon, trader)
        desk.set_price("100")
        desk.prices.wait(desk.prices.slot + 12)
        terms = ("--take-profit", "105", "--stop", "95", "--confirm", "1")
        parent = desk.submit_with_orderctl("oco", "SOL", "USDC", "0.1", *terms)
        wait_until(lambda: len(desk.children(parent)) == 2, "its two orders")
        profit, stop = desk.children(parent)
        desk.set_price("105.1")
        assert desk.wait_for_end(profit.id) is OrderStatus.CONFIRMED
        (fill,) = desk.landed(profit.id)
        desk.prices.set("94")
        _fork(tmp_path, fill)
        wait_until(lambda: EventKind.ROLLED_BACK in desk.kinds(profit.id), "the roll-back")
        assert desk.order(stop.id).status is OrderStatus.OPEN
        assert desk.wait_for_end(parent) is OrderStatus.CONFIRMED
        assert len(desk.sales(parent)) == 1
        desk.check_fills_match_ledger(parent)


def _fork(state_dir: Path, fill: Landed) -> None:
    while call(state_dir, "getSignatureStatuses", [fill.signature])["value"] != [None]:
        blocks = call(state_dir, "getBlocks", fill.slot, fill.slot + 1_000, {"commitment": "confirmed"})
        call(state_dir, "simnet_fork", len(blocks))
