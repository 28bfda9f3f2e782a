"""Address lookup tables: an account in a table takes one byte of a transaction instead of 32.

Source: anza-xyz/solana-sdk, ``address-lookup-table-interface/src/state.rs``.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from solders.address_lookup_table_account import AddressLookupTable, AddressLookupTableAccount
from solders.pubkey import Pubkey

from orderd.solana.rpc import RpcClient, RpcError
from orderd.solana.rpc_types import ChainAccount

PROGRAM_ID: Final = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
BYTES_PER_TABLE: Final = 34
"""Bytes of a transaction for naming a table: its address, and two counts."""
SAVED: Final = 31
"""Bytes saved per account that is in a table."""
_MAX_AGE_SECONDS: Final = 600.0
_IN_USE: Final = (1 << 64) - 1
log = structlog.get_logger(__name__)


class LookupTables:
    """The configured tables, read again every ten minutes. Thread-safe."""

    def __init__(
        self, rpc: RpcClient, addresses: Sequence[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rpc = rpc
        self._keys = [Pubkey.from_string(address) for address in addresses]
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at: float | None = None
        self._tables: tuple[AddressLookupTableAccount, ...] = ()
        self._held: frozenset[Pubkey] = frozenset()

    @property
    def most_bytes(self) -> int:
        """Maximum bytes of a transaction for naming the tables."""
        return BYTES_PER_TABLE * len(self._keys)

    def current(self) -> tuple[AddressLookupTableAccount, ...]:
        """The usable tables; those of the last successful read if the node does not answer."""
        self._read()
        return self._tables

    def held(self) -> frozenset[Pubkey]:
        """All addresses in the tables."""
        self._read()
        return self._held

    def _read(self) -> None:
        if not self._keys:
            return
        with self._lock:
            now = self._clock()
            if self._read_at is not None and now - self._read_at < _MAX_AGE_SECONDS:
                return
            self._read_at = now
            try:
                answer = self._rpc.get_multiple_accounts(self._keys)
            except RpcError as error:
                log.warning("lookup tables unread", action="lookup_tables_unread", error=str(error))
                return
            found = (_usable(key, account, answer.slot) for key, account in zip(self._keys, answer.value, strict=True))
            self._tables = tuple(table for table in found if table is not None)
            self._held = frozenset(address for table in self._tables for address in table.addresses)


def _usable(key: Pubkey, account: ChainAccount | None, slot: int) -> AddressLookupTableAccount | None:
    """The table; None if it does not exist or is being closed. Addresses that were added in this slot are not usable
    yet."""
    if account is None or account.owner != PROGRAM_ID:
        log.warning("no lookup table", action="lookup_table_missing", table=str(key))
        return None
    try:
        table = AddressLookupTable.deserialize(account.data)
    except Exception as error:  # noqa: BLE001  (solders raises several errors without a common base class)
        log.warning("lookup table unreadable", action="lookup_table_missing", table=str(key), error=str(error))
        return None
    if table.meta.deactivation_slot != _IN_USE:
        return None
    is_new = table.meta.last_extended_slot >= slot
    count = table.meta.last_extended_slot_start_index if is_new else len(table.addresses)
    return AddressLookupTableAccount(key, list(table.addresses)[:count])
