"""Finds the pools of a program for a pair, by listing the program's accounts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from orderd.solana.json_rpc import RpcRefusedError, RpcResponseError, RpcUnlistedError
from orderd.solana.pool_programs import PoolProgram
from orderd.solana.rpc import RpcClient
from orderd.solana.rpc_types import AccountsLike, Memcmp
from orderd.venues.account_facts import AMOUNT_ENDS, token_amount
from orderd.venues.depth import by_depth

MAX_POOLS_PER_PAIR: Final = 8
_KEY_BYTES: Final = 32
_INTERNAL_ERROR: Final = -32603
"""Internal error of JSON-RPC 2.0: the node supports the call, but failed."""

Pair = tuple[str, str]
"""Two mints in ascending order, because a pool trades in both directions."""


@dataclass(frozen=True, slots=True)
class PoolLayout:
    """The offsets of mints and vaults in a pool's account of ``size`` bytes.

    ``vaults_offset`` is the offset of the first vault, which the second one follows. With ``has_sorted_mints`` the
    lower mint address comes first.
    """

    size: int
    mint_offsets: tuple[int, int]
    vaults_offset: int
    has_sorted_mints: bool


class PoolListing:
    """The pools of one program."""

    def __init__(self, rpc: RpcClient, program: PoolProgram, program_id: Pubkey, layout: PoolLayout) -> None:
        self._rpc = rpc
        self._program = program
        self._program_id = program_id
        self._layout = layout

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
        for mints in ((low, high),) if self._layout.has_sorted_mints else ((low, high), (high, low)):
            filters = tuple(map(Memcmp, self._layout.mint_offsets, mints))
            yield AccountsLike(self._program_id, self._layout.size, filters)

    def _program_accounts(self, alikes: Sequence[AccountsLike]) -> list[list[tuple[Pubkey, bytes]]]:
        """For each filter the pools' addresses, and their vaults' addresses as bytes."""
        try:
            found = self._rpc.get_program_accounts(alikes, offset=self._layout.vaults_offset, length=2 * _KEY_BYTES)
        except (RpcResponseError, RpcRefusedError) as error:
            if isinstance(error, RpcResponseError) and error.code == _INTERNAL_ERROR:
                raise  # the node lists them, but failed this time
            setting = f"ORDERD_{self._program.venue.upper()}_POOLS"
            kind = self._program.kind
            why = f"the node does not list the pools of {kind} ({error}); set the pools to trade in with {setting}"
            raise RpcUnlistedError(why) from error
        return [[(each.key, each.account.data) for each in accounts] for accounts in found]
