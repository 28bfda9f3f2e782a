"""Records for tests: all fields are zero except the given ones."""

from dataclasses import replace
from typing import Any, TypeVar

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from orderd.solana.programs.layout import Record

R = TypeVar("R", bound=Record)


def blank(kind: type[R], **fields: Any) -> R:
    data = kind.DISCRIMINATOR + bytes(kind.size() - len(kind.DISCRIMINATOR))
    return replace(kind.decode(data), **fields)  # type: ignore[type-var]


def key(number: int) -> Pubkey:
    """A key that is unique per number."""
    return Pubkey.from_bytes(number.to_bytes(32, "big"))


def uses(instruction: Instruction) -> list[tuple[Pubkey, str]]:
    """The accounts of an instruction: each key with r (read), w (written) and s (signer)."""
    return [(meta.pubkey, "s" if meta.is_signer else "w" if meta.is_writable else "r") for meta in instruction.accounts]
