"""Which pools a program has for a pair, as a node lists its accounts."""

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

MAX_POOLS_A_PAIR: Final = 8
_KEY_BYTES: Final = 32
_INTERNAL_ERROR: Final = -32603
"""Of JSON-RPC 2.0: the node meant to answer, and failed."""

Pair = tuple[str, str]
"""Two mints in ascending order: a pool trades both ways."""


@dataclass(frozen=True, slots=True)
class PoolLayout:
    """Where a pool's own account of so many bytes holds the addresses of its mints and vaults.

    ``vaults_offset`` is that of the first vault, which the other one follows. Where it ``has_sorted_mints``, the lower
    address stands first.
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
        """The deepest pools that the chain has for two mints. Raises RpcError.

        Of each pool the node sends the addresses of its vaults alone: a pair may have hundreds of them.
        """
        vaults: dict[Pubkey, tuple[Pubkey, Pubkey]] = {}
        alikes = list(self.alikes(pair))
        for alike, accounts in zip(alikes, self._program_accounts(alikes), strict=True):
            is_reversed = alike.filters[0] != alikes[0].filters[0]
            for address, data in accounts:
                one, other = (Pubkey.from_bytes(data[at : at + _KEY_BYTES]) for at in (0, _KEY_BYTES))
                vaults[address] = (other, one) if is_reversed else (one, other)
        if len(vaults) <= MAX_POOLS_A_PAIR:
            return list(vaults)
        keys = [vault for both in vaults.values() for vault in both]
        amounts = [token_amount(account) for account in self._rpc.get_multiple_accounts(keys, head=AMOUNT_ENDS).value]
        held = dict(zip(map(str, vaults), zip(amounts[::2], amounts[1::2], strict=True), strict=True))
        return [Pubkey.from_string(address) for address in by_depth(held)[:MAX_POOLS_A_PAIR]]

    def alikes(self, pair: Pair) -> Iterator[AccountsLike]:
        """What the accounts of the pair's pools are like."""
        low, high = sorted(map(Pubkey.from_string, pair), key=bytes)
        for mints in ((low, high),) if self._layout.has_sorted_mints else ((low, high), (high, low)):
            filters = tuple(map(Memcmp, self._layout.mint_offsets, mints))
            yield AccountsLike(self._program_id, self._layout.size, filters)

    def _program_accounts(self, alikes: Sequence[AccountsLike]) -> list[list[tuple[Pubkey, bytes]]]:
        """For each of them the pools' addresses, and the addresses of their vaults as bytes."""
        try:
            found = self._rpc.get_program_accounts(alikes, offset=self._layout.vaults_offset, length=2 * _KEY_BYTES)
        except (RpcResponseError, RpcRefusedError) as error:
            if isinstance(error, RpcResponseError) and error.code == _INTERNAL_ERROR:
                raise  # it would list them, and could not now
            setting = f"ORDERD_{self._program.venue.upper()}_POOLS"
            kind = self._program.kind
            why = f"the node does not list the pools of {kind} ({error}); name those to trade in: {setting}"
            raise RpcUnlistedError(why) from error
        return [[(each.key, each.account.data) for each in accounts] for accounts in found]
