"""Prices set slot by slot: exact, equal in every pool kind, and part of the chain."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from solders.pubkey import Pubkey
from websockets.sync.client import connect

from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4, SOL_USDC_BS10
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.account import TOKEN_PROGRAMS, LedgerAccount
from orderd.simnet.actors import ARBITRAGEUR
from orderd.simnet.genesis import USDC
from orderd.simnet.market import PLACES, SimulatedMarket
from orderd.simnet.market_pools import TradedPool
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.token import TokenAccount
from tests.integration.simnet.server import SOL, Client, RpcFailureError, Server, build
from tests.integration.simnet.stepped import Stepped, stepped
from tests.integration.simnet.test_pubsub import Listener

USDC_UNIT = 10**6
HALF_A_BIN = {SOL_USDC_BS4: 0.0002, SOL_USDC_BS10: 0.0005}
EACH_POOL = pytest.mark.parametrize(
    "place", PLACES, ids=[f"{place.kind.__name__} {str(place.address)[:4]}" for place in PLACES]
)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Stepped]:
    with stepped(tmp_path) as chain:
        yield chain


def set_prices(chain: Stepped, *prices: str | None, **more: Any) -> list[int]:
    """Set prices from the next slot on, one per slot; returns their slots."""
    slots: list[int] = chain.call("simnet_setPrices", [{"price": price, **more} for price in prices])
    return slots


def price_at(chain: Stepped, place: TradedPool, slot: int) -> float:
    """USDC per SOL at the end of a slot, from the pool's own accounts."""

    def read(key: Pubkey) -> LedgerAccount:
        account = chain.bank.view(slot).account(key)
        assert account is not None
        return account

    return place.kind(place.address, read).price() * 1_000


def price_now(chain: Stepped, place: TradedPool) -> float:
    return price_at(chain, place, chain.bank.open.slot)


def about(price: str, place: TradedPool) -> Any:
    """The price itself, or the nearest bin if the pool has bins."""
    return pytest.approx(float(price), rel=HALF_A_BIN.get(place.address, 1e-9))


def trade(chain: Stepped, place: TradedPool, amount: int, *, sells_sol: bool = True) -> dict[Pubkey, int]:
    """Swap with a trader's tokens; returns the trader's change per mint."""
    pool = place.kind(place.address, lambda key: chain.bank.accounts[key])
    me = chain.payer.pubkey()
    mine = {mint: associated_token.address(me, mint) for mint in (token.NATIVE_MINT, USDC)}
    before = {mint: amount_of(chain, key) for mint, key in mine.items()}
    instruction = pool.swap(me, amount, 1, sells_sol=sells_sol)
    signature = chain.send(build([instruction], chain.payer, chain.bank.open.parent))
    assert chain.status(signature)["err"] is None
    return {mint: amount_of(chain, key) - before[mint] for mint, key in mine.items()}


def amount_of(chain: Stepped, key: Pubkey) -> int:
    return TokenAccount.decode(chain.bank.accounts[key].data).amount


def tokens_of(chain: Stepped, mint: Pubkey) -> int:
    """The total supply of a mint in base units."""
    return sum(
        state.amount
        for account in chain.bank.accounts.values()
        if account.owner in TOKEN_PROGRAMS and len(account.data) == token.ACCOUNT_SIZE
        for state in [TokenAccount.decode(account.data)]
        if state.mint == mint
    )


@EACH_POOL
@pytest.mark.parametrize("price", ["101.66", "95", "123.456789", "50", "1000"])
def test_a_pool_has_the_price_from_the_beginning_of_its_slot(chain: Stepped, place: TradedPool, price: str) -> None:
    before = price_now(chain, place)
    (slot,) = set_prices(chain, price)

    assert slot == chain.bank.open.slot + 1
    assert price_now(chain, place) == before
    chain.make_slots()

    assert chain.bank.open.slot == slot
    assert not chain.bank.open.executed, "a trade was needed to set the price"
    assert price_now(chain, place) == about(price, place)
    assert price_at(chain, place, slot - 1) == before


def test_the_price_of_a_pool_without_bins_is_exact_within_rounding(chain: Stepped) -> None:
    set_prices(chain, "99.999999")
    chain.make_slots()

    wanted = Fraction("0.099999999")
    for place in PLACES:
        if place.address not in HALF_A_BIN:
            spot = Fraction(price_now(chain, place)) / 1_000
            assert abs(spot / wanted - 1) < Fraction(1, 10**12)


