"""JSON-RPC 2.0 as Solana's nodes implement it: error numbers, positional parameters, and the node's view of the chain.

Error numbers: agave ``rpc-client-api/src/custom_error.rs``.
"""

from typing import Any, Final, NamedTuple

import orjson
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.bank import Bank, Commitment, Levels, View

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
BLOCK_CLEANED_UP: Final = -32001
PREFLIGHT_FAILURE: Final = -32002
SIGNATURE_VERIFICATION_FAILURE: Final = -32003
BLOCK_NOT_AVAILABLE: Final = -32004
SLOT_SKIPPED: Final = -32007
LONG_TERM_STORAGE_SLOT_SKIPPED: Final = -32009
TRANSACTION_HISTORY_NOT_AVAILABLE: Final = -32011
UNSUPPORTED_TRANSACTION_VERSION: Final = -32015
MIN_CONTEXT_SLOT_NOT_REACHED: Final = -32016

VERSION: Final = "3.1.0"
"""The agave release whose behaviour simnet follows."""


Json = str | int | float | bool | None | list[Any] | dict[str, Any]


class NodeRpcError(Exception):
    """An error object of the protocol; ``data`` is optional."""

    def __init__(self, code: int, message: str, data: Json = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data

    def to_json(self) -> dict[str, Any]:
        error: dict[str, Any] = {"code": self.code, "message": str(self)}
        return error if self.data is None else error | {"data": self.data}


def invalid_params(message: str) -> NodeRpcError:
    return NodeRpcError(INVALID_PARAMS, message)


class Params:
    """Positional parameters. Each method raises NodeRpcError -32602 for a missing parameter or one of another type."""

    def __init__(self, values: Json) -> None:
        if values is None:
            values = []
        if not isinstance(values, list):
            raise invalid_params("`params` should be an array")
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def at(self, index: int) -> Json:
        if index >= len(self._values) or self._values[index] is None:
            raise invalid_params("`params` should have at least " + f"{index + 1} argument(s)")
        value: Json = self._values[index]
        return value

    def text(self, index: int) -> str:
        value = self.at(index)
        if not isinstance(value, str):
            raise invalid_params(f"Invalid params: invalid type: {value!r}, expected a string.")
        return value

    def is_text(self, index: int) -> bool:
        return isinstance(self._values[index], str)

    def integer(self, index: int) -> int:
        return integer(self.at(index), f"argument {index}")

    def pubkey(self, index: int) -> Pubkey:
        return pubkey(self.at(index))

    def pubkeys(self, index: int, most: int) -> list[Pubkey]:
        values = self.at(index)
        if not isinstance(values, list):
            raise invalid_params("Invalid params: invalid type, expected a sequence.")
        if len(values) > most:
            raise invalid_params(f"Too many inputs provided; max {most}")
        return [pubkey(value) for value in values]

    def signature(self, index: int) -> Signature:
        return signature(self.at(index))

    def blockhash(self, index: int) -> Hash:
        try:
            return Hash.from_string(self.text(index))
        except ValueError as error:
            raise invalid_params(f"Invalid param: {error}") from error

    def options(self, index: int) -> dict[str, Any]:
        """The configuration object at ``index``; empty if there is none."""
        if index >= len(self._values) or self._values[index] is None:
            return {}
        value = self._values[index]
        if not isinstance(value, dict):
            raise invalid_params(f"Invalid params: invalid type: {value!r}, expected a configuration object.")
        return value


def integer(value: Json, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 64:
        raise invalid_params(f"Invalid params: {name}: {value!r} is not a u64.")
    return value


def pubkey(value: Json) -> Pubkey:
    if not isinstance(value, str):
        raise invalid_params(f"Invalid params: invalid type: {value!r}, expected a string.")
    try:
        return Pubkey.from_string(value)
    except ValueError as error:
        raise invalid_params("Invalid param: WrongSize" if len(value) < 32 else "Invalid param: Invalid") from error


def signature(value: Json) -> Signature:
    if not isinstance(value, str):
        raise invalid_params(f"Invalid params: invalid type: {value!r}, expected a string.")
    try:
        return Signature.from_string(value)
    except ValueError as error:
        raise invalid_params("Invalid param: WrongSize" if len(value) < 64 else "Invalid param: Invalid") from error


class Node(NamedTuple):
    """The node that answers a request. If it is behind, it is behind in all its answers.

    ``first_block`` is the first slot whose transactions it has; of earlier ones it knows only the recent statuses.
    Without ``has_history`` it has no transactions and answers so. A node that is on a dead fork since the slot
    ``forked_at`` does not see later blocks of the chain, although its own slots continue.
    """

    bank: Bank
    levels: Levels
    first_block: int = 0
    has_history: bool = True
    forked_at: int | None = None

    @property
    def known(self) -> int:
        """The newest slot of the main chain that the node knows."""
        return self.levels.processed if self.forked_at is None else self.forked_at

    def has_transactions_of(self, slot: int) -> bool:
        """Whether the node has the transactions of a slot that is in the ledger."""
        return self.first_block <= slot <= self.known and self.bank.is_on_chain(slot)

    def view(self, options: dict[str, Any], name: str = "commitment") -> View:
        """The state at the requested commitment (default finalized). Raises NodeRpcError if the node is below
        ``minContextSlot``."""
        slot = self.context_slot(options, commitment(options.get(name)))
        return View(self.bank, min(slot, self.known), max(slot - self.known, 0))

    def history_slot(self, options: dict[str, Any]) -> int:
        """The last slot whose blocks and transactions are shown at the requested commitment (default finalized).

        Raises NodeRpcError for ``processed``, which is not supported, and if the node is below ``minContextSlot``.
        """
        self.check_history()
        requested = commitment(options.get("commitment"))
        if requested is Commitment.PROCESSED:
            raise invalid_params("Method does not support commitment below `confirmed`")
        return self.context_slot(options, requested)

    def check_history(self) -> None:
        """Raises NodeRpcError if the node has no transaction history."""
        if not self.has_history:
            raise NodeRpcError(TRANSACTION_HISTORY_NOT_AVAILABLE, "Transaction history is not available from this node")

    def context_slot(self, options: dict[str, Any], requested: Commitment) -> int:
        """The slot of a commitment. Raises NodeRpcError if it is below the ``minContextSlot`` of ``options``."""
        slot = self.levels.slot(requested)
        wanted = options.get("minContextSlot")
        if wanted is not None and slot < integer(wanted, "minContextSlot"):
            raise NodeRpcError(
                MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached", {"contextSlot": slot}
            )
        return slot


def commitment(value: Json) -> Commitment:
    if value is None:
        return Commitment.FINALIZED
    try:
        return Commitment(str(value))
    except ValueError:
        raise invalid_params(
            f"Invalid params: unknown variant `{value}`, expected one of `processed`, `confirmed`, `finalized`."
        ) from None


def with_context(view: View, value: Json | orjson.Fragment) -> dict[str, Any]:
    """A result with the slot that it refers to."""
    return {"context": {"apiVersion": VERSION, "slot": view.slot}, "value": value}
