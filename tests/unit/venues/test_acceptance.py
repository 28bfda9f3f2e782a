"""The cards every venue must pass. A venue that is added joins VENUES and passes them as they are."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import QuoteRequest, VenueName
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.solana.keys import Wallet
from orderd.solana.programs import associated_token, memo, meteora_dlmm, raydium_cpmm, token
from orderd.solana.programs.raydium_cpmm import PoolStatus
from orderd.solana.transaction import attempt_instructions, sign
from orderd.venues.base import Venue, trade_instructions
from orderd.venues.meteora import Meteora
from orderd.venues.pool_venue import MAX_POOLS_A_PAIR, PoolVenue
from orderd.venues.raydium import Raydium
from tests.unit.amm.vectors import load
from tests.unit.venues.chain import Chain, put_cpmm, put_dlmm, put_mint

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


@dataclass(frozen=True)
class Card:
    """One venue under test: how its pools come into being, and how its own accounts say "closed"."""

    make: Callable[..., PoolVenue[Any, Any]]
    name: VenueName
    put: Callable[..., None]
    closed: dict[str, Any]
    opens_at: str
    indices: dict[str, int]
    program: Pubkey
    too_much: int

    def pool(self, chain: Chain, address: Pubkey, deeper: int = 1, mint_out: Pubkey = USDC, **changes: Any) -> None:
        pool = _times(CPMM_POOL, deeper) if self.name == VenueName.RAYDIUM else _times(DLMM_POOL, deeper)
        self.put(chain, address, SOL, mint_out, pool, **changes)

    def venue(self, chain: Chain, clock: Callable[[], float] = lambda: 0.0, **options: Any) -> PoolVenue[Any, Any]:
        return self.make(chain.rpc(), clock=clock, unix_time=lambda: float(NOW), **options)


def _times(pool: dict[str, Any], factor: int) -> dict[str, Any]:
    """The same pool with `factor` times as much in it."""
    if "pool_state" in pool:
        state = pool["pool_state"]
        vaults = {name: state[name] * factor for name in ("token_0_vault_amount", "token_1_vault_amount")}
        return pool | {"pool_state": state | vaults}
    bins = [
        each | {"amount_x": each["amount_x"] * factor, "amount_y": each["amount_y"] * factor} for each in pool["bins"]
    ]
    return pool | {"bins": bins}


VENUES = [
    Card(
        make=Raydium,
        name=VenueName.RAYDIUM,
        put=put_cpmm,
        closed={"status": PoolStatus.SWAP_DISABLED},
        opens_at="open_time",
        indices={"pool": 3, "source": 4, "destination": 5, "owner": 0},
        program=raydium_cpmm.PROGRAM_ID,
        too_much=2**64 - 1,
    ),
    Card(
        make=Meteora,
        name=VenueName.METEORA,
        put=put_dlmm,
        closed={"status": 1},
        opens_at="activation_point",
        indices={"pool": 0, "source": 4, "destination": 5, "owner": 10},
        program=meteora_dlmm.PROGRAM_ID,
        too_much=2**60,
    ),
]
POOL = Pubkey.from_bytes(b"\x31" * 32)
OTHER = Pubkey.from_bytes(b"\x32" * 32)


@pytest.fixture(params=VENUES, ids=lambda card: str(card.name))
def card(request: pytest.FixtureRequest) -> Card:
    found: Card = request.param
    return found


@pytest.fixture
def chain() -> Chain:
    return Chain()


def refusal(venue: Venue, request: QuoteRequest) -> OrderdError:
    with pytest.raises(OrderdError) as error:
        venue.quote(request)
    return error.value


def test_a_quote_names_its_pool_price_fee_and_slot(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    quote = card.venue(chain).quote(ONE_SOL)
    assert (quote.venue, quote.pool, quote.slot) == (card.name, str(POOL), 1_000)
    assert (quote.mint_in, quote.mint_out, quote.amount_in) == (WSOL_MINT, USDC_MINT, 10**9)
    assert 100_000_000 < quote.amount_out < 102_500_000
    assert 0 < quote.fee < 10**8
    assert quote.fee_mint == WSOL_MINT
    assert Decimal(0) <= quote.price_impact_bps < 20


def test_the_same_pools_trade_both_ways(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    there, back = venue.quote(ONE_SOL), venue.quote(HUNDRED_USDC)
    assert there.pool == back.pool == str(POOL)
    assert 10**9 * 95 // 102 < back.amount_out < 10**9
    assert len(chain.methods) == len(set(chain.methods)) + (card.name == VenueName.METEORA)  # one read served both


def test_a_larger_order_moves_the_price_further(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    small, large = (venue.quote(QuoteRequest(WSOL_MINT, USDC_MINT, amount * 10**9)) for amount in (1, 1000))
    assert large.price_impact_bps > small.price_impact_bps
    assert large.amount_out < 1000 * small.amount_out


def test_the_pool_that_pays_most_is_quoted(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    card.pool(chain, OTHER, deeper=50)
    venue = card.venue(chain)
    assert set(venue.pools(WSOL_MINT, USDC_MINT)) == {str(POOL), str(OTHER)}
    assert venue.quote(QuoteRequest(WSOL_MINT, USDC_MINT, 200 * 10**9)).pool == str(OTHER)


def test_of_many_pools_the_deepest_are_kept(card: Card, chain: Chain) -> None:
    for number in range(MAX_POOLS_A_PAIR + 2):
        card.pool(chain, Pubkey.from_bytes(bytes([number + 1]) * 32), deeper=number + 1)
    shallow = {str(Pubkey.from_bytes(bytes([number]) * 32)) for number in (1, 2)}
    kept = card.venue(chain).pools(WSOL_MINT, USDC_MINT)
    assert len(kept) == MAX_POOLS_A_PAIR
    assert not shallow & set(kept)


def test_ten_who_ask_at_once_make_one_request(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0])
    venue.quote(ONE_SOL)
    ticks[0] = 1.0
    chain.methods.clear()
    chain.gate = threading.Event()
    chain.asked.clear()
    with ThreadPoolExecutor(10) as pool:
        answers = [pool.submit(venue.quote, ONE_SOL) for _ in range(10)]
        assert chain.asked.wait(10)
        chain.gate.set()
        quotes = {answer.result(timeout=10) for answer in answers}
    assert len(quotes) == 1
    assert chain.methods == ["getMultipleAccounts"]


def test_state_is_read_again_when_it_is_too_old(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0], max_age_ms=400)
    assert not venue.is_fresh(ONE_SOL)
    before = venue.quote(ONE_SOL)
    ticks[0] = 0.4
    chain.slot, chain.accounts = 1_001, dict(chain.accounts)
    card.pool(chain, POOL, deeper=50)
    assert venue.is_fresh(ONE_SOL)
    assert venue.quote(ONE_SOL) == before
    ticks[0] = 0.401
    assert not venue.is_fresh(ONE_SOL)
    after = venue.quote(ONE_SOL)
    assert after.slot == 1_001
    assert after.amount_out > before.amount_out or after.price_impact_bps <= before.price_impact_bps


def test_a_pair_that_no_pool_trades_is_said_so(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    stranger = str(Pubkey.from_bytes(b"\x77" * 32))
    error = refusal(card.venue(chain), QuoteRequest(WSOL_MINT, stranger, 10**9))
    assert error.code == ErrorCode.ROUTE_NOT_FOUND
    assert card.name in error.detail


def test_a_pool_that_is_switched_off_is_refused(card: Card, chain: Chain) -> None:
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


def test_a_closed_pool_does_not_keep_the_others_from_quoting(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL, deeper=50, **card.closed)
    card.pool(chain, OTHER)
    assert card.venue(chain).quote(ONE_SOL).pool == str(OTHER)


def test_an_amount_that_buys_nothing_is_refused(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    assert refusal(card.venue(chain), QuoteRequest(WSOL_MINT, USDC_MINT, 1)).code == ErrorCode.ROUTE_AMOUNT_TOO_SMALL


def test_more_than_the_pool_can_serve_is_refused(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    error = refusal(card.venue(chain), QuoteRequest(WSOL_MINT, USDC_MINT, card.too_much))
    assert error.code == ErrorCode.ROUTE_INSUFFICIENT_LIQUIDITY


@pytest.mark.parametrize("extension", [1, 14, 26, 999], ids=["transfer fee", "transfer hook", "pausable", "unknown"])
def test_a_token_2022_mint_that_could_change_the_payout_is_refused(card: Card, chain: Chain, extension: int) -> None:
    mint = Pubkey.from_bytes(b"\x44" * 32)
    put_mint(chain, mint, 6, extensions={18: bytes(64), extension: bytes(16)})
    card.pool(chain, POOL, mint_out=mint)
    error = refusal(card.venue(chain), QuoteRequest(WSOL_MINT, str(mint), 10**9))
    assert error.code == ErrorCode.POOL_UNSUPPORTED
    assert str(extension) in error.detail


def test_a_token_2022_mint_with_harmless_extensions_trades(card: Card, chain: Chain) -> None:
    mint = Pubkey.from_bytes(b"\x44" * 32)
    put_mint(chain, mint, 6, extensions={18: bytes(64), 19: bytes(80)})
    card.pool(chain, POOL, mint_out=mint)
    venue = card.venue(chain)
    quote = venue.quote(QuoteRequest(WSOL_MINT, str(mint), 10**9))
    assert quote.amount_out > 0
    assert venue.token_programs(quote) == (token.PROGRAM_ID, token.TOKEN_2022_PROGRAM_ID)


def test_an_endpoint_that_is_down_is_no_judgement_and_passes(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    chain.unreachable()
    error = refusal(venue, ONE_SOL)
    assert error.code == ErrorCode.RPC_UNAVAILABLE
    assert error.retryable
    chain.failure = None
    assert venue.quote(ONE_SOL).pool == str(POOL)


def test_an_endpoint_that_limits_requests_is_told_apart(card: Card, chain: Chain) -> None:
    chain.status = 429
    assert refusal(card.venue(chain), ONE_SOL).code == ErrorCode.RPC_RATE_LIMITED


def test_configured_pools_are_the_only_ones_asked(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    card.pool(chain, OTHER, deeper=50)
    venue = card.venue(chain, addresses=[str(POOL)])
    assert venue.pools(USDC_MINT, WSOL_MINT) == [str(POOL)]
    assert venue.quote(ONE_SOL).pool == str(POOL)
    assert "getProgramAccounts" not in chain.methods


def test_a_configured_address_that_is_no_pool_is_passed_over(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    put_mint(chain, OTHER, 6)
    missing = str(Pubkey.from_bytes(b"\x78" * 32))
    venue = card.venue(chain, addresses=[missing, str(OTHER), str(POOL)])
    assert venue.pools(WSOL_MINT, USDC_MINT) == [str(POOL)]


def test_a_swap_spends_what_was_quoted_and_accepts_no_less_than_asked(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    quote = venue.quote(ONE_SOL)
    source, destination = Pubkey.from_bytes(b"\x61" * 32), Pubkey.from_bytes(b"\x62" * 32)
    (swap,) = venue.swap_instructions(quote, WALLET.address, source, destination, 99_000_000)
    assert swap.program_id == card.program
    assert swap.data[8:24] == (10**9).to_bytes(8, "little") + (99_000_000).to_bytes(8, "little")
    named = {name: swap.accounts[index] for name, index in card.indices.items()}
    assert {name: meta.pubkey for name, meta in named.items()} == {
        "pool": POOL,
        "source": source,
        "destination": destination,
        "owner": WALLET.address,
    }
    assert [meta.pubkey for meta in swap.accounts if meta.is_signer] == [WALLET.address]
    assert all(named[name].is_writable for name in ("pool", "source", "destination"))


def test_a_whole_trade_fits_one_transaction(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    for request in (ONE_SOL, HUNDRED_USDC):
        trade = trade_instructions(venue, venue.quote(request), WALLET.address, 1)
        attempt = attempt_instructions("0" * 40, trade, units=400_000, micro_lamports_a_unit=10_000)
        assert len(sign(attempt, WALLET, Hash.default()).raw) <= 1232


def test_a_trade_of_sol_wraps_it_before_and_unwraps_it_after(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    venue = card.venue(chain)
    sell = programs(trade_instructions(venue, venue.quote(ONE_SOL), WALLET.address, 1))
    buy = programs(trade_instructions(venue, venue.quote(HUNDRED_USDC), WALLET.address, 1))
    assert sell == ["ata", "system", "token 17", "ata", "swap", "token 9"]
    assert buy == ["ata", "swap", "token 9"]


def test_a_quote_of_another_process_can_be_swapped(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    quote = card.venue(chain).quote(ONE_SOL)
    assert len(card.venue(chain).swap_instructions(quote, WALLET.address, POOL, POOL, 1)) == 1


def test_a_quote_whose_pool_is_gone_cannot(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    quote = card.venue(chain).quote(ONE_SOL)
    chain.accounts.clear()
    with pytest.raises(OrderdError) as error:
        card.venue(chain).swap_instructions(quote, WALLET.address, POOL, POOL, 1)
    assert error.value.code == ErrorCode.ROUTE_NOT_FOUND


def test_an_account_that_cannot_be_read_refuses_its_pool_alone(card: Card, chain: Chain) -> None:
    card.pool(chain, POOL)
    card.pool(chain, OTHER)
    ticks = [0.0]
    venue = card.venue(chain, clock=lambda: ticks[0])
    venue.quote(ONE_SOL)
    chain.accounts[OTHER] = (card.program, b"\x00" * 40)
    ticks[0] = 1.0
    assert venue.quote(ONE_SOL).pool == str(POOL)
    del chain.accounts[POOL]
    ticks[0] = 2.0
    assert refusal(venue, ONE_SOL).code in (ErrorCode.POOL_CLOSED, ErrorCode.POOL_UNSUPPORTED)


def programs(instructions: list[Instruction]) -> list[str]:
    names = {
        associated_token.PROGRAM_ID: "ata",
        Pubkey.default(): "system",
        raydium_cpmm.PROGRAM_ID: "swap",
        meteora_dlmm.PROGRAM_ID: "swap",
        memo.PROGRAM_ID: "memo",
    }
    return [names.get(each.program_id) or f"token {each.data[0]}" for each in instructions]
