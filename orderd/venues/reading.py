"""Accounts that several need at once, read in one request: each says which it needs, and is sent them."""

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from solders.pubkey import Pubkey

from orderd.solana.rpc import ChainAccount, RpcClient, RpcError
from orderd.solana.rpc_types import AtSlot

T = TypeVar("T")

Accounts = AtSlot[Mapping[Pubkey, ChainAccount | None]]
"""Of one slot; None if there is no account."""
Reading = Generator[Sequence[Pubkey], Accounts, T]
"""Yields the keys of the accounts that it needs, and is sent these; it may ask again, and returns what it made of them.

Where they cannot be read, RpcError is thrown into it.
"""


def read(rpc: RpcClient, reading: Reading[T]) -> T:
    """What one reading makes of its accounts. Raises RpcError, and anything that it raises itself."""
    (result,) = read_batch(rpc, [reading])
    if isinstance(result, Exception):
        raise result
    return result


def read_batch(rpc: RpcClient, readings: Sequence[Reading[T]]) -> list[T | Exception]:
    """The same of many, in order; of each what it returned or raised."""
    results: dict[int, T | Exception] = {}
    requested: dict[int, Sequence[Pubkey]] = {}

    def go_on(number: int, step: Callable[[], Sequence[Pubkey]]) -> None:
        requested.pop(number, None)
        try:
            requested[number] = step()
        except StopIteration as end:
            results[number] = end.value
        except Exception as error:  # noqa: BLE001  (passed to the caller that asked for all of them)
            results[number] = error

    for number, reading in enumerate(readings):
        go_on(number, partial(next, reading))
    while requested:
        numbers = list(requested)
        for number, reply in zip(numbers, _groups(rpc, list(requested.values())), strict=True):
            go_on(number, partial(_answer, readings[number], reply))
    return [results[number] for number in range(len(readings))]


def _groups(rpc: RpcClient, groups: Sequence[Sequence[Pubkey]]) -> Sequence[Accounts | RpcError]:
    try:
        return rpc.get_account_groups(groups)
    except RpcError as error:
        return [error] * len(groups)


def _answer(reading: Reading[T], reply: Accounts | RpcError) -> Sequence[Pubkey]:
    return reading.throw(reply) if isinstance(reply, RpcError) else reading.send(reply)
