"""Exports a transaction with the accounts that it read and wrote from the ledger, so that it can be replayed
elsewhere."""

import base64
from pathlib import Path
from typing import Any

import orjson
from solders.signature import Signature

from orderd.simnet.account import LedgerAccount
from orderd.simnet.genesis.lookup_tables import read
from orderd.simnet.ledger.ledger import KEEP_IMAGES
from orderd.simnet.ledger.recorded import recorded


class NotRecordedError(Exception):
    """The ledger does not have the transaction or its accounts; the message says what it keeps."""


def dump_transaction(ledger: Path, signature: Signature) -> dict[str, Any]:
    """The transaction as JSON; lamports and units as numbers, bytes in base64, ``block_time`` in unix seconds.

    ``accounts`` follow the order of the message's keys. A simnet may be running on the ledger. Raises NotRecordedError,
    and LedgerError if the file cannot be read.
    """
    found = recorded(ledger, signature)
    if found is None:
        raise NotRecordedError(f"{ledger} has no transaction {signature}; is it in another state directory?")
    if not found.images:
        raise NotRecordedError(
            f"{ledger} does not have the accounts of transaction {signature}: it keeps those of the newest "
            f"{KEEP_IMAGES} transactions, and none of the market's own"
        )
    transaction = read(found.transaction.raw)
    meta = orjson.loads(found.transaction.meta)
    signers = transaction.header[0]
    return {
        "signature": str(signature),
        "slot": found.transaction.slot,
        "block_time": found.transaction.time,
        "transaction": _base64(transaction.raw),
        "message": _base64(bytes(transaction.parsed.message)),
        "accounts": [
            {
                "pubkey": str(key),
                "signer": index < signers,
                "writable": transaction.writable[index],
                "before": _json(image.before),
                "after": _json(image.after),
            }
            for index, (key, image) in enumerate(zip(transaction.keys, found.images, strict=True))
        ],
        "error": meta["err"],
        "fee": meta["fee"],
        "units": meta["computeUnitsConsumed"],
        "logs": meta["logMessages"],
    }


def _json(account: LedgerAccount | None) -> dict[str, Any] | None:
    if account is None:
        return None
    return {
        "owner": str(account.owner),
        "lamports": account.lamports,
        "executable": account.executable,
        "data": _base64(account.data),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