@EACH_POOL
@pytest.mark.parametrize("price", ["50", "101.66", "1000"])
def test_a_swap_at_a_set_price_pays_the_computed_amount(chain: Stepped, place: TradedPool, price: str) -> None:
    set_prices(chain, price)
    chain.make_slots()
    pool = place.kind(place.address, lambda key: chain.bank.accounts[key])

    expected = pool.quote(3 * SOL, sells_sol=True, now=chain.bank.open.time)
    assert trade(chain, place, 3 * SOL) == {token.NATIVE_MINT: -3 * SOL, USDC: expected}
    assert 0.99 < expected / (3 * USDC_UNIT * float(price)) < 1
    expected = pool.quote(300 * USDC_UNIT, sells_sol=False, now=chain.bank.open.time)
    bought = trade(chain, place, 300 * USDC_UNIT, sells_sol=False)
    assert bought == {token.NATIVE_MINT: expected, USDC: -300 * USDC_UNIT}


@EACH_POOL
@pytest.mark.parametrize("price", ["50", "101.66", "1000"])
def test_every_price_has_liquidity_in_both_directions(chain: Stepped, place: TradedPool, price: str) -> None:
    set_prices(chain, price)
    chain.make_slots()
    pool = place.kind(place.address, lambda key: chain.bank.accounts[key])

    lamports, usdc = int(2_000 * SOL / float(price)), 2_000 * USDC_UNIT
    assert pool.quote(lamports, sells_sol=True, now=chain.bank.open.time) > 0.985 * usdc
    assert pool.quote(usdc, sells_sol=False, now=chain.bank.open.time) > 0.985 * lamports


def test_a_script_has_each_price_in_its_slot(chain: Stepped) -> None:
    script = ["100", "99.5", "99", "120", "80"]

    slots = set_prices(chain, *script)

    assert slots == list(range(chain.bank.open.slot + 1, chain.bank.open.slot + 6))
    chain.make_slots(6)
    for place in PLACES:
        for slot, price in zip([*slots, slots[-1] + 1], [*script, "80"], strict=True):
            assert price_at(chain, place, slot) == about(price, place)


def test_a_script_may_name_its_slots(chain: Stepped) -> None:
    began, first = price_now(chain, PLACES[0]), chain.bank.open.slot + 3

    slots = chain.call(
        "simnet_setPrices", [{"price": "100", "slot": first}, {"price": "99"}, {"price": "98", "slot": first + 4}]
    )

    assert slots == [first, first + 1, first + 4]
    chain.make_slots(7)
    seen = [price_at(chain, PLACES[0], slot) for slot in range(first - 1, first + 5)]
    assert seen == [pytest.approx(each) for each in (began, 100, 99, 99, 99, 98)]


@EACH_POOL
def test_trades_move_the_price_until_the_slot_ends(chain: Stepped, place: TradedPool) -> None:
    set_prices(chain, "100")
    chain.make_slots()
    stood = price_now(chain, place)

    trade(chain, place, 400 * SOL)
    assert price_now(chain, place) < stood
    chain.make_slots()

    assert price_now(chain, place) == stood


def test_a_released_price_follows_trades(chain: Stepped) -> None:
    place = PLACES[0]
    set_prices(chain, "100", None)
    chain.make_slots(2)
    assert price_now(chain, place) == about("100", place)

    trade(chain, place, 100 * SOL)
    moved = price_now(chain, place)
    chain.make_slots(3)

    assert price_now(chain, place) == moved < 100


def test_one_pool_may_have_its_own_price(chain: Stepped) -> None:
    set_prices(chain, "100")
    set_prices(chain, "103", pool=str(SOL_USDC_CPMM))
    chain.make_slots()

    for place in PLACES:
        assert price_now(chain, place) == about("103" if place.address == SOL_USDC_CPMM else "100", place)


def test_a_later_setting_replaces_scheduled_prices(chain: Stepped) -> None:
    set_prices(chain, "100", "99", "98", "97")
    chain.make_slots()
    set_prices(chain, "110")
    chain.make_slots(4)

    last = chain.bank.open.slot
    assert [price_at(chain, PLACES[0], slot) for slot in range(last - 4, last + 1)] == [
        pytest.approx(each) for each in (100, 110, 110, 110, 110)
    ]


def test_an_empty_list_holds_the_current_price(chain: Stepped) -> None:
    set_prices(chain, "100", "99", "98")
    chain.make_slots(2)

    assert chain.call("simnet_setPrices", []) == []

    chain.make_slots(3)
    assert price_now(chain, PLACES[0]) == pytest.approx(99)


def test_a_fork_keeps_scheduled_prices(chain: Stepped) -> None:
    chain.make_slots(3)
    slots = set_prices(chain, "100", "99", "98", "97")
    chain.make_slots(2)
    assert chain.bank.open.slot == slots[1]

    tip = chain.call("simnet_fork", 3)

    assert tip == slots[2], "the fork removes the slots of the first two prices"
    assert price_now(chain, PLACES[0]) == pytest.approx(98)
    before = price_at(chain, PLACES[0], slots[0] - 3)
    assert before == pytest.approx(101.66), "the new fork begins before these slots"
    chain.make_slots()
    assert price_now(chain, PLACES[0]) == pytest.approx(97)


