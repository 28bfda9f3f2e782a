"""The ledger's queries, on their own connection, for one thread."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.block import SealedBlock, Status
from orderd.simnet.ledger.file import open_file
from orderd.simnet.ledger.mentions import number_of
from orderd.simnet.ledger.records import LedgerMention, LedgerPlace, Restored, StoredBlock, StoredTransaction


class LedgerReader:
    """Reads blocks and transactions. The newest transactions, which are requested most, are cached."""

    def __init__(self, path: Path) -> None:
        self._reader = open_file(path)
        self._recent: dict[Signature, StoredTransaction] = {}

    def close(self) -> None:
        self._reader.close()

    def restore(self, history: int) -> Restored | None:
        """The chain, with the hashes and signatures of its last ``history`` blocks; None for a new file."""
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
        """A transaction's record; None if there is none, or its block was deleted."""
        recent = self._recent.get(signature)
        if recent is not None:
            return recent
        row = self._reader.execute(
            "SELECT slot, time, raw, meta FROM transactions JOIN blocks USING (slot) WHERE signature = ?",
            (bytes(signature),),
        ).fetchone()
        return None if row is None else StoredTransaction(*row)

    def place(self, signature: Signature) -> LedgerPlace | None:
        """The slot and position of a transaction; None if there is none."""
        row = self._reader.execute(
            "SELECT slot, position FROM transactions WHERE signature = ?", (bytes(signature),)
        ).fetchone()
        return None if row is None else LedgerPlace(*row)

    def mentions(self, address: Pubkey, before: LedgerPlace, after: LedgerPlace) -> Iterator[LedgerMention]:
        """The transactions between two places that have an address among their keys, the newest first."""
        rows = self._reader.execute(
            "SELECT signature, slot, error, time, raw FROM mentions JOIN transactions USING (slot, position) "
            "JOIN blocks USING (slot) WHERE address = ? AND (slot, position) < (?, ?) AND (slot, position) > (?, ?) "
            "AND instr(raw, ?) ORDER BY slot DESC, position DESC",
            (number_of(address), *before, *after, bytes(address)),
        )
        with closing(rows):
            for signature, *rest in rows:
                yield LedgerMention(Signature.from_bytes(signature), *rest)

    def block(self, slot: int) -> StoredBlock | None:
        """The block of a slot; None if the slot has none, or it was deleted."""
        row = self._reader.execute(
            "SELECT height, blockhash, parent, parent_slot, time FROM blocks WHERE slot = ?", (slot,)
        ).fetchone()
        if row is None:
            return None
        height, blockhash, parent, parent_slot, time = row
        return StoredBlock(slot, height, Hash.from_bytes(blockhash), Hash.from_bytes(parent), parent_slot, time)

    def slots(self, first: int, last: int) -> list[int]:
        """The slots from ``first`` to ``last``, inclusive, that have a block."""
        rows = self._reader.execute("SELECT slot FROM blocks WHERE slot BETWEEN ? AND ? ORDER BY slot", (first, last))
        return [slot for (slot,) in rows]

    def signatures_in(self, slot: int) -> list[Signature]:
        """The signatures of a block's transactions, in order."""
        rows = self._reader.execute("SELECT signature FROM transactions WHERE slot = ? ORDER BY position", (slot,))
        return [Signature.from_bytes(signature) for (signature,) in rows]

    def transactions_in(self, slot: int) -> list[StoredTransaction]:
        """The records of a block's transactions, in order."""
        rows = self._reader.execute(
            "SELECT slot, time, raw, meta FROM transactions JOIN blocks USING (slot) WHERE slot = ? ORDER BY position",
            (slot,),
        )
        return [StoredTransaction(*row) for row in rows]

    def kept_in(self, slot: int) -> list[bytes]:
        """The bytes of a block's transactions that are not ephemeral, in order."""
        rows = self._reader.execute(
            "SELECT raw FROM transactions WHERE slot = ? AND NOT ephemeral ORDER BY position", (slot,)
        )
        return [raw for (raw,) in rows]

    def genesis_hash(self) -> Hash:
        """The first block's hash, which identifies the chain. Raises TypeError for an empty file."""
        row = self._reader.execute("SELECT blockhash FROM blocks WHERE height = 0").fetchone()
        return Hash.from_bytes(row[0])

    def block_time(self, slot: int) -> int | None:
        """The time of a block, in unix seconds; None if there is none."""
        row = self._reader.execute("SELECT time FROM blocks WHERE slot = ?", (slot,)).fetchone()
        return None if row is None else int(row[0])
