"""Combines the account reads of several callers into one request. Each caller is a generator of the keys that it
needs."""

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TypeVar

from solders.pubkey import Pubkey

from orderd.solana.rpc import ChainAccount, RpcClient, RpcError
from orderd.solana.rpc_types import AtSlot

T = TypeVar("T")

Accounts = AtSlot[Mapping[Pubkey, ChainAccount | None]]
"""Accounts of one slot; None for an account that does not exist."""
Reading = Generator[Sequence[Pubkey], Accounts, T]
"""Yields the keys of the accounts that it needs, and is sent the accounts; it may yield again, and returns its result.
If accounts cannot be read, RpcError is thrown into it.
"""


def read(rpc: RpcClient, reading: Reading[T]) -> T:
    """Run one reading and return its result. Raises RpcError, and whatever the reading raises."""
    (result,) = read_batch(rpc, [reading])
    if isinstance(result, Exception):
        raise result
    return result


def read_batch(rpc: RpcClient, readings: Sequence[Reading[T]]) -> list[T | Exception]:
    """Run several readings together. For each, in order, its result or the exception that it raised."""
    results: dict[int, T | Exception] = {}
    requested: dict[int, Sequence[Pubkey]] = {}

    def go_on(number: int, step: Callable[[], Sequence[Pubkey]]) -> None:
        requested.pop(number, None)
        try:
            requested[number] = step()
        except StopIteration as end:
            results[number] = end.value
        except Exception as error:  # noqa: BLE001  (returned to the caller)
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
