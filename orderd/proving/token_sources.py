"""Token accounts that can lend the sold amount of a trial: vaults of other pools, or else the mint's largest
holders."""

from collections.abc import Collection, Iterable
from contextlib import suppress

from solders.pubkey import Pubkey

from orderd.proving.trial import TokenSource
from orderd.solana.programs.layout import LayoutError
from orderd.solana.programs.token import TokenAccount
from orderd.solana.rpc import RpcClient, RpcError


class TokenSources:
    """The known token accounts by mint."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc
        self._known: dict[str, list[TokenSource]] = {}

    def add(self, vaults: Iterable[Pubkey]) -> None:
        """Add token accounts. Raises RpcError."""
        self._remember(list(dict.fromkeys(vaults)))

    def of(self, mint: str, but: Collection[Pubkey]) -> TokenSource | None:
        """The largest known account of the mint except those in ``but``; None if there is none. Raises RpcError."""
        others = [each for each in self._known.get(mint, ()) if each.account not in but]
        if not others:
            with suppress(RpcError):  # many nodes do not support this method
                largest = self._rpc.get_token_largest_accounts(Pubkey.from_string(mint))
                self._remember(largest)
            others = [each for each in self._known.get(mint, ()) if each.account not in but]
        return max(others, key=lambda each: each.amount, default=None)

    def _remember(self, keys: list[Pubkey]) -> None:
        for key, account in zip(keys, self._rpc.get_multiple_accounts(keys).value, strict=True):
            if account is None:
                continue
            try:
                state = TokenAccount.decode(account.data)
            except LayoutError:
                continue
            known = self._known.setdefault(str(state.mint), [])
            known[:] = [*(each for each in known if each.account != key), TokenSource(key, state.owner, state.amount)]
