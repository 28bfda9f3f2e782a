"""Index of the transactions that name an address, with six bytes per address."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from solders.pubkey import Pubkey

from orderd.simnet.genesis.lookup_tables import read


def note_mentions(writer: sqlite3.Connection, transactions: Iterable[tuple[int, int, Sequence[Pubkey]]]) -> None:
    """Add transactions, given as (slot, position, keys), to the index."""
    writer.executemany(
        "INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)",
        ((number_of(key), slot, position) for slot, position, keys in transactions for key in keys),
    )


def note_all_mentions(writer: sqlite3.Connection) -> None:
    """Add all transactions of the file to the index, which is new in this version."""
    note_mentions(writer, _keys(writer, "SELECT slot, position, raw FROM transactions"))


def forget_mentions(writer: sqlite3.Connection, condition: str, *slots: int) -> None:
    """Remove the transactions that meet a condition on slots from the index. They must still be in the file."""
    writer.executemany(
        "DELETE FROM mentions WHERE address = ? AND slot = ? AND position = ?",
        (
            (number_of(key), slot, position)
            for slot, position, keys in _keys(
                writer,
                f"SELECT slot, position, raw FROM transactions WHERE {condition}",  # noqa: S608  (a constant of this package)
                *slots,
            )
            for key in keys
        ),
    )


def _keys(writer: sqlite3.Connection, query: str, *parameters: int) -> Iterator[tuple[int, int, Sequence[Pubkey]]]:
    for slot, position, raw in writer.execute(query, parameters):
        yield slot, position, read(raw).keys


def number_of(address: Pubkey) -> int:
    """The first six bytes of an address as an integer. Readers compare the whole address with the transaction."""
    return int.from_bytes(bytes(address)[:6])
