"""A request's bytes as JSON in which each member is given once.

A real node takes the last of two, or refuses, as its parser has it: a client must rely on neither.
"""

import orjson

from orderd.domain.strict_json import RepeatedMemberError, read_json
from orderd.simnet.rpc.protocol import INVALID_REQUEST, PARSE_ERROR, Json, NodeRpcError


def read_body(body: bytes) -> Json:
    """Raises NodeRpcError: PARSE_ERROR, INVALID_REQUEST."""
    try:
        request: Json = orjson.loads(body)
        read_json(body)  # which sees what the other drops, but takes numbers and texts that are none in JSON
    except RepeatedMemberError as error:
        raise NodeRpcError(INVALID_REQUEST, f"Invalid request: {error}") from None
    except (ValueError, RecursionError):
        raise NodeRpcError(PARSE_ERROR, "Parse error") from None
    return request
