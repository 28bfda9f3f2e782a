"""Parses a request as JSON, and refuses members that are given twice.

Real nodes either use the last one or refuse, depending on the parser; a client must not rely on either.
"""

import orjson

from orderd.domain.strict_json import RepeatedMemberError, read_json
from orderd.simnet.rpc.protocol import INVALID_REQUEST, PARSE_ERROR, Json, NodeRpcError


def read_body(body: bytes) -> Json:
    """The parsed request. Raises NodeRpcError: PARSE_ERROR, INVALID_REQUEST."""
    try:
        request: Json = orjson.loads(body)
        read_json(body)  # finds repeated members, which orjson drops; orjson is stricter about numbers and texts
    except RepeatedMemberError as error:
        raise NodeRpcError(INVALID_REQUEST, f"Invalid request: {error}") from None
    except (ValueError, RecursionError):
        raise NodeRpcError(PARSE_ERROR, "Parse error") from None
    return request
