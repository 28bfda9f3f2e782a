"""Swaps of a token with a transfer fee take and pay exactly the quoted amounts."""

from functools import partial

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from orderd.amm.transfer_fee import TransferFee
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.domain.quote import QuoteRequest, Route
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.chain_errors import explain
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.router import Router
from orderd.simnet.invoke import SLOTS_PER_EPOCH
from orderd.simnet.runtime import Outcome
from orderd.solana.programs import associated_token, token
from orderd.venues.base import trade_instructions
from orderd.venues.pool_venue import venue_class
from orderd.venues.reading import read_batch
from tests.unit.simnet.conftest import GENESIS_TIME, LocalChain
from tests.unit.venues.chain import Chain
from tests.unit.venues.taxed import HELD, PROGRAM, taxed, withheld

KINDS = [kind for kind in PoolKind if kind is not PoolKind.RAYDIUM_AMM_V4]  # which knows SPL Token only
USDC = Pubkey.from_string(USDC_MINT)
FEES = [(100, 2**63), (1, 2**63), (250, 1_000), (9_999, 2**63), (0, 0)]
"""Basis points and maximum fee; all but the smallest amounts reach the third maximum."""


class TaxedChain(LocalChain):
    """A chain on which USDC has a transfer fee, and the venues that read it."""

    def __init__(self, bps: int, maximum: int, later: tuple[int, int, int] | None = None) -> None:
        super().__init__()
        self.bank.replace(taxed(self.bank.accounts, bps, maximum, later))
        node = Chain()
        node.slot = self.bank.open.slot
        node.accounts = {key: (each.owner, each.data) for key, each in self.bank.accounts.items()}
        rpc = node.rpc()
        self.node = node
        self.router = Router(
            [venue_class(kind)(rpc, clock=lambda: 0.0, unix_time=lambda: GENESIS_TIME) for kind in PoolKind],
            read=partial(read_batch, rpc),
            timeout_ms=60_000,
            max_price_impact_bps=10_000,
            max_total_cost_bps=10_000,
            guard=PriceGuard(10_000),
            max_slot_lag=20,
            unit_price=lambda: 0,
            threads=1,
        )
        self.usdc = associated_token.address(self.trader.pubkey(), USDC, PROGRAM)

    def best_of(self, kind: PoolKind, request: QuoteRequest) -> Route:
        """The best pool of a kind alone. Raises OrderdError."""
        quotes = self.router.route(request, 50, lambda _: True).quotes
        return Route.single(next(quote for quote in quotes if quote.pool_kind is kind))

    def executes(self, route: Route, limit: int) -> Outcome:
        return self.send(*trade_instructions(self.router.venue_of, route, self.trader.pubkey(), limit))

    def sol(self) -> int:
        """Includes wrapped SOL; excludes transaction costs."""
        wrapped = self.bank.accounts.get(self.held(token.NATIVE_MINT))
        own = self.account(self.trader.pubkey()).lamports + 5_000 * self._count
        return own + (0 if wrapped is None else wrapped.lamports)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bps", "maximum"), FEES)
@pytest.mark.parametrize("amount", [12_345_679, 1_000_000_007])
def test_a_purchase_receives_the_quoted_amount(kind: PoolKind, bps: int, maximum: int, amount: int) -> None:
    chain = TaxedChain(bps, maximum)
    route = chain.best_of(kind, QuoteRequest(WSOL_MINT, USDC_MINT, amount))
    assert route.main.transfer_fee_in == 0
    sent = route.amount_out + route.main.transfer_fee_out
    assert route.main.transfer_fee_out == TransferFee(bps, maximum).of(sent)
    refused = chain.executes(route, route.amount_out + 1)
    assert refused.error is not None
    assert explain(refused.error.to_json(), refused.logs).code is ErrorCode.TX_SLIPPAGE_EXCEEDED

    landed = chain.executes(route, route.amount_out)

    assert landed.error is None, landed.logs
    assert chain.amount(chain.usdc) - HELD == route.amount_out
    assert withheld(chain.account(chain.usdc)) == route.main.transfer_fee_out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bps", "maximum"), FEES)
@pytest.mark.parametrize("amount", [1_234_567, 250_000_003])
def test_a_sale_pays_the_quoted_amount(kind: PoolKind, bps: int, maximum: int, amount: int) -> None:
    chain = TaxedChain(bps, maximum)
    route = chain.best_of(kind, QuoteRequest(USDC_MINT, WSOL_MINT, amount))
    assert (route.main.transfer_fee_in, route.main.transfer_fee_out) == (TransferFee(bps, maximum).of(amount), 0)
    before = chain.sol()

    landed = chain.executes(route, route.amount_out)

    assert landed.error is None, landed.logs
    assert HELD - chain.amount(chain.usdc) == amount
    assert chain.sol() - before == route.amount_out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bps", "maximum"), FEES[:3])
