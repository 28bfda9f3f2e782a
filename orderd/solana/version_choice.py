"""Chooses the version of transactions: 1 if the chain accepts it, otherwise 0. One simulation shows it.

Version 1 is behind a feature of the chain, and a node may be older than it. A node on which the feature is inactive
answers ``UnsupportedVersion`` (agave, ``runtime/src/bank/check_transactions.rs``); an older one cannot decode the
bytes, or considers them too long: invalid params. The tried transaction is longer than version 0 allows, so that a node
with the old size limit is detected too.
"""

from collections.abc import Callable
from typing import Final, Self

import structlog
from solders.hash import Hash
from solders.pubkey import Pubkey

from orderd.solana.attempt import budget_config
from orderd.solana.json_rpc import INVALID_PARAMS
from orderd.solana.programs import memo
from orderd.solana.programs.compute_budget import MAX_COMPUTE_UNITS
from orderd.solana.rpc import RpcClient, RpcError, RpcResponseError
from orderd.solana.rpc_types import Simulation
from orderd.solana.transaction import MAX_SIZE, TransactionVersion, draft

_UNSUPPORTED: Final = "UnsupportedVersion"
log = structlog.get_logger(__name__)


class VersionChoice:
    """The version as of the last refresh, initially 0. It stays as it was if the node does not answer."""

    def __init__(self, takes_v1: Callable[[], bool | None] | None, version: TransactionVersion) -> None:
        """``takes_v1``: whether the chain takes version 1, or None if that is not known now. Without it, the version
        never changes."""
        self._takes_v1 = takes_v1
        self.current = version

    @classmethod
    def of(cls, version: TransactionVersion) -> Self:
        """A fixed version."""
        return cls(None, version)

    @classmethod
    def asking(cls, rpc: RpcClient, payer: Pubkey) -> Self:
        """The newest version that the endpoint accepts. ``payer`` pays in the simulation; its balance may be zero."""
        return cls(lambda: takes_version_1(rpc, payer), TransactionVersion.V0)

    def refresh(self) -> None:
        taken = None if self._takes_v1 is None else self._takes_v1()
        if taken is not None:
            self._choose(TransactionVersion.V1 if taken else TransactionVersion.V0)

    def fall_back(self) -> bool:
        """Use version 0 until the next refresh, because a transaction was refused for its version. Returns whether this
        changes the version."""
        return self._takes_v1 is not None and self._choose(TransactionVersion.V0)

    def _choose(self, version: TransactionVersion) -> bool:
        if version == self.current:
            return False
        log.info("transaction version", action="transaction_version", version=int(version), before=int(self.current))
        self.current = version
        return True


def takes_version_1(rpc: RpcClient, payer: Pubkey) -> bool | None:
    """Whether the endpoint accepts version 1, by a simulation; None if it does not answer."""
    tried = draft([memo.memo("0" * MAX_SIZE)], payer, Hash.default(), config=budget_config(MAX_COMPUTE_UNITS, 0))
    try:
        simulation = rpc.simulate_transaction(tried, replace_blockhash=True).value
    except RpcError as error:
        if refuses_version(error):
            return False
        log.info("transaction version unknown", action="transaction_version_unknown", error=str(error))
        return None
    return not refuses_version(simulation)


def refuses_version(answer: Simulation | RpcError) -> bool:
    """Whether the answer to a trial of version 1 means that the node does not take this version."""
    if isinstance(answer, Simulation):
        return answer.err == _UNSUPPORTED
    return isinstance(answer, RpcResponseError) and answer.code == INVALID_PARAMS
