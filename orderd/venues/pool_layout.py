"""Where the account of a pool has its mints and vaults."""

from dataclasses import dataclass
from typing import Generic

from orderd.venues.known_pools import S, TokenSide


@dataclass(frozen=True, slots=True)
class PoolLayout(Generic[S]):
    """The record of a pool's own account, and the names of its fields for the two mints and their vaults.

    The field of the second vault follows that of the first. With ``has_sorted_mints`` the mint with the lower address
    always comes first.
    """

    record: type[S]
    mints: tuple[str, str]
    vaults: tuple[str, str]
    has_sorted_mints: bool = False

    @property
    def mint_offsets(self) -> tuple[int, int]:
        first, second = self.mints
        return self.record.offset(first), self.record.offset(second)

    @property
    def vaults_offset(self) -> int:
        """The offset of the first vault's address, which the second one follows."""
        return self.record.offset(self.vaults[0])

    def sides(self, state: S) -> tuple[TokenSide, TokenSide]:
        """The mints of a pool with their vaults."""
        first, second = (
            TokenSide(getattr(state, mint), getattr(state, vault))
            for mint, vault in zip(self.mints, self.vaults, strict=True)
        )
        return first, second
