"""Which client listens to what over the websocket."""

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
    """What transactions log: those that name an account, or all."""

    mentions: Pubkey | None


Target = Signature | Pubkey | ProgramAccounts | Logs | None
"""A transaction's end, an account, what the classes above say, or the slots."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeSubscription:
    """What one connection wants to hear about; of a program's accounts, those that all ``matches`` take."""

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
    """All of them, by their number and by what they are about."""

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
        """The connection is gone."""
        for subscription in [each for each in self._by_number.values() if each.connection is connection]:
            self.remove(subscription)

    def numbered(self, number: int) -> NodeSubscription | None:
        return self._by_number.get(number)

    def to(self, level: Commitment, target: Target) -> list[NodeSubscription]:
        """Those to one thing. The list is the caller's: it may remove them on its way."""
        return list(self._by_target.get((level, target), ()))

    def has(self, level: Commitment, kind: type[ProgramAccounts | Logs]) -> bool:
        """Whether anybody listens to a thing of this kind."""
        return any(requested is level and isinstance(target, kind) for requested, target in self._by_target)
