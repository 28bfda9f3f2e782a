"""Calls of Solana's JSON-RPC, each with the way in which its result is read.

Method reference: https://solana.com/docs/rpc/http.
"""

import base64
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.frozen import dataclass
from orderd.solana.json_rpc import RpcError, RpcTransportError
from orderd.solana.rpc_types import (
    AtSlot,
    BlockPlace,
    ChainAccount,
    KeyedAccount,
    LatestBlockhash,
    SignatureStatus,
    Simulation,
    TransactionInfo,
    whole,
)
from orderd.solana.transaction import unsigned

T = TypeVar("T")
Config = dict[str, Any]
"""The last parameter of most methods, with the commitment."""

NEWEST_VERSION: Final = 1
"""The newest version of transactions that is understood in answers."""
MAX_SIGNATURES_PER_CALL: Final = 256


@dataclass(frozen=True, slots=True)
class RpcCall(Generic[T]):
    """A call of one method. ``parse`` reads its result, and may raise anything on one of another shape."""

    method: str
    params: list[Any]
    parse: Callable[[Any], T]

    def result(self, reply: Any) -> T:  # noqa: ANN401  (any JSON)
        """The parsed result. Raises the reply if it is an RpcError, RpcTransportError if it does not have the
        documented shape."""
        if isinstance(reply, RpcError):
            raise reply
        try:
            return self.parse(reply)
        except Exception as error:  # parsers may raise anything on foreign data, including errors of solders
            shape = f"{self.method}: the result has another shape than documented ({error!r})"
            raise RpcTransportError(shape) from error

    def result_or_error(self, reply: Any) -> T | RpcError:  # noqa: ANN401  (any JSON)
        """One of many results, parsed, or its error."""
        try:
            return self.result(reply)
        except RpcError as error:
            return error


def at_slot(parse: Callable[[Any], T]) -> Callable[[Any], AtSlot[T]]:
    """Read a result that comes with the slot of the state from which it was read."""
    return lambda result: AtSlot(whole(result["context"]["slot"]), parse(result["value"]))


def latest_blockhash(config: Config) -> RpcCall[AtSlot[LatestBlockhash]]:
    def parse(value: Any) -> LatestBlockhash:  # noqa: ANN401  (any JSON)
        return LatestBlockhash(Hash.from_string(value["blockhash"]), whole(value["lastValidBlockHeight"]))

    return RpcCall("getLatestBlockhash", [config], at_slot(parse))


def block_signatures(slot: int, config: Config) -> RpcCall[list[Signature]]:
    """The signatures of a block, in its order."""
    return RpcCall(
        "getBlock",
        [slot, config | _shown_of_block("signatures")],
        lambda value: [Signature.from_string(each) for each in value["signatures"]],
    )


def block_place(slot: int, config: Config) -> RpcCall[BlockPlace]:
    """The height of a block, and the slot of the one before it."""
    return RpcCall("getBlock", [slot, config | _shown_of_block("none")], BlockPlace.parse)


def _shown_of_block(details: str) -> Config:
    return {"transactionDetails": details, "rewards": False, "maxSupportedTransactionVersion": NEWEST_VERSION}


def accounts(keys: Sequence[Pubkey], config: Config) -> RpcCall[AtSlot[list[ChainAccount | None]]]:
    """The accounts in the order of their keys; None for one that does not exist."""
    return RpcCall(
        "getMultipleAccounts",
        [[*map(str, keys)], config | {"encoding": "base64"}],
        at_slot(lambda value: [each and ChainAccount.parse(each) for each in _as_many(keys, value)]),
    )


def keyed_accounts(value: Any) -> list[KeyedAccount]:  # noqa: ANN401  (any JSON)
    """The accounts of an answer that names them."""
    return [KeyedAccount.parse(each) for each in value]


def signature_statuses(
    signatures: Sequence[Signature], *, search_history: bool = False
) -> RpcCall[AtSlot[list[SignatureStatus | None]]]:
    """The statuses in order. Raises ValueError for more signatures than a node accepts."""
    if len(signatures) > MAX_SIGNATURES_PER_CALL:
        raise ValueError(f"{len(signatures)} signatures; the node accepts {MAX_SIGNATURES_PER_CALL} per call")

    return RpcCall(
        "getSignatureStatuses",
        [[*map(str, signatures)], {"searchTransactionHistory": search_history}],
        at_slot(lambda value: [each and SignatureStatus.parse(each) for each in _as_many(signatures, value)]),
    )


def landed_transaction(signature: Signature, config: Config) -> RpcCall[TransactionInfo | None]:
    """A landed transaction; None if the node does not know it (yet)."""
    shown = {"encoding": "json", "maxSupportedTransactionVersion": NEWEST_VERSION}

    def parse(value: Any) -> TransactionInfo | None:  # noqa: ANN401  (any JSON)
        if value is None:
            return None
        if (named := value["transaction"]["signatures"][0]) != str(signature):
            raise ValueError(f"it is another transaction, {str(named)[:100]}")
        return TransactionInfo.parse(value)

    return RpcCall("getTransaction", [str(signature), config | shown], parse)


def simulation(
    transaction: bytes, config: Config, *, replace_blockhash: bool, returning: Sequence[Pubkey] = ()
) -> RpcCall[AtSlot[Simulation]]:
    """The signatures are removed, so that a simulated transaction cannot land. ``returning`` are the accounts in the
    result of a simulation that succeeds."""
    raw = base64.b64encode(unsigned(transaction)).decode()
    how: Config = {"encoding": "base64", "sigVerify": False, "replaceRecentBlockhash": replace_blockhash}
    if returning:
        how["accounts"] = {"encoding": "base64", "addresses": [*map(str, returning)]}

    def parse(value: Any) -> Simulation:  # noqa: ANN401  (any JSON)
        found = Simulation.parse(value)
        if found.err is None:
            _as_many(returning, found.accounts)
        return found

    return RpcCall("simulateTransaction", [raw, config | how], at_slot(parse))


def sending(transaction: bytes, preflight_commitment: str, *, skip_preflight: bool) -> RpcCall[Signature]:
    """The node sends the transaction once: it does not resend it."""
    how = {
        "encoding": "base64",
        "skipPreflight": skip_preflight,
        "preflightCommitment": preflight_commitment,
        "maxRetries": 0,
    }
    return RpcCall("sendTransaction", [base64.b64encode(transaction).decode(), how], Signature.from_string)


def _as_many(requested: Sequence[object], answers: Sequence[Any]) -> Sequence[Any]:
    """The answers. Raises ValueError if their number differs, so that they could not be assigned to the questions."""
    if len(answers) != len(requested):
        raise ValueError(f"{len(answers)} answers to {len(requested)} questions")
    return answers
