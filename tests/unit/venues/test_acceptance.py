"""The acceptance tests that every venue must pass. A new venue joins VENUES and passes them unchanged."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.domain.quote import QuoteRequest, Route, VenueQuote
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.pools.meteora_damm_v2.venue import MeteoraDammV2
from orderd.pools.meteora_dlmm.venue import MeteoraDlmm
from orderd.pools.raydium_amm_v4.venue import RaydiumAmmV4
from orderd.pools.raydium_clmm import accounts as raydium_clmm
from orderd.pools.raydium_clmm.venue import RaydiumClmm
from orderd.pools.raydium_cpmm.accounts import PoolStatus
from orderd.pools.raydium_cpmm.venue import RaydiumCpmm
from orderd.solana.attempt import attempt_instructions
from orderd.solana.keys import Wallet
from orderd.solana.programs import associated_token, memo, token
from orderd.solana.rpc_types import AccountsLike
from orderd.solana.transaction import sign
from orderd.venues.base import Venue, trade_instructions
from orderd.venues.pool_directory import NOTHING_FOUND_SECONDS
from orderd.venues.pool_listing import MAX_POOLS_PER_PAIR
from orderd.venues.pool_venue import PoolVenue
from tests.unit.amm.vectors import load
from tests.unit.venues.asking import best_quote
from tests.unit.venues.chain import Chain, put_amm_v4, put_clmm, put_cpmm, put_damm_v2, put_dlmm, put_mint

SOL, USDC = Pubkey.from_string(WSOL_MINT), Pubkey.from_string(USDC_MINT)
WALLET = Wallet(Keypair.from_seed(b"\x21" * 32))
ONE_SOL = QuoteRequest(WSOL_MINT, USDC_MINT, 10**9)
HUNDRED_USDC = QuoteRequest(USDC_MINT, WSOL_MINT, 100 * 10**6)
NOW = 1_786_000_100

DLMM_POOL = load("meteora_dlmm.json")["pools"]["constructed_sol_usdc_bs10"]
CPMM_POOL = {
    "amm_config": {
        "trade_fee_rate": 2500,
        "protocol_fee_rate": 120_000,
        "fund_fee_rate": 40_000,
        "creator_fee_rate": 0,
    },
    "pool_state": {
        "token_0_vault_amount": 24_000 * 10**9,
        "token_1_vault_amount": 24_000 * 101_660_000,
        "protocol_fees_token_0": 0,
        "protocol_fees_token_1": 0,
        "fund_fees_token_0": 0,
        "fund_fees_token_1": 0,
        "creator_fees_token_0": 0,
        "creator_fees_token_1": 0,
        "creator_fee_on": 0,
        "enable_creator_fee": False,
        "mint_0_decimals": 9,
        "mint_1_decimals": 6,
        "status": 0,
    },
}


AMM_V4_POOL = load("raydium_amm_v4.json")["pools"]["semi_real_sol_usdc"] | {"status": 7}
CLMM_POOL = load("raydium_clmm.json")["pools"]["real_wsol_usdc_4bps"]
DAMM_V2_POOL = load("meteora_damm_v2.json")["pools"]["real_sol_usdc_25bps"]


@dataclass(frozen=True)
class Card:
    """One venue under test: how its pools are created, and how its accounts mark a pool as disabled."""

    make: type[PoolVenue[Any, Any]]
    put: Callable[..., None]
    template: dict[str, Any]
    closed: dict[str, Any]
    unknown: dict[str, Any]
    opens_at: str
    indices: dict[str, int]
    header: int = 8
    too_much: int = 2**60
    price: int = 102

    @property
    def kind(self) -> str:
        return self.make.program.kind

    @property
    def program(self) -> Pubkey:
        return self.make.program.ids["mainnet"]

    def pool(self, chain: Chain, address: Pubkey, deeper: int = 1, mint_out: Pubkey = USDC, **changes: Any) -> None:
        self.put(chain, address, SOL, mint_out, _times(self.template, deeper), **changes)

    def venue(self, chain: Chain, clock: Callable[[], float] = lambda: 0.0, **options: Any) -> PoolVenue[Any, Any]:
        return self.make(chain.rpc(), clock=clock, unix_time=lambda: float(NOW), **options)


_AMOUNTS = {
    *("token_0_vault_amount", "token_1_vault_amount"),
    *("amount_x", "amount_y"),
    *("liquidity", "liquidity_net", "liquidity_gross"),
    *("token_a_amount", "token_b_amount"),
    *("coin_vault_amount", "pc_vault_amount"),
}


def _times(account: Any, factor: int) -> Any:
    """The same pool with ``factor`` times its reserves."""
    if isinstance(account, list):
        return [_times(each, factor) for each in account]
    if not isinstance(account, dict):
        return account
    return {name: value * factor if name in _AMOUNTS else _times(value, factor) for name, value in account.items()}


class KeptHints:
    """Keeps the callbacks for changes, for the test to call."""

    def __init__(self) -> None:
        self.changes: dict[Pubkey, Callable[[], None]] = {}

    def watch(self, account: Pubkey, on_change: Callable[[], None]) -> None:
        self.changes[account] = on_change

    def watch_for(self, alike: AccountsLike, on_change: Callable[[str], None]) -> None:
        """Not used: no test of a single venue creates pools meanwhile."""


VENUES = [
    Card(
        make=RaydiumCpmm,
        put=put_cpmm,
        template=CPMM_POOL,
        closed={"status": PoolStatus.SWAP_DISABLED},
        unknown={"status": 8},
        opens_at="open_time",
        indices={"pool": 3, "source": 4, "destination": 5, "owner": 0},
        too_much=2**64 - 1,
    ),
    Card(
        make=RaydiumClmm,
        put=put_clmm,
        template=CLMM_POOL,
        closed={"status": raydium_clmm.PoolStatus.SWAP_DISABLED},
        unknown={"status": 64},
        opens_at="open_time",
        indices={"pool": 2, "source": 3, "destination": 4, "owner": 0},
    ),
    Card(
        make=RaydiumAmmV4,
        put=put_amm_v4,
        template=AMM_V4_POOL,
        closed={"status": 2},
        unknown={"status": 99},
        opens_at="pool_open_time",
        indices={"pool": 1, "source": 5, "destination": 6, "owner": 7},
        header=1,
        too_much=2**64 - 1,
    ),
    Card(
        make=MeteoraDlmm,
        put=put_dlmm,
        template=DLMM_POOL,
        closed={"status": 1},
        unknown={"pair_type": 4},
        opens_at="activation_point",
        indices={"pool": 0, "source": 4, "destination": 5, "owner": 10},
    ),
    Card(
        make=MeteoraDammV2,
        put=put_damm_v2,
        template=DAMM_V2_POOL,
        closed={"pool_status": 1},
        unknown={"pool_status": 2},
        opens_at="activation_point",
        indices={"pool": 1, "source": 2, "destination": 3, "owner": 8},
        too_much=2**64 - 1,
        price=175,
    ),
]
POOL = Pubkey.from_bytes(b"\x31" * 32)
OTHER = Pubkey.from_bytes(b"\x32" * 32)


@pytest.fixture(params=VENUES, ids=lambda card: card.kind)
def card(request: pytest.FixtureRequest) -> Card:
    found: Card = request.param
    return found


@pytest.fixture
def chain() -> Chain:
    return Chain()


def refusal(venue: Venue, request: QuoteRequest) -> OrderdError:
    with pytest.raises(OrderdError) as error:
        best_quote(venue, request)
    return error.value


def test_a_quote_names_its_pool_price_fee_and_slot(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    quote = best_quote(card.venue(chain), ONE_SOL)
    assert (quote.venue, quote.pool_kind, quote.pool) == (card.make.program.venue, card.kind, str(POOL))
    assert quote.slot == 1_000
    assert (quote.mint_in, quote.mint_out, quote.amount_in) == (WSOL_MINT, USDC_MINT, 10**9)
    assert card.price * 980_000 < quote.amount_out < card.price * 1_005_000
    assert 0 < quote.fee < 10**8
    assert Decimal(0) <= quote.price_impact_bps < 20


def test_the_same_pools_trade_in_both_directions(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    there = best_quote(venue, ONE_SOL)
    asked = list(chain.methods)
    back = best_quote(venue, HUNDRED_USDC)
    assert there.pool == back.pool == str(POOL)
    assert 10**9 * 95 // card.price < back.amount_out < 10**9 * 101 // card.price
    assert chain.methods == asked  # one read served both


def test_a_larger_order_moves_the_price_further(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    small, large = (best_quote(venue, QuoteRequest(WSOL_MINT, USDC_MINT, amount * 10**9)) for amount in (1, 1000))
    assert large.price_impact_bps > small.price_impact_bps
    assert large.amount_out < 1000 * small.amount_out


def test_the_best_pool_is_quoted(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    card.pool(chain, OTHER, deeper=50)
    venue = card.venue(chain)
    assert set(venue.pools(WSOL_MINT, USDC_MINT)) == {str(POOL), str(OTHER)}
    assert best_quote(venue, QuoteRequest(WSOL_MINT, USDC_MINT, 200 * 10**9)).pool == str(OTHER)


def test_the_deepest_of_many_pools_are_kept(card: Card, chain: Chain) -> None:
    for number in range(MAX_POOLS_PER_PAIR + 2):
        card.pool(chain, Pubkey.from_bytes(bytes([number + 1]) * 32), deeper=number + 1)
    shallow = {str(Pubkey.from_bytes(bytes([number]) * 32)) for number in (1, 2)}
    kept = card.venue(chain).pools(WSOL_MINT, USDC_MINT)
    assert len(kept) == MAX_POOLS_PER_PAIR
    assert not shallow & set(kept)


@pytest.mark.parametrize(("pools", "requests"), [(1, 4), (3 * MAX_POOLS_PER_PAIR, 5)])
def test_a_new_pair_takes_few_requests_for_any_number_of_pools(
    card: Card, chain: Chain, pools: int, requests: int
) -> None:
    """One request each to list pools, to rank them by their vaults, to read them with their mints, and to read their
    state, which takes two if only the state names the arrays."""
    for number in range(pools):
        card.pool(chain, Pubkey.from_bytes(bytes([number + 1]) * 32), deeper=number + 1)
    assert card.venue(chain).liquidity(WSOL_MINT, USDC_MINT).pools
    assert chain.requests <= requests


def test_a_large_one_sided_deposit_displaces_no_pool(card: Card, chain: Chain) -> None:
    deep = [Pubkey.from_bytes(bytes([number + 1]) * 32) for number in range(MAX_POOLS_PER_PAIR)]
    for pool in deep:
        card.pool(chain, pool, deeper=2)
    card.pool(chain, OTHER)
    (bait,) = card.venue(chain, addresses=[str(OTHER)]).liquidity(WSOL_MINT, USDC_MINT).pools
    for held in ((2**63, 0), (0, 2**63)):
        for vault, mint, amount in zip(bait.vaults, (SOL, USDC), held, strict=True):
            chain.put(vault, token.PROGRAM_ID, token.TokenAccount.new(mint, OTHER, amount))
        assert set(card.venue(chain).pools(WSOL_MINT, USDC_MINT)) == {str(pool) for pool in deep}


def test_the_first_configured_pools_are_kept(card: Card, chain: Chain) -> None:
    named = [Pubkey.from_bytes(bytes([number + 1]) * 32) for number in range(MAX_POOLS_PER_PAIR + 1)]
    for depth, pool in enumerate(named, start=1):
        card.pool(chain, pool, deeper=depth)
    venue = card.venue(chain, addresses=[str(pool) for pool in named])
    assert set(venue.pools(WSOL_MINT, USDC_MINT)) == {str(pool) for pool in named[:-1]}


def test_ten_concurrent_quotes_make_one_request(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0])
    best_quote(venue, ONE_SOL)
    ticks[0] = 1.0
    chain.methods.clear()
    chain.gate = threading.Event()
    chain.asked.clear()
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(best_quote, venue, ONE_SOL) for _ in range(10)]
        assert chain.asked.wait(10)
        chain.gate.set()
        quotes = {answer.result(timeout=10) for answer in answers}
    assert len(quotes) == 1
    assert chain.methods == ["getMultipleAccounts"]


def test_state_is_read_again_when_it_is_too_old(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0], max_age_ms=400)
    assert not venue.is_fresh(WSOL_MINT, USDC_MINT)
    before = best_quote(venue, ONE_SOL)
    ticks[0] = 0.4
    chain.slot, chain.accounts = 1_001, dict(chain.accounts)
    card.pool(chain, POOL, deeper=50)
    assert venue.is_fresh(WSOL_MINT, USDC_MINT)
    assert best_quote(venue, ONE_SOL) == before
    ticks[0] = 0.401
    assert not venue.is_fresh(WSOL_MINT, USDC_MINT)
    after = best_quote(venue, ONE_SOL)
    assert after.slot == 1_001
    assert after.amount_out > before.amount_out or after.price_impact_bps <= before.price_impact_bps


def test_a_pair_without_a_pool_is_refused(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    stranger = str(Pubkey.from_bytes(b"\x77" * 32))
    error = refusal(card.venue(chain), QuoteRequest(WSOL_MINT, stranger, 10**9))
    assert error.code == ErrorCode.ROUTE_NOT_FOUND
    assert "no pool" in error.detail


def test_missing_pools_are_looked_up_again_soon(card: Card, chain: Chain) -> None:
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0])
    put_mint(chain, SOL, 9)
    put_mint(chain, USDC, 6)
    assert venue.pools(WSOL_MINT, USDC_MINT) == []
    card.pool(chain, POOL)
    chain.methods.clear()
    assert venue.pools(WSOL_MINT, USDC_MINT) == []
    assert chain.methods == [], "pools must not be looked up for every quote"
    ticks[0] = NOTHING_FOUND_SECONDS + 1
    while venue.pools(WSOL_MINT, USDC_MINT) != [str(POOL)]:
        pass  # the lookup runs in the background
    chain.methods.clear()
    ticks[0] += NOTHING_FOUND_SECONDS + 1
    assert venue.pools(WSOL_MINT, USDC_MINT) == [str(POOL)]
    assert chain.methods == []


def test_a_disabled_pool_is_refused(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL, **card.closed)
    error = refusal(card.venue(chain), ONE_SOL)
    assert error.code == ErrorCode.POOL_CLOSED
    assert "switched off" in error.detail


def test_a_pool_that_is_not_open_yet_is_refused(card: Card, chain: Chain) -> None:
    changes: dict[str, Any] = {card.opens_at: NOW + 60}
    card.pool(chain, POOL, **changes)
    error = refusal(card.venue(chain), ONE_SOL)
    assert error.code == ErrorCode.POOL_CLOSED
    assert "opens at" in error.detail


def test_a_disabled_pool_does_not_affect_others(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL, deeper=50, **card.closed)
    card.pool(chain, OTHER)
    assert best_quote(card.venue(chain), ONE_SOL).pool == str(OTHER)


def test_a_pool_with_an_unknown_flag_is_skipped_and_logged_once(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL, deeper=50, **card.unknown)
    card.pool(chain, OTHER)
    venue = card.venue(chain, max_age_ms=-1)
    with capture_logs() as lines:
        answers = [venue.liquidity(WSOL_MINT, USDC_MINT) for _ in range(2)]
    for answer in answers:
        assert [pool.address for pool in answer.pools] == [str(OTHER)]
        (refused,) = answer.refusals
        assert refused.code in (ErrorCode.POOL_UNSUPPORTED, ErrorCode.POOL_CLOSED)
        assert str(POOL) in refused.detail
    assert [(line["action"], line["pool"]) for line in lines] == [("pool_skipped", str(POOL))]


def test_a_hint_causes_a_pool_to_be_read_again(card: Card, chain: Chain) -> None:
    hints = KeptHints()
    card.pool(chain, POOL)
    venue = card.venue(chain, hints=hints)
    assert best_quote(venue, ONE_SOL).slot == chain.slot
    chain.slot += 1
    assert best_quote(venue, ONE_SOL).slot == chain.slot - 1
    assert venue.hints(WSOL_MINT, USDC_MINT) == 0
    hints.changes[POOL]()
    assert not venue.is_fresh(WSOL_MINT, USDC_MINT)
    assert best_quote(venue, ONE_SOL).slot == chain.slot
    assert venue.hints(WSOL_MINT, USDC_MINT) == venue.hints(USDC_MINT, WSOL_MINT) == 1, (
        "hints are counted for both directions"
    )


def test_an_unchanged_pool_keeps_its_decoded_state(card: Card, chain: Chain) -> None:
    hints = KeptHints()
    card.pool(chain, POOL)
    venue = card.venue(chain, hints=hints)

    def read_as() -> object:
        chain.slot += 1
        hints.changes[POOL]()
        (pool,) = venue.liquidity(WSOL_MINT, USDC_MINT).pools
        assert pool.slot == chain.slot
        return pool.read_as

    (first,) = venue.liquidity(WSOL_MINT, USDC_MINT).pools
    assert read_as() is first.read_as
    card.pool(chain, POOL, deeper=2)
    assert read_as() is not first.read_as


def test_an_amount_that_buys_zero_is_refused(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    assert refusal(card.venue(chain), QuoteRequest(WSOL_MINT, USDC_MINT, 1)).code == ErrorCode.ROUTE_AMOUNT_TOO_SMALL


def test_an_amount_above_the_pools_reserves_is_refused(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    error = refusal(card.venue(chain), QuoteRequest(WSOL_MINT, USDC_MINT, card.too_much))
    assert error.code == ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY


@pytest.mark.parametrize(
    ("extension", "content", "message"),
    [(14, b"\x01" * 64, "a program decides"), (9, b"", "cannot be transferred"), (999, b"", "is not known here")],
    ids=["transfer hook", "non-transferable", "unknown"],
)
def test_a_token_2022_mint_that_could_change_the_payout_is_refused(
    card: Card, chain: Chain, extension: int, content: bytes, message: str
) -> None:
    mint = Pubkey.from_bytes(b"\x44" * 32)
    put_mint(chain, mint, 6, extensions={18: bytes(64), extension: content})
    card.pool(chain, POOL, mint_out=mint)
    error = refusal(card.venue(chain), QuoteRequest(WSOL_MINT, str(mint), 10**9))
    assert error.code == ErrorCode.POOL_UNSUPPORTED
    assert message in error.detail


def test_a_node_that_cannot_list_pools_is_reported_with_the_setting_for_them(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    chain.unknown_methods.add("getProgramAccounts")
    error = refusal(card.venue(chain), ONE_SOL)
    assert error.code == ErrorCode.RPC_POOLS_UNLISTED
    assert f"ORDERD_{card.venue(chain).name.upper()}_POOLS" in error.detail
    configured = card.venue(chain, addresses=[str(POOL)])
    assert best_quote(configured, ONE_SOL).amount_out > 0


@dataclass
class Memory:
    """Pools found by another process."""

    pools: list[str]
    kept: list[Sequence[str]] = field(default_factory=list)
    was_kept: threading.Event = field(default_factory=threading.Event)

    def recall(self, kind: PoolKind, pair: tuple[str, str]) -> Sequence[str]:
        assert pair == tuple(sorted(pair))
        return self.pools

    def keep(self, kind: PoolKind, pair: tuple[str, str], pools: Sequence[str]) -> None:
        self.kept.append(pools)
        self.was_kept.set()


def test_remembered_pools_are_traded_while_they_are_looked_up_again(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    memory, now = Memory([str(POOL)]), [0.0]
    venue = card.venue(chain, lambda: now[0], memory=memory)
    assert best_quote(venue, ONE_SOL).amount_out > 0
    assert "getProgramAccounts" not in chain.methods
    now[0] = 1.0
    best_quote(venue, ONE_SOL)
    assert memory.was_kept.wait(10)
    assert (memory.kept, chain.methods.count("getProgramAccounts") > 0) == ([[str(POOL)]], True)


@pytest.mark.parametrize("remembered", [[], [str(Pubkey.from_bytes(b"\x77" * 32))]], ids=["nothing", "what is gone"])
def test_unknown_pools_are_looked_up_first(card: Card, chain: Chain, remembered: list[str]) -> None:
    card.pool(chain, POOL)
    memory = Memory(remembered)
    assert best_quote(card.venue(chain, memory=memory), ONE_SOL).amount_out > 0
    assert memory.kept == [[str(POOL)]]


def test_a_token_2022_mint_with_harmless_extensions_trades(card: Card, chain: Chain) -> None:
    mint = Pubkey.from_bytes(b"\x44" * 32)
    put_mint(chain, mint, 6, extensions={18: bytes(64), 19: bytes(80), 26: bytes(33)})
    card.pool(chain, POOL, mint_out=mint)
    venue = card.venue(chain)
    quote = best_quote(venue, QuoteRequest(WSOL_MINT, str(mint), 10**9))
    assert quote.amount_out > 0
    assert venue.token_programs(quote) == (token.PROGRAM_ID, token.TOKEN_2022_PROGRAM_ID)
    assert venue.account_size(quote) == 174, "the pausable extension enlarges each account"


def test_an_unavailable_endpoint_is_a_temporary_error(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    chain.unreachable()
    error = refusal(venue, ONE_SOL)
    assert error.code == ErrorCode.RPC_UNAVAILABLE
    assert error.retryable
    chain.failure = None
    assert best_quote(venue, ONE_SOL).pool == str(POOL)


def test_an_endpoint_that_limits_requests_is_distinguished(card: Card, chain: Chain) -> None:
    chain.status = 429
    assert refusal(card.venue(chain), ONE_SOL).code == ErrorCode.RPC_RATE_LIMITED


def test_only_configured_pools_are_used(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    card.pool(chain, OTHER, deeper=50)
    venue = card.venue(chain, addresses=[str(POOL)])
    assert venue.pools(USDC_MINT, WSOL_MINT) == [str(POOL)]
    assert best_quote(venue, ONE_SOL).pool == str(POOL)
    assert "getProgramAccounts" not in chain.methods


def test_a_configured_address_that_is_not_a_pool_is_skipped(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    put_mint(chain, OTHER, 6)
    missing = str(Pubkey.from_bytes(b"\x78" * 32))
    venue = card.venue(chain, addresses=[missing, str(OTHER), str(POOL)])
    assert venue.pools(WSOL_MINT, USDC_MINT) == [str(POOL)]


def test_found_pools_are_known_while_the_node_is_unavailable(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    assert venue.known(WSOL_MINT, USDC_MINT) == frozenset()
    best_quote(venue, ONE_SOL)
    chain.unreachable()
    assert venue.known(USDC_MINT, WSOL_MINT) == {str(POOL)}


def test_configured_pools_are_known_before_the_first_answer(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain, addresses=[str(POOL), str(OTHER)])
    assert venue.known(WSOL_MINT, USDC_MINT) == {str(POOL), str(OTHER)}
    best_quote(venue, ONE_SOL)
    assert venue.known(WSOL_MINT, USDC_MINT) == {str(POOL)}, "an address without a pool must be dropped"


def test_a_swap_has_the_quoted_input_and_the_requested_minimum(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    quote = best_quote(venue, ONE_SOL)
    source, destination = Pubkey.from_bytes(b"\x61" * 32), Pubkey.from_bytes(b"\x62" * 32)
    swap = venue.swap_instruction(quote, WALLET.address, source, destination, 99_000_000, small=False)
    assert swap.program_id == card.program
    assert swap.data[card.header :][:16] == (10**9).to_bytes(8, "little") + (99_000_000).to_bytes(8, "little")
    named = {name: swap.accounts[index] for name, index in card.indices.items()}
    assert {name: meta.pubkey for name, meta in named.items()} == {
        "pool": POOL,
        "source": source,
        "destination": destination,
        "owner": WALLET.address,
    }
    assert [meta.pubkey for meta in swap.accounts if meta.is_signer] == [WALLET.address]
    assert all(named[name].is_writable for name in ("pool", "source", "destination"))


def test_a_whole_trade_fits_into_one_transaction(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    for request in (ONE_SOL, HUNDRED_USDC):
        whole = trade(venue, best_quote(venue, request))
        attempt = attempt_instructions("0" * 40, whole, units=400_000, micro_lamports_per_unit=10_000)
        assert len(sign(attempt, WALLET, Hash.default()).raw) <= 1232


def test_a_trade_of_sol_wraps_it_before_and_unwraps_it_after(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    sell = programs(trade(venue, best_quote(venue, ONE_SOL)))
    buy = programs(trade(venue, best_quote(venue, HUNDRED_USDC)))
    assert sell == ["ata", "system", "token 17", "ata", "swap", "token 9"]
    assert buy == ["ata", "swap", "token 9"]


def test_a_quote_of_another_process_can_be_swapped(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    quote = best_quote(card.venue(chain), ONE_SOL)
    swap = card.venue(chain).swap_instruction(quote, WALLET.address, POOL, POOL, 1, small=False)
    assert swap.program_id == card.program


def test_a_quote_of_a_removed_pool_cannot_be_swapped(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    quote = best_quote(card.venue(chain), ONE_SOL)
    chain.accounts.clear()
    with pytest.raises(OrderdError) as error:
        card.venue(chain).swap_instruction(quote, WALLET.address, POOL, POOL, 1, small=False)
    assert error.value.code == ErrorCode.ROUTE_NOT_FOUND


def test_an_unreadable_account_affects_only_its_pool(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    card.pool(chain, OTHER)
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0])
    best_quote(venue, ONE_SOL)
    chain.accounts[OTHER] = (card.program, b"\x00" * 40)
    ticks[0] = 1.0
    assert best_quote(venue, ONE_SOL).pool == str(POOL)
    del chain.accounts[POOL]
    ticks[0] = 2.0
    assert refusal(venue, ONE_SOL).code in (ErrorCode.POOL_CLOSED, ErrorCode.POOL_UNSUPPORTED)


def trade(venue: Venue, quote: VenueQuote) -> list[Instruction]:
    return trade_instructions(lambda _: venue, Route.single(quote), WALLET.address, 1)


def programs(instructions: list[Instruction]) -> list[str]:
    names = {
        associated_token.PROGRAM_ID: "ata",
        Pubkey.default(): "system",
        **{card.program: "swap" for card in VENUES},
        memo.PROGRAM_ID: "memo",
    }
    return [names.get(each.program_id) or f"token {each.data[0]}" for each in instructions]
