"""RPC methods that send, simulate and look up transactions."""

import base64
from typing import Any, Final

from solders.message import from_bytes_versioned
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.simnet.account import LedgerAccount
from orderd.simnet.bank import MAX_BLOCKHASH_AGE, Bank, Commitment, View
from orderd.simnet.base58 import b58decode
from orderd.simnet.block import Status
from orderd.simnet.errors import TransactionError
from orderd.simnet.faults import Dice
from orderd.simnet.genesis.lookup_tables import read
from orderd.simnet.ledger.ledger import Ledger
from orderd.simnet.mempool import Mempool
from orderd.simnet.record import inner_instructions, return_data
from orderd.simnet.rpc.accounts import encode_account
from orderd.simnet.rpc.protocol import (
    PREFLIGHT_FAILURE,
    SIGNATURE_VERIFICATION_FAILURE,
    Json,
    Node,
    NodeRpcError,
    Params,
    invalid_params,
    pubkey,
    signature,
    with_context,
)
from orderd.simnet.runtime import Outcome
from orderd.simnet.transaction import MAX_SIZE, Transaction, is_of_version_1

MAX_STATUSES: Final = 256


class Transactions:
    def __init__(self, bank: Bank, ledger: Ledger, mempool: Mempool, dice: Dice, newest_version: int) -> None:
        """Transactions of a version above ``newest_version`` are bytes that cannot be read, as on an older node."""
        self._newest_version = newest_version
        self._bank = bank
        self._ledger = ledger
        self._mempool = mempool
        self._dice = dice

    def send_transaction(self, node: Node, params: Params) -> Json:
        options = params.options(1)
        transaction = self._decode(params.text(0), options)
        if options.get("skipPreflight", False):
            node.context_slot(options, Commitment.PROCESSED)
        else:
            self._preflight(node, transaction, options)
        if node.forked_at is None or not self._dice.loses_send():
            self._mempool.send(transaction)
        return str(transaction.signature)

    def simulate_transaction(self, node: Node, params: Params) -> Json:
        options = params.options(1)
        transaction = self._decode(params.text(0), options)
        view = node.view(options)
        replaced = bool(options.get("replaceRecentBlockhash", False))
        if options.get("sigVerify", False):
            if replaced:
                raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
            _verify(transaction)
        result: dict[str, Any] = {"accounts": None, "returnData": None}
        try:
            outcome = self._bank.simulate(transaction, view, any_blockhash=replaced)
        except TransactionError as error:
            result |= {"err": error.to_json(), "logs": [], "unitsConsumed": 0}
        else:
            result |= _simulated(transaction, outcome)
            if options.get("innerInstructions", False):
                result["innerInstructions"] = inner_instructions(transaction, outcome)
            if "accounts" in options:
                result["accounts"] = _accounts_after(view, transaction, outcome, options["accounts"])
        if replaced:
            last = view.blockhash_height + MAX_BLOCKHASH_AGE
            result["replacementBlockhash"] = {"blockhash": str(view.blockhash), "lastValidBlockHeight": last}
        return with_context(view, result)

    def get_signature_statuses(self, node: Node, params: Params) -> Json:
        signatures = params.at(0)
        if not isinstance(signatures, list):
            raise invalid_params("Invalid params: invalid type, expected a sequence.")
        if len(signatures) > MAX_STATUSES:
            raise invalid_params(f"Too many inputs provided; max {MAX_STATUSES}")
        search = bool(params.options(1).get("searchTransactionHistory", False))
        if search:
            node.check_history()
        view = node.view({"commitment": Commitment.PROCESSED})
        return with_context(view, [self._status(node, signature(each), search) for each in signatures])

    def get_fee_for_message(self, node: Node, params: Params) -> Json:
        view = node.view(params.options(1))
        try:
            message = from_bytes_versioned(base64.b64decode(params.text(0), validate=True))
        except ValueError as error:
            raise invalid_params(f"Invalid params: message: {error}") from error
        signatures = [Signature.default()] * message.header.num_required_signatures
        transaction = read(bytes(VersionedTransaction.populate(message, signatures)))
        return with_context(view, transaction.fee if view.accepts(transaction.blockhash) else None)

    def _decode(self, text: str, options: dict[str, Any]) -> Transaction:
        encoding = options.get("encoding", "base58")
        try:
            if encoding == "base64":
                raw = base64.b64decode(text, validate=True)
            elif encoding == "base58":
                raw = b58decode(text)
            else:
                raise invalid_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
            if self._newest_version < 1 and is_of_version_1(raw):
                raise invalid_params(_unread_by_older_nodes(raw))
            return read(raw)
        except ValueError as error:
            raise invalid_params(f"invalid transaction: {error}") from error
        except TransactionError as error:
            raise invalid_params(f"invalid transaction: {error}") from error

    def _preflight(self, node: Node, transaction: Transaction, options: dict[str, Any]) -> None:
        """Simulate the transaction. Raises NodeRpcError if it would fail."""
        _verify(transaction)
        view = node.view(options, "preflightCommitment")
        try:
            outcome = self._bank.simulate(transaction, view)
        except TransactionError as error:
            data: dict[str, Any] = {"err": error.to_json(), "logs": [], "unitsConsumed": 0}
            failure: TransactionError | None = error
        else:
            data = _simulated(transaction, outcome)
            failure = outcome.error
        if failure is not None:
            raise NodeRpcError(
                PREFLIGHT_FAILURE,
                f"Transaction simulation failed: {failure}",
                {"accounts": None, "returnData": None, "innerInstructions": None} | data,
            )

    def _status(self, node: Node, wanted: Signature, search: bool) -> dict[str, Any] | None:
        levels = node.levels
        status = self._bank.statuses.get(wanted)
        if status is None and search:
            status = self._ledger.status(wanted)
            if status is not None and not node.has_transactions_of(status.slot):
                return None
        if status is None or status.slot > node.known:
            return None
        return status_json(status, levels.commitment(status.slot), max(levels.confirmed - status.slot, 0))


