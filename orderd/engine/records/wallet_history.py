"""Keeps the records of the wallet complete while the daemon runs: deposits, withdrawals and trades that others made."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from db.connection import database
from orderd.engine.records.reconcile import Reconciliation

CHECK_SECONDS: Final = 5.0
"""How often a worker checks whether it is time, and whether it is the one that reads."""
MAX_PER_PASS: Final = 1_000
"""Transactions that are read per pass, so that a wallet with a long past does not use up the node's limits."""
log = structlog.get_logger(__name__)


class WalletHistory:
    """A loop in each worker process. ``is_mine`` says whether this process does the reading, ``every`` are the seconds
    between two runs."""

    def __init__(
        self,
        reconciliation: Reconciliation,
        is_mine: Callable[[], bool],
        every: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reconciliation = reconciliation
        self._is_mine = is_mine
        self._every = every
        self._clock = clock
        self._due_at = float("-inf")

    def run_once(self) -> None:
        """Read the wallet's new transactions, if it is time for it. Raises RpcError."""
        now = self._clock()
        if now < self._due_at or not self._is_mine():
            return
        self._due_at = now + self._every
        with database.connection_context():
            found = self._reconciliation.catch_up(MAX_PER_PASS)
        if found:
            log.info("wallet's transactions read", action="reconciled", **{str(kind): n for kind, n in found.items()})
