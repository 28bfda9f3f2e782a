"""On a real chain, pool kinds are traded only while a proof by ``orderd prove`` covers the deployed program.

Each minute the deployment slots are compared with the proved ones. After a program upgrade, its pools are excluded with
POOL_UNPROVEN until it is proved again.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from db import proofs
from db.connection import database, translated_database_errors
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quote import VenueQuote
from orderd.solana.deployments import deployed_slots
from orderd.solana.json_rpc import translated_rpc_errors
from orderd.solana.pool_programs import Chain, program_of
from orderd.solana.rpc import RpcClient
from orderd.venues.base import Liquidity, Venue
from orderd.venues.quoting_code import quoting_code
from orderd.venues.reading import Reading
from orderd.venues.renewed import Renewed

REFRESH_SECONDS: Final = 60.0
_VALID_SECONDS: Final = 2 * REFRESH_SECONDS

Objections = Mapping[PoolKind, str | None]
"""Why a kind is not traded; None if it is."""


class ProvedKinds:
    """The proof status of each kind's program, at most two minutes old. Thread-safe."""

    def __init__(
        self,
        rpc: RpcClient,
        chain: Chain,
        kinds: Collection[PoolKind],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rpc = rpc
        self._programs = {kind: program_of(kind).ids[chain] for kind in kinds}
        self._known: Renewed[None, Objections] = Renewed(
            self._read, lambda _: REFRESH_SECONDS, lambda _: _VALID_SECONDS, clock=clock
        )

    def current(self) -> Objections:
        """The current status. Raises OrderdError RPC_* or SERVICE_UNAVAILABLE if it is not known and cannot be
        queried."""
        with translated_rpc_errors(), translated_database_errors():
            return self._known.get(None)

    def at_hand(self) -> Objections | None:
        """The status without waiting; None if it is not known."""
        return self._known.at_hand(None)

    def _read(self, _: None) -> Objections:
        slots = deployed_slots(self._rpc, self._programs.values())
        with database.connection_context():
            stored = proofs.stored()
        return {
            kind: objection(stored.get(kind), id_, slots.get(id_), quoting_code(kind))
            for kind, id_ in self._programs.items()
        }


def objection(proof: proofs.Proof | None, program: Pubkey, slot: int | None, code: str) -> str | None:
    """Why this ``code`` does not trade with the program deployed at ``slot``; None if it is proved."""
    if slot is None:
        return f"the chain has no program {program}"
    if proof is None or proof.program != str(program):
        return f"its program {program} has not been proved on this chain"
    if proof.deployed_slot != slot:
        return f"its program was upgraded at slot {slot}, and the one that was proved is of slot {proof.deployed_slot}"
    if proof.code != code:
        return "the code that quotes its pools has changed since the proof: orderd has been updated"
    if not proof.proved:
        return f"its program, of slot {slot}, does not pay as quoted: {len(proof.differences)} swaps differ"
    return None


class ProvedVenue:
    """A venue that takes part while its program is proved."""

    def __init__(self, venue: Venue, proved: ProvedKinds) -> None:
        self._venue = venue
        self._proved = proved

    @property
    def name(self) -> VenueName:
        return self._venue.name

    @property
    def kind(self) -> PoolKind:
        return self._venue.kind

    def pools(self, mint_in: str, mint_out: str) -> Sequence[str]:
        return self._venue.pools(mint_in, mint_out)

    def known(self, mint_in: str, mint_out: str) -> frozenset[str]:
        return self._venue.known(mint_in, mint_out)

    def find_new_pools(self, mint_in: str, mint_out: str) -> bool:
        return self._venue.find_new_pools(mint_in, mint_out)

    def is_fresh(self, mint_in: str, mint_out: str) -> bool:
        known = self._proved.at_hand()
        return known is not None and (known[self.kind] is not None or self._venue.is_fresh(mint_in, mint_out))

    def is_known(self, mint_in: str, mint_out: str) -> bool:
        known = self._proved.at_hand()
        return known is not None and (known[self.kind] is not None or self._venue.is_known(mint_in, mint_out))

    def has_changed(self, mint_in: str, mint_out: str) -> bool:
        return self._venue.has_changed(mint_in, mint_out)

    def hints(self, mint_in: str, mint_out: str) -> int:
        return self._venue.hints(mint_in, mint_out)

    def reading(self, mint_in: str, mint_out: str) -> Reading[Liquidity | None]:
        known = self._proved.at_hand()
        if known is None:
            return None
        if (reason := known[self.kind]) is not None:
            return self._no_liquidity(reason, mint_in, mint_out)
        return (yield from self._venue.reading(mint_in, mint_out))

    def liquidity(self, mint_in: str, mint_out: str) -> Liquidity:
        reason = self._proved.current()[self.kind]
        if reason is not None:
            return self._no_liquidity(reason, mint_in, mint_out)
        return self._venue.liquidity(mint_in, mint_out)

    def _no_liquidity(self, reason: str, mint_in: str, mint_out: str) -> Liquidity:
        """The pools stay listed, so that the price guard does not mistake the other kinds for the whole market."""
        refusal = OrderdError(ErrorCode.POOL_UNPROVEN, f"{self.kind}: {reason}")
        return Liquidity((), (refusal,), self._venue.known(mint_in, mint_out))

    def token_programs(self, quote: VenueQuote) -> tuple[Pubkey, Pubkey]:
        return self._venue.token_programs(quote)

    def account_size(self, quote: VenueQuote) -> int:
        return self._venue.account_size(quote)

    def swap_instruction(
        self, quote: VenueQuote, owner: Pubkey, source: Pubkey, destination: Pubkey, limit: int, *, small: bool
    ) -> Instruction:
        return self._venue.swap_instruction(quote, owner, source, destination, limit, small=small)
