"""A thin client of Solana's JSON-RPC: typed results for the methods orderd uses.

Method reference: https://solana.com/docs/rpc/http.
"""

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal, TypeVar

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.solana.endpoint_figures import EndpointFigures
from orderd.solana.json_rpc import (
    Call,
    JsonRpc,
    RpcError,
    RpcRateLimitedError,
    RpcRefusedError,
    RpcResponseError,
    RpcTransportError,
    RpcWrongChainError,
)
from orderd.solana.rpc_types import (
    AccountsLike,
    AtSlot,
    ChainAccount,
    EpochInfo,
    KeyedAccount,
    LatestBlockhash,
    Mention,
    PrioritizationFee,
    SignatureStatus,
    Simulation,
    TransactionInfo,
)
from orderd.solana.transaction import unsigned
from orderd.solana.transport import HttpTransport, Transport

__all__ = [
    "AtSlot",
    "ChainAccount",
    "Commitment",
    "EpochInfo",
    "KeyedAccount",
    "LatestBlockhash",
    "Mention",
    "PrioritizationFee",
    "RpcClient",
    "RpcError",
    "RpcRateLimitedError",
    "RpcRefusedError",
    "RpcResponseError",
    "RpcTransportError",
    "RpcWrongChainError",
    "SignatureStatus",
    "Simulation",
    "TransactionInfo",
]

T = TypeVar("T")
K = TypeVar("K")
Commitment = Literal["processed", "confirmed", "finalized"]

REQUEST_BATCH: Final = 25
MAX_BYTES_PER_REQUEST: Final = 31_000
"""Transactions per request, and their bytes: nodes take up to 50 KiB by default, and base64 is a third longer."""
NEWEST_VERSION: Final = 1
"""The newest version of transactions that is understood in answers."""
MAX_ACCOUNTS_PER_CALL: Final = 100
MAX_SIGNATURES_PER_CALL: Final = 256
MAX_MENTIONS_PER_CALL: Final = 1_000
_NO_TRANSACTION_HISTORY: Final = -32011


