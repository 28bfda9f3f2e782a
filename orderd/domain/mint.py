"""The properties of a token's mint on the chain: decimals, authorities, and Token-2022 extensions."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.money import format_amount

_NAME_LENGTH: Final = 32


class Trait(StrEnum):
    """A property of a mint that a trader must know. It is stored, and shown as the code of a warning."""

    MINT_AUTHORITY = "mint_authority"
    FREEZE_AUTHORITY = "freeze_authority"
    TRANSFER_FEE = "transfer_fee"
    PERMANENT_DELEGATE = "permanent_delegate"
    HOOK_AUTHORITY = "hook_authority"
    PAUSABLE = "pausable"
    SCALED_AMOUNT = "scaled_amount"
    TRANSFER_HOOK = "transfer_hook"
    CONFIDENTIAL = "confidential"
    NON_TRANSFERABLE = "non_transferable"
    FROZEN_BY_DEFAULT = "frozen_by_default"
    UNKNOWN_EXTENSION = "unknown_extension"


WARNINGS: Final = {
    Trait.MINT_AUTHORITY: "somebody can make more of it at any time",
    Trait.FREEZE_AUTHORITY: "somebody can freeze what you hold, and then it cannot be sold",
    Trait.TRANSFER_FEE: "each transfer costs a fee, when it is bought and when it is sold",
    Trait.PERMANENT_DELEGATE: "somebody can take or burn what anybody holds",
    Trait.HOOK_AUTHORITY: "somebody can have a program decide on each transfer, and then orderd cannot sell it",
    Trait.PAUSABLE: "somebody can stop all transfers, and then it cannot be sold",
    Trait.SCALED_AMOUNT: "wallets show other amounts: orderd counts what a transfer moves, without interest or factor",
}
MAX_DECIMALS: Final = 18
"""An order's amount has at most this many decimals, also in the database."""
_OBJECTIONS: Final = {
    Trait.TRANSFER_HOOK: (ErrorCode.TOKEN_TRANSFER_HOOK, "a program decides on each of its transfers"),
    Trait.CONFIDENTIAL: (ErrorCode.TOKEN_CONFIDENTIAL, "it has confidential transfers"),
    Trait.NON_TRANSFERABLE: (ErrorCode.TOKEN_NON_TRANSFERABLE, "it cannot be transferred"),
    Trait.FROZEN_BY_DEFAULT: (ErrorCode.TOKEN_FROZEN_BY_DEFAULT, "its accounts begin frozen"),
    Trait.UNKNOWN_EXTENSION: (
        ErrorCode.TOKEN_EXTENSION_UNKNOWN,
        "it has a Token-2022 extension that is not known here, and may change what a swap pays",
    ),
}


@dataclass(frozen=True, slots=True)
class MintFacts:
    """A mint as it was read. ``program`` is its token program, base58; ``name`` is its own name, which proves nothing
    and is for display only. ``transfer_fee_bps`` is the higher of the current and the scheduled fee.
    """

    mint: str
    decimals: int
    program: str
    traits: frozenset[Trait] = frozenset()
    name: str = ""
    transfer_fee_bps: int = 0

    def warnings(self) -> Iterator[tuple[Trait, str]]:
        """The warnings, each with its meaning."""
        for trait, meaning in WARNINGS.items():
            if trait is Trait.TRANSFER_FEE and trait in self.traits:
                yield trait, f"{meaning}: {format_amount(self.transfer_fee_bps, 2)} % at most"
            elif trait in self.traits:
                yield trait, meaning

    @property
    def objection(self) -> OrderdError | None:
        """Why orderd does not trade it; None if it does."""
        if self.decimals > MAX_DECIMALS:
            detail = f"the mint {self.mint} has {self.decimals} decimals, and at most {MAX_DECIMALS} are supported"
            return OrderdError(ErrorCode.TOKEN_DECIMALS, detail)
        for trait, (code, why) in _OBJECTIONS.items():
            if trait in self.traits:
                return OrderdError(code, f"the mint {self.mint}: {why}")
        return None


def display_name(text: str) -> str:
    """A mint's name for display: at most 32 printable characters, on one line."""
    shown = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(shown.split())[:_NAME_LENGTH].rstrip()
