"""Checks confirmed successes again until their blocks can no longer be rolled back.

A trader sees a success when two thirds of the stake have voted for its block. No such block was ever rolled back on
mainnet, but it is possible. If one is, the order is ``submitted`` again with the same bytes, and ends by the same rule
as any other: nothing else is signed before they are proved dead.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog
from solders.signature import Signature

from db import finality
from db.connection import database
from db.finality import Landing
from orderd.engine.publish import Publisher
from orderd.solana.expiry import Sighting, Validity
from orderd.solana.observer import Observer, PaidTransaction

_BATCH: Final = 1_000
log = structlog.get_logger(__name__)


class Finality:
    """A loop in each worker process, of which one at a time does the work: so a restart resumes it."""

    def __init__(self, observer: Observer, publisher: Publisher) -> None:
        self._observer = observer
        self._publisher = publisher

    def run_once(self) -> int:
        """Check all successes that await finality. Returns how many were rolled back. Raises RpcError."""
        with database.connection_context(), finality.exclusive_handling() as is_mine:
            landings = finality.awaiting(_BATCH) if is_mine else []
            if not landings:
                return 0
            settled, undone = self._judge(landings)
            if settled:
                finality.settle([each.signature for each in settled])
            moved = finality.roll_back(undone)
        for each in moved:
            log.error("confirmation rolled back", action="rolled_back", order_id=str(each.order.id))
        self._publisher.publish(moved)
        return len(moved)

    def _judge(self, landings: list[Landing]) -> tuple[list[Landing], list[Landing]]:
        """The successes that are final, and those that were rolled back."""
        by_signature = {Signature.from_string(each.signature): each for each in landings}
        validities = {
            signature: Validity(each.last_valid_block_height, each.blockhash_slot, each.slot)
            for signature, each in by_signature.items()
        }
        sightings = self._observer.observe(validities)
        doubted = {each: seen for each, seen in sightings.items() if seen.proves_rollback(validities[each])}
        settled = [by_signature[each] for each, seen in sightings.items() if seen.is_final and each not in doubted]
        if not doubted:
            return settled, []
        paid = self._paid({each: by_signature[each] for each in doubted}, doubted)
        self._observer.confirm_chain()
        undone = list[Landing]()
        for signature in doubted:
            landing = by_signature[signature]
            found = paid.get(landing.order.id)
            # One false status does not take back a fill that is in the wallet's history.
            is_there = found is not None and (found.signature, found.transaction.slot) == (signature, landing.slot)
            (settled if is_there else undone).append(landing)
        return settled, undone

    def _paid(
        self, landings: Mapping[Signature, Landing], sightings: Mapping[Signature, Sighting]
    ) -> dict[UUID, PaidTransaction]:
        """The transactions of these orders in the wallet's history. Raises RpcError."""
        finalized = max((each.finalized for each in sightings.values()), key=lambda each: each.absolute_slot)
        since = min(each.slot for each in landings.values())
        orders = {each.order.id: signature for signature, each in landings.items()}
        return self._observer.paid_since(since, orders, finalized)