class RpcClient(JsonRpc):
    """One endpoint. All methods raise RpcError; amounts are lamports or base units."""

    def __init__(
        self,
        url: str,
        *,
        commitment: Commitment = "confirmed",
        transport: Transport | None = None,
        figures: EndpointFigures | None = None,
    ) -> None:
        """``commitment`` is the default of all methods. Raises ValueError if ``url`` is not an HTTP URL."""
        super().__init__(transport or HttpTransport(url), figures)
        self.commitment = commitment

    # Blocks and slots

    def get_latest_blockhash(self, commitment: Commitment | None = None) -> AtSlot[LatestBlockhash]:
        found = _latest_blockhash(self.call("getLatestBlockhash", [self._config(commitment)]))
        self._note_slot(found.slot, commitment)
        return found

    def get_latest_blockhash_and_accounts(
        self, keys: Sequence[Pubkey]
    ) -> tuple[AtSlot[LatestBlockhash], list[ChainAccount | None]]:
        """Both in one batch; different nodes may answer. None for an account that does not exist."""
        config = self._config(None)
        replies = self.call_many(
            [
                ("getLatestBlockhash", [config]),
                ("getMultipleAccounts", [[*map(str, keys)], config | {"encoding": "base64"}]),
            ]
        )
        for reply in replies:
            if isinstance(reply, RpcError):
                raise reply
        accounts = _at_slot("getMultipleAccounts", partial(_accounts, keys), replies[1])
        self._note_slot(accounts.slot)
        return _latest_blockhash(replies[0]), accounts.value

    def get_epoch_info(self, commitment: Commitment | None = None) -> EpochInfo:
        return _typed("getEpochInfo", EpochInfo.parse, self.call("getEpochInfo", [self._config(commitment)]))

    def get_block_height(self, commitment: Commitment | None = None) -> int:
        return _typed("getBlockHeight", int, self.call("getBlockHeight", [self._config(commitment)]))

    def get_slot(self, commitment: Commitment | None = None) -> int:
        return _typed("getSlot", int, self.call("getSlot", [self._config(commitment)]))

    def get_block_signatures(self, slot: int, commitment: Commitment | None = None) -> list[Signature]:
        """The signatures of a block, in its order. Raises RpcResponseError if the node has no block for this slot."""
        config = self._config(commitment) | {
            "transactionDetails": "signatures",
            "rewards": False,
            "maxSupportedTransactionVersion": NEWEST_VERSION,
        }
        return _typed(
            "getBlock",
            lambda value: [Signature.from_string(each) for each in value["signatures"]],
            self.call("getBlock", [slot, config]),
        )

    # Signatures and statuses

    def get_signatures_for_address(
        self,
        address: Pubkey,
        *,
        before: Signature | None = None,
        min_context_slot: int | None = None,
        commitment: Commitment | None = None,
    ) -> list[Mention]:
        """Transactions that mention the address, with any signer, newest first, before ``before``; at most 1,000."""
        config: dict[str, Any] = self._config(commitment) | {"limit": MAX_MENTIONS_PER_CALL}
        if before is not None:
            config["before"] = str(before)
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot
        reply = self.call("getSignaturesForAddress", [str(address), config])
        return _typed("getSignaturesForAddress", lambda value: [Mention.parse(each) for each in value], reply)

    def get_first_available_block(self) -> int:
        """The first slot of the node's transaction history."""
        return _typed("getFirstAvailableBlock", int, self.call("getFirstAvailableBlock"))

    def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> AtSlot[list[SignatureStatus | None]]:
        """The statuses in order; None if the node does not know the signature. At most 256; raises ValueError for
        more."""
        return _statuses(signatures, self.call(*_asking_statuses(signatures, search_history)))

    def get_statuses_and_transactions(
        self, signatures: Sequence[Signature], commitment: Commitment | None = None
    ) -> tuple[AtSlot[list[SignatureStatus | None]], list[TransactionInfo | RpcError | None]]:
        """As ``get_signature_statuses`` and ``get_transactions``, both in one request."""
        statuses, *transactions = self.call_many(
            [_asking_statuses(signatures), *(self._fetching(each, commitment) for each in signatures)]
        )
        if isinstance(statuses, RpcError):
            raise statuses
        return _statuses(signatures, statuses), [_or_error(_transaction_info, each) for each in transactions]

    def has_transaction_history(self) -> bool:
        """Whether the node can be queried for transactions older than the statuses in its memory."""
        try:
            self.get_signature_statuses([Signature.default()], search_history=True)
        except RpcResponseError as error:
            if error.code == _NO_TRANSACTION_HISTORY:
                return False
            raise
        return True

    # Accounts

    def get_multiple_accounts(
        self, keys: Sequence[Pubkey], commitment: Commitment | None = None, *, head: int | None = None
    ) -> AtSlot[list[ChainAccount | None]]:
        """The accounts in order; None if one does not exist. More than 100 take several calls; the slot is then the
        oldest.

        ``head`` limits each account's data to its first bytes.
        """
        config: dict[str, Any] = self._config(commitment) | {"encoding": "base64"}
        if head is not None:
            config["dataSlice"] = {"offset": 0, "length": head}
        chunks = list(_chunks(keys, MAX_ACCOUNTS_PER_CALL))
        calls: list[Call] = [("getMultipleAccounts", [[str(key) for key in chunk], config]) for chunk in chunks]
        slots, accounts = [], list[ChainAccount | None]()
        for chunk, reply in zip(chunks, self.call_many(calls), strict=True):
            if isinstance(reply, RpcError):
                raise reply
            part = _at_slot("getMultipleAccounts", partial(_accounts, chunk), reply)
            self._note_slot(part.slot, commitment)
            slots.append(part.slot)
            accounts += part.value
        return AtSlot(min(slots, default=0), accounts)

    def get_account_groups(
        self, groups: Sequence[Sequence[Pubkey]], commitment: Commitment | None = None
    ) -> list[AtSlot[Mapping[Pubkey, ChainAccount | None]] | RpcError]:
        """The accounts of several groups, in one request; RpcError for a group that could not be read.

        A group's mapping may contain accounts of other groups too. The accounts of a group are of one slot; for more
        than 100, ``slot`` is the oldest. Raises RpcError if the request failed.
        """
        config = self._config(commitment) | {"encoding": "base64"}
        calls: list[dict[Pubkey, None]] = [{}]
        places: list[list[int]] = []
        for group in groups:
            places.append([])
            for chunk in _chunks(group, MAX_ACCOUNTS_PER_CALL):
                if len(calls[-1].keys() | set(chunk)) > MAX_ACCOUNTS_PER_CALL:
                    calls.append({})
                calls[-1] |= dict.fromkeys(chunk)
                places[-1].append(len(calls) - 1)
        replies = self.call_many([("getMultipleAccounts", [[str(key) for key in keys], config]) for keys in calls])
        found = [_or_error(partial(_by_key, [*keys]), each) for keys, each in zip(calls, replies, strict=True)]
        for part in found:
            if not isinstance(part, RpcError):
                self._note_slot(part.slot, commitment)
        return [_merged([found[number] for number in place]) for place in places]

    def get_program_accounts(
        self, wanted: Sequence[AccountsLike], *, offset: int, length: int, commitment: Commitment | None = None
    ) -> list[list[KeyedAccount]]:
        """For each of ``wanted`` the matching accounts, each with ``length`` bytes from ``offset``, in one request."""
        config = self._config(commitment) | {
            "encoding": "base64",
            "withContext": True,
            "dataSlice": {"offset": offset, "length": length},
        }
        calls: list[Call] = [
            ("getProgramAccounts", [str(each.program), config | {"filters": each.to_json()}]) for each in wanted
        ]
        found = []
        for reply in self.call_many(calls):
            if isinstance(reply, RpcError):
                raise reply
            found.append(_at_slot("getProgramAccounts", _keyed_accounts, reply).value)
        return found

    def get_balance(self, key: Pubkey, commitment: Commitment | None = None) -> AtSlot[int]:
        """The balance in lamports."""
        return _at_slot("getBalance", int, self.call("getBalance", [str(key), self._config(commitment)]))

    def get_token_accounts_by_owner(
        self,
        owner: Pubkey,
        *,
        mint: Pubkey | None = None,
        program: Pubkey | None = None,
        commitment: Commitment | None = None,
    ) -> AtSlot[list[KeyedAccount]]:
        """The owner's token accounts of one mint or of one token program. Raises ValueError unless one is given."""
        if (mint is None) == (program is None):
            raise ValueError("give either a mint or a program")
        which = {"programId": str(program)} if mint is None else {"mint": str(mint)}
        config = self._config(commitment) | {"encoding": "base64"}
        reply = self.call("getTokenAccountsByOwner", [str(owner), which, config])
        return _at_slot("getTokenAccountsByOwner", _keyed_accounts, reply)

    def get_token_largest_accounts(self, mint: Pubkey, commitment: Commitment | None = None) -> list[Pubkey]:
        """The token accounts with the largest balances of a mint, the largest first; many nodes do not support this."""
        reply = self.call("getTokenLargestAccounts", [str(mint), self._config(commitment)])
        found = _at_slot(
            "getTokenLargestAccounts", lambda value: [Pubkey.from_string(e["address"]) for e in value], reply
        )
        return found.value

    # Transactions

    def get_transaction(self, signature: Signature, commitment: Commitment | None = None) -> TransactionInfo | None:
        """A landed transaction; None if the node does not know it (yet)."""
        return _transaction_info(self.call(*self._fetching(signature, commitment)))

    def get_transactions(
        self, signatures: Sequence[Signature], commitment: Commitment | None = None
    ) -> list[TransactionInfo | RpcError | None]:
        """Several transactions in one request, in order; RpcError for one that failed."""
        replies = self.call_many([self._fetching(each, commitment) for each in signatures])
        return [_or_error(_transaction_info, reply) for reply in replies]

    def send_transaction(self, transaction: bytes, *, skip_preflight: bool = True) -> Signature:
        """Send a signed transaction and return its signature. The node does not resend it."""
        return _typed("sendTransaction", Signature.from_string, self.call(*self._sending(transaction, skip_preflight)))

    def send_transactions(self, transactions: Sequence[bytes], *, skip_preflight: bool = True) -> list[RpcError | None]:
        """Send several in one request: None for each that was accepted, otherwise its error. Never raises RpcError."""
        try:
            replies = self.call_many([self._sending(each, skip_preflight) for each in transactions])
        except RpcError as error:
            return [error] * len(transactions)
        return [reply if isinstance(reply, RpcError) else None for reply in replies]

    def simulate_transaction(
        self,
        transaction: bytes,
        *,
        replace_blockhash: bool = False,
        commitment: Commitment | None = None,
    ) -> AtSlot[Simulation]:
        """Simulate a transaction; a failure is in the result, not raised.

        The signatures are removed, so that a simulated transaction cannot land.
        """
        reply = self.call(*self._simulating(transaction, replace_blockhash, commitment))
        return _simulation(reply)

    def simulate_transactions(
        self, transactions: Sequence[bytes], *, replace_blockhash: bool = False, commitment: Commitment | None = None
    ) -> list[Simulation | RpcError]:
        """Simulate several in one request; RpcError for one that could not be simulated. Raises RpcError if the request
        failed."""
        replies = self.call_many([self._simulating(each, replace_blockhash, commitment) for each in transactions])
        return [_or_error(lambda each: _simulation(each).value, reply) for reply in replies]

    def simulate_with_accounts(
        self, transaction: bytes, keys: Sequence[Pubkey], commitment: Commitment | None = None
    ) -> Call:
        """A call for ``call_many``: simulate the transaction, and return these accounts as they would be after it."""
        method, (raw, config) = self._simulating(transaction, True, commitment)
        return method, [raw, config | {"accounts": {"encoding": "base64", "addresses": [*map(str, keys)]}}]

    def _simulating(self, transaction: bytes, replace_blockhash: bool, commitment: Commitment | None) -> Call:
        config = self._config(commitment) | {
            "encoding": "base64",
            "sigVerify": False,
            "replaceRecentBlockhash": replace_blockhash,
        }
        return "simulateTransaction", [base64.b64encode(unsigned(transaction)).decode(), config]

    # Fees, the faucet and the node

    def get_recent_prioritization_fees(self, writable: Sequence[Pubkey] = ()) -> list[PrioritizationFee]:
        """The priority fees of recent slots, paid by transactions that lock these accounts."""
        reply = self.call("getRecentPrioritizationFees", [[str(key) for key in writable]])
        return _typed(
            "getRecentPrioritizationFees",
            lambda value: [PrioritizationFee(each["slot"], each["prioritizationFee"]) for each in value],
            reply,
        )

    def get_minimum_balance_for_rent_exemption(self, size: int) -> int:
        """Lamports an account of ``size`` bytes must hold."""
        return _typed("getMinimumBalanceForRentExemption", int, self.call("getMinimumBalanceForRentExemption", [size]))

    def request_airdrop(self, key: Pubkey, lamports: int) -> Signature:
        """Request free SOL; only on test chains."""
        return _typed("requestAirdrop", Signature.from_string, self.call("requestAirdrop", [str(key), lamports]))

    def get_genesis_hash(self) -> str:
        """The hash that identifies the chain, in base58."""
        return _typed("getGenesisHash", lambda value: str(Hash.from_string(value)), self.call("getGenesisHash"))

    def get_version(self) -> str:
        """The node's software version."""
        return _typed("getVersion", lambda value: str(value["solana-core"]), self.call("getVersion"))

    def get_health(self) -> None:
        """Return if the node is healthy. Raises RpcError, RpcResponseError -32005 if it is behind."""
        self.call("getHealth")

    def _note_slot(self, slot: int, commitment: Commitment | None = None) -> None:
        """Note the slot of an answer, if it is of the default commitment: others are not comparable."""
        if self._figures is not None and commitment in (None, self.commitment):
            self._figures.note_slot(slot)

    def _config(self, commitment: Commitment | None) -> dict[str, Any]:
        return {"commitment": commitment or self.commitment}

    def _fetching(self, signature: Signature, commitment: Commitment | None) -> Call:
        config = self._config(commitment) | {"encoding": "json", "maxSupportedTransactionVersion": NEWEST_VERSION}
        return "getTransaction", [str(signature), config]

    def _sending(self, transaction: bytes, skip_preflight: bool) -> Call:
        config = {
            "encoding": "base64",
            "skipPreflight": skip_preflight,
            "preflightCommitment": self.commitment,
            "maxRetries": 0,
        }
        return "sendTransaction", [base64.b64encode(transaction).decode(), config]


