"""What was made of accounts is kept for as long as these stay as they were."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, Generic, TypeVar

from solders.pubkey import Pubkey

from orderd.solana.rpc import ChainAccount

T = TypeVar("T")
_NOT_READ: Final = object()


class Unchanged(Generic[T]):
    """One thing by each name, and the accounts that it was made of. Thread-safe."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[Mapping[Pubkey, object], T]] = {}

    def get(
        self,
        name: str,
        accounts: Mapping[Pubkey, ChainAccount | None],
        make: Callable[[Mapping[Pubkey, ChainAccount | None]], T],
    ) -> T:
        """What ``make`` makes of the accounts, made again where one that it looked at is another than the last time.

        Raises what ``make`` raises; then nothing is kept.
        """
        known = self._made.get(name)
        if known is not None and all(accounts.get(key, _NOT_READ) == account for key, account in known[0].items()):
            return known[1]
        recorder = _RecordedReads(accounts)
        made = make(recorder)
        self._made[name] = recorder.read, made
        return made


class _RecordedReads(Mapping[Pubkey, ChainAccount | None]):
    """Accounts that remember which of them somebody has looked at, also those that were not among them."""

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
        raise NotImplementedError("whoever goes through all of them depends on all")

    def __len__(self) -> int:
        return len(self._accounts)
