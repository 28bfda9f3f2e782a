"""What a venue knows of the pools of a pair, and what it is asked for in them."""

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
"""All that a quote and a swap need of a pool."""


class PoolMoment(NamedTuple):
    """What a pool may go by: the slot of its state, and the clock."""

    slot: int
    unix_time: int


class TokenSide(NamedTuple):
    """One of the two tokens of a pool."""

    mint: Pubkey
    vault: Pubkey


class Trade(NamedTuple):
    """A swap to be made between two token accounts of ``owner``; amounts in base units.

    Exactly ``amount_in`` for at least ``amount_out`` or, where ``exact_out``, exactly ``amount_out`` for at most
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
    """A pool as it was found."""

    address: Pubkey
    state: S


@dataclass(frozen=True, slots=True)
class KnownPair(Generic[S]):
    """The pools of a pair, and what they need to know of its mints: ``epochs`` where one takes a fee of each transfer.

    ``objection`` says why orderd does not trade the pair. Pools that are ``recalled`` were not looked up on the chain
    yet.
    """

    pools: list[KnownPool[S]]
    mints: dict[str, KnownMint]
    epochs: Epochs | None
    objection: str | None
    recalled: bool = False

    def fees(self, slot: int) -> dict[str, TransferFee]:
        """What each mint that takes a fee takes of a transfer in this slot."""
        if self.epochs is None:
            return {}
        epoch = self.epochs.of(slot)
        return {mint: each.fees.at(epoch) for mint, each in self.mints.items() if each.fees is not None}


@dataclass(frozen=True, slots=True)
class PairSnapshot(Generic[P]):
    """The pools of a pair at one slot, by address, and what keeps the others out. ``vaults`` go by mint."""

    slot: int
    pools: dict[str, P]
    vaults: dict[str, dict[str, Pubkey]]
    refusals: tuple[OrderdError, ...]
    fees: Mapping[str, TransferFee] = field(default_factory=dict)
    """Of mints that take a fee of each transfer."""