def in_requests(transactions: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """The transactions in order, in batches of the maximum size of a request."""
    start, size = 0, 0
    for position, each in enumerate(transactions):
        if position > start and (size + len(each) > MAX_BYTES_PER_REQUEST or position - start == REQUEST_BATCH):
            yield transactions[start:position]
            start, size = position, 0
        size += len(each)
    if start < len(transactions):
        yield transactions[start:]


def _typed(method: str, parse: Callable[[Any], T], value: Any) -> T:  # noqa: ANN401  (any JSON)
    """The parsed result. Raises RpcTransportError if it does not have the documented shape."""
    try:
        return parse(value)
    except Exception as error:  # parsers may raise anything on foreign data, including errors of solders
        raise RpcTransportError(f"{method}: the result has another shape than documented ({error!r})") from error


def _at_slot(method: str, parse: Callable[[Any], T], value: Any) -> AtSlot[T]:  # noqa: ANN401  (any JSON)
    return _typed(method, lambda reply: AtSlot(int(reply["context"]["slot"]), parse(reply["value"])), value)


def _latest_blockhash(value: Any) -> AtSlot[LatestBlockhash]:  # noqa: ANN401  (any JSON)
    return _at_slot(
        "getLatestBlockhash",
        lambda reply: LatestBlockhash(Hash.from_string(reply["blockhash"]), reply["lastValidBlockHeight"]),
        value,
    )


def _simulation(value: Any) -> AtSlot[Simulation]:  # noqa: ANN401  (any JSON)
    return _at_slot("simulateTransaction", Simulation.parse, value)


def _asking_statuses(signatures: Sequence[Signature], search_history: bool = False) -> Call:
    """The call for these statuses. Raises ValueError for more than a node accepts."""
    if len(signatures) > MAX_SIGNATURES_PER_CALL:
        raise ValueError(f"{len(signatures)} signatures; the node accepts {MAX_SIGNATURES_PER_CALL} per call")
    return "getSignatureStatuses", [[str(each) for each in signatures], {"searchTransactionHistory": search_history}]


def _statuses(signatures: Sequence[Signature], reply: Any) -> AtSlot[list[SignatureStatus | None]]:  # noqa: ANN401
    return _at_slot(
        "getSignatureStatuses",
        lambda value: _as_many(signatures, [each and SignatureStatus.parse(each) for each in value]),
        reply,
    )


def _transaction_info(value: Any) -> TransactionInfo | None:  # noqa: ANN401  (any JSON)
    return None if value is None else _typed("getTransaction", TransactionInfo.parse, value)


def _or_error(parse: Callable[[Any], T], reply: Any) -> T | RpcError:  # noqa: ANN401  (any JSON)
    """One of many replies, parsed, or its error."""
    try:
        return reply if isinstance(reply, RpcError) else parse(reply)
    except RpcError as error:
        return error


def _accounts(keys: Sequence[Pubkey], value: Any) -> list[ChainAccount | None]:  # noqa: ANN401  (any JSON)
    return _as_many(keys, [each and ChainAccount.parse(each) for each in value])


def _by_key(keys: Sequence[Pubkey], value: Any) -> AtSlot[Mapping[Pubkey, ChainAccount | None]]:  # noqa: ANN401  (any JSON)
    return _at_slot("getMultipleAccounts", lambda each: dict(zip(keys, _accounts(keys, each), strict=True)), value)


def _merged(
    parts: Sequence[AtSlot[Mapping[Pubkey, ChainAccount | None]] | RpcError],
) -> AtSlot[Mapping[Pubkey, ChainAccount | None]] | RpcError:
    found: list[AtSlot[Mapping[Pubkey, ChainAccount | None]]] = []
    for part in parts:
        if isinstance(part, RpcError):
            return part
        found.append(part)
    if len(found) == 1:
        return found[0]
    accounts = {key: account for part in found for key, account in part.value.items()}
    return AtSlot(min((part.slot for part in found), default=0), accounts)


def _keyed_accounts(value: Any) -> list[KeyedAccount]:  # noqa: ANN401  (any JSON)
    return [KeyedAccount.parse(each) for each in value]


def _as_many(requested: Sequence[object], answers: list[T]) -> list[T]:
    """The answers. Raises ValueError if their number differs, so that they could not be assigned to the questions."""
    if len(answers) != len(requested):
        raise ValueError(f"{len(answers)} answers to {len(requested)} questions")
    return answers


def _chunks(items: Sequence[K], size: int) -> Iterator[Sequence[K]]:
    return (items[start : start + size] for start in range(0, len(items), size))
