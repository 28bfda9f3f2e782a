"""Whether the wallet's funds suffice for a trade, alone and after the other trades of its batch."""

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import Route, VenueQuote
from orderd.domain.tokens import WSOL_MINT
from orderd.engine.chain_errors import ChainError
from orderd.engine.execution.fees import FeeEstimate
from orderd.engine.execution.swap_plan import SwapPlan, touches_sol
from orderd.engine.execution.wallet_funds import FundsCheck, Need, Promised, TokenAccountKey
from orderd.engine.routing.router import Router
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.programs import token


class Funding:
    """The funds that trades need from one wallet. Thread-safe."""

    def __init__(self, router: Router, check: FundsCheck) -> None:
        self._router = router
        self._check = check

    def rent(self, route: Route) -> int | None:
        """Lamports for token accounts that a trade over this route would create and keep; None if not known."""
        return self._check.rent_as_known(self._bought(route))

    def explained(self, plan: SwapPlan, fee: FeeEstimate, error: ChainError | None, slot: int) -> ChainError | None:
        """The error of a simulation at ``slot``; if funds are missing, with figures, because the chain does not name
        them.

        Missing funds end an order, and the node that simulated may be behind: so they count only if a node that is not
        behind shows the same. Raises OrderdError RPC_* if none answers, or if only the simulation was behind.
        """
        if error is None or error.code is not ErrorCode.FUNDS_INSUFFICIENT:
            return error
        with translated_rpc_errors():
            shortfall = self._check.shortfall(self._need(plan, fee))
            if shortfall is not None:
                return ChainError(error.code, f"{shortfall} ({error.detail})", error.failure, error.logs)
            self._check.confirm_not_behind(slot)
        detail = f"{error.detail}, but the wallet holds what the order takes"
        return ChainError(ErrorCode.TX_FAILED, detail, error.failure, error.logs)

    def promise(self, plan: SwapPlan, fee: FeeEstimate, lamports: int, wrapped: int, promised: Promised) -> None:
        """Add the trade to ``promised``, those of its batch before it, of a wallet with these ``lamports`` and this
        ``wrapped`` SOL at the start of the slot.

        Raises OrderdError FUNDS_INSUFFICIENT if they leave it too little.
        """
        route = plan.route
        lean = Need(route.main.mint_in, token.PROGRAM_ID, plan.max_amount_in, fee.lamports, 0, 0, plan.use_wrapped)
        if promised != Promised():
            with translated_rpc_errors():
                # In addition an order may need the rent of one or two accounts, and some SOL stays in the wallet.
                spare = lamports - 3 * self._check.account_rent
                # A balance read at the start of the slot must not fail an order.
                is_sure = promised.leaves(lean, spare, wrapped)
                shortfall = None if is_sure else self._check.shortfall(self._need(plan, fee), promised)
            if shortfall is not None:
                raise OrderdError(ErrorCode.FUNDS_INSUFFICIENT, shortfall)
        promised.add(lean, plan.min_amount_out if route.hops[-1].mint_out == WSOL_MINT else 0)

    def _need(self, plan: SwapPlan, fee: FeeEstimate) -> Need:
        route = plan.route
        program, _ = self._router.venue_of(route.main).token_programs(route.main)
        rent = self._check.rent_of_new(self._bought(route))
        passing = self._check.account_rent if touches_sol(route) and not plan.use_wrapped else 0
        most, mint = plan.max_amount_in, route.main.mint_in
        return Need(mint, program, most, fee.lamports, rent, passing, plan.use_wrapped, plan.sold)

    def _bought(self, route: Route) -> list[TokenAccountKey]:
        """The account that each hop pays into."""
        return [self._paid_into(hop.legs[0]) for hop in route.hops]

    def _paid_into(self, leg: VenueQuote) -> TokenAccountKey:
        venue = self._router.venue_of(leg)
        return TokenAccountKey(leg.mint_out, venue.token_programs(leg)[1], venue.account_size(leg))
