"""The properties of a mint that venues need, and the epochs in which transfer fees change."""

from dataclasses import dataclass
from typing import Self

from solders.pubkey import Pubkey

from orderd.amm.transfer_fee import FeeSchedule
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.mints import facts_of, fee_schedule
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import Mint
from orderd.solana.rpc import ChainAccount, RpcClient


@dataclass(frozen=True, slots=True)
class KnownMint:
    """A mint's token program, the size of an associated account in bytes, and its transfer fee, if any.

    A fee change is known at least two epochs before it takes effect.
    """

    program: Pubkey
    account_size: int
    fees: FeeSchedule | None = None


def known_mint(mint: Pubkey, account: ChainAccount | None) -> KnownMint:
    """The properties of a mint. Raises OrderdError TOKEN_* if orderd does not trade it."""
    facts = facts_of(mint, account)
    if facts.objection is not None:
        raise facts.objection
    assert account is not None, "facts are those of an account"
    try:
        decoded = Mint.decode(account.data)
        return KnownMint(account.owner, decoded.account_size(account.owner), fee_schedule(decoded))
    except LayoutError as error:
        raise OrderdError(ErrorCode.TOKEN_NO_MINT, f"{mint} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class Epochs:
    """Maps slots to epochs: ``epoch`` starts with the slot ``begins``, and each epoch has ``length`` slots."""

    epoch: int
    begins: int
    length: int

    @classmethod
    def read(cls, rpc: RpcClient) -> Self:
        """Query the current epoch. Raises RpcError."""
        info = rpc.get_epoch_info()
        return cls(info.epoch, info.absolute_slot - info.slot_index, info.slots_in_epoch)

    def of(self, slot: int) -> int:
        return self.epoch + (slot - self.begins) // self.length
