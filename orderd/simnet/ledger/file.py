"""The SQLite file of a chain: its tables, its version, and how it is opened."""

import sqlite3
from pathlib import Path
from typing import Final

SCHEMAS: Final = (
    """
CREATE TABLE accounts (
    key BLOB PRIMARY KEY, lamports INTEGER NOT NULL, owner BLOB NOT NULL, data BLOB NOT NULL,
    executable INTEGER NOT NULL
);
CREATE TABLE blocks (
    slot INTEGER PRIMARY KEY, height INTEGER NOT NULL UNIQUE, blockhash BLOB NOT NULL, parent BLOB NOT NULL,
    time INTEGER NOT NULL, transaction_count INTEGER NOT NULL
);
CREATE TABLE transactions (
    signature BLOB PRIMARY KEY, slot INTEGER NOT NULL REFERENCES blocks, position INTEGER NOT NULL,
    error BLOB NOT NULL, meta BLOB NOT NULL, raw BLOB NOT NULL, ephemeral INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX transactions_by_slot ON transactions (slot, ephemeral);
""",
    """
CREATE TABLE images (number INTEGER PRIMARY KEY, signature BLOB NOT NULL UNIQUE, content BLOB NOT NULL);
""",
    """
CREATE TABLE mentions (
    address INTEGER NOT NULL, slot INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (address, slot, position)
) WITHOUT ROWID;
ALTER TABLE blocks ADD COLUMN parent_slot INTEGER NOT NULL DEFAULT 0;
UPDATE blocks SET parent_slot = slot - 1 WHERE slot > 0;
DROP INDEX transactions_by_slot;
CREATE INDEX transactions_by_slot ON transactions (slot, position, ephemeral);
""",
    """
DROP TABLE images;
CREATE TABLE images (number INTEGER PRIMARY KEY, slot INTEGER NOT NULL UNIQUE, content BLOB NOT NULL);
""",
)
"""The SQL statements by which each version of the file extends the previous one."""

FIRST_WITH_MENTIONS: Final = 3

SCHEMA_VERSION: Final = len(SCHEMAS)


class LedgerError(Exception):
    """The file cannot be used; the message says why, and what to do."""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The file's schema version. Raises LedgerError if it is later than the version of this code."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"the ledger {path} has version {version}, this simnet writes {SCHEMA_VERSION}; "
            "remove the file to start a new chain"
        )
    return version


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file with WAL and synchronous=FULL: a commit that has returned survives a power loss."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