def test_the_release_of_a_price_is_undone_by_a_fork(chain: Stepped) -> None:
    chain.make_slots(3)
    accounts = dict(chain.bank.accounts)
    set_prices(chain, "70", None)
    chain.make_slots(2)
    assert dict(chain.bank.accounts) != accounts

    chain.call("simnet_fork", 2)

    assert dict(chain.bank.accounts) == accounts


def test_a_restart_keeps_past_and_scheduled_prices(tmp_path: Path) -> None:
    with stepped(tmp_path) as chain:
        slots = set_prices(chain, "100", "99", "98")
        chain.make_slots()
        chain.chain._seal()
        chain.make_durable()  # the chain was about to announce the next block
        before = price_at(chain, PLACES[0], slots[0])
    with stepped(tmp_path) as chain:
        assert before == pytest.approx(100)
        assert chain.bank.open.slot == slots[1]
        for place in PLACES:
            assert price_now(chain, place) == about("99", place)
        chain.make_slots()
        for place in PLACES:
            assert price_now(chain, place) == about("98", place)
        chain.make_slots()
        accounts = dict(chain.bank.accounts)
    with stepped(tmp_path) as chain:
        assert chain.bank.accounts == accounts


def test_the_state_of_a_pool_follows_from_its_price_alone(chain: Stepped) -> None:
    """Ticks and bins around earlier prices are removed."""
    set_prices(chain, "95")
    chain.make_slots()
    accounts = dict(chain.bank.accounts)
    set_prices(chain, "60", "400", "95.01", "95")

    chain.make_slots(4)

    assert chain.bank.accounts == accounts


def test_setting_a_price_keeps_the_supply_constant(chain: Stepped) -> None:
    had = {mint: tokens_of(chain, mint) for mint in (token.NATIVE_MINT, USDC)}
    lamports = sum(account.lamports for account in chain.bank.accounts.values())

    for price in ("60", "999", "101.66"):
        set_prices(chain, price)
        chain.make_slots()
        assert {mint: tokens_of(chain, mint) for mint in had} == had
        assert sum(account.lamports for account in chain.bank.accounts.values()) == lamports
        wrapped = chain.bank.accounts[associated_token.address(ARBITRAGEUR.pubkey(), token.NATIVE_MINT)]
        state = TokenAccount.decode(wrapped.data)
        assert wrapped.lamports == state.amount + state.is_native.value


def test_setting_a_price_notifies_account_subscriptions(server: Server, client: Client) -> None:
    account = str(SOL_USDC_BS10)
    with connect(server.ws_url) as connection:
        listener = Listener(connection)
        numbers = [
            listener.subscribe("accountSubscribe", account, {"commitment": commitment, "encoding": "base64"})
            for commitment in ("processed", "confirmed")
        ]

        (slot,) = client.call("simnet_setPrices", [{"price": "77"}])

        notified = [listener.hear()["params"] for _ in numbers]
    assert [each["subscription"] for each in notified] == numbers
    assert [each["result"]["context"]["slot"] for each in notified] == [slot, slot]
    now = client.value("getAccountInfo", account, {"encoding": "base64", "commitment": "processed"})
    assert [each["result"]["value"]["data"] for each in notified] == [now["data"]] * 2


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"price": "49.99"}, "not a decimal string from 50 to 1000"),
        ({"price": "1000.01"}, "not a decimal string from 50 to 1000"),
        ({"price": "NaN"}, "not a decimal string"),
        ({"price": 95}, "not a decimal string"),
        ({"price": "95", "slot": 1_001}, "slot: 1001 has begun; the next one is 1002"),
        ({"price": "95", "slot": -1}, "is not a u64"),
        ({"price": "95", "pool": str(USDC)}, f"pool: {USDC} is not a pool of SOL and USDC"),
        ("95", "expected an object"),
    ],
)
def test_an_invalid_price_is_refused_and_changes_nothing(chain: Stepped, asked: Any, why: str) -> None:
    before = price_now(chain, PLACES[0])
    with pytest.raises(RpcFailureError, match=why) as failure:
        chain.call("simnet_setPrices", [{"price": "95"}, asked])
    assert failure.value.code == -32602

    chain.make_slots(3)

    assert price_now(chain, PLACES[0]) == before


def test_the_market_trades_after_the_price_was_set(tmp_path: Path) -> None:
    with stepped(tmp_path) as chain:
        chain.bank.on_opened.append(SimulatedMarket(chain.bank, seed=1, intensity=10).trade)
        set_prices(chain, "95")
        chain.make_slots()
        for _ in range(10):
            chain.make_slots()
            prices = [price_now(chain, place) for place in PLACES]
            assert all(94.5 < price < 95.5 for price in prices)
