"""Whether another installation signs with the wallet: two daemons over two databases would spend the same money.

Every transaction names its installation in its memo. One that the wallet has paid and that names another one halts this
daemon with WALLET_SHARED, unless the operator allows it. So does one that names this installation and is not in the
database: then a daemon runs on a copy of the database, and would execute the same orders.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

import structlog
from solders.signature import Signature

from db import halts, installation
from db.audit import DAEMON
from db.connection import database
from orderd.domain.halt import HaltCause
from orderd.domain.memo import Memo, memos_in
from orderd.solana.observer import Observer
from orderd.solana.rpc import Mention

CHECK_SECONDS: Final = 60.0
log = structlog.get_logger(__name__)


class _Signed(NamedTuple):
    """A transaction that mentions the wallet, and its memo."""

    mention: Mention
    memo: Memo


class WalletSharing:
    """A loop in each worker process. For one thread."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def run_once(self) -> bool:
        """Check the wallet's transactions since the last check. Returns whether another installation signed one.

        Raises RpcError; then the result is unknown. Transactions that an operator has acknowledged do not halt again.
        """
        with database.connection_context():
            known, is_restoring = installation.read(), _is_restoring()
        newest = self._observer.newest_mentions()
        new = {
            mention.signature: _Signed(mention, memo)
            for mention in newest
            if mention.slot > known.seen_slot
            for memo in memos_in(mention.memo)
            if memo.installation
        }
        foreign = [key for key, each in new.items() if not known.is_own(each.memo.installation, each.mention.slot)]
        own = [key for key, each in new.items() if each.memo.installation == known.id and each.mention.err is None]
        if own and not is_restoring:
            foreign += self._copied({key: new[key].memo.order_id for key in own})
        paid = self._observer.paid_by_wallet(foreign)
        self._observer.confirm_chain()
        with database.connection_context():
            if paid:
                reason = _reason(new[paid[0].signature], known.id)
                halts.halt(HaltCause.SHARED_WALLET, DAEMON, reason)
                log.error("another installation signs with this wallet", action="wallet_shared", reason=reason)
            if newest:
                installation.record_last_slot(max(mention.slot for mention in newest))
        return bool(paid)

    def _copied(self, own: Mapping[Signature, UUID]) -> list[Signature]:
        """Those of these transactions that an installation with a copy of this database has signed."""
        with database.connection_context():
            found = installation.unrecorded({str(signature): order_id for signature, order_id in own.items()})
        return [signature for signature in own if str(signature) in found]


def _is_restoring() -> bool:
    """Whether the newest transactions may be missing in the database: then ``Restoring`` decides about them."""
    return any(halt.cause is HaltCause.RESTORE for halt in halts.current())


def _reason(signed: _Signed, own: bytes) -> str:
    mention, other = signed.mention, signed.memo.installation
    transaction = f"transaction {mention.signature} in slot {mention.slot} was paid by this wallet"
    if other == own:
        return f"{transaction}, but is not in this database, whose id it has: another daemon runs on a copy of it"
    return f"{transaction} and signed by another installation of orderd, {other.hex()}; this one is {own.hex()}"
