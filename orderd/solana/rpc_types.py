"""What the node's answers mean, typed. Amounts are lamports or base units; signatures are base58."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import printable

T_co = TypeVar("T_co", covariant=True)

TransactionError = str | dict[str, Any]
"""Why the runtime failed a transaction: "BlockhashNotFound", {"InstructionError": [2, {"Custom": 6005}]}, ..."""


@dataclass(frozen=True, slots=True)
class AtSlot(Generic[T_co]):
    """A result, and the slot of the state it was read from (``context.slot``)."""

    slot: int
    value: T_co


@dataclass(frozen=True, slots=True)
class LatestBlockhash:
    blockhash: Hash
    last_valid_block_height: int


@dataclass(frozen=True, slots=True)
class EpochInfo:
    """``slot_index`` is how far the slot is into its epoch of ``slots_in_epoch``."""

    absolute_slot: int
    block_height: int
    epoch: int
    slot_index: int = 0
    slots_in_epoch: int = 432_000

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        slots = value["absoluteSlot"], value["blockHeight"], value["epoch"]
        return cls(*slots, value["slotIndex"], value["slotsInEpoch"])


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """What became of a transaction that was processed; ``err`` is None if it succeeded."""

    slot: int
    err: TransactionError | None
    confirmation_status: str

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        # Nodes keep no confirmation status of old transactions. Those have long been rooted, where no count is kept.
        rooted = "finalized" if value.get("confirmations") is None else "processed"
        return cls(value["slot"], value["err"], value.get("confirmationStatus") or rooted)


@dataclass(frozen=True, slots=True)
class Mention:
    """A landed transaction that names an address. ``memo`` has the texts of all its memos, as the node joins them."""

    signature: Signature
    slot: int
    err: TransactionError | None
    memo: str

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        return cls(Signature.from_string(value["signature"]), value["slot"], value["err"], value.get("memo") or "")


@dataclass(frozen=True, slots=True)
class ChainAccount:
    lamports: int
    owner: Pubkey
    data: bytes
    executable: bool

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        data = base64.b64decode(value["data"][0])
        return cls(value["lamports"], Pubkey.from_string(value["owner"]), data, value["executable"])


@dataclass(frozen=True, slots=True)
class KeyedAccount:
    key: Pubkey
    account: ChainAccount

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        return cls(Pubkey.from_string(value["pubkey"]), ChainAccount.parse(value["account"]))


@dataclass(frozen=True, slots=True)
class Memcmp:
    """Keeps the accounts that have ``key`` at ``offset``."""

    offset: int
    key: Pubkey


@dataclass(frozen=True, slots=True)
class AccountsLike:
    """Accounts of a program that have a size, and certain keys in them."""

    program: Pubkey
    size: int
    filters: tuple[Memcmp, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """As ``getProgramAccounts`` and ``programSubscribe`` take them."""
        return [{"dataSize": self.size}, *memcmp_json(self.filters)]


def memcmp_json(filters: Iterable[Memcmp]) -> list[dict[str, Any]]:
    return [{"memcmp": {"offset": each.offset, "bytes": str(each.key)}} for each in filters]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a transaction would do. ``units_consumed`` is 0 if the node does not say."""

    err: TransactionError | None
    logs: tuple[str, ...]
    units_consumed: int

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        return cls(value["err"], _lines(value.get("logs")), value.get("unitsConsumed") or 0)


@dataclass(frozen=True, slots=True)
class PrioritizationFee:
    """The least micro-lamports a compute unit with which a transaction got into the slot."""

    slot: int
    micro_lamports: int


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """What one token account of a transaction held before and after it, in base units."""

    account: str
    mint: str
    owner: str | None
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class TransactionInfo:
    """What a landed transaction did. ``fee`` in lamports; ``block_time`` in unix seconds."""

    slot: int
    block_time: int | None
    err: TransactionError | None
    fee: int
    logs: tuple[str, ...]
    lamports: dict[str, tuple[int, int]]
    """Before and after, by account."""
    tokens: tuple[TokenBalance, ...]
    payer: str = ""
    """The first signer, which paid the fee."""

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        meta, message = value["meta"], value["transaction"]["message"]
        loaded = meta.get("loadedAddresses") or {}
        keys = [*message["accountKeys"], *loaded.get("writable", ()), *loaded.get("readonly", ())]
        return cls(
            slot=value["slot"],
            block_time=value.get("blockTime"),
            err=meta["err"],
            fee=meta["fee"],
            logs=_lines(meta.get("logMessages")),
            lamports=dict(zip(keys, zip(meta["preBalances"], meta["postBalances"], strict=True), strict=True)),
            tokens=_token_balances(keys, meta.get("preTokenBalances") or (), meta.get("postTokenBalances") or ()),
            payer=keys[0],
        )

    def token_delta(self, mint: str, is_owner: Callable[[str], bool]) -> int:
        """What the accounts of certain owners gained of a mint, in base units; negative where they lost."""
        return sum(
            each.after - each.before
            for each in self.tokens
            if each.mint == mint and each.owner is not None and is_owner(each.owner)
        )


def _lines(logs: list[str] | None) -> tuple[str, ...]:
    if not logs:
        return ()
    return tuple(logs if "".join(logs).isprintable() else map(printable, logs))


def _token_balances(keys: list[str], before: Any, after: Any) -> tuple[TokenBalance, ...]:  # noqa: ANN401  (any JSON)
    """Pair the two lists by account: one that was created or closed in the transaction is in one list only."""
    first = {each["accountIndex"]: each for each in before}
    last = {each["accountIndex"]: each for each in after}
    return tuple(
        TokenBalance(
            account=keys[index],
            mint=(last.get(index) or first[index])["mint"],
            owner=(last.get(index) or first[index]).get("owner"),
            before=int(first[index]["uiTokenAmount"]["amount"]) if index in first else 0,
            after=int(last[index]["uiTokenAmount"]["amount"]) if index in last else 0,
        )
        for index in sorted(first | last)
    )
