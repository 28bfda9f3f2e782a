"""Finds the pools of a program for a pair, by listing the program's accounts."""

from collections.abc import Iterator, Sequence
from typing import Final, Generic

from solders.pubkey import Pubkey

from orderd.solana.json_rpc import INTERNAL_ERROR, RpcRefusedError, RpcResponseError, RpcUnlistedError
from orderd.solana.pool_programs import PoolProgram
from orderd.solana.programs.layout import LayoutError
from orderd.solana.rpc import ChainAccount, RpcClient
from orderd.solana.rpc_types import AccountsLike, Memcmp
from orderd.venues.account_facts import AMOUNT_ENDS, token_amount
from orderd.venues.depth import by_depth
from orderd.venues.known_pools import S
from orderd.venues.pool_layout import PoolLayout

MAX_POOLS_PER_PAIR: Final = 8
_KEY_BYTES: Final = 32

Pair = tuple[str, str]
"""Two mints in ascending order, because a pool trades in both directions."""


def pair_of(mint_in: str, mint_out: str) -> Pair:
    return (mint_in, mint_out) if mint_in < mint_out else (mint_out, mint_in)


class PoolListing(Generic[S]):
    """The pools of one program."""

    def __init__(self, rpc: RpcClient, program: PoolProgram, program_id: Pubkey, layout: PoolLayout[S]) -> None:
        self.program = program
        self.program_id = program_id
        self.layout = layout
        self._rpc = rpc

    def decode(self, account: ChainAccount) -> S:
        """Decode a pool's account. Raises LayoutError if it is not a pool of this program."""
        if account.owner != self.program_id:
            raise LayoutError(f"the account belongs to {account.owner}, not to {self.program.kind}")
        return self.layout.record.decode(account.data)

    def deepest(self, pair: Pair) -> list[Pubkey]:
        """The deepest pools of a pair on the chain. Raises RpcError.

        For each pool the node only sends the vaults' addresses, because a pair may have hundreds of pools.
        """
        vaults: dict[Pubkey, tuple[Pubkey, Pubkey]] = {}
        alikes = list(self.alikes(pair))
        for alike, accounts in zip(alikes, self._program_accounts(alikes), strict=True):
            is_reversed = alike.filters[0] != alikes[0].filters[0]
            for address, data in accounts:
                one, other = (Pubkey.from_bytes(data[at : at + _KEY_BYTES]) for at in (0, _KEY_BYTES))
                vaults[address] = (other, one) if is_reversed else (one, other)
        if len(vaults) <= MAX_POOLS_PER_PAIR:
            return list(vaults)
        keys = [vault for both in vaults.values() for vault in both]
        amounts = [token_amount(account) for account in self._rpc.get_multiple_accounts(keys, head=AMOUNT_ENDS).value]
        held = dict(zip(map(str, vaults), zip(amounts[::2], amounts[1::2], strict=True), strict=True))
        return [Pubkey.from_string(address) for address in by_depth(held)[:MAX_POOLS_PER_PAIR]]

    def alikes(self, pair: Pair) -> Iterator[AccountsLike]:
        """The account filters that match the pair's pools."""
        low, high = sorted(map(Pubkey.from_string, pair), key=bytes)
        for mints in ((low, high),) if self.layout.has_sorted_mints else ((low, high), (high, low)):
            filters = tuple(map(Memcmp, self.layout.mint_offsets, mints))
            yield AccountsLike(self.program_id, self.layout.record.size(), filters)

    def _program_accounts(self, alikes: Sequence[AccountsLike]) -> list[list[tuple[Pubkey, bytes]]]:
        """For each filter the pools' addresses, and their vaults' addresses as bytes."""
        try:
            found = self._rpc.get_program_accounts(alikes, offset=self.layout.vaults_offset, length=2 * _KEY_BYTES)
        except (RpcResponseError, RpcRefusedError) as error:
            if isinstance(error, RpcResponseError) and error.code == INTERNAL_ERROR:
                raise  # the node lists them, but failed this time
            setting = f"ORDERD_{self.program.venue.upper()}_POOLS"
            kind = self.program.kind
            why = f"the node does not list the pools of {kind} ({error}); set the pools to trade in with {setting}"
            raise RpcUnlistedError(why) from error
        return [[(each.key, each.account.data) for each in accounts] for accounts in found]
