"""From a route to signed bytes: instructions, compute budget, blockhash, one simulation, the signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import OrderdError
from orderd.domain.quote import VenueQuote
from orderd.engine.chain_errors import explain
from orderd.engine.routing import Router
from orderd.solana.keys import Wallet
from orderd.solana.programs.compute_budget import priority_fee
from orderd.solana.rpc import RpcClient, RpcError
from orderd.solana.rpc_types import LatestBlockhash, Simulation
from orderd.solana.transaction import LAMPORTS_A_SIGNATURE, SignedTransaction, attempt_instructions, sign
from orderd.venues.base import trade_instructions
from orderd.venues.single_flight import SingleFlight

_UNITS_ALLOWED: Final = 600_000
"""For the simulation; the transaction itself asks for what the simulation used, and a margin."""


@dataclass(frozen=True, slots=True)
class SwapPlan:
    """What is to be signed: this route, and not less than ``min_amount_out`` base units from it."""

    quote: VenueQuote
    min_amount_out: int


@dataclass(frozen=True, slots=True)
class SignedAttempt:
    """Bytes that may land until ``last_valid_block_height``."""

    signature: Signature
    raw: bytes
    last_valid_block_height: int


def units_with_margin(units_consumed: int) -> int:
    """What to ask for: pools move between simulation and landing, and a swap then crosses more bins."""
    return min(units_consumed * 5 // 4 + 20_000, _UNITS_ALLOWED)


class Builder:
    """Builds and signs for one wallet. Thread-safe."""

    def __init__(
        self, router: Router, rpc: RpcClient, wallet: Wallet, *, micro_lamports_a_unit: int, blockhash_age: float
    ) -> None:
        """``blockhash_age`` in seconds: how long one blockhash serves all orders."""
        self._router = router
        self._rpc = rpc
        self._wallet = wallet
        self._price = micro_lamports_a_unit
        self._blockhash: SingleFlight[None, LatestBlockhash] = SingleFlight(
            lambda _: rpc.get_latest_blockhash().value, blockhash_age
        )

    @property
    def wallet(self) -> Pubkey:
        return self._wallet.address

    def simulate(self, plan: SwapPlan, memo: str) -> Simulation:
        """What the chain says would happen now. Raises OrderdError RPC_* or TX_TOO_LARGE."""
        return self._simulate(self._swap(plan), memo, self._latest_blockhash())

    def network_fee(self, units: int) -> int:
        """Lamports: one signature and the priority fee for ``units``."""
        return LAMPORTS_A_SIGNATURE + priority_fee(units, self._price)

    def sign(self, plan: SwapPlan, memo: str) -> SignedAttempt:
        """Simulate, then sign with what the simulation showed to be needed.

        Raises OrderdError: what the simulation met with, RPC_* or TX_TOO_LARGE. Nothing is sent.
        """
        swap, latest = self._swap(plan), self._latest_blockhash()
        simulation = self._simulate(swap, memo, latest)
        if simulation.err is not None:
            raise explain(simulation.err, simulation.logs)
        signed = self._sign(swap, memo, latest, units_with_margin(simulation.units_consumed))
        return SignedAttempt(signed.signature, signed.raw, latest.last_valid_block_height)

    def _swap(self, plan: SwapPlan) -> Sequence[Instruction]:
        venue = self._router.venue(plan.quote.venue)
        return trade_instructions(venue, plan.quote, self._wallet.address, plan.min_amount_out)

    def _latest_blockhash(self) -> LatestBlockhash:
        try:
            return self._blockhash.get(None)
        except RpcError as error:
            raise OrderdError(error.error_code, str(error)) from error

    def _simulate(self, swap: Sequence[Instruction], memo: str, latest: LatestBlockhash) -> Simulation:
        draft = self._sign(swap, memo, latest, _UNITS_ALLOWED)
        try:
            # Of a blockhash that the node has not seen yet, a simulation would tell nothing but that.
            return self._rpc.simulate_transaction(draft.raw, replace_blockhash=True).value
        except RpcError as error:
            raise OrderdError(error.error_code, str(error)) from error

    def _sign(self, swap: Sequence[Instruction], memo: str, latest: LatestBlockhash, units: int) -> SignedTransaction:
        instructions = attempt_instructions(memo, swap, units=units, micro_lamports_a_unit=self._price)
        return sign(instructions, self._wallet, latest.blockhash)
