"""The durable chain: a SQLite file to which each block is written in one transaction.

With WAL and synchronous=FULL, a commit that has returned survives kill -9 and a power loss. The signature is a primary
key, so the file cannot hold a transaction twice.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from orderd.simnet.block import SealedBlock
from orderd.simnet.images import pack
from orderd.simnet.ledger.file import FIRST_WITH_MENTIONS, SCHEMA_VERSION, SCHEMAS, open_file, version_of
from orderd.simnet.ledger.mentions import forget_mentions, note_all_mentions, note_mentions
from orderd.simnet.ledger.reader import LedgerReader
from orderd.simnet.ledger.records import Row, StoredTransaction

KEEP_EPHEMERAL: Final = 5_000
"""Slots for which the market's transactions, and blocks without other transactions, are kept."""

KEEP_AT_HAND: Final = 250
"""Number of the newest transactions that are cached in memory: about 2 MiB."""

KEEP_IMAGES: Final = 20_000
"""Number of the newest transactions whose accounts before and after are kept: about 10 MiB if they come in blocks of
40, and 80 MiB if each has a block of its own."""

FORGOTTEN_AT_ONCE: Final = 20
"""Blocks that ``forget`` deletes per call, so that it does not delay the chain."""


class Ledger(LedgerReader):
    """One writer thread (``append``, ``prune``, ``forget``) and one reader thread may use it at the same time."""

    def __init__(self, path: Path) -> None:
        """Open the file, and migrate it if it has an earlier version. Raises LedgerError if it has a later one."""
        self._writer = open_file(path)
        version = version_of(self._writer, path)
        with self._transaction():
            for statement in "".join(SCHEMAS[version:]).split(";\n"):
                self._writer.execute(statement)
            if version < FIRST_WITH_MENTIONS:
                note_all_mentions(self._writer)
            self._writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        super().__init__(path)

    def close(self) -> None:
        super().close()
        self._writer.close()

    def append(self, block: SealedBlock, rows: Sequence[Row]) -> None:
        """Write a block in one commit. Raises sqlite3.Error; then nothing was written.

        Blocks above its parent belong to an abandoned fork and are deleted in the same commit.
        """
        with self._transaction():
            if block.slot > block.parent_slot + 1:
                self._give_up(block.parent_slot)
            self._writer.execute(
                "INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    block.slot,
                    block.height,
                    bytes(block.blockhash),
                    bytes(block.parent),
                    block.time,
                    block.transaction_count,
                    block.parent_slot,
                ),
            )
            self._writer.executemany(
                "INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (bytes(row.signature), block.slot, position, row.error, row.meta, row.raw, row.ephemeral)
                    for position, row in enumerate(rows)
                ),
            )
            note_mentions(self._writer, ((block.slot, position, row.keys) for position, row in enumerate(rows)))
            if imaged := sum(bool(row.images) for row in rows):
                self._writer.execute(
                    "INSERT INTO images SELECT coalesce(max(number), 0) + ?, ?, ? FROM images",
                    (imaged, block.slot, pack(row.images for row in rows)),
                )
            self._writer.executemany(
                "INSERT OR REPLACE INTO accounts VALUES (?, ?, ?, ?, ?)",
                (
                    (bytes(key), account.lamports, bytes(account.owner), account.data, account.executable)
                    for key, account in block.changed.items()
                    if account is not None
                ),
            )
            self._writer.executemany(
                "DELETE FROM accounts WHERE key = ?",
                ((bytes(key),) for key, account in block.changed.items() if account is None),
            )
        self._remember(block, rows)

    def prune(self, slot: int) -> None:
        """Delete the ephemeral transactions before ``slot``, blocks before it that hold no others, and the oldest
        images."""
        with self._transaction():
            self._writer.execute(
                "DELETE FROM images WHERE number <= (SELECT max(number) FROM images) - ?", (KEEP_IMAGES,)
            )
            self._forget("slot < ? AND ephemeral", slot)
            self._recent = {each: stored for each, stored in self._recent.items() if stored.slot >= slot}
            self._writer.execute(
                "DELETE FROM blocks WHERE slot < ? AND height > 0 "
                "AND slot NOT IN (SELECT slot FROM transactions WHERE slot < ?)",
                (slot, slot),
            )

    def forget(self, slot: int) -> None:
        """Delete the oldest blocks before ``slot`` except the first block, and the content of their transactions.

        Deletes ``FORGOTTEN_AT_ONCE`` blocks per call. Signatures, slots and errors are kept for ever, so that the
        status of a transaction that has landed is never lost.
        """
        with self._transaction():
            oldest = self._writer.execute(
                "SELECT slot FROM blocks WHERE slot < ? AND height > 0 ORDER BY slot LIMIT ?", (slot, FORGOTTEN_AT_ONCE)
            ).fetchall()
            if not oldest:
                return
            span = oldest[0][0], oldest[-1][0]
            self._writer.execute("DELETE FROM images WHERE slot BETWEEN ? AND ?", span)
            forget_mentions(self._writer, "slot BETWEEN ? AND ?", *span)
            self._writer.execute("UPDATE transactions SET raw = x'', meta = x'' WHERE slot BETWEEN ? AND ?", span)
            self._writer.execute("DELETE FROM blocks WHERE slot BETWEEN ? AND ?", span)
            self._recent = {each: stored for each, stored in self._recent.items() if stored.slot > span[1]}

    def _remember(self, block: SealedBlock, rows: Sequence[Row]) -> None:
        """Cache the block's transactions, and drop those of an abandoned fork and the oldest ones."""
        if block.slot > block.parent_slot + 1:
            self._recent = {each: stored for each, stored in self._recent.items() if stored.slot <= block.parent_slot}
        for row in rows:
            self._recent[row.signature] = StoredTransaction(block.slot, block.time, row.raw, row.meta)
        for oldest in list(islice(self._recent, max(len(self._recent) - KEEP_AT_HAND, 0))):
            del self._recent[oldest]

    def _give_up(self, parent_slot: int) -> None:
        """Delete the blocks above a slot. The block that replaces them also restores the accounts that they changed."""
        self._writer.execute("DELETE FROM images WHERE slot > ?", (parent_slot,))
        self._forget("slot > ?", parent_slot)
        self._writer.execute("DELETE FROM blocks WHERE slot > ?", (parent_slot,))

    def _forget(self, condition: str, slot: int) -> None:
        """Delete the transactions that meet a condition with ``slot`` as its parameter, and their entries in
        ``mentions``."""
        forget_mentions(self._writer, condition, slot)
        self._writer.execute(f"DELETE FROM transactions WHERE {condition}", (slot,))  # noqa: S608

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")
