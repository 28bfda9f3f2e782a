"""A quote, its transaction and its fill are equal to the base unit on a chain without other traders."""

import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.signature import Signature

from orderd.domain.errors import ErrorCode
from orderd.domain.pool_kind import PoolKind
from orderd.domain.quote import QuoteRequest, Route, VenueQuote
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.chain_errors import explain
from orderd.pools.meteora_dlmm.venue import MeteoraDlmm
from orderd.process.roles import ListeningRole
from orderd.solana.attempt import attempt_instructions
from orderd.solana.hints import AccountHints
from orderd.solana.keys import Wallet
from orderd.solana.rpc import RpcClient, TransactionInfo
from orderd.solana.transaction import SignedTransaction, sign
from orderd.venues.base import Venue, trade_instructions
from orderd.venues.pool_venue import PoolVenue, venue_class
from tests.conftest import running_simnet
from tests.unit.venues.asking import best_quote

CHILLGUY_MINT = "Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump"
SOL = 10**9
USDC = 10**6
PATIENCE = 20.0
_unlike = count()
"""A running number: the chain treats two equal transactions in one slot as one."""


@pytest.fixture(scope="module")
def simnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ListeningRole]:
    """One chain for all tests of the module; each test has its own wallet."""
    with running_simnet(tmp_path_factory.mktemp("simnet") / "chain") as chain:
        yield chain


@pytest.fixture
def rpc(simnet: ListeningRole) -> Iterator[RpcClient]:
    client = RpcClient(simnet.url)
    yield client
    client.close()


@pytest.fixture
def wallet(rpc: RpcClient) -> Wallet:
    funded = Wallet(Keypair())
    _landed(rpc, rpc.request_airdrop(funded.address, 5_000 * SOL))
    return funded


@pytest.fixture(params=PoolKind)
def venue(request: pytest.FixtureRequest, rpc: RpcClient) -> Venue:
    return venue_class(request.param)(rpc, max_age_ms=0)


def test_the_chain_pays_the_quoted_amount_in_both_directions(rpc: RpcClient, wallet: Wallet, venue: Venue) -> None:
    owner = str(wallet.address)
    sold = _trade(rpc, wallet, venue, QuoteRequest(WSOL_MINT, USDC_MINT, 3 * SOL // 2))
    assert sold[1].token_delta(USDC_MINT, lambda each: each == owner) == sold[0].amount_out
    assert sold[1].token_delta(WSOL_MINT, lambda each: each != owner) == 3 * SOL // 2
    bought = _trade(rpc, wallet, venue, QuoteRequest(USDC_MINT, WSOL_MINT, 100 * USDC))
    assert bought[1].token_delta(WSOL_MINT, lambda each: each != owner) == -bought[0].amount_out
    assert bought[1].token_delta(USDC_MINT, lambda each: each == owner) == -100 * USDC


def test_a_swap_over_many_bins_is_quoted_exactly(rpc: RpcClient, wallet: Wallet) -> None:
    request = QuoteRequest(WSOL_MINT, CHILLGUY_MINT, SOL)
    quote, landed = _trade(rpc, wallet, MeteoraDlmm(rpc, max_age_ms=0), request)
    assert quote.price_impact_bps > 100
    assert landed.token_delta(CHILLGUY_MINT, lambda each: each == str(wallet.address)) == quote.amount_out


def test_less_than_the_minimum_is_never_paid(rpc: RpcClient, wallet: Wallet, venue: Venue) -> None:
    request = QuoteRequest(WSOL_MINT, USDC_MINT, SOL)
    quote = best_quote(venue, request)
    signed = _signed(rpc, wallet, venue, quote, quote.amount_out + 1, "greedy")
    simulation = rpc.simulate_transaction(signed.raw).value
    assert simulation.err is not None
    assert explain(simulation.err, simulation.logs).code is ErrorCode.TX_SLIPPAGE_EXCEEDED
    rpc.send_transaction(signed.raw)
    landed = _landed(rpc, signed.signature)
    assert landed.err is not None
    assert explain(landed.err, landed.logs).code is ErrorCode.TX_SLIPPAGE_EXCEEDED
    assert landed.token_delta(USDC_MINT, lambda _: True) == 0


def test_a_swap_on_the_chain_notifies_watchers_of_the_pool(
    rpc: RpcClient, wallet: Wallet, venue: PoolVenue[Any, Any], simnet: ListeningRole
) -> None:
    hinted = threading.Event()
    hints = AccountHints(simnet.address["ws_url"])
    hints.on_hint = hinted.set
    watching = type(venue)(rpc, max_age_ms=3_600_000, hints=hints)
    request = QuoteRequest(WSOL_MINT, USDC_MINT, SOL)
    before = best_quote(watching, request)
    hints.start()
    try:
        assert watching.is_fresh(WSOL_MINT, USDC_MINT)
        while not hinted.is_set():  # the subscription may start after the first swap
            _trade(rpc, wallet, venue, QuoteRequest(WSOL_MINT, USDC_MINT, SOL + next(_unlike)))
        after = best_quote(watching, request)
    finally:
        hints.stop(PATIENCE)
    assert after.slot > before.slot


def test_a_trade_above_the_balance_is_insufficient_funds(rpc: RpcClient, wallet: Wallet, venue: Venue) -> None:
    quote = best_quote(venue, QuoteRequest(USDC_MINT, WSOL_MINT, 100 * USDC))
    simulation = rpc.simulate_transaction(_signed(rpc, wallet, venue, quote, 1, "poor").raw).value
    assert simulation.err is not None
    assert explain(simulation.err, simulation.logs).code is ErrorCode.FUNDS_INSUFFICIENT


def _trade(rpc: RpcClient, wallet: Wallet, venue: Venue, request: QuoteRequest) -> tuple[VenueQuote, TransactionInfo]:
    """Quote a trade and accept only the exact quote."""
    quote = best_quote(venue, request)
    signed = _signed(rpc, wallet, venue, quote, quote.amount_out, f"{request.mint_in[:4]} {request.amount}")
    assert rpc.send_transaction(signed.raw) == signed.signature
    landed = _landed(rpc, signed.signature)
    assert landed.err is None, landed.logs
    return quote, landed


def _signed(
    rpc: RpcClient, wallet: Wallet, venue: Venue, quote: VenueQuote, min_amount_out: int, memo: str
) -> SignedTransaction:
    trade = trade_instructions(lambda _: venue, Route.single(quote), wallet.address, min_amount_out)
    attempt = attempt_instructions(memo, trade, units=400_000, micro_lamports_per_unit=1_000)
    return sign(attempt, wallet, rpc.get_latest_blockhash().value.blockhash)


def _landed(rpc: RpcClient, signature: Signature) -> TransactionInfo:
    """Ask until the transaction is in a block."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        found = rpc.get_transaction(signature)
        if found is not None:
            return found
    raise AssertionError(f"{signature} did not land")
