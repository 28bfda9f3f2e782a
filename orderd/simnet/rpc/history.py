"""RPC methods for blocks, transactions, and the transactions of an address.

Source: agave ``rpc/src/rpc.rs`` and ``ledger/src/blockstore.rs``.
"""

import base64
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final, Literal, cast, get_args

import orjson
from solders.signature import Signature

from orderd.simnet.base58 import b58encode
from orderd.simnet.genesis.lookup_tables import read
from orderd.simnet.ledger.ledger import KEEP_EPHEMERAL, Ledger
from orderd.simnet.ledger.records import LedgerMention, LedgerPlace, StoredBlock, StoredTransaction
from orderd.simnet.record import account_keys, memo_text, ui_transaction
from orderd.simnet.rpc.protocol import (
    BLOCK_CLEANED_UP,
    BLOCK_NOT_AVAILABLE,
    LONG_TERM_STORAGE_SLOT_SKIPPED,
    SLOT_SKIPPED,
    UNSUPPORTED_TRANSACTION_VERSION,
    Json,
    Node,
    NodeRpcError,
    Params,
    integer,
    invalid_params,
    signature,
)
from orderd.simnet.transaction import Transaction

Details = Literal["full", "signatures", "none", "accounts"]

MAX_SIGNATURES: Final = 1_000
MAX_SLOT_RANGE: Final = 500_000
_ACCOUNTS_META: Final = (
    "err",
    "status",
    "fee",
    "preBalances",
    "postBalances",
    "preTokenBalances",
    "postTokenBalances",
)
"""The members of a transaction's meta that are returned with ``transactionDetails: accounts``."""


