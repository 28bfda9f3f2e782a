"""Typed results of the node's answers. Amounts are lamports or base units; signatures are base58."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any, Generic, Self, TypeVar

from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import printable
from orderd.domain.frozen import dataclass
from orderd.domain.money import U64_MAX

T_co = TypeVar("T_co", covariant=True)

TransactionError = str | dict[str, Any]
"""The runtime's error of a transaction: "BlockhashNotFound", {"InstructionError": [2, {"Custom": 6005}]}, ..."""


def whole(value: object) -> int:
    """A number of an answer: a slot, a height, lamports. Raises ValueError for anything but an integer of the chain.

    A proxy that writes numbers with an exponent or a fraction has rounded them, and a text or null compares with no
    number.
    """
    if type(value) is not int or value < 0:  # of more than 64 bits it is a float here
        raise ValueError(f"{str(value)[:40]!r} is not an integer from 0 to 2^64-1")
    return value


def base_units(text: object) -> int:
    """An amount of a token, which answers have as a text of digits. Raises ValueError for anything else."""
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal()) or int(text[:40]) > U64_MAX:
        raise ValueError(f"{str(text)[:40]!r} is not a text of digits up to 2^64-1")
    return int(text)


@dataclass(frozen=True, slots=True)
class AtSlot(Generic[T_co]):
    """A result, and the slot of the state from which it was read (``context.slot``)."""

    slot: int
    value: T_co


@dataclass(frozen=True, slots=True)
class LatestBlockhash:
    blockhash: Hash
    last_valid_block_height: int


@dataclass(frozen=True, slots=True)
class EpochInfo:
    """A slot with its height and epoch; ``slot_index`` is its position in the epoch of ``slots_in_epoch`` slots."""

    absolute_slot: int
    block_height: int
    epoch: int
    slot_index: int = 0
    slots_in_epoch: int = 432_000

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        names = "absoluteSlot", "blockHeight", "epoch", "slotIndex", "slotsInEpoch"
        return cls(*(whole(value[name]) for name in names))


@dataclass(frozen=True, slots=True)
class BlockPlace:
    """A block's height, and the slot of the block before it."""

    height: int
    parent_slot: int

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        return cls(whole(value["blockHeight"]), whole(value["parentSlot"]))


@dataclass(frozen=True, slots=True)
class SignatureStatus:
    """The status of a processed transaction; ``err`` is None if it succeeded."""

    slot: int
    err: TransactionError | None
    confirmation_status: str

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        # Nodes give no confirmation status for old transactions. These are rooted, and have no count of confirmations.
        rooted = "finalized" if value.get("confirmations") is None else "processed"
        return cls(whole(value["slot"]), value["err"], value.get("confirmationStatus") or rooted)


@dataclass(frozen=True, slots=True)
class Mention:
    """A landed transaction that mentions an address. ``memo`` holds the texts of all its memos, as the node joins
    them."""

    signature: Signature
    slot: int
    err: TransactionError | None
    memo: str

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        signature, slot = Signature.from_string(value["signature"]), whole(value["slot"])
        return cls(signature, slot, value["err"], value.get("memo") or "")


@dataclass(frozen=True, slots=True)
class ChainAccount:
    lamports: int
    owner: Pubkey
    data: bytes
    executable: bool

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        data = base64.b64decode(value["data"][0])
        return cls(whole(value["lamports"]), Pubkey.from_string(value["owner"]), data, value["executable"])


@dataclass(frozen=True, slots=True)
class KeyedAccount:
    key: Pubkey
    account: ChainAccount

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        return cls(Pubkey.from_string(value["pubkey"]), ChainAccount.parse(value["account"]))


@dataclass(frozen=True, slots=True)
class Memcmp:
    """Filter: accounts with ``key`` at ``offset``."""

    offset: int
    key: Pubkey


@dataclass(frozen=True, slots=True)
class AccountsLike:
    """Filter: accounts of a program with this size and these keys."""

    program: Pubkey
    size: int
    filters: tuple[Memcmp, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """The filters for ``getProgramAccounts`` and ``programSubscribe``."""
        return [{"dataSize": self.size}, *memcmp_json(self.filters)]


def memcmp_json(filters: Iterable[Memcmp]) -> list[dict[str, Any]]:
    return [{"memcmp": {"offset": each.offset, "bytes": str(each.key)}} for each in filters]


@dataclass(frozen=True, slots=True)
class Simulation:
    """The result of a simulation. ``units_consumed`` is 0 if the node does not report it. ``accounts`` are the
    requested ones after the simulation; None for one that does not exist then. ``slot`` is that of the state it ran on;
    0 if it is not kept."""

    err: TransactionError | None
    logs: tuple[str, ...]
    units_consumed: int
    accounts: tuple[ChainAccount | None, ...] = ()
    slot: int = field(default=0, compare=False)

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        accounts = tuple(each and ChainAccount.parse(each) for each in value.get("accounts") or ())
        return cls(value["err"], _lines(value.get("logs")), whole(value.get("unitsConsumed") or 0), accounts)


@dataclass(frozen=True, slots=True)
class PrioritizationFee:
    """The lowest price, in micro-lamports per compute unit, of a transaction in the slot."""

    slot: int
    micro_lamports: int


@dataclass(frozen=True, slots=True)
class TokenBalance:
    """The balance of a token account before and after a transaction, in base units."""

    account: str
    mint: str
    owner: str | None
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class TransactionInfo:
    """A landed transaction. ``fee`` in lamports; ``block_time`` in unix seconds."""

    slot: int
    block_time: int | None
    err: TransactionError | None
    fee: int
    logs: tuple[str, ...]
    lamports: dict[str, tuple[int, int]]
    """Lamports before and after, by account."""
    tokens: tuple[TokenBalance, ...]
    payer: str = ""
    """The first signer, which paid the fee."""

    @classmethod
    def parse(cls, value: dict[str, Any]) -> Self:
        meta, message = value["meta"], value["transaction"]["message"]
        loaded = meta.get("loadedAddresses") or {}
        keys = [*message["accountKeys"], *loaded.get("writable", ()), *loaded.get("readonly", ())]
        before, after = (map(whole, meta[name]) for name in ("preBalances", "postBalances"))
        return cls(
            slot=whole(value["slot"]),
            block_time=value.get("blockTime"),
            err=meta["err"],
            fee=whole(meta["fee"]),
            logs=_lines(meta.get("logMessages")),
            lamports=dict(zip(keys, zip(before, after, strict=True), strict=True)),
            tokens=_token_balances(keys, meta.get("preTokenBalances") or (), meta.get("postTokenBalances") or ()),
            payer=keys[0],
        )

    def token_delta(self, mint: str, is_owner: Callable[[str], bool]) -> int:
        """The change of a mint's balance over the accounts of certain owners, in base units."""
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
    """Join the two lists by account: an account that was created or closed in the transaction is in only one of
    them."""
    first = {each["accountIndex"]: each for each in before}
    last = {each["accountIndex"]: each for each in after}
    return tuple(
        TokenBalance(
            account=keys[index],
            mint=(last.get(index) or first[index])["mint"],
            owner=(last.get(index) or first[index]).get("owner"),
            before=base_units(first[index]["uiTokenAmount"]["amount"]) if index in first else 0,
            after=base_units(last[index]["uiTokenAmount"]["amount"]) if index in last else 0,
        )
        for index in sorted(first | last)
    )
