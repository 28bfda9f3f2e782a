"""Damages an answer as faulty proxies and providers do: no damage invents a fact, but none of them may be believed."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Final

import orjson

Json = Any
"""Any JSON value."""


def garbled(answer: bytes, chance: Random) -> bytes:
    """The answer with one kind of damage, which is drawn by ``chance``. Some kinds leave a short answer as it is."""
    return chance.choice(_KINDS)(answer, chance)


def _cut(answer: bytes, chance: Random) -> bytes:
    return answer[: chance.randrange(len(answer))]


def _page(answer: bytes, chance: Random) -> bytes:  # noqa: ARG001
    return b"<html><body>Bad gateway</body></html>"


def _error(answer: bytes, chance: Random) -> bytes:  # noqa: ARG001
    return b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32603, "message": "upstream"}}'


def _of_batch(damage: Callable[[list[Json], Random], object]) -> Callable[[bytes, Random], bytes]:
    """A damage of the list of answers to a batch."""

    def damaged(answer: bytes, chance: Random) -> bytes:
        answers = orjson.loads(answer)
        if isinstance(answers, list) and len(answers) > 1:
            damage(answers, chance)
        return orjson.dumps(answers)

    return damaged


def _disorder(answers: list[Json], chance: Random) -> None:
    chance.shuffle(answers)


def _lose(answers: list[Json], chance: Random) -> None:
    del answers[chance.randrange(len(answers))]


def _repeat(answers: list[Json], chance: Random) -> None:
    answers.append({**chance.choice(answers), "result": None})


def _exchange(answers: list[Json], chance: Random) -> None:
    """Each of two requests gets the answer to the other one."""
    first, second = chance.sample(answers, 2)
    first["id"], second["id"] = second["id"], first["id"]


def _with_numbers(damage: Callable[[int], Json]) -> Callable[[bytes, Random], bytes]:
    """A damage of all integers in the results."""

    def damaged(answer: bytes, chance: Random) -> bytes:  # noqa: ARG001
        answers = orjson.loads(answer)
        for each in answers if isinstance(answers, list) else [answers]:
            if "result" in each:
                each["result"] = _each_number(each["result"], damage)
        return orjson.dumps(answers)

    return damaged


def _each_number(value: Json, damage: Callable[[int], Json]) -> Json:
    if isinstance(value, Mapping):
        return {name: _each_number(each, damage) for name, each in value.items()}
    if isinstance(value, list):
        return [_each_number(each, damage) for each in value]
    return damage(value) if type(value) is int else value


_KINDS: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (
    _cut,
    _page,
    _error,
    _of_batch(_disorder),
    _of_batch(_lose),
    _of_batch(_repeat),
    _of_batch(_exchange),
    _with_numbers(float),
    _with_numbers(str),
)
