"""Reads the local chain's ledger file without orderd: transactions that landed, and balances of the wallet."""

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from orderd.domain.memo import memos_in
from orderd.domain.tokens import WSOL_MINT
from orderd.domain.well_known import WELL_KNOWN
from orderd.solana.keys import load_wallet
from orderd.solana.programs import associated_token, memo
from orderd.solana.programs.token import TokenAccount

Mint = str


@dataclass(frozen=True)
class Landed:
    """A transaction of the wallet. ``received`` are base units by mint, negative for what was paid.

    ``received`` does not include ``fee``, nor ``rent`` for accounts that were created and still exist.
    """

    order_id: UUID
    attempt: int
    tag: bytes
    signature: str
    slot: int
    succeeded: bool
    fee: int
    rent: int
    received: Mapping[Mint, int]


class Ledger:
    """The ledger of one state directory, which simnet may be writing."""

    def __init__(self, state_dir: Path) -> None:
        self._file = state_dir / "simnet" / "ledger.sqlite"
        self.wallet = load_wallet(state_dir / "wallet.json").address

    def transactions(self) -> list[Landed]:
        """All transactions that the wallet paid for, in the order in which they landed."""
        rows = self._read("SELECT slot, meta, raw FROM transactions WHERE NOT ephemeral ORDER BY slot, position")
        decoded = [(slot, json.loads(meta), VersionedTransaction.from_bytes(raw)) for slot, meta, raw in rows]
        return [
            self._landed(slot, meta, transaction)
            for slot, meta, transaction in decoded
            if transaction.message.account_keys[0] == self.wallet
        ]

    def balances(self) -> dict[Mint, int]:
        """Lamports, and base units of each token that the wallet holds."""
        held = {WSOL_MINT: self._account(self.wallet)[0]}
        for token in WELL_KNOWN["simnet"]:
            if not token.is_native:
                lamports, data = self._account(associated_token.address(self.wallet, Pubkey.from_string(token.mint)))
                held[token.mint] = TokenAccount.decode(data).amount if lamports else 0
        return held

    def _landed(self, slot: int, meta: dict[str, Any], transaction: VersionedTransaction) -> Landed:
        (note,) = memos_in(self._memo(transaction))
        before, after = meta["preBalances"], meta["postBalances"]
        rent = sum(new for old, new in zip(before[1:], after[1:], strict=True) if old == 0)
        received = Counter({WSOL_MINT: after[0] - before[0] + meta["fee"] + rent})
        for sign, balances in ((-1, meta["preTokenBalances"]), (1, meta["postTokenBalances"])):
            for balance in balances:
                if balance["owner"] == str(self.wallet):
                    received[balance["mint"]] += sign * int(balance["uiTokenAmount"]["amount"])
        return Landed(
            order_id=note.order_id,
            attempt=note.attempt,
            tag=note.tag,
            signature=str(transaction.signatures[0]),
            slot=slot,
            succeeded=meta["err"] is None,
            fee=meta["fee"],
            rent=rent,
            received={mint: amount for mint, amount in received.items() if amount},
        )

    def _memo(self, transaction: VersionedTransaction) -> str:
        keys = transaction.message.account_keys
        (text,) = [
            bytes(each.data).decode()
            for each in transaction.message.instructions
            if keys[each.program_id_index] == memo.PROGRAM_ID
        ]
        return text

    def _account(self, address: Pubkey) -> tuple[int, bytes]:
        rows = self._read("SELECT lamports, data FROM accounts WHERE key = ?", bytes(address))
        return rows[0] if rows else (0, b"")

    def _read(self, sql: str, *parameters: object) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(sql, parameters).fetchall()
