"""From a route to signed bytes: instructions, compute budget, blockhash, one simulation, the signature."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import structlog
from solders.address_lookup_table_account import AddressLookupTableAccount
from solders.hash import Hash
from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.quote import Route
from orderd.engine.chain_errors import ChainError, explain
from orderd.engine.execution.blame import RouteRefusedError, is_lasting, refusal_of
from orderd.engine.execution.fees import FeeEstimate, FeeMarket
from orderd.engine.execution.funding import Funding
from orderd.engine.execution.swap_plan import SwapPlan, touches_sol
from orderd.engine.execution.wallet_funds import FundsCheck, Promised
from orderd.engine.routing.router import Router
from orderd.engine.routing.space import MAX_MEMO, UNITS_AROUND, UNITS_OF_SWAPS
from orderd.solana.attempt import AttemptDraft, draft_attempt
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.keys import Signer
from orderd.solana.programs import associated_token, token
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.rpc import RpcClient, RpcError, in_requests
from orderd.solana.rpc_types import AtSlot, LatestBlockhash, Simulation
from orderd.solana.transaction import TransactionVersion
from orderd.solana.version_choice import VersionChoice, refuses_version
from orderd.solana.wrap import account_of
from orderd.venues.account_facts import token_amount
from orderd.venues.base import trade_instructions
from orderd.venues.guest import PoolRefusedError
from orderd.venues.single_flight import Age, SingleFlight

Tables = Callable[[], Sequence[AddressLookupTableAccount]]
T = TypeVar("T")
log = structlog.get_logger(__name__)


class _Moment(NamedTuple):
    """The values of a slot for all orders, with the wallet's lamports and its wrapped SOL."""

    latest: AtSlot[LatestBlockhash]
    lamports: int
    wrapped: int


class _Draft(NamedTuple):
    """A plan as it is tried."""

    plan: SwapPlan
    moment: _Moment
    attempt: AttemptDraft


class _Trial(NamedTuple):
    """The result of a simulation; ``refusal`` if it failed and another route may succeed."""

    simulation: Simulation
    error: ChainError | None
    refusal: RouteRefusedError | None


@dataclass(frozen=True, slots=True)
class Preview:
    """The simulated result of a plan, and its cost; ``refusal`` if another route might do better.

    The simulation is empty if there was nothing to simulate, because a pool refused, or the route does not fit.
    """

    simulation: Simulation
    error: OrderdError | None
    refusal: RouteRefusedError | None
    fee: FeeEstimate


@dataclass(frozen=True, slots=True)
class SignedAttempt:
    """Bytes that may land until ``last_valid_block_height``, after the slot that their blockhash was read at."""

    signature: Signature
    raw: bytes
    last_valid_block_height: int
    blockhash_slot: int


