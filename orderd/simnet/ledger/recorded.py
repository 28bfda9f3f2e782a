"""Reads one transaction from a ledger that a running simnet may be writing."""

import sqlite3
from contextlib import closing
from pathlib import Path

from solders.signature import Signature

from orderd.simnet.images import unpack
from orderd.simnet.ledger.file import SCHEMA_VERSION, LedgerError, version_of
from orderd.simnet.ledger.records import Recorded, StoredTransaction


def recorded(path: Path, signature: Signature) -> Recorded | None:
    """Look up a transaction in a ledger, opened read-only; None if there is none.

    Raises LedgerError if there is no ledger, it has another version, or it cannot be read.
    """
    if not path.exists():
        raise LedgerError(f"there is no ledger {path}; start the chain once, or name another state directory")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if version_of(connection, path) < SCHEMA_VERSION:
                raise LedgerError(f"the ledger {path} is of an earlier version; start the chain once to renew it")
            row = connection.execute(
                "SELECT slot, time, raw, meta, position, content FROM transactions JOIN blocks USING (slot) "
                "LEFT JOIN images USING (slot) WHERE signature = ?",
                (bytes(signature),),
            ).fetchone()
    except sqlite3.Error as error:
        raise LedgerError(f"the ledger {path} cannot be read: {error}") from error
    if row is None:
        return None
    *stored, position, content = row
    return Recorded(StoredTransaction(*stored), () if content is None else unpack(content)[position])
