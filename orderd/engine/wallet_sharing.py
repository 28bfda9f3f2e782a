"""Whether another installation signs with the wallet: two daemons over two databases would spend the same money.

Every transaction names its installation in its memo. One that the wallet has paid and that names another one halts this
daemon with WALLET_SHARED, unless the operator allows it.
"""

from typing import Final

import structlog

from db import halts, installation
from db.audit import DAEMON
from db.connection import database
from orderd.domain.halt import HaltCause
from orderd.domain.memo import memos_in
from orderd.solana.observer import Observer

CHECK_SECONDS: Final = 60.0
log = structlog.get_logger(__name__)


class WalletSharing:
    """A loop in each worker process. For one thread."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def run_once(self) -> bool:
        """Check the wallet's transactions since the last check. Returns whether another installation signed one.

        Raises RpcError; then the result is unknown. Transactions that an operator has acknowledged do not halt again.
        """
        with database.connection_context():
            known = installation.read()
        newest = self._observer.newest_mentions()
        foreign = {
            mention.signature: (mention.slot, memo.installation)
            for mention in newest
            if mention.slot > known.seen_slot
            for memo in memos_in(mention.memo)
            if memo.installation and not known.is_own(memo.installation, mention.slot)
        }
        paid = self._observer.paid_by_wallet(list(foreign))
        self._observer.confirm_chain()
        with database.connection_context():
            if paid:
                slot, other = foreign[paid[0].signature]
                reason = (
                    f"transaction {paid[0].signature} in slot {slot} was paid by this wallet and signed by another "
                    f"installation of orderd, {other.hex()}; this one is {known.id.hex()}"
                )
                halts.halt(HaltCause.SHARED_WALLET, DAEMON, reason)
                log.error("another installation signs with this wallet", action="wallet_shared", reason=reason)
            if newest:
                installation.record_last_slot(max(mention.slot for mention in newest))
        return bool(paid)