def units_with_margin(units_consumed: int) -> int:
    """The compute unit limit, with a margin, because pools move between simulation and landing and a swap may cross
    more bins.

    The maximum if the consumed units are not known.
    """
    if not units_consumed:
        return MAX_COMPUTE_UNITS
    return min(units_consumed * 5 // 4 + 20_000, MAX_COMPUTE_UNITS)


class Builder:
    """Builds and signs for one wallet. Thread-safe."""

    def __init__(
        self,
        router: Router,
        rpc: RpcClient,
        wallet: Signer,
        fees: FeeMarket,
        funds_check: FundsCheck,
        *,
        blockhash_age: Age,
        tables: Tables = lambda: (),
        versions: VersionChoice | None = None,
    ) -> None:
        """``blockhash_age`` in seconds: how long one blockhash serves all orders. ``tables`` returns the lookup tables
        that transactions name accounts by, ``versions`` chooses their version, which is 0 without it."""
        self._router = router
        self._rpc = rpc
        self._wallet = wallet
        self._fees = fees
        self._funding = Funding(router, funds_check)
        self._tables = tables
        self._versions = versions or VersionChoice.of(TransactionVersion.V0)
        self._moments: SingleFlight[None, _Moment] = SingleFlight(self._ask, blockhash_age)
        self._fitting: dict[tuple[str, str], tuple[int, bool, TransactionVersion]] = {}

    @property
    def wallet(self) -> Pubkey:
        return self._wallet.address

    # What a route fits and costs

    def fits(self, route: Route) -> bool:
        """Whether the route's legs fit into one transaction, by size and compute units."""
        if route.compute_units > UNITS_OF_SWAPS:
            return False
        if not route.is_single:
            return self._can_be_drafted(route)
        # All that a lone swap's size depends on, for any amount.
        has_own_account = touches_sol(route) and self._moment().wrapped > 0
        leg, shape = route.main, (route.slot, has_own_account, self._versions.current)
        if self._fitting.get((leg.pool, leg.mint_in)) == shape:
            return True
        if fits := self._can_be_drafted(route):
            self._fitting[leg.pool, leg.mint_in] = shape
        return fits

    def _can_be_drafted(self, route: Route) -> bool:
        plan = SwapPlan(route, 1)
        try:
            self._attempt(self._swaps(plan, self._seed(plan)), MAX_MEMO, 1, Hash.default())
        except PoolRefusedError as refusal:
            self._leave_out(refusal)
            return False
        except OrderdError as error:
            if error.code is not ErrorCode.TX_TOO_LARGE:
                raise
            return False
        return True

    def estimate(self, plan: SwapPlan) -> FeeEstimate:
        """The network fee, estimated from the maximum compute units of such swaps. Raises OrderdError RPC_* or
        ROUTE_NOT_FOUND."""
        seed = self._seed(plan)
        unit_price = self._unit_price(self._swaps(plan, seed), seed)
        return FeeEstimate(plan.route.compute_units + UNITS_AROUND, unit_price)

    def rent(self, route: Route) -> int | None:
        """Lamports for token accounts that a trade over this route would create and keep; None if not known."""
        return self._funding.rent(route)

    def preview(self, plan: SwapPlan) -> Preview:
        """Simulate the trade now. Raises OrderdError RPC_*."""
        (draft,), trials = self._tried([(plan, "preview")])
        if isinstance(draft, RouteRefusedError):
            nothing, fee = Simulation(None, (), 0), FeeEstimate(units_with_margin(0), self._fees.last)
            return Preview(nothing, draft.error, draft, fee)
        if isinstance(draft, Exception):
            raise draft
        trial = self._judged(plan.route, draft.attempt.instructions, trials[0])
        fee = FeeEstimate(units_with_margin(trial.simulation.units_consumed), draft.attempt.unit_price)
        error = self._funding.explained(plan, fee, trial.error, trial.simulation.slot)
        return Preview(trial.simulation, error, trial.refusal, fee)

    # Drafts, simulation and signature

    def sign(self, plans: Sequence[tuple[SwapPlan, str]], promised: Promised) -> list[SignedAttempt | Exception]:
        """Simulate all, each with its memo, in one request; then sign each with the compute units that it needed.

        ``promised`` are the funds that earlier orders take; these orders are added to it.

        The result of an order that cannot be signed is RouteRefusedError if another route may be built, OrderdError if
        none can (the simulation's error, RPC_* or TX_TOO_LARGE, or FUNDS_INSUFFICIENT if those before it take what it
        needs), or any other exception that its pools caused. Nothing is sent.
        """
        drafts, trials = self._tried(plans)
        answers = iter(trials)
        return [
            _attempted(partial(self._finish, each, next(answers), promised)) if isinstance(each, _Draft) else each
            for each in drafts
        ]

    def _tried(
        self, plans: Sequence[tuple[SwapPlan, str]]
    ) -> tuple[list[_Draft | Exception], list[Simulation | RpcError]]:
        """The drafts of the plans, and the simulations of the successful drafts, in a version that the node takes."""
        drafts, trials = self._tried_once(plans)
        if any(map(refuses_version, trials)) and self._versions.fall_back():
            return self._tried_once(plans)
        return drafts, trials

    def _tried_once(
        self, plans: Sequence[tuple[SwapPlan, str]]
    ) -> tuple[list[_Draft | Exception], list[Simulation | RpcError]]:
        drafts = [_attempted(partial(self._draft_or_refuse, plan, memo)) for plan, memo in plans]
        return drafts, [*self._simulate([each.attempt.unsigned for each in drafts if isinstance(each, _Draft)])]

    def _draft_or_refuse(self, plan: SwapPlan, memo: str) -> _Draft:
        try:
            return self._draft(plan, memo)
        except PoolRefusedError as refusal:
            self._leave_out(refusal)
            raise RouteRefusedError(plan.route, refusal, refusal.pool, moved=refusal.passing) from refusal
        except OrderdError as error:
            if error.code is not ErrorCode.TX_TOO_LARGE:
                raise
            raise RouteRefusedError(plan.route, error, None) from error  # in an older version than it was routed for

    def _draft(self, plan: SwapPlan, memo: str) -> _Draft:
        moment = self._moment()
        seed = self._seed(plan, moment)
        swaps = self._swaps(plan, seed)
        unit_price = self._unit_price(swaps, seed)
        return _Draft(plan, moment, self._attempt(swaps, memo, unit_price, moment.latest.value.blockhash))

    def _attempt(self, swaps: Sequence[Instruction], memo: str, unit_price: int, blockhash: Hash) -> AttemptDraft:
        version, payer = self._versions.current, self._wallet.address
        return draft_attempt(
            memo, swaps, payer, blockhash, unit_price=unit_price, version=version, tables=self._tables()
        )

    def _simulate(self, unsigned: Sequence[bytes]) -> Iterator[Simulation | RpcError]:
        """One simulation each. The blockhash is replaced, because a node that does not know it would report only
        that."""
        for batch in in_requests(unsigned):
            try:
                yield from self._rpc.simulate_transactions(batch, replace_blockhash=True)
            except RpcError as error:
                yield from [error] * len(batch)

    def _finish(self, tried: _Draft, simulation: Simulation | RpcError, promised: Promised) -> SignedAttempt:
        plan, latest = tried.plan, tried.moment.latest
        trial = self._judged(plan.route, tried.attempt.instructions, simulation)
        if trial.refusal is not None:
            raise trial.refusal
        fee = FeeEstimate(units_with_margin(trial.simulation.units_consumed), tried.attempt.unit_price)
        if (error := self._funding.explained(plan, fee, trial.error, trial.simulation.slot)) is not None:
            raise error
        self._funding.promise(plan, fee, tried.moment.lamports, tried.moment.wrapped, promised)
        signed = tried.attempt.sign(self._wallet, fee.units)
        return SignedAttempt(signed.signature, signed.raw, latest.value.last_valid_block_height, latest.slot)

    def _swaps(self, plan: SwapPlan, seed: str | None) -> Sequence[Instruction]:
        venue_of, owner = self._router.venue_of, self._wallet.address
        small = not plan.route.is_single and self._versions.current == TransactionVersion.V0
        return trade_instructions(
            venue_of, plan.route, owner, plan.limit, seed, use_wrapped=plan.use_wrapped, small=small
        )

    def _seed(self, plan: SwapPlan, moment: _Moment | None = None) -> str | None:
        """The seed of a separate account for wrapped SOL; None if it needs none."""
        wraps = touches_sol(plan.route) and not plan.use_wrapped
        return plan.wrap_seed if wraps and (moment or self._moment()).wrapped else None

    def _unit_price(self, swaps: Sequence[Instruction], seed: str | None) -> int:
        own = None if seed is None else account_of(self._wallet.address, token.NATIVE_MINT, seed=seed)
        return self._fees.price(swaps, own)

    def _moment(self) -> _Moment:
        with translated_rpc_errors():
            return self._moments.get(None)

    def _ask(self, _: None) -> _Moment:
        owner = self._wallet.address
        keys = [owner, associated_token.address(owner, token.NATIVE_MINT)]
        latest, (wallet, wrapped) = self._rpc.get_latest_blockhash_and_accounts(keys)
        return _Moment(latest, 0 if wallet is None else wallet.lamports, token_amount(wrapped))

    # What a simulation shows

    def _judged(self, route: Route, instructions: Sequence[Instruction], simulation: Simulation | RpcError) -> _Trial:
        """If the chain refuses, find out which part of this route caused it. Raises OrderdError RPC_* without an
        answer."""
        if isinstance(simulation, RpcError):
            with translated_rpc_errors():
                raise simulation
        if simulation.err is None:
            return _Trial(simulation, None, None)
        error = explain(simulation.err, simulation.logs)
        refusal = refusal_of(route, instructions, simulation.err, error)
        if refusal is not None and refusal.pool is not None and is_lasting(error):
            self._router.refused(refusal.pool, f"its program refused with {error.failure.name}")
        return _Trial(simulation, error, refusal)

    def _leave_out(self, refusal: PoolRefusedError) -> None:
        if not refusal.passing:
            self._router.refused(refusal.pool, refusal.detail)


def _attempted(work: Callable[[], T]) -> T | Exception:
    """The result, or the exception: one of many must not end all."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  (passed to the caller)
        return error
