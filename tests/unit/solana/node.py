"""A node whose answers a test defines."""

from collections.abc import Callable
from typing import Any

import orjson

from orderd.solana.transport import Response


class Node:
    """Answers each call by its method; ``requests`` are the received bodies."""

    def __init__(self, **methods: Callable[[list[Any]], Any]) -> None:
        self._methods = methods
        self.requests: list[bytes] = []

    def post(self, body: bytes) -> Response:
        self.requests.append(body)
        request = orjson.loads(body)
        many = isinstance(request, list)
        replies = [
            {"id": call["id"], **self._methods[call["method"]](call["params"])}
            for call in (request if many else [request])
        ]
        return Response(200, orjson.dumps(replies if many else replies[0]))

    def close(self) -> None: ...
