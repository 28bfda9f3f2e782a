"""Read-only queries of the market: quotes, previews, balances and pools."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Final

import structlog
from peewee import PeeweeException
from solders.pubkey import Pubkey

from db.connection import database
from orderd.domain.errors import OrderdError
from orderd.domain.liquidity import Guard, objection
from orderd.domain.money import BPS, LAMPORT_DECIMALS, format_amount
from orderd.domain.order import OrderKind
from orderd.domain.parts import first_part, least_part
from orderd.domain.plausible import check_plausible
from orderd.domain.quote import QuoteRequest
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_formatting import format_terms
from orderd.domain.tokens import WSOL_MINT, Token
from orderd.engine.allowance import NOTIONAL_TOKEN
from orderd.engine.execution.building import Builder
from orderd.engine.execution.fees import FeeEstimate
from orderd.engine.execution.mint_decimals import MintDecimals
from orderd.engine.execution.rerouting import Rerouting
from orderd.engine.execution.swap_plan import SwapPlan
from orderd.engine.next_execution import NextExecution
from orderd.engine.reservation import Funds, Reservations, WalletFunds
from orderd.engine.routing.ceiling import ceiling_of
from orderd.engine.routing.floor import request_of
from orderd.engine.routing.new_market import NewMarkets
from orderd.engine.routing.offers import NOTHING_AGREED, Agreed, RouteOffer, check_offer, offer_of
from orderd.engine.routing.pool_listing import pairs_of, pools_result
from orderd.engine.routing.router import Router
from orderd.engine.routing.search import Fits
from orderd.engine.simulated_fill import simulate
from orderd.engine.token_desk import TokenDesk
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.programs import associated_token
from orderd.solana.programs import token as token_program
from orderd.solana.rpc import RpcClient
from orderd.wire.balances import Balance, BalancesResult
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.problem import Problem
from orderd.wire.quotes import GuardView, PreviewResult, QuoteResult, SimulatedFill
from orderd.wire.tokens import TokenView

log = structlog.get_logger(__name__)
_LOOKING_SECONDS: Final = 1.0
"""Maximum wait of a quote of an order on liquidity for venues that look for new pools."""
_REROUTING_SECONDS: Final = 2.0
"""Maximum time in which a preview searches for another route after a refusal."""


class Market:
    """Queries the venues and the chain for a trader. Thread-safe."""

    def __init__(
        self,
        router: Router,
        builder: Builder,
        rpc: RpcClient,
        desk: TokenDesk,
        reservations: Reservations | None = None,
    ) -> None:
        self._router = router
        self._builder = builder
        self._rpc = rpc
        self._markets = NewMarkets(router, rpc, builder.fits)
        self._decimals = MintDecimals(rpc)
        self._desk = desk
        self._tokens = desk.registry
        self._reservations = reservations or Reservations()

    # Quotes and previews

    def quote(self, terms: OrderTerms) -> QuoteResult:
        """All venues' offers, even if the best one pays less than the order's minimum. Raises OrderdError as routing
        does."""
        return self._quote(terms, first_part(terms))

    def _quote(self, order: OrderTerms, terms: OrderTerms) -> QuoteResult:
        plan, offer, guards = self._plan(terms, self._builder.fits)
        return self._result(order, terms, offer, self._builder.estimate(plan), self._builder.rent(plan.route), guards)

    def preview(self, terms: OrderTerms, agreed: Agreed = NOTHING_AGREED) -> PreviewResult:
        """Run an order up to the signature, without storing anything. Raises the errors of routing and building."""
        return self._preview(terms, first_part(terms), agreed)

    def simulate_fill(self, following: NextExecution) -> SimulatedFill:
        """The current distance of an order from its condition, and its next execution. Raises the errors of routing and
        building."""
        return simulate(following, self._paid, self._quote, self._preview)

    def _paid(self, request: QuoteRequest) -> int:
        return self._router.route(request, 0, self._builder.fits).route.amount_out

    def _preview(self, order: OrderTerms, terms: OrderTerms, agreed: Agreed = NOTHING_AGREED) -> PreviewResult:
        """The preview of an execution with ``terms``, which are the whole order or a part of it."""
        others = Rerouting(self._builder.fits, _REROUTING_SECONDS)
        plan, offer, guards = self._plan(terms, others.fits, agreed)
        check_offer(terms, plan.route, offer)
        self._decimals.check(terms)
        if (unmet := objection(iter(guards))) is not None:
            raise unmet
        preview = self._builder.preview(plan)
        while preview.refusal is not None:
            try:
                others.refused(preview.refusal)
                plan, offer, guards = self._plan(
                    terms, others.fits, (offer.min_amount_out, offer.max_amount_in), is_first=False
                )
            except OrderdError:
                break  # there is no other route, so the order would fail with this error
            check_offer(terms, plan.route, offer)
            preview = self._builder.preview(plan)
        simulation, error = preview.simulation, preview.error
        return PreviewResult(
            quote=self._result(order, terms, offer, preview.fee, self._builder.rent(plan.route), guards),
            succeeds=error is None,
            error=None if error is None else Problem.of(error),
            units_consumed=simulation.units_consumed,
            network_fee=format_amount(preview.fee.lamports, LAMPORT_DECIMALS),
            logs=simulation.logs,
        )

    # Checks at submission

    def bounded(self, terms: OrderTerms) -> OrderTerms:
        """The terms of an order whose value is limited: a purchase pays at most what it would cost now, and its
        slippage, so that it cannot pay more than was counted.

        Raises OrderdError as ``notional`` does.
        """
        if terms.exact_out is None:
            return terms
        with self._valuing():
            decision = self._router.route(request_of(terms), terms.slippage_bps, self._builder.fits)
        return replace(terms, max_in=ceiling_of(terms, decision.route))

    def notional(self, terms: OrderTerms) -> int:
        """The maximum that an order with ``bounded`` terms sells, in base units of USDC (see
        ``orderd.engine.allowance``).

        Raises OrderdError as routing does, if no route shows it.
        """
        unit = self._tokens.resolve(NOTIONAL_TOKEN)
        sold = terms.max_in if terms.amount_in is None else terms.amount_in
        assert sold is not None, "a purchase is bounded"
        if terms.token_in == unit:
            return sold
        request = QuoteRequest(terms.token_in.mint, unit.mint, sold)
        with self._valuing():
            return self._router.route(request, 0, self._builder.fits).route.amount_out

    @contextmanager
    def _valuing(self) -> Iterator[None]:
        """Explain in errors of routing what the route was searched for."""
        try:
            yield
        except OrderdError as error:
            unit = NOTIONAL_TOKEN
            detail = f"the value of the order in {unit} is unknown, and its API key has a limit in {unit}"
            raise OrderdError(error.code, f"{detail}: {error.detail}") from error

    def check_prices(self, terms: OrderTerms) -> None:
        """Raises OrderdError PRICE_* if its prices are not plausible, and the errors of routing if the market is not
        known.

        A limit price is accepted if the market is not known: at worst the order waits for a long time.
        """
        part = least_part(terms)
        request = replace(request_of(part), max_cost_bps=BPS, exit_bps=BPS, has_own_floor=False)
        if terms.kind is OrderKind.ON_LIQUIDITY:
            return  # there is no market yet, or one that anyone may have just created
        try:
            route = self._router.route(request, 0, self._builder.fits).route
        except OrderdError as error:
            if terms.trigger is None and terms.kind is not OrderKind.OCO:
                return
            detail = "what the market pays now, which tells whether the order would fire at once, is not known"
            raise OrderdError(error.code, f"{detail}: {error.detail}") from error
        if terms.exact_out is not None:  # It is treated as the sale of what its route takes.
            part = replace(part, amount_in=route.amount_in, exact_out=None, max_in=None)
        check_plausible(part, route.amount_out)

    # Balances and pools

    def balances(self) -> BalancesResult:
        """The wallet's balance of each known token, its tradable part, and its reserved part.

        Raises OrderdError RPC_*.
        """
        owner = self._builder.wallet
        held = Counter[str]()
        tradable = Counter[str]()
        with translated_rpc_errors():
            tradable[WSOL_MINT] = held[WSOL_MINT] = self._rpc.get_balance(owner).value
            for program in (token_program.PROGRAM_ID, token_program.TOKEN_2022_PROGRAM_ID):
                for account, mint, amount in self._token_accounts(owner, program):
                    held[mint] += amount
                    is_own = account == associated_token.address(owner, Pubkey.from_string(mint), program)
                    if is_own and mint != WSOL_MINT:
                        tradable[mint] += amount
        reserved = self._reserved()
        self._desk.learn_held([mint for mint, amount in held.items() if amount])
        tokens = dict.fromkeys(known for known in self._tokens if known.mint in held)
        others = (self._tokens.find(mint) for mint in sorted(held) if held[mint])
        tokens |= dict.fromkeys(token for token in others if token is not None)
        wallet = tuple(_balance(token, held, tradable, reserved) for token in tokens)
        return BalancesResult(wallet=str(owner), balances=wallet)

    def _reserved(self) -> WalletFunds | None:
        try:
            with database.connection_context():
                return self._reservations.wallet_funds(with_unseen=False)
        except PeeweeException as error:
            log.warning("reservations unknown", action="reserved_unknown", error=str(error))
            return None

    def pools(self, params: PoolsParams) -> PoolsResult:
        """The pools of the venues. Raises OrderdError: TOKEN_*, and RPC_* if the reserves cannot be read.

        Raises PeeweeException where a token has to be looked up, and Postgres does not answer.
        """
        self._desk.learn(params.token)
        pairs = pairs_of(self._tokens, params.token)
        answers = self._router.pools([(sold.mint, bought.mint) for sold, bought in pairs])
        with translated_rpc_errors():
            return pools_result(pairs, answers, self._rpc)

    def _token_accounts(self, owner: Pubkey, program: Pubkey) -> Iterator[tuple[Pubkey, str, int]]:
        """Address, mint and amount of each."""
        for each in self._rpc.get_token_accounts_by_owner(owner, program=program).value:
            holding = token_program.TokenAccount.decode(each.account.data)
            yield each.key, str(holding.mint), holding.amount

    def _result(
        self,
        order: OrderTerms,
        terms: OrderTerms,
        offer: RouteOffer,
        fee: FeeEstimate,
        rent: int | None,
        guards: Sequence[Guard],
    ) -> QuoteResult:
        tokens = self._desk.view(terms.token_in), self._desk.view(terms.token_out)
        views = tuple(GuardView(**asdict(guard)) for guard in guards)
        return _quote_result(order, terms, offer, fee, rent, tokens).model_copy(update={"guards": views})

    def _plan(
        self, terms: OrderTerms, fits: Fits, agreed: Agreed = NOTHING_AGREED, *, is_first: bool = True
    ) -> tuple[SwapPlan, RouteOffer, Sequence[Guard]]:
        terms = terms.in_try(0)
        if terms.kind is OrderKind.ON_LIQUIDITY and is_first:
            # An order that waits for a pool must not get a cached answer.
            self._router.find_new_pools((terms.token_in.mint, terms.token_out.mint), _LOOKING_SECONDS)
        preferred = self._markets.preferred(terms)
        decision = self._router.route(request_of(terms), terms.slippage_bps, fits, preferred=preferred)
        offer = offer_of(terms, decision, *agreed)
        guards = self._markets.guards(terms, decision) if terms.kind is OrderKind.ON_LIQUIDITY else ()
        return SwapPlan(decision.route, offer.limit, terms.use_wrapped, terms.token_in), offer, tuple(guards)


def _balance(known: Token, held: Counter[str], tradable: Counter[str], wallet_funds: WalletFunds | None) -> Balance:
    elsewhere = held[known.mint] - tradable[known.mint]
    funds = None if wallet_funds is None else Funds(tradable[known.mint], wallet_funds.reserved_of((known.mint, False)))

    def formatted(amount: int) -> str:
        return format_amount(amount, known.decimals)

    return Balance(
        token=known.symbol,
        mint=known.mint,
        amount=formatted(held[known.mint]),
        tradable=formatted(tradable[known.mint]),
        total=formatted(tradable[known.mint]),
        reserved=None if funds is None else formatted(funds.reserved),
        available=None if funds is None else formatted(funds.available),
        wrapped=formatted(elsewhere if known.is_native else 0),
        elsewhere=formatted(0 if known.is_native else elsewhere),
    )


def _quote_result(
    order: OrderTerms,
    terms: OrderTerms,
    offer: RouteOffer,
    fee: FeeEstimate,
    rent: int | None,
    tokens: tuple[TokenView, ...],
) -> QuoteResult:
    """``terms`` are those of the offer: the whole order, or a part of it."""
    is_part = terms.amount_in != order.amount_in
    return QuoteResult(
        **dict(format_terms(order)),
        tokens=tokens,
        part_in=format_amount(terms.amount, terms.token_in.decimals) if is_part else None,
        chosen=offer.chosen,
        quotes=offer.quotes,
        refusals=offer.refusals,
        min_amount_out=format_amount(offer.min_amount_out, terms.token_out.decimals),
        max_amount_in=None
        if offer.max_amount_in is None
        else format_amount(offer.max_amount_in, terms.token_in.decimals),
        route=offer.route,
        gain_bps=offer.gain_bps,
        compute_units=fee.units,
        compute_unit_price=fee.unit_price,
        network_fee=format_amount(fee.lamports, LAMPORT_DECIMALS),
        rent=None if rent is None else format_amount(rent, LAMPORT_DECIMALS),
    )
