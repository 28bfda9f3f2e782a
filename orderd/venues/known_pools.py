"""A venue's records of the pools of a pair, and a requested swap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from solders.pubkey import Pubkey

from orderd.amm.transfer_fee import TransferFee
from orderd.domain.errors import OrderdError
from orderd.solana.programs.layout import Record
from orderd.venues.known_mint import Epochs, KnownMint

S = TypeVar("S", bound=Record)
"""The pool's own account."""
P = TypeVar("P")
"""Everything that a quote and a swap need from a pool."""


class PoolMoment(NamedTuple):
    """The times that a pool may depend on: the slot of its state, and the clock."""

    slot: int
    unix_time: int


class TokenSide(NamedTuple):
    """One of the two tokens of a pool."""

    mint: Pubkey
    vault: Pubkey


class Trade(NamedTuple):
    """A swap to be made between two token accounts of ``owner``; amounts in base units.

    Exactly ``amount_in`` for at least ``amount_out`` or, with ``exact_out``, exactly ``amount_out`` for at most
    ``amount_in``.
    """

    mint_in: str
    amount_in: int
    amount_out: int
    owner: Pubkey
    source: Pubkey
    destination: Pubkey
    small: bool
    exact_out: bool


@dataclass(frozen=True, slots=True)
class KnownPool(Generic[S]):
    """A pool's address, and its account when it was looked up."""

    address: Pubkey
    state: S


@dataclass(frozen=True, slots=True)
class KnownPair(Generic[S]):
    """The pools of a pair, and its mints. ``epochs`` is given if a mint has a transfer fee.

    ``objection`` is the reason if orderd does not trade the pair. ``recalled`` pools come from memory and were not
    looked up on the chain yet.
    """

    pools: list[KnownPool[S]]
    mints: dict[str, KnownMint]
    epochs: Epochs | None
    objection: str | None
    recalled: bool = False

    def fees(self, slot: int) -> dict[str, TransferFee]:
        """The transfer fees in this slot, of mints that have one."""
        if self.epochs is None:
            return {}
        epoch = self.epochs.of(slot)
        return {mint: each.fees.at(epoch) for mint, each in self.mints.items() if each.fees is not None}


@dataclass(frozen=True, slots=True)
class PairSnapshot(Generic[P]):
    """The pools of a pair at one slot, by address, and the refusals of the others. ``vaults`` are by pool and mint."""

    slot: int
    pools: dict[str, P]
    vaults: dict[str, dict[str, Pubkey]]
    refusals: tuple[OrderdError, ...]
    fees: Mapping[str, TransferFee] = field(default_factory=dict)
    """Transfer fees, of mints that have one."""