class History:
    """The methods. Each shows only what the answering node has, up to the slot that it has reached."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def get_transaction(self, node: Node, params: Params) -> Json:
        wanted, options = params.signature(0), _options(params)
        newest = node.history_slot({"commitment": options.get("commitment")})
        stored = self._ledger.transaction(wanted)
        if stored is None or stored.slot > newest or not node.has_transactions_of(stored.slot):
            return None
        encoded = _encode(stored, options.get("encoding") or "json", options.get("maxSupportedTransactionVersion"))
        return {"slot": stored.slot, "blockTime": stored.time, **encoded}

    def get_signatures_for_address(self, node: Node, params: Params) -> Json:
        """The newest first. With an unknown ``before`` the list is empty; an unknown ``until`` is ignored."""
        address, options = params.pubkey(0), params.options(1)
        requested = options.get("limit")
        limit = MAX_SIGNATURES if requested is None else integer(requested, "limit")
        if not 0 < limit <= MAX_SIGNATURES:
            raise invalid_params(f"Invalid limit; max {MAX_SIGNATURES}")
        before, until = (signature(options[name]) if options.get(name) else None for name in ("before", "until"))
        newest = node.history_slot(options)
        latest = LedgerPlace(newest + 1, 0) if before is None else self._place(node, before, newest)
        if latest is None:
            return []
        first = LedgerPlace(node.first_block, -1)
        earliest = first if until is None else self._place(node, until, newest) or first
        found = self._ledger.mentions(address, latest, earliest)
        known = (each for each in found if node.has_transactions_of(each.slot))
        return [_mention_json(node, each) for each in islice(known, limit)]

    def get_block(self, node: Node, params: Params) -> Json:
        slot, options = params.integer(0), _options(params)
        details = _details(options.get("transactionDetails") or "full")
        block = self._block(node, slot, node.history_slot({"commitment": options.get("commitment")}))
        answer: dict[str, Any] = {
            "previousBlockhash": str(block.parent),
            "blockhash": str(block.blockhash),
            "parentSlot": block.parent_slot,
            "blockTime": block.time,
            "blockHeight": block.height,
        }
        if details == "signatures":
            answer["signatures"] = [str(each) for each in self._ledger.signatures_in(slot)]
        elif details != "none":
            answer["transactions"] = list(self._transactions(slot, details, options))
        if options.get("rewards", True):
            answer["rewards"] = []
        return answer

    def get_blocks(self, node: Node, params: Params) -> Json:
        """The slots that have a block, from the first to the last one requested."""
        first = params.integer(0)
        has_last = len(params) > 1 and isinstance(params.at(1), int)
        newest = node.history_slot(params.options(2 if has_last else 1))
        last = min(params.integer(1) if has_last else first + MAX_SLOT_RANGE, newest)
        if last - first > MAX_SLOT_RANGE:
            raise invalid_params(f"Slot range too large; max {MAX_SLOT_RANGE}")
        return [slot for slot in self._ledger.slots(first, last) if node.has_transactions_of(slot)]

    def get_block_time(self, node: Node, params: Params) -> Json:
        return self._block(node, params.integer(0), node.levels.confirmed).time

    def get_first_available_block(self, node: Node, params: Params) -> Json:  # noqa: ARG002
        return node.first_block

    def _block(self, node: Node, slot: int, newest: int) -> StoredBlock:
        """The block of a slot that is not above ``newest``. Raises NodeRpcError with the reason if there is none."""
        if slot > newest:
            raise NodeRpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
        if slot < node.first_block:
            raise NodeRpcError(
                BLOCK_CLEANED_UP,
                f"Block {slot} cleaned up, does not exist on node. First available block: {node.first_block}",
            )
        block = self._ledger.block(slot)
        if block is not None and node.bank.is_on_chain(slot):
            return block
        if slot > node.levels.finalized:
            raise NodeRpcError(BLOCK_NOT_AVAILABLE, f"Block not available for slot {slot}")
        if slot > node.levels.processed - KEEP_EPHEMERAL:
            raise NodeRpcError(
                SLOT_SKIPPED, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot"
            )
        raise NodeRpcError(LONG_TERM_STORAGE_SLOT_SKIPPED, f"Slot {slot} was skipped, or missing in long-term storage")

    def _transactions(self, slot: int, details: Details, options: dict[str, Any]) -> Iterator[dict[str, Any]]:
        newest_version = options.get("maxSupportedTransactionVersion")
        for stored in self._ledger.transactions_in(slot):
            match details:
                case "full":
                    yield _encode(stored, options.get("encoding") or "json", newest_version)
                case "accounts":
                    yield _with_accounts(stored, newest_version)

    def _place(self, node: Node, wanted: Signature, newest: int) -> LedgerPlace | None:
        """The place of a transaction; None if the node does not have it."""
        place = self._ledger.place(wanted)
        return place if place and place.slot <= newest and node.has_transactions_of(place.slot) else None


def _options(params: Params) -> dict[str, Any]:
    """The second parameter: an object, or an encoding as old clients send it."""
    return {"encoding": params.text(1)} if len(params) > 1 and params.is_text(1) else params.options(1)


def _details(requested: Json) -> Details:
    if requested not in get_args(Details):
        raise invalid_params(
            f"Invalid params: unknown variant `{requested}`, expected one of `full`, `signatures`, `none`, `accounts`."
        )
    return cast(Details, requested)


def _mention_json(node: Node, mention: LedgerMention) -> dict[str, Any]:
    return {
        "signature": str(mention.signature),
        "slot": mention.slot,
        "err": orjson.Fragment(mention.error),
        "memo": memo_text(read(mention.raw)),
        "blockTime": mention.time,
        "confirmationStatus": node.levels.commitment(mention.slot).value,
    }


def _encode(stored: StoredTransaction, encoding: Json, newest_version: Json) -> dict[str, Any]:
    transaction = read(stored.raw)
    content: Json
    match encoding:
        case "json" | "jsonParsed":
            content = ui_transaction(transaction, encoding)
        case "base64":
            content = [base64.b64encode(transaction.raw).decode(), "base64"]
        case "base58":
            content = [b58encode(transaction.raw), "base58"]
        case _:
            raise invalid_params(f"Invalid params: unknown encoding `{encoding}`, expected json, jsonParsed or base64")
    meta = orjson.Fragment(stored.meta)
    return {"transaction": content, "meta": meta, **_version(transaction, newest_version)}


def _with_accounts(stored: StoredTransaction, newest_version: Json) -> dict[str, Any]:
    transaction, meta = read(stored.raw), orjson.loads(stored.meta)
    return {
        "transaction": {
            "signatures": [str(each) for each in transaction.signatures],
            "accountKeys": account_keys(transaction),
        },
        "meta": {name: meta[name] for name in _ACCOUNTS_META},
        **_version(transaction, newest_version),
    }


def _version(transaction: Transaction, newest: Json) -> dict[str, Any]:
    """The ``version`` member, if the caller supports versions. Raises NodeRpcError for a version that it does not
    support."""
    version = transaction.version
    if version != "legacy" and not (isinstance(newest, int) and newest >= version):
        raise NodeRpcError(
            UNSUPPORTED_TRANSACTION_VERSION,
            f"Transaction version ({version}) is not supported by the requesting client. Please try the request again "
            f'with the following configuration parameter: "maxSupportedTransactionVersion": {version}',
        )
    return {} if newest is None else {"version": version}
