"""A thin client of Solana's JSON-RPC: typed results for the methods orderd uses.

Method reference: https://solana.com/docs/rpc/http.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal, TypeVar

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.solana.endpoint_figures import EndpointFigures
from orderd.solana.json_rpc import (
    JsonRpc,
    RpcError,
    RpcRateLimitedError,
    RpcRefusedError,
    RpcResponseError,
    RpcTransportError,
    RpcWrongChainError,
)
from orderd.solana.rpc_calls import (
    Config,
    RpcCall,
    accounts,
    at_slot,
    block_place,
    block_signatures,
    keyed_accounts,
    landed_transaction,
    latest_blockhash,
    sending,
    signature_statuses,
    simulation,
)
from orderd.solana.rpc_types import (
    AccountsLike,
    AtSlot,
    BlockPlace,
    ChainAccount,
    EpochInfo,
    KeyedAccount,
    LatestBlockhash,
    Mention,
    PrioritizationFee,
    SignatureStatus,
    Simulation,
    TransactionInfo,
    whole,
)
from orderd.solana.transport import HttpTransport, Transport

__all__ = [
    "AtSlot",
    "ChainAccount",
    "ChainCheck",
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
ChainCheck = Callable[[str], None]
"""Raises RpcWrongChainError if a genesis hash is not that of the expected chain."""

REQUEST_BATCH: Final = 25
MAX_BYTES_PER_REQUEST: Final = 31_000
"""Transactions per request, and their bytes: nodes take up to 50 KiB by default, and base64 is a third longer."""
MAX_ACCOUNTS_PER_CALL: Final = 100
MAX_MENTIONS_PER_CALL: Final = 1_000
_NO_TRANSACTION_HISTORY: Final = -32011
_GENESIS_HASH: Final = RpcCall("getGenesisHash", [], lambda value: str(Hash.from_string(value)))


class RpcClient(JsonRpc):
    """One endpoint. All methods raise RpcError; amounts are lamports or base units."""

    def __init__(
        self,
        url: str,
        *,
        commitment: Commitment = "confirmed",
        transport: Transport | None = None,
        figures: EndpointFigures | None = None,
        check_chain: ChainCheck | None = None,
    ) -> None:
        """``commitment`` is the default of all methods. Without ``check_chain``, any chain is accepted.

        Raises ValueError if ``url`` is not an HTTP URL.
        """
        super().__init__(transport or HttpTransport(url), figures)
        self.commitment = commitment
        self._check_chain = check_chain

    def confirm_chain(self) -> None:
        """Return if the endpoint still serves the expected chain.

        Called after answers on which an irrevocable decision is based.
        """
        if self._check_chain is not None:
            self._check_chain(self.get_genesis_hash())

    # Blocks and slots

    @property
    def newest_slot(self) -> int:
        """The newest slot that an answer of the endpoint had; 0 if its answers are not counted."""
        return 0 if self._figures is None else self._figures.newest_slot

    def get_latest_blockhash(self, commitment: Commitment | None = None) -> AtSlot[LatestBlockhash]:
        found = self._ask(latest_blockhash(self._config(commitment)))
        self._note_slot(found.slot, commitment)
        return found

    def get_latest_blockhash_and_accounts(
        self, keys: Sequence[Pubkey]
    ) -> tuple[AtSlot[LatestBlockhash], list[ChainAccount | None]]:
        """Both in one batch, with a check of the chain, because signed bytes can land on the chain of their blockhash.

        Different nodes may answer. None for an account that does not exist.
        """
        blockhash_call, accounts_call = latest_blockhash(self._config()), accounts(keys, self._config())
        chain_calls = [] if self._check_chain is None else [_GENESIS_HASH]
        blockhash, found, *genesis = self._replies([blockhash_call, accounts_call, *chain_calls])
        if self._check_chain is not None:
            self._check_chain(_GENESIS_HASH.result(genesis[0]))
        latest, read = blockhash_call.result(blockhash), accounts_call.result(found)
        self._note_slot(read.slot)
        return latest, read.value

    def get_epoch_info(self, commitment: Commitment | None = None) -> EpochInfo:
        return self._ask(RpcCall("getEpochInfo", [self._config(commitment)], EpochInfo.parse))

    def get_block_height(self, commitment: Commitment | None = None) -> int:
        return self._ask(RpcCall("getBlockHeight", [self._config(commitment)], whole))

    def get_slot(self, commitment: Commitment | None = None) -> int:
        return self._ask(RpcCall("getSlot", [self._config(commitment)], whole))

    def get_block_signatures(self, slot: int, commitment: Commitment | None = None) -> list[Signature]:
        """The signatures of a block, in its order. Raises RpcResponseError if the node has no block for this slot."""
        return self._ask(block_signatures(slot, self._config(commitment)))

    def get_block_place(self, slot: int, commitment: Commitment | None = None) -> BlockPlace:
        """Where a block is in its chain. Raises RpcResponseError if the node has no block for this slot."""
        return self._ask(block_place(slot, self._config(commitment)))

    def get_blocks(self, first: int, last: int, commitment: Commitment | None = None) -> list[int]:
        """The slots from ``first`` to ``last`` of which the node has a block. A node answers for 500,000 at most."""
        params = [first, last, self._config(commitment)]
        return self._ask(RpcCall("getBlocks", params, lambda value: [whole(each) for each in value]))

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
        config = self._config(commitment) | {"limit": MAX_MENTIONS_PER_CALL}
        if before is not None:
            config["before"] = str(before)
        if min_context_slot is not None:
            config["minContextSlot"] = min_context_slot
        return self._ask(
            RpcCall(
                "getSignaturesForAddress", [str(address), config], lambda value: [Mention.parse(each) for each in value]
            )
        )

    def get_first_available_block(self) -> int:
        """The first slot of the node's transaction history."""
        return self._ask(RpcCall("getFirstAvailableBlock", [], whole))

    def get_signature_statuses(
        self, signatures: Sequence[Signature], *, search_history: bool = False
    ) -> AtSlot[list[SignatureStatus | None]]:
        """The statuses in order; None if the node does not know the signature. At most 256; raises ValueError for
        more."""
        return self._ask(signature_statuses(signatures, search_history=search_history))

    def get_statuses_and_transactions(
        self, signatures: Sequence[Signature], commitment: Commitment | None = None
    ) -> tuple[AtSlot[list[SignatureStatus | None]], list[TransactionInfo | RpcError | None]]:
        """As ``get_signature_statuses`` and ``get_transactions``, both in one request."""
        statuses_call = signature_statuses(signatures)
        calls = [landed_transaction(each, self._config(commitment)) for each in signatures]
        statuses, *transactions = self._replies([statuses_call, *calls])
        found = [call.result_or_error(reply) for call, reply in zip(calls, transactions, strict=True)]
        return statuses_call.result(statuses), found

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
        config = self._config(commitment)
        if head is not None:
            config["dataSlice"] = {"offset": 0, "length": head}
        slots, found = [], list[ChainAccount | None]()
        for part in self._ask_all([accounts(chunk, config) for chunk in _chunks(keys, MAX_ACCOUNTS_PER_CALL)]):
            if isinstance(part, RpcError):
                raise part
            self._note_slot(part.slot, commitment)
            slots.append(part.slot)
            found += part.value
        return AtSlot(min(slots, default=0), found)

    def get_account_groups(
        self, groups: Sequence[Sequence[Pubkey]], commitment: Commitment | None = None
    ) -> list[AtSlot[Mapping[Pubkey, ChainAccount | None]] | RpcError]:
        """The accounts of several groups, in one request; RpcError for a group that could not be read.

        A group's mapping may contain accounts of other groups too. The accounts of a group are of one slot; for more
        than 100, ``slot`` is the oldest. Raises RpcError if the request failed.
        """
        requested: list[dict[Pubkey, None]] = [{}]
        places: list[list[int]] = []
        for group in groups:
            places.append([])
            for chunk in _chunks(group, MAX_ACCOUNTS_PER_CALL):
                if len(requested[-1].keys() | set(chunk)) > MAX_ACCOUNTS_PER_CALL:
                    requested.append({})
                requested[-1] |= dict.fromkeys(chunk)
                places[-1].append(len(requested) - 1)
        parts = self._ask_all([accounts([*keys], self._config(commitment)) for keys in requested])
        found: list[AtSlot[Mapping[Pubkey, ChainAccount | None]] | RpcError] = []
        for keys, part in zip(requested, parts, strict=True):
            if isinstance(part, RpcError):
                found.append(part)
            else:
                self._note_slot(part.slot, commitment)
                found.append(AtSlot(part.slot, dict(zip(keys, part.value, strict=True))))
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
        calls = [
            RpcCall(
                "getProgramAccounts",
                [str(each.program), config | {"filters": each.to_json()}],
                at_slot(keyed_accounts),
            )
            for each in wanted
        ]
        return [call.result(reply).value for call, reply in zip(calls, self._replies(calls), strict=True)]

    def get_balance(self, key: Pubkey, commitment: Commitment | None = None) -> AtSlot[int]:
        """The balance in lamports."""
        return self._ask(RpcCall("getBalance", [str(key), self._config(commitment)], at_slot(whole)))

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
        return self._ask(RpcCall("getTokenAccountsByOwner", [str(owner), which, config], at_slot(keyed_accounts)))

    def get_token_largest_accounts(self, mint: Pubkey, commitment: Commitment | None = None) -> list[Pubkey]:
        """The token accounts with the largest balances of a mint, the largest first; many nodes do not support this."""
        parse = at_slot(lambda value: [Pubkey.from_string(each["address"]) for each in value])
        return self._ask(RpcCall("getTokenLargestAccounts", [str(mint), self._config(commitment)], parse)).value

    # Transactions

    def get_transaction(self, signature: Signature, commitment: Commitment | None = None) -> TransactionInfo | None:
        """A landed transaction; None if the node does not know it (yet)."""
        return self._ask(landed_transaction(signature, self._config(commitment)))

    def get_transactions(
        self, signatures: Sequence[Signature], commitment: Commitment | None = None
    ) -> list[TransactionInfo | RpcError | None]:
        """Several transactions in one request, in order; RpcError for one that failed."""
        return self._ask_all([landed_transaction(each, self._config(commitment)) for each in signatures])

    def send_transaction(self, transaction: bytes, *, skip_preflight: bool = True) -> Signature:
        """Send a signed transaction and return its signature. The node does not resend it."""
        return self._ask(sending(transaction, self.commitment, skip_preflight=skip_preflight))

    def send_transactions(self, transactions: Sequence[bytes], *, skip_preflight: bool = True) -> list[RpcError | None]:
        """Send several in one request: None for each that was accepted, otherwise its error. Never raises RpcError."""
        calls = [sending(each, self.commitment, skip_preflight=skip_preflight) for each in transactions]
        try:
            replies = self._replies(calls)
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
        return self._ask(simulation(transaction, self._config(commitment), replace_blockhash=replace_blockhash))

    def simulate_transactions(
        self, transactions: Sequence[bytes], *, replace_blockhash: bool = False, commitment: Commitment | None = None
    ) -> list[Simulation | RpcError]:
        """Simulate several in one request; RpcError for one that could not be simulated. Raises RpcError if the request
        failed."""
        config = self._config(commitment)
        found = self._ask_all([simulation(each, config, replace_blockhash=replace_blockhash) for each in transactions])
        return [each if isinstance(each, RpcError) else replace(each.value, slot=each.slot) for each in found]

    def simulate_with_accounts(self, transactions: Sequence[tuple[bytes, Sequence[Pubkey]]]) -> list[Simulation]:
        """Simulate several in one request; the result of one that succeeds has these accounts as they would be after
        it."""
        calls = [simulation(raw, self._config(), replace_blockhash=True, returning=keys) for raw, keys in transactions]
        return [call.result(reply).value for call, reply in zip(calls, self._replies(calls), strict=True)]

    # Fees, the faucet and the node

    def get_recent_prioritization_fees(self, writable: Sequence[Pubkey] = ()) -> list[PrioritizationFee]:
        """The priority fees of recent slots, paid by transactions that lock these accounts."""

        def parse(value: Any) -> list[PrioritizationFee]:  # noqa: ANN401  (any JSON)
            return [PrioritizationFee(whole(each["slot"]), whole(each["prioritizationFee"])) for each in value]

        return self._ask(RpcCall("getRecentPrioritizationFees", [[*map(str, writable)]], parse))

    def get_minimum_balance_for_rent_exemption(self, size: int) -> int:
        """Lamports an account of ``size`` bytes must hold."""
        return self._ask(RpcCall("getMinimumBalanceForRentExemption", [size], whole))

    def request_airdrop(self, key: Pubkey, lamports: int) -> Signature:
        """Request free SOL; only on test chains."""
        return self._ask(RpcCall("requestAirdrop", [str(key), lamports], Signature.from_string))

    def get_genesis_hash(self) -> str:
        """The hash that identifies the chain, in base58."""
        return self._ask(_GENESIS_HASH)

    def get_version(self) -> str:
        """The node's software version."""
        return self._ask(RpcCall("getVersion", [], lambda value: str(value["solana-core"])))

    def get_health(self) -> None:
        """Return if the node is healthy. Raises RpcError, RpcResponseError -32005 if it is behind."""
        self.call("getHealth")

    # Requests

    def _ask(self, call: RpcCall[T]) -> T:
        return call.result(self.call(call.method, call.params))

    def _ask_all(self, calls: Sequence[RpcCall[T]]) -> list[T | RpcError]:
        """Several calls in one request; RpcError for one that failed. Raises RpcError if the request failed."""
        return [call.result_or_error(reply) for call, reply in zip(calls, self._replies(calls), strict=True)]

    def _replies(self, calls: Sequence[RpcCall[Any]]) -> list[Any]:
        return self.call_many([(call.method, call.params) for call in calls])

    def _config(self, commitment: Commitment | None = None) -> Config:
        return {"commitment": commitment or self.commitment}

    def _note_slot(self, slot: int, commitment: Commitment | None = None) -> None:
        """Note the slot of an answer, if it is of the default commitment: others are not comparable."""
        if self._figures is not None and commitment in (None, self.commitment):
            self._figures.note_slot(slot)


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


def _chunks(items: Sequence[K], size: int) -> Iterator[Sequence[K]]:
    return (items[start : start + size] for start in range(0, len(items), size))
