"""The durable chain: a SQLite file that takes each block whole or not at all.

WAL with synchronous=FULL: a commit that returned survives kill -9 and power loss. A signature is a primary key, so
the file itself refuses to hold a transaction twice.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import SealedBlock, Status
from orderd.simnet.genesis.lookup_tables import read

KEEP_EPHEMERAL: Final = 5_000
"""Slots for which the market's own transactions, and blocks that hold no others, can be looked up."""

KEEP_AT_HAND: Final = 250
"""Transactions, the newest, that are read without asking the file: some 2 MiB."""

KEEP_IMAGES: Final = 20_000
"""Transactions, the newest, of which the accounts before and after are kept: some 60 MiB."""

FORGOTTEN_AT_ONCE: Final = 20
"""Blocks, so that the chain does not stand still for it."""

_SCHEMAS: Final = (
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
)
"""What each version of the file adds to the one before it."""

_FIRST_WITH_MENTIONS: Final = 3

SCHEMA_VERSION: Final = len(_SCHEMAS)


class StoredTransaction(NamedTuple):
    """A transaction's record: its bytes, its meta as JSON, and when (unix seconds) and where it landed."""

    slot: int
    time: int
    raw: bytes
    meta: bytes


class Recorded(NamedTuple):
    """A transaction and, as `orderd.simnet.images` packs them, its accounts before and after; None if not kept."""

    transaction: StoredTransaction
    images: bytes | None


class StoredBlock(NamedTuple):
    """A block's record. `parent` is the hash of the block in `parent_slot`, `time` in unix seconds."""

    slot: int
    height: int
    blockhash: Hash
    parent: Hash
    parent_slot: int
    time: int


class LedgerPlace(NamedTuple):
    """Where a transaction is: the slot of its block, and its place there."""

    slot: int
    position: int


class LedgerMention(NamedTuple):
    """A transaction that names an address among its keys; `error` as JSON, `time` in unix seconds."""

    signature: Signature
    slot: int
    error: bytes
    time: int
    raw: bytes


class Row(NamedTuple):
    """A transaction as the ledger takes it; `error` and `meta` are JSON. Where `images` is None, none are kept."""

    signature: Signature
    error: bytes
    meta: bytes
    raw: bytes
    keys: Sequence[Pubkey]
    ephemeral: bool
    images: bytes | None = None


class Restored(NamedTuple):
    """The chain as the last durable block left it, with the signatures and blockhashes that still count."""

    accounts: dict[Pubkey, LedgerAccount]
    tip: SealedBlock
    blockhashes: dict[Hash, int]
    statuses: dict[Signature, Status]


class LedgerError(Exception):
    """The file cannot be used; the message says why, and what to do."""