def status_json(status: Status, firmness: Commitment, confirmations: int) -> dict[str, Any]:
    """One entry of getSignatureStatuses; ``confirmations`` are the confirmed blocks on top."""
    return {
        "slot": status.slot,
        "confirmations": None if firmness is Commitment.FINALIZED else confirmations,
        "err": status.error,
        "status": {"Ok": None} if status.error is None else {"Err": status.error},
        "confirmationStatus": firmness.value,
    }


def _unread_by_older_nodes(raw: bytes) -> str:
    """What a node from before version 1 says of one. agave 3, ``rpc/src/rpc.rs``, ``decode_and_deserialize``."""
    kind = "solana_transaction::versioned::VersionedTransaction"
    encoded = -(-len(raw) // 3) * 4
    if len(raw) > MAX_SIZE:
        return f"base64 encoded {kind} too large: {encoded} bytes (max: encoded/raw 1644/{MAX_SIZE})"
    return f"failed to deserialize {kind}: io error: failed to fill whole buffer"


def _verify(transaction: Transaction) -> None:
    try:
        transaction.verify()
    except TransactionError as error:
        raise NodeRpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure") from error


def _simulated(transaction: Transaction, outcome: Outcome) -> dict[str, Any]:
    return {
        "err": None if outcome.error is None else outcome.error.to_json(),
        "logs": list(outcome.logs),
        "unitsConsumed": outcome.units,
        "fee": transaction.fee,
        "returnData": None,
        **return_data(outcome),
    }


def _accounts_after(
    view: View, transaction: Transaction, outcome: Outcome, wanted: Json
) -> list[dict[str, Any] | None]:
    """The requested accounts after the simulation."""
    if not isinstance(wanted, dict) or not isinstance(wanted.get("addresses"), list):
        raise invalid_params("Invalid params: accounts: expected an object with addresses")
    after: dict[Any, LedgerAccount | None] = dict(zip(transaction.keys, outcome.after, strict=True))
    found = []
    for each in wanted["addresses"]:
        key = pubkey(each)
        account = after[key] if key in after else view.account(key)
        encoding = {"encoding": wanted.get("encoding", "base64")}
        found.append(None if account is None else encode_account(view, account, encoding))
    return found
