"""Orders that are executed by others, from orderctl to the ledger: together they sell what was to be sold, once."""

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


class House(Desk):
    """The same trader, with an eye on families."""

    def runs(self, *args: str) -> "subprocess.CompletedProcess[str]":
        env = {name: value for name, value in os.environ.items() if not name.startswith("ORDERCTL_")}
        env |= {"ORDERCTL_URL": self.daemon.url, "ORDERCTL_CONFIG": os.devnull}
        return subprocess.run(
            [str(ORDERCTL), *args], env=env, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    def begins(self, *args: str) -> UUID:
        """The order that this command submits."""
        return UUID(self.orderctl(*args)["order"]["id"])

    def order(self, order_id: UUID) -> OrderView:
        return self.trader.detail(order_id).order

    def children(self, parent_id: UUID) -> list[OrderView]:
        """In the order in which they were made."""
        return sorted((each for each in self.trader.orders() if each.parent_id == parent_id), key=lambda each: each.id)

    def sales(self, parent_id: UUID) -> list[Landed]:
        """What succeeded on the chain for it."""
        return [sale for child in self.children(parent_id) for sale in self.landed(child.id)]

    def has_sold_as_told(self, parent_id: UUID) -> None:
        """Sums and average of what the daemon says are those of the ledger."""
        order, sales = self.order(parent_id), self.sales(parent_id)
        sold = Decimal(-sum(sale.received[WSOL_MINT] for sale in sales))
        bought = Decimal(sum(sale.received[USDC_MINT] for sale in sales))
        assert Decimal(order.filled_amount_in or 0) * SOL == sold
        assert Decimal(order.amount_out or 0) * 10**6 == bought
        assert order.executed_price is not None
        assert Decimal(order.executed_price) == pytest.approx(bought * 1_000 / sold, rel=Decimal("0.000001"))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[House]:
    with (
        running_daemon(tmp_path_factory.mktemp("orderd"), SETTINGS | shared_database) as daemon,
        trading(daemon.url) as trader,
    ):
        yield House(daemon, trader)


@pytest.fixture
def house(shared: House) -> Iterator[House]:
    """Where a SOL costs 100 USDC and nobody has an order."""
    shared.at("100")
    yield shared
    call(shared.daemon.log.parent, "simnet_setFaults", {"dropped_sends": 0.0})
    for order in shared.trader.orders():
        if order.status not in TERMINAL and order.parent_id is None:
            shared.trader.cancel(order.id)


# OCO


@pytest.mark.parametrize(("price", "sold", "left"), [("105.1", 0, 1), ("94.9", 1, 0)], ids=["profit", "stop"])
def test_what_one_end_of_an_oco_sells_the_other_does_not(house: House, price: str, sold: int, left: int) -> None:
    parent = house.begins("oco", "SOL", "USDC", "0.5", "--take-profit", "105", "--stop", "95")
    wait_until(lambda: len(house.children(parent)) == 2, "its two orders")
    house.at(price)
    assert house.runs("watch", str(parent)).returncode == OK
    ends = house.children(parent)
    assert (ends[sold].status, ends[left].status) == (OrderStatus.CONFIRMED, OrderStatus.CANCELLED)
    assert len(house.sales(parent)) == 1
    house.has_sold_as_told(parent)


def test_an_oco_whose_ends_are_crossed_slot_by_slot_sells_once(house: House) -> None:
    orders = [
        house.begins("oco", "SOL", "USDC", "0.1", "--take-profit", "105", "--stop", "95", "--confirm", "1")
        for _ in range(3)
    ]
    wait_until(lambda: all(len(house.children(each)) == 2 for each in orders), "their orders")
    house.prices.script(["105.2", "94.8"] * 40)
    for parent in orders:
        assert house.sees_end(parent) is OrderStatus.CONFIRMED
        assert sorted(child.status for child in house.children(parent)) == ["cancelled", "confirmed"]
        assert len(house.sales(parent)) == 1


# TWAP


def test_a_twap_sells_the_whole_amount_in_as_many_executions(house: House) -> None:
    parent = house.begins("submit", "SOL", "USDC", "1", "--twap", "3", "--over", "3s", "--jitter", "20")
    assert house.runs("watch", str(parent)).returncode == OK
    assert [child.amount_in for child in house.children(parent)] == ["0.333333333", "0.333333333", "0.333333334"]
    assert (house.order(parent).filled_amount_in, len(house.sales(parent))) == ("1", 3)
    house.has_sold_as_told(parent)


def test_a_slice_that_fails_is_carried_into_the_next(house: House) -> None:
    house.at("90")
    parent = house.begins("submit", "SOL", "USDC", "0.9", "--twap", "3", "--every", "1s", "--limit", "99")
    wait_until(lambda: OrderStatus.FAILED in [child.status for child in house.children(parent)], "a slice that failed")
    house.at("100")
    assert house.sees_end(parent) is OrderStatus.CONFIRMED
    assert house.order(parent).filled_amount_in == "0.9"
    house.has_sold_as_told(parent)


def test_a_twap_that_is_paused_and_cancelled_keeps_what_it_has_sold(house: House) -> None:
    parent = house.begins("submit", "SOL", "USDC", "1", "--twap", "10", "--every", "1s")
    house.sees(parent, EventKind.FILLED)
    assert house.orderctl("pause", str(parent))["paused"]
    wait_until(lambda: all(child.status in TERMINAL for child in house.children(parent)), "the end of its executions")
    begun = len(house.children(parent))
    house.prices.wait(house.prices.slot + 60)
    assert len(house.children(parent)) == begun < 10
    assert "paused" not in house.orderctl("resume", str(parent))
    wait_until(lambda: len(house.children(parent)) > begun, "another execution")
    assert house.runs("cancel", str(parent)).returncode == OK
    assert house.runs("watch", str(parent)).returncode == ENDED
    assert house.order(parent).status is OrderStatus.CANCELLED
    assert 0 < Decimal(house.order(parent).filled_amount_in or 0) < 1
    house.has_sold_as_told(parent)


# What would be done now


def test_of_each_family_it_is_told_what_it_would_do_now(house: House) -> None:
    oco = house.begins("oco", "SOL", "USDC", "0.5", "--take-profit", "105", "--stop", "96")
    simulated = house.orderctl("simulate-fill", str(oco))
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

    twap = house.begins("submit", "SOL", "USDC", "1", "--twap", "4", "--every", "1h")
    house.sees(twap, EventKind.FILLED)
    simulated = house.orderctl("simulate-fill", str(twap))
    assert (simulated["would"], simulated["quote"]["part_in"], simulated["quote"]["amount_in"]) == ("rest", "0.25", "1")
    assert simulated["at"] == house.orderctl("show", str(twap))["order"]["next_at"]

    parts = house.begins("submit", "SOL", "USDC", "300", "--limit", "101", "--partial", "--min-fill", "1")
    simulated = house.orderctl("simulate-fill", str(parts))
    assert (simulated["would"], simulated["quote"]["part_in"], simulated["units_consumed"]) == ("rest", "3", None)


# Parts


def test_a_large_limit_order_sells_what_pays_its_limit_part_by_part(house: House) -> None:
    parent = house.begins("submit", "SOL", "USDC", "300", "--limit", "99.952", "--partial", "--min-fill", "1")
    house.sees(parent, EventKind.FILLED)
    house.at("90")
    wait_until(lambda: all(child.status in TERMINAL for child in house.children(parent)), "the end of its parts")
    assert house.order(parent).status is OrderStatus.OPEN, "the rest rests"
    house.runs("cancel", str(parent))
    assert house.runs("watch", str(parent)).returncode == ENDED
    sold = Decimal(house.order(parent).filled_amount_in or 0)
    assert 3 <= sold < 300
    for sale in house.sales(parent):
        assert Decimal(sale.received[USDC_MINT]) * 1_000 / -sale.received[WSOL_MINT] >= Decimal("99.952")
    house.has_sold_as_told(parent)


def test_an_order_in_parts_ends_as_expired_with_what_it_has_sold(house: House) -> None:
    terms = ("--limit", "99.952", "--partial", "--min-fill", "1", "--valid-for", "3s")
    parent = house.begins("submit", "SOL", "USDC", "300", *terms)
    house.sees(parent, EventKind.FILLED)
    house.at("90")
    assert house.runs("watch", str(parent)).returncode == ENDED
    assert house.order(parent).status is OrderStatus.EXPIRED
    house.has_sold_as_told(parent)


# Brackets


def follower(house: House, entry: UUID) -> OrderView:
    (found,) = [each for each in house.trader.orders() if each.entry_id == entry]
    return found


BRACKET: Final = ("submit", "USDC", "SOL", "20", "--limit", "95", "--then-take-profit", "105", "--then-stop", "90")


def test_a_bracket_is_held_until_its_entry_fills_and_then_sells_what_was_received(house: House) -> None:
    entry = house.begins(*BRACKET)
    held = follower(house, entry)
    assert (held.status, held.amount_in) == (OrderStatus.HELD, None)
    amended = house.orderctl("amend", f"{entry}-exit", "--take-profit", "104")
    assert (amended["id"], amended["status"], amended["take_profit_price"]) == (str(held.id), "held", "104")
    house.at("94.8")
    assert house.sees_end(entry) is OrderStatus.CONFIRMED
    house.sees(held.id, EventKind.RELEASED)
    (bought,) = house.landed(entry)
    wait_until(lambda: len(house.children(held.id)) == 2, "its two orders")
    house.at("104.1")
    assert house.runs("watch", str(held.id)).returncode == OK
    (sale,) = house.sales(held.id)
    assert -sale.received[WSOL_MINT] == bought.received[WSOL_MINT], "what was received, to the base unit"
    house.has_sold_as_told(held.id)


def test_what_is_held_ends_with_its_entry(house: House) -> None:
    entry = house.begins(*BRACKET)
    assert house.runs("cancel", str(entry)).returncode == OK
    assert house.sees_end(follower(house, entry).id) is OrderStatus.CANCELLED
    late = house.begins(*BRACKET, "--valid-for", "1s")
    assert house.sees_end(follower(house, late).id) is OrderStatus.EXPIRED


def test_what_is_held_is_cancelled_alone(house: House) -> None:
    entry = house.begins(*BRACKET)
    assert house.runs("cancel", f"{entry}-exit").returncode == OK
    house.at("94.8")
    assert house.sees_end(entry) is OrderStatus.CONFIRMED
    assert house.status(follower(house, entry).id) is OrderStatus.CANCELLED


# Changes


def test_an_order_is_amended_and_fires_as_it_is_now(house: House) -> None:
    parent = house.begins("submit", "SOL", "USDC", "0.5", "--limit", "105")
    amended = house.orderctl("amend", str(parent), "--limit", "103", "--amount", "0.4")
    assert (amended["id"], amended["limit_price"], amended["amount_in"]) == (str(parent), "103", "0.4")
    refused = house.runs("amend", str(parent), "--limit", "1030")
    assert (refused.returncode, "PRICE_OFF_MARKET" in refused.stderr) == (BAD, True)
    house.at("103.1")
    assert house.sees_end(parent) is OrderStatus.CONFIRMED
    (sale,) = house.landed(parent)
    assert -sale.received[WSOL_MINT] == 4 * SOL // 10
    late = house.runs("amend", str(parent), "--limit", "104")
    assert (late.returncode, "ORDER_NOT_AMENDABLE" in late.stderr) == (ENDED, True)


@pytest.mark.parametrize("lands", [True, False], ids=["lands", "is lost"])
def test_a_signed_order_that_is_cancelled_ends_as_its_transaction_does(house: House, lands: bool) -> None:
    call(house.daemon.log.parent, "simnet_setFaults", {"dropped_sends": 1.0})
    order_id = house.begins("submit", "SOL", "USDC", "0.1", "--no-watch")
    house.sees(order_id, EventKind.SUBMITTED)
    assert house.trader.cancel(order_id).cancel_requested
    if lands:
        call(house.daemon.log.parent, "simnet_setFaults", {"dropped_sends": 0.0})
    assert house.runs("cancel", str(order_id)).returncode == OK, "twice is not an error"
    assert house.sees_end(order_id) is (OrderStatus.CONFIRMED if lands else OrderStatus.CANCELLED)
    assert len(house.trader.detail(order_id).attempts) == 1, "nothing else was signed"
    assert len(house.landed(order_id)) == lands


@pytest.mark.parametrize(
    ("args", "code", "messages"),
    [
        (("--limit", "1050"), "PRICE_OFF_MARKET", ("1050 USDC per SOL", "SOL per USDC")),
        (("--stop", "101"), "PRICE_WRONG_SIDE", ("the market pays",)),
        (("--take-profit", "99"), "PRICE_WRONG_SIDE", ("the market pays",)),
        (("--limit", "105", "--expires", "2020-01-01T00:00:00Z"), "TIME_PAST", ("2020-01-01",)),
    ],
)
def test_what_cannot_be_meant_is_refused(house: House, args: Sequence[str], code: str, messages: Sequence[str]) -> None:
    refused = house.runs("submit", "SOL", "USDC", "0.5", *args)
    assert refused.returncode in (ENDED, BAD)
    assert all(words in refused.stderr for words in (code, *messages))


def test_what_was_taken_before_is_recognised_whatever_the_market_is_now(house: House) -> None:
    command = ("submit", "SOL", "USDC", "0.5", "--stop", "95", "--client-order-id", "a-stop", "--no-watch")
    order_id = house.begins(*command)
    house.orderctl("amend", str(order_id), "--stop", "60")
    house.at("70")
    again = house.orderctl(*command)
    assert (again["created"], again["order"]["id"]) == (False, str(order_id))


# What stops them


@pytest.mark.timeout(240)
def test_a_twap_outlives_its_daemon(tmp_path: Path, given_database: dict[str, str]) -> None:
    """Killed as soon as a child is there, three times: nothing is sold twice, and nothing is left out."""
    parent: UUID | None = None
    for number in range(4):
        with running_daemon(tmp_path, SETTINGS | given_database) as daemon, trading(daemon.url) as trader:
            house = House(daemon, trader)
            if parent is None:
                house.at("100")
                parent = house.begins("submit", "SOL", "USDC", "1", "--twap", "5", "--every", "2s", "--catch-up", "all")
            order_id = parent
            if number < 3:
                _wait_for_more(house, order_id, number)
                daemon.process.kill()
                daemon.process.wait()
                continue
            assert house.sees_end(order_id) is OrderStatus.CONFIRMED
            assert house.order(order_id).filled_amount_in == "1"
            assert len(house.children(order_id)) == 5
            house.has_sold_as_told(order_id)


@pytest.mark.timeout(240)
def test_a_bracket_outlives_its_daemon(tmp_path: Path, given_database: dict[str, str]) -> None:
    """Killed when its entry is signed, and when what follows is released: that is neither lost nor made twice."""
    entry: UUID | None = None
    for until in (EventKind.SUBMITTED, EventKind.RELEASED, None):
        with running_daemon(tmp_path, SETTINGS | given_database) as daemon, trading(daemon.url) as trader:
            house = House(daemon, trader)
            if entry is None:
                house.at("94.8")
                entry = house.begins(*BRACKET, "--no-watch")
            held = follower(house, entry)
            if until is not None:
                house.sees(entry if until is EventKind.SUBMITTED else held.id, until)
                daemon.process.kill()
                daemon.process.wait()
                continue
            house.at("105.1")
            assert house.sees_end(held.id) is OrderStatus.CONFIRMED
            assert house.kinds(held.id).count(EventKind.RELEASED) == 1
            (bought,), (sale,) = house.landed(entry), house.sales(held.id)
            assert -sale.received[WSOL_MINT] == bought.received[WSOL_MINT]


def _wait_for_more(house: House, parent_id: UUID, than: int) -> None:
    wait_until(lambda: len(house.children(parent_id)) > than, "another child")


ALL_HONEST: Final = {"honest": 1, "behind": 0, "restarted": 0, "pruned": 0, "forked": 0, "historyless": 0}
FORKING: Final = SETTINGS | {
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_FAULTS": orjson.dumps({"nodes": "pool", "views": ALL_HONEST, "landing_again": 0.0}).decode(),
    "ORDERD_RPC_SINGLE_NODE": "false",
}


@pytest.mark.timeout(120)
def test_a_success_that_is_rolled_back_lets_no_second_one_happen(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """The market has gone to the stop meanwhile, which waits until the profit's transaction stands, or is dead."""
    with running_daemon(tmp_path, FORKING | given_database) as daemon, trading(daemon.url) as trader:
        house = House(daemon, trader)
        house.at("100")
        house.prices.wait(house.prices.slot + 12)
        terms = ("--take-profit", "105", "--stop", "95", "--confirm", "1")
        parent = house.begins("oco", "SOL", "USDC", "0.1", *terms)
        wait_until(lambda: len(house.children(parent)) == 2, "its two orders")
        profit, stop = house.children(parent)
        house.at("105.1")
        assert house.sees_end(profit.id) is OrderStatus.CONFIRMED
        (fill,) = house.landed(profit.id)
        house.prices.set("94")
        _fork(tmp_path, fill)
        wait_until(lambda: EventKind.ROLLED_BACK in house.kinds(profit.id), "the roll-back")
        assert house.order(stop.id).status is OrderStatus.OPEN
        assert house.sees_end(parent) is OrderStatus.CONFIRMED
        assert len(house.sales(parent)) == 1
        house.has_sold_as_told(parent)


def _fork(state_dir: Path, fill: Landed) -> None:
    while call(state_dir, "getSignatureStatuses", [fill.signature])["value"] != [None]:
        blocks = call(state_dir, "getBlocks", fill.slot, fill.slot + 1_000, {"commitment": "confirmed"})
        call(state_dir, "simnet_fork", len(blocks))