def test_an_exact_purchase_with_the_token_costs_the_quoted_amount(kind: PoolKind, bps: int, maximum: int) -> None:
    chain = TaxedChain(bps, maximum)
    route = chain.best_of(kind, QuoteRequest(USDC_MINT, WSOL_MINT, 123_456_789, exact_out=True))
    before = chain.sol()
    refused = chain.executes(route, route.amount_in - 1)
    assert refused.error is not None

    landed = chain.executes(route, route.amount_in)

    assert landed.error is None, landed.logs
    assert HELD - chain.amount(chain.usdc) == route.amount_in
    assert chain.sol() - before == 123_456_789


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not PoolKind.RAYDIUM_CLMM])
@pytest.mark.parametrize(("bps", "maximum"), FEES[:3])
def test_an_exact_amount_of_the_token_is_received(kind: PoolKind, bps: int, maximum: int) -> None:
    chain = TaxedChain(bps, maximum)
    route = chain.best_of(kind, QuoteRequest(WSOL_MINT, USDC_MINT, 12_345_678, exact_out=True))
    landed = chain.executes(route, route.amount_in)
    assert landed.error is None, landed.logs
    assert chain.amount(chain.usdc) - HELD == 12_345_678


def test_clmm_does_not_support_exact_purchases_of_the_token() -> None:
    request = QuoteRequest(WSOL_MINT, USDC_MINT, 12_345_678, exact_out=True)
    with pytest.raises(StopIteration):
        TaxedChain(100, 2**63).best_of(PoolKind.RAYDIUM_CLMM, request)


def test_a_new_fee_applies_from_its_epoch() -> None:
    epoch = LocalChain().bank.open.slot // SLOTS_PER_EPOCH
    request = QuoteRequest(USDC_MINT, WSOL_MINT, 10**6)
    for since, expected in ((epoch, 20_000), (epoch + 1, 10_000)):
        chain = TaxedChain(100, 2**63, later=(since, 200, 2**63))
        route = chain.best_of(PoolKind.RAYDIUM_CPMM, request)
        assert route.main.transfer_fee_in == expected
        assert chain.executes(route, route.amount_out).error is None


def test_transfer_fees_are_costs_of_the_route() -> None:
    chain = TaxedChain(1_500, 2**63)
    route = chain.best_of(PoolKind.RAYDIUM_CPMM, QuoteRequest(USDC_MINT, WSOL_MINT, 10**6))
    assert 1_500 < route.total_cost_bps < 1_520
    with pytest.raises(OrderdError) as refused:
        chain.router.route(QuoteRequest(USDC_MINT, WSOL_MINT, 10**6, max_cost_bps=1_000), 50, lambda _: True)
    assert refused.value.code is ErrorCode.ROUTE_TOTAL_COST


def test_an_account_of_the_token_has_space_for_withheld_fees() -> None:
    chain, stranger = TaxedChain(100, 2**63), Keypair().pubkey()
    made = chain.send(associated_token.create_idempotent(chain.trader.pubkey(), stranger, USDC, PROGRAM))
    assert made.error is None, made.logs
    account = chain.account(associated_token.address(stranger, USDC, PROGRAM))
    assert (len(account.data), withheld(account)) == (182, 0)
    sent = chain.send(
        token.transfer_checked(
            chain.usdc,
            USDC,
            associated_token.address(stranger, USDC, PROGRAM),
            chain.trader.pubkey(),
            1_000,
            6,
            PROGRAM,
        )
    )
    assert sent.error is None, sent.logs
    account = chain.account(associated_token.address(stranger, USDC, PROGRAM))
    assert (chain.amount(associated_token.address(stranger, USDC, PROGRAM)), withheld(account)) == (990, 10)


def test_a_transfer_without_the_mint_is_refused() -> None:
    chain = TaxedChain(100, 2**63)
    sent = chain.send(token.transfer(chain.usdc, chain.usdc, chain.trader.pubkey(), 1, PROGRAM))
    assert sent.error is None, "a transfer to itself moves nothing"
    vault = next(key for key, each in chain.bank.accounts.items() if each.owner == PROGRAM and key != chain.usdc)
    sent = chain.send(token.transfer(chain.usdc, vault, chain.trader.pubkey(), 1, PROGRAM))
    assert sent.error is not None