class Ledger:
    """One writer (`append`, `prune`, `forget`) and one reader thread may use it at the same time."""

    def __init__(self, path: Path) -> None:
        """Brings a file of an earlier version up to date. Raises LedgerError if it is of a later one."""
        self._writer = _connect(path)
        version = _version(self._writer, path)
        with self._transaction():
            for statement in "".join(_SCHEMAS[version:]).split(";\n"):
                self._writer.execute(statement)
            if version < _FIRST_WITH_MENTIONS:
                self._mention(self._keys("SELECT slot, position, raw FROM transactions"))
            self._writer.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._reader = _connect(path)
        self._recent: dict[Signature, StoredTransaction] = {}

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def append(self, block: SealedBlock, rows: Sequence[Row]) -> None:
        """Make a block durable. Raises sqlite3.Error, and then nothing of it was written.

        Blocks above its parent were given up for it, and go with the same commit: the file holds the one fork or the
        other.
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
            self._mention((block.slot, position, row.keys) for position, row in enumerate(rows))
            self._writer.executemany(
                "INSERT INTO images (signature, content) VALUES (?, ?)",
                ((bytes(row.signature), row.images) for row in rows if row.images is not None),
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
        """Forget the ephemeral transactions before `slot`, blocks there that hold no others, and the oldest images."""
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
        """Forget the oldest blocks before `slot` but the first one, some at a time, and what their transactions said.

        That a transaction has landed, and with which error, is known for ever: nothing that was traded is taken for
        what was not.
        """
        with self._transaction():
            oldest = self._writer.execute(
                "SELECT slot FROM blocks WHERE slot < ? AND height > 0 ORDER BY slot LIMIT ?", (slot, FORGOTTEN_AT_ONCE)
            ).fetchall()
            if not oldest:
                return
            span = oldest[0][0], oldest[-1][0]
            self._writer.execute(
                "DELETE FROM images WHERE signature IN (SELECT signature FROM transactions WHERE slot BETWEEN ? AND ?)",
                span,
            )
            self._forget_mentions("slot BETWEEN ? AND ?", *span)
            self._writer.execute("UPDATE transactions SET raw = x'', meta = x'' WHERE slot BETWEEN ? AND ?", span)
            self._writer.execute("DELETE FROM blocks WHERE slot BETWEEN ? AND ?", span)
            self._recent = {each: stored for each, stored in self._recent.items() if stored.slot > span[1]}

    def restore(self, history: int) -> Restored | None:
        """The chain with the last `history` blocks' hashes and signatures; None for a new file."""
        row = self._reader.execute("SELECT * FROM blocks ORDER BY slot DESC LIMIT 1").fetchone()
        if row is None:
            return None
        slot, height, blockhash, parent, time, transaction_count, parent_slot = row
        accounts = {
            Pubkey.from_bytes(key): LedgerAccount(lamports, Pubkey.from_bytes(owner), data, bool(executable))
            for key, lamports, owner, data, executable in self._reader.execute("SELECT * FROM accounts")
        }
        recent_blocks = self._reader.execute(
            "SELECT blockhash, height, slot FROM blocks WHERE height > ?", (height - history,)
        ).fetchall()
        blockhashes = {Hash.from_bytes(each): height for each, height, _ in recent_blocks}
        recent = (min(slot for _, _, slot in recent_blocks),)
        statuses = {
            Signature.from_bytes(each): Status(slot, orjson.loads(error))
            for each, slot, error in self._reader.execute(
                "SELECT signature, slot, error FROM transactions WHERE slot >= ?", recent
            )
        }
        tip = SealedBlock(
            slot=slot,
            height=height,
            blockhash=Hash.from_bytes(blockhash),
            parent=Hash.from_bytes(parent),
            time=time,
            transaction_count=transaction_count,
            before={},
            changed={},
            executed=[],
            signatures=(),
            unit_prices=(),
            parent_slot=parent_slot,
        )
        return Restored(accounts, tip, blockhashes, statuses)

    def status(self, signature: Signature) -> Status | None:
        """The status of a transaction, however long ago it landed."""
        row = self._reader.execute(
            "SELECT slot, error FROM transactions WHERE signature = ?", (bytes(signature),)
        ).fetchone()
        return None if row is None else Status(row[0], orjson.loads(row[1]))

    def transaction(self, signature: Signature) -> StoredTransaction | None:
        """The newest, which are asked for most, are at hand."""
        recent = self._recent.get(signature)
        if recent is not None:
            return recent
        row = self._reader.execute(
            "SELECT slot, time, raw, meta FROM transactions JOIN blocks USING (slot) WHERE signature = ?",
            (bytes(signature),),
        ).fetchone()
        return None if row is None else StoredTransaction(*row)

    def place(self, signature: Signature) -> LedgerPlace | None:
        """Where a transaction is."""
        row = self._reader.execute(
            "SELECT slot, position FROM transactions WHERE signature = ?", (bytes(signature),)
        ).fetchone()
        return None if row is None else LedgerPlace(*row)

    def mentions(self, address: Pubkey, before: LedgerPlace, after: LedgerPlace) -> Iterator[LedgerMention]:
        """The transactions between two places that name an address among their keys, the newest first."""
        rows = self._reader.execute(
            "SELECT signature, slot, error, time, raw FROM mentions JOIN transactions USING (slot, position) "
            "JOIN blocks USING (slot) WHERE address = ? AND (slot, position) < (?, ?) AND (slot, position) > (?, ?) "
            "AND instr(raw, ?) ORDER BY slot DESC, position DESC",
            (_number(address), *before, *after, bytes(address)),
        )
        with closing(rows):
            for signature, *rest in rows:
                yield LedgerMention(Signature.from_bytes(signature), *rest)

    def block(self, slot: int) -> StoredBlock | None:
        """The block of a slot; None if the slot has none, or it was dropped."""
        row = self._reader.execute(
            "SELECT height, blockhash, parent, parent_slot, time FROM blocks WHERE slot = ?", (slot,)
        ).fetchone()
        if row is None:
            return None
        height, blockhash, parent, parent_slot, time = row
        return StoredBlock(slot, height, Hash.from_bytes(blockhash), Hash.from_bytes(parent), parent_slot, time)

    def slots(self, first: int, last: int) -> list[int]:
        """The slots, both ends included, that have a block."""
        rows = self._reader.execute("SELECT slot FROM blocks WHERE slot BETWEEN ? AND ? ORDER BY slot", (first, last))
        return [slot for (slot,) in rows]

    def signatures_in(self, slot: int) -> list[Signature]:
        """The transactions of a block, in their order."""
        rows = self._reader.execute("SELECT signature FROM transactions WHERE slot = ? ORDER BY position", (slot,))
        return [Signature.from_bytes(signature) for (signature,) in rows]

    def transactions_in(self, slot: int) -> list[StoredTransaction]:
        """The transactions of a block with what became of them, in their order."""
        rows = self._reader.execute(
            "SELECT slot, time, raw, meta FROM transactions JOIN blocks USING (slot) WHERE slot = ? ORDER BY position",
            (slot,),
        )
        return [StoredTransaction(*row) for row in rows]

    def kept_in(self, slot: int) -> list[bytes]:
        """The bytes of a block's transactions that are not ephemeral, in their order."""
        rows = self._reader.execute(
            "SELECT raw FROM transactions WHERE slot = ? AND NOT ephemeral ORDER BY position", (slot,)
        )
        return [raw for (raw,) in rows]

    def genesis_hash(self) -> Hash:
        """The first block's hash, which names the chain. Raises TypeError for an empty file."""
        row = self._reader.execute("SELECT blockhash FROM blocks WHERE height = 0").fetchone()
        return Hash.from_bytes(row[0])

    def block_time(self, slot: int) -> int | None:
        """When a block was made, in unix seconds."""
        row = self._reader.execute("SELECT time FROM blocks WHERE slot = ?", (slot,)).fetchone()
        return None if row is None else int(row[0])

    def _remember(self, block: SealedBlock, rows: Sequence[Row]) -> None:
        """Cache the block's transactions, which are durable now, and drop those that are gone."""
        if block.slot > block.parent_slot + 1:
            self._recent = {each: stored for each, stored in self._recent.items() if stored.slot <= block.parent_slot}
        for row in rows:
            self._recent[row.signature] = StoredTransaction(block.slot, block.time, row.raw, row.meta)
        for oldest in list(islice(self._recent, max(len(self._recent) - KEEP_AT_HAND, 0))):
            del self._recent[oldest]

    def _give_up(self, parent_slot: int) -> None:
        """Forget the blocks above a slot. What they did to accounts is undone by the block that takes their place."""
        self._writer.execute(
            "DELETE FROM images WHERE signature IN (SELECT signature FROM transactions WHERE slot > ?)", (parent_slot,)
        )
        self._forget("slot > ?", parent_slot)
        self._writer.execute("DELETE FROM blocks WHERE slot > ?", (parent_slot,))

    def _mention(self, transactions: Iterable[tuple[int, int, Sequence[Pubkey]]]) -> None:
        """Note whom transactions name, each given with its slot and position."""
        self._writer.executemany(
            "INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)",
            ((_number(key), slot, position) for slot, position, keys in transactions for key in keys),
        )

    def _forget(self, condition: str, slot: int) -> None:
        """Delete the transactions for which a condition about `slot` holds, and whom they mention."""
        self._forget_mentions(condition, slot)
        self._writer.execute(f"DELETE FROM transactions WHERE {condition}", (slot,))  # noqa: S608

    def _forget_mentions(self, condition: str, *slots: int) -> None:
        self._writer.executemany(
            "DELETE FROM mentions WHERE address = ? AND slot = ? AND position = ?",
            (
                (_number(key), slot, position)
                for slot, position, keys in self._keys(
                    f"SELECT slot, position, raw FROM transactions WHERE {condition}",  # noqa: S608  (our own words)
                    *slots,
                )
                for key in keys
            ),
        )

    def _keys(self, query: str, *parameters: int) -> Iterator[tuple[int, int, Sequence[Pubkey]]]:
        for slot, position, raw in self._writer.execute(query, parameters):
            yield slot, position, read(raw).keys

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")


def recorded(path: Path, signature: Signature) -> Recorded | None:
    """Look a transaction up in a ledger that a simnet may be writing; this writes nothing.

    Raises LedgerError if there is no ledger, or one of another version.
    """
    if not path.exists():
        raise LedgerError(f"there is no ledger {path}; start the chain once, or name another state directory")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if _version(connection, path) < SCHEMA_VERSION:
                raise LedgerError(f"the ledger {path} is of an earlier version; start the chain once to renew it")
            row = connection.execute(
                "SELECT slot, time, raw, meta, content FROM transactions JOIN blocks USING (slot) "
                "LEFT JOIN images USING (signature) WHERE signature = ?",
                (bytes(signature),),
            ).fetchone()
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error}") from error
    return None if row is None else Recorded(StoredTransaction(*row[:4]), row[4])


def _number(address: Pubkey) -> int:
    """An address in six bytes; if two share them, the transaction itself shows which one it names."""
    return int.from_bytes(bytes(address)[:6])


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise LedgerError(
            f"the ledger {path} has version {version}, this simnet writes {SCHEMA_VERSION}; "
            "remove the file to start a new chain"
        )
    return version


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
