"""Which transactions name an address: an index beside the transactions, of six bytes per address."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from solders.pubkey import Pubkey

from orderd.simnet.genesis.lookup_tables import read


def note_mentions(writer: sqlite3.Connection, transactions: Iterable[tuple[int, int, Sequence[Pubkey]]]) -> None:
    """Note whom transactions name, each given with its slot and position."""
    writer.executemany(
        "INSERT OR IGNORE INTO mentions VALUES (?, ?, ?)",
        ((number_of(key), slot, position) for slot, position, keys in transactions for key in keys),
    )


def note_all_mentions(writer: sqlite3.Connection) -> None:
    """The same of all transactions of a file that had no such index."""
    note_mentions(writer, _keys(writer, "SELECT slot, position, raw FROM transactions"))


def forget_mentions(writer: sqlite3.Connection, condition: str, *slots: int) -> None:
    """Forget whom the transactions name for which a condition about slots holds."""
    writer.executemany(
        "DELETE FROM mentions WHERE address = ? AND slot = ? AND position = ?",
        (
            (number_of(key), slot, position)
            for slot, position, keys in _keys(
                writer,
                f"SELECT slot, position, raw FROM transactions WHERE {condition}",  # noqa: S608  (our own words)
                *slots,
            )
            for key in keys
        ),
    )


def _keys(writer: sqlite3.Connection, query: str, *parameters: int) -> Iterator[tuple[int, int, Sequence[Pubkey]]]:
    for slot, position, raw in writer.execute(query, parameters):
        yield slot, position, read(raw).keys


def number_of(address: Pubkey) -> int:
    """An address in six bytes; if two share them, the transaction itself shows which one it names."""
    return int.from_bytes(bytes(address)[:6])
