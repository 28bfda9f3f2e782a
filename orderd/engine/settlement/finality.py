"""Checks confirmed successes again until their blocks can no longer be rolled back.

A trader sees a success when two thirds of the stake have voted for its block. No such block was ever rolled back on
mainnet, but it is possible. If one is, the order is ``submitted`` again with the same bytes, and ends by the same rule
as any other: nothing else is signed before they are proved dead.
"""

from typing import Final

import structlog
from solders.signature import Signature

from db import finality
from db.connection import database
from db.finality import Landing
from orderd.engine.publish import Publisher
from orderd.solana.expiry import Validity
from orderd.solana.observer import Observer, Sent
from orderd.solana.rpc import RpcError

_BATCH: Final = 1_000
log = structlog.get_logger(__name__)


class Finality:
    """Two loops in each worker process, of which one at a time does the work: so a restart resumes it. Late successes,
    which only the transaction history can decide, have their own loop, as in ``Settlement``."""

    def __init__(self, observer: Observer, publisher: Publisher) -> None:
        self._observer = observer
        self._publisher = publisher

    def run_once(self) -> int:
        """Check the successes that await finality, but the late ones. Returns how many were rolled back. Raises
        RpcError."""
        return self._check(late=False)

    def run_late(self) -> int:
        """The same for the late successes."""
        return self._check(late=True)

    def _check(self, *, late: bool) -> int:
        with database.connection_context():
            if not finality.is_awaited():
                return 0
            with finality.exclusive_handling(late=late) as is_mine:
                landings = finality.awaiting(_BATCH) if is_mine else []
                if not landings:
                    return 0
                settled, undone = self._judge(landings, late=late)
                if settled:
                    finality.settle([each.signature for each in settled])
                moved = finality.roll_back(undone)
        for each in moved:
            log.error("confirmation rolled back", action="rolled_back", order_id=str(each.order.id))
        self._publisher.publish(moved)
        return len(moved)

    def _judge(self, landings: list[Landing], *, late: bool) -> tuple[list[Landing], list[Landing]]:
        """The successes that are final, and those that were rolled back."""
        finalized = self._observer.finalized()
        by_signature = {Signature.from_string(each.signature): each for each in landings}
        validities = {
            signature: Validity(each.last_valid_block_height, each.blockhash_slot, each.slot)
            for signature, each in by_signature.items()
        }
        queried = {signature: each for signature, each in validities.items() if each.is_late(finalized) is late}
        sightings = self._observer.observe(queried, finalized)
        doubted = {each: seen for each, seen in sightings.items() if seen.proves_rollback(validities[each])}
        settled = [by_signature[each] for each, seen in sightings.items() if seen.is_final and each not in doubted]
        if not doubted:
            return settled, []
        known = max((each.finalized for each in doubted.values()), key=lambda each: each.absolute_slot)
        orders = {by_signature[each].order.id: Sent(each, by_signature[each].slot) for each in doubted}
        paid = self._observer.paid_for(orders, known)
        self._observer.confirm_chain()
        undone = list[Landing]()
        for signature in doubted:
            landing = by_signature[signature]
            found = paid[landing.order.id]
            if isinstance(found, RpcError):
                log.warning("not known whether it was rolled back", action="finality_unknown", error=str(found))
                continue
            # One false status does not take back a fill that is in the wallet's history.
            is_there = found is not None and (found.signature, found.transaction.slot) == (signature, landing.slot)
            (settled if is_there else undone).append(landing)
        return settled, undone
