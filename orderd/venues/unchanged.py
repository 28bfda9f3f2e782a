"""A cache of objects built from accounts, valid as long as the accounts do not change."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Generic, TypeVar

from solders.pubkey import Pubkey

from orderd.solana.rpc import ChainAccount

T = TypeVar("T")
_NOT_READ: Final = object()


class Unchanged(Generic[T]):
    """One object per name, with the accounts from which it was built. Thread-safe."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Mapping[Pubkey, object], T]] = {}

    def get(
        self,
        name: str,
        accounts: Mapping[Pubkey, ChainAccount | None],
        make: Callable[[Mapping[Pubkey, ChainAccount | None]], T],
    ) -> T:
        """The result of ``make``, called again only if an account that it read has changed since.

        Raises what ``make`` raises; then nothing is cached.
        """
        known = self._made.get(name)
        if known is not None and all(accounts.get(key, _NOT_READ) == account for key, account in known[0].items()):
            return known[1]
        recorder = _RecordedReads(accounts)
        made = make(recorder)
        self._made[name] = recorder.read, made
        return made


class _RecordedReads(Mapping[Pubkey, ChainAccount | None]):
    """Accounts that record which keys were read, including missing ones."""

    def __init__(self, accounts: Mapping[Pubkey, ChainAccount | None]) -> None:
        self._accounts = accounts
        self.read: dict[Pubkey, object] = {}

    def __getitem__(self, key: Pubkey) -> ChainAccount | None:
        self.read[key] = self._accounts.get(key, _NOT_READ)
        return self._accounts[key]

    def __contains__(self, key: object) -> bool:
        assert isinstance(key, Pubkey)
        self.read[key] = self._accounts.get(key, _NOT_READ)
        return key in self._accounts

    def __iter__(self) -> Iterator[Pubkey]:
        raise NotImplementedError("iterating would make the result depend on all accounts")

    def __len__(self) -> int:
        return len(self._accounts)
