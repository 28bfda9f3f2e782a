"""The websocket subscriptions of all clients."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import orjson
from solders.pubkey import Pubkey
from solders.signature import Signature
from websockets.asyncio.server import ServerConnection, broadcast

from orderd.simnet.bank import Commitment
from orderd.simnet.rpc.protocol import Json


class ProgramAccounts(NamedTuple):
    """All accounts of a program."""

    program: Pubkey


class Logs(NamedTuple):
    """The logs of transactions that name an account, or of all."""

    mentions: Pubkey | None


Target = Signature | Pubkey | ProgramAccounts | Logs | None
"""What a subscription is about: a signature, an account, a program's accounts, logs, or (None) slots."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeSubscription:
    """One subscription of a connection. A program's accounts are reported only if all ``matches`` accept their data."""

    number: int
    connection: ServerConnection
    commitment: Commitment
    target: Target
    options: dict[str, Any]
    matches: tuple[Callable[[bytes], bool], ...] = ()

    def notify(self, method: str, result: Json) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": {"result": result, "subscription": self.number}}
        broadcast((self.connection,), orjson.dumps(message).decode())


class Subscriptions:
    """All subscriptions, by number and by target."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._by_number: dict[int, NodeSubscription] = {}
        self._by_target: dict[tuple[Commitment, Target], list[NodeSubscription]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_number)

    def add(
        self,
        connection: ServerConnection,
        level: Commitment,
        target: Target,
        options: dict[str, Any],
        matches: Iterable[Callable[[bytes], bool]] = (),
    ) -> NodeSubscription:
        subscription = NodeSubscription(next(self._numbers), connection, level, target, options, tuple(matches))
        self._by_number[subscription.number] = subscription
        self._by_target.setdefault((level, target), []).append(subscription)
        return subscription

    def remove(self, subscription: NodeSubscription) -> None:
        if self._by_number.pop(subscription.number, None) is None:
            return
        key = (subscription.commitment, subscription.target)
        self._by_target[key].remove(subscription)
        if not self._by_target[key]:
            del self._by_target[key]

    def leave(self, connection: ServerConnection) -> None:
        """Remove all subscriptions of a closed connection."""
        for subscription in [each for each in self._by_number.values() if each.connection is connection]:
            self.remove(subscription)

    def numbered(self, number: int) -> NodeSubscription | None:
        return self._by_number.get(number)

    def to(self, level: Commitment, target: Target) -> list[NodeSubscription]:
        """The subscriptions to one target. A new list, so that the caller may remove them while iterating."""
        return list(self._by_target.get((level, target), ()))

    def has(self, level: Commitment, kind: type[ProgramAccounts | Logs]) -> bool:
        """Whether there are subscriptions to targets of this class."""
        return any(requested is level and isinstance(target, kind) for requested, target in self._by_target)
