"""Routes with several legs, on a chain without other traders: one transaction that pays exactly its quote."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import min_amount_out
from orderd.domain.pool_kind import PoolKind
from orderd.domain.quote import QuoteRequest, Route
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import WELL_KNOWN, registry_of
from orderd.engine.execution.building import Builder
from orderd.engine.execution.fees import FeeMarket
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.execution.wallet_funds import FundsCheck
from orderd.engine.market import Market
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.settlement.fill import read_fill
from orderd.engine.token_desk import TokenDesk
from orderd.pools.meteora_damm_v2.venue import MeteoraDammV2
from orderd.pools.meteora_dlmm.venue import MeteoraDlmm
from orderd.pools.raydium_amm_v4.venue import RaydiumAmmV4
from orderd.pools.raydium_clmm.venue import RaydiumClmm
from orderd.pools.raydium_cpmm.venue import RaydiumCpmm
from orderd.process.roles import ListeningRole
from orderd.solana.keys import Wallet
from orderd.solana.programs import associated_token, system, token
from orderd.solana.rpc import RpcClient, TransactionInfo
from orderd.solana.transaction import decode, sign
from orderd.venues.account_facts import token_amount
from orderd.venues.reading import read_batch
from tests.samples.signing import sign_one

SOL, USDC, CHILLGUY = WELL_KNOWN["simnet"][:3]
SLIPPAGE_BPS = 50
SYSTEM = system.PROGRAM_ID
PATIENCE = 20.0


@dataclass
class Desk:
    """A router and a builder on one chain."""

    rpc: RpcClient
    router: Router
    builder: Builder
    wallet: Wallet

    def route(self, mint_in: str, mint_out: str, amount_in: int, fits: Fits | None = None) -> Route:
        request = QuoteRequest(mint_in, mint_out, amount_in)
        return self.router.route(request, SLIPPAGE_BPS, fits or self.builder.fits).route

    def execute(self, route: Route, floor: int, memo: str, *, use_wrapped: bool = False) -> TransactionInfo:
        signed = sign_one(self.builder, SwapPlan(route, floor, use_wrapped), memo)
        assert self.rpc.send_transaction(signed.raw) == signed.signature
        return _landed(self.rpc, signed.signature)

    def execute_apart(self, route: Route, memo: str) -> tuple[TransactionInfo, Pubkey]:
        """Also returns the temporary account of wrapped SOL that the trade creates, as visible on the chain."""
        signed = sign_one(self.builder, SwapPlan(route, route.amount_out), memo)
        message = decode(signed.raw).message
        made = next(each for each in message.instructions if message.account_keys[each.program_id_index] == SYSTEM)
        self.rpc.send_transaction(signed.raw)
        return _landed(self.rpc, signed.signature), message.account_keys[made.accounts[1]]

    def wrap(self, lamports: int) -> None:
        """Give the wallet a wrapped SOL account with this balance."""
        owner, account = self.wallet.address, associated_token.address(self.wallet.address, token.NATIVE_MINT)
        wrap = [
            associated_token.create_idempotent(owner, owner, token.NATIVE_MINT),
            system.transfer(owner, account, lamports),
            token.sync_native(account),
        ]
        signed = sign(wrap, self.wallet, self.rpc.get_latest_blockhash().value.blockhash)
        self.rpc.send_transaction(signed.raw)
        assert _landed(self.rpc, signed.signature).err is None

    def wrapped(self) -> int:
        account = associated_token.address(self.wallet.address, token.NATIVE_MINT)
        return token_amount(self.rpc.get_multiple_accounts([account]).value[0])


@pytest.fixture
def desk(simnet: ListeningRole) -> Iterator[Desk]:
    rpc = RpcClient(simnet.url)
    wallet = Wallet(Keypair())
    _landed(rpc, rpc.request_airdrop(wallet.address, 5_000 * 10**9))
    fees = FeeMarket(rpc, percentile=75, floor=10_000, cap=1_000_000, max_age=0.0)
    kinds = (RaydiumCpmm, RaydiumClmm, RaydiumAmmV4, MeteoraDlmm, MeteoraDammV2)
    router = Router(
        [kind(rpc, max_age_ms=0) for kind in kinds],
        read=partial(read_batch, rpc),
        intermediates=(SOL, USDC),
        timeout_ms=10_000,
        max_price_impact_bps=2_000,
        guard=PriceGuard(500),
        max_slot_lag=20,
        unit_price=lambda: fees.last,
        threads=2,
    )
    yield Desk(
        rpc, router, Builder(router, rpc, wallet, fees, FundsCheck(rpc, wallet.address), blockhash_age=0.0), wallet
    )
    rpc.close()


def test_a_split_pays_exactly_the_sum_of_its_quoted_legs(desk: Desk) -> None:
    route = desk.route(WSOL_MINT, USDC_MINT, 1_000 * 10**9)
    assert len(route.legs) > 1
    landed = desk.execute(route, route.amount_out, "split")
    assert landed.err is None, landed.logs
    fill = read_fill(landed, str(desk.builder.wallet), WSOL_MINT, USDC_MINT)
    assert (fill.amount_in, fill.amount_out) == (1_000 * 10**9, route.amount_out)


def test_two_hops_leave_the_surplus_of_the_first_hop_in_the_wallet(desk: Desk) -> None:
    bought = desk.route(WSOL_MINT, USDC_MINT, 10**10)
    assert desk.execute(bought, 1, "some USDC first").err is None

    route = desk.route(USDC_MINT, CHILLGUY.mint, 20 * 10**6)
    first, second = route.hops
    assert (first.mint_out, second.mint_out) == (WSOL_MINT, CHILLGUY.mint)
    landed = desk.execute(route, min_amount_out(route.amount_out, SLIPPAGE_BPS), "two hops")

    assert landed.err is None, landed.logs
    fill = read_fill(landed, str(desk.builder.wallet), USDC_MINT, CHILLGUY.mint)
    assert (fill.amount_in, fill.amount_out) == (20 * 10**6, route.amount_out)
    others = landed.token_delta(WSOL_MINT, lambda owner: owner != str(desk.builder.wallet))
    assert others == second.amount_in - first.amount_out  # the pools paid more SOL than they received
    assert 0 < -others <= first.amount_out * SLIPPAGE_BPS // 10_000
    assert fill.left_over == {WSOL_MINT: -others}, "the fill does not report the surplus"
    assert fill.rent == token.ACCOUNT_RENT, "the fill does not report the rent of the new account"


def test_balances_show_tradable_and_wrapped_sol_separately(desk: Desk) -> None:
    desk.wrap(7 * 10**9)
    market = Market(desk.router, desk.builder, desk.rpc, TokenDesk(registry_of("simnet"), desk.rpc))
    (sol,) = market.balances().balances
    assert (sol.token, sol.wrapped, sol.elsewhere) == ("SOL", "7", "0")
    assert sol.tradable is not None
    assert Decimal(sol.tradable) + 7 == Decimal(sol.amount)


@pytest.mark.parametrize("amount", [10**9, 1_000 * 10**9], ids=["one leg", "several legs"])
def test_existing_wrapped_sol_is_neither_unwrapped_nor_counted(desk: Desk, amount: int) -> None:
    kept = 7 * 10**9
    desk.wrap(kept)
    sold = desk.route(WSOL_MINT, USDC_MINT, amount)
    landed = desk.execute(sold, sold.amount_out, "sell SOL")
    assert landed.err is None, landed.logs
    fill = read_fill(landed, str(desk.builder.wallet), WSOL_MINT, USDC_MINT)
    assert (fill.amount_in, fill.amount_out) == (amount, sold.amount_out)
    assert desk.wrapped() == kept

    bought = desk.route(USDC_MINT, WSOL_MINT, fill.amount_out // 2)
    landed = desk.execute(bought, bought.amount_out, "buy SOL")
    assert landed.err is None, landed.logs
    assert read_fill(landed, str(desk.builder.wallet), USDC_MINT, WSOL_MINT).amount_out == bought.amount_out
    assert desk.wrapped() == kept

    through = desk.route(USDC_MINT, CHILLGUY.mint, 20 * 10**6)
    assert desk.execute(through, 1, "two hops").err is None
    assert desk.wrapped() == kept


@pytest.mark.parametrize("amount", [10**9, 1_000 * 10**9], ids=["one leg", "several legs"])
def test_wrapped_sol_is_sold_from_the_wallets_account_which_stays_open(desk: Desk, amount: int) -> None:
    desk.wrap(amount + 10**8)
    lamports = desk.rpc.get_balance(desk.wallet.address).value
    for remaining in (10**8, 0):
        route = desk.route(WSOL_MINT, USDC_MINT, desk.wrapped() - remaining)
        landed = desk.execute(route, route.amount_out, f"all but {remaining}", use_wrapped=True)
        assert landed.err is None, landed.logs
        fill = read_fill(landed, str(desk.wallet.address), WSOL_MINT, USDC_MINT)
        assert (fill.amount_in, fill.amount_out) == (route.amount_in, route.amount_out)
        lamports -= fill.network_fee + fill.rent
        assert (desk.wrapped(), desk.rpc.get_balance(desk.wallet.address).value) == (remaining, lamports)
    assert fill.rent == 0, "the first trade has created the account of USDC"


@pytest.mark.parametrize("kept", [None, 0, 10**9 - 1], ids=["no account", "empty account", "balance too low"])
@pytest.mark.parametrize("kind", [RaydiumCpmm, RaydiumClmm, RaydiumAmmV4, MeteoraDlmm, MeteoraDammV2])
def test_missing_wrapped_sol_is_an_error_of_the_wallet_and_not_of_the_pool(
    desk: Desk, kind: type[RaydiumCpmm], kept: int | None
) -> None:
    if kept is not None:
        desk.wrap(kept)
    (quote,) = kind(desk.rpc, max_age_ms=0).liquidity(WSOL_MINT, USDC_MINT).pools[:1]
    route = Route.single(quote.venue_quote(quote.side.quote(10**9)))
    with pytest.raises(OrderdError, match=r"wrapped; the order takes 1 SOL of that") as refused:
        sign_one(desk.builder, SwapPlan(route, 1, use_wrapped=True), "order")
    assert refused.value.code is ErrorCode.FUNDS_INSUFFICIENT
    assert desk.router.route(QuoteRequest(WSOL_MINT, USDC_MINT, 10**9), 50, desk.builder.fits).refusals == ()


def test_a_payment_into_the_last_trades_temporary_account_does_not_block_trades(desk: Desk) -> None:
    desk.wrap(1)  # anyone can do this; it makes trades use a temporary account
    accounts = []
    for number in range(3):
        route = desk.route(WSOL_MINT, USDC_MINT, 10**9)
        landed, temporary = desk.execute_apart(route, f"trade {number}")
        assert landed.err is None, landed.logs
        _landed(desk.rpc, desk.rpc.request_airdrop(temporary, 3_000_000))
        accounts.append(temporary)
    assert len(set(accounts)) == 3


def test_a_split_below_its_minimum_is_not_executed_in_part(desk: Desk) -> None:
    route = desk.route(WSOL_MINT, USDC_MINT, 1_000 * 10**9)
    with pytest.raises(OrderdError) as refused:
        sign_one(desk.builder, SwapPlan(route, route.amount_out + len(route.legs)), "greedy")
    assert refused.value.code is ErrorCode.TX_SLIPPAGE_EXCEEDED


def test_every_chosen_route_fits_into_a_transaction(desk: Desk) -> None:
    """3,000 SOL would be split over three legs, whose accounts do not fit; this is known before signing."""
    asked: list[Route] = []

    def remember(route: Route) -> bool:
        asked.append(route)
        return desk.builder.fits(route)

    route = desk.route(WSOL_MINT, USDC_MINT, 3_000 * 10**9, remember)
    assert asked == [route]
    assert len(route.legs) == 2


@pytest.mark.parametrize("kind", PoolKind)
def test_a_pool_of_every_kind_is_quoted(desk: Desk, kind: PoolKind) -> None:
    decision = desk.router.route(QuoteRequest(WSOL_MINT, USDC_MINT, 10**9), SLIPPAGE_BPS, desk.builder.fits)
    assert kind in {quote.pool_kind for quote in decision.quotes}


def _landed(rpc: RpcClient, signature: Signature) -> TransactionInfo:
    """Ask until the transaction is in a block."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        found = rpc.get_transaction(signature)
        if found is not None:
            return found
    raise AssertionError(f"{signature} did not land")
