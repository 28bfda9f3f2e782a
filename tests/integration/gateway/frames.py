"""Random websocket frames for fuzzing: valid calls damaged in bytes, structure, types, text and protocol.

All frames follow from a seed. They are built by hand (RFC 6455, 5.2), so that every field can be wrong.
"""

import json
import random
import struct
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9

GOOD: Final[tuple[dict[str, Any], ...]] = (
    {
        "method": "order.submit",
        "params": {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "client_order_id": "fuzz"},
    },
    {
        "method": "order.preview",
        "params": {"token_in": "SOL", "token_out": "USDC", "amount_in": "2", "client_order_id": "x"},
    },
    {"method": "order.get", "params": {"order": "fuzz"}},
    {"method": "order.cancel", "params": {"order": "0190abcd"}},
    {"method": "orders.list", "params": {"limit": 5, "status": ["pending"]}},
    {"method": "orders.subscribe", "params": {"order": "fuzz", "after": 0}},
    {"method": "orders.subscribe", "params": {}},
    {"method": "orders.unsubscribe", "params": {"subscription": 1}},
    {"method": "quote", "params": {"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "slippage": "0.5"}},
    {"method": "pools", "params": {"token": ["SOL", "USDC"]}},
    {"method": "balances"},
    {"method": "tokens"},
)
ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 0.1, "", " ", "\x00", "x" * 5_000, "1e999",
    "NaN", "-1", "٣", "\ud800", "\U0001f4b8" * 50, "\u202e", "../../etc/passwd", "' OR 1=1 --", "%s%n", [], {}, [[]],
    {"": None}, ["SOL"] * 200, {"a": {"b": {"c": []}}},
)  # fmt: skip
SPLICES: Final = (
    b'"',
    b"{",
    b"]",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"1e999",
    b"-",
    b"\xff\xfe",
    b"[[[",
    b"\x00",
    b"\xc0\xaf",
)


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x00\x00\x00\x00",
    length: int | None = None,
    size: int | None = None,
) -> bytes:
    """A client's frame. ``length`` is the declared length of the payload, ``size`` the number of bytes of that
    field."""
    said = len(payload) if length is None else length
    if size is None:
        size = 0 if said < 126 else 2 if said < 65_536 else 8
    first = (fin << 7) | (rsv << 4) | opcode
    marked = 0x80 if mask is not None else 0
    match size:
        case 0:
            head = struct.pack("!BB", first, marked | min(said, 125))
        case 2:
            head = struct.pack("!BBH", first, marked | 126, said % 65_536)
        case _:
            head = struct.pack("!BBQ", first, marked | 127, said % 2**64)
    return head + (mask or b"") + payload


class Frames:
    """Draws frames that follow the protocol, and frames that violate it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self._damages: tuple[Callable[[], bytes], ...] = (
            self._good,
            self._damaged_bytes,
            self._damaged_bytes,
            self._damaged_structure,
            self._damaged_structure,
            self._batch,
            self._deep,
            self._noise,
        )

    def message(self) -> list[bytes]:
        """The frames of one message with arbitrary content, after which the connection must stay open."""
        payload = self.dice.choice(self._damages)()[:60_000]
        opcode = self.dice.choice((TEXT, TEXT, BINARY))
        if opcode == TEXT and self.dice.random() < 0.9:
            payload = payload.decode("utf-8", "replace").encode()
        mask = self.dice.randbytes(4)
        parts = self._parts(payload) if self.dice.random() < 0.2 else [payload]
        last = len(parts) - 1
        return [
            frame(_masked(part, mask), opcode if number == 0 else 0, fin=number == last, mask=mask)
            for number, part in enumerate(parts)
        ]

    def violation(self) -> bytes:
        """A frame that violates the protocol."""
        dice, payload = self.dice, self._good()
        match dice.randrange(12):
            case 0:
                return frame(payload, dice.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)))
            case 1:
                return frame(payload, rsv=dice.randint(1, 7))
            case 2:
                return frame(payload, mask=None)
            case 3:
                return frame(payload, length=dice.choice((65_537, 2**31, 2**63 - 1, 2**63, 2**64 - 1)), size=8)
            case 4:
                return frame(payload[:5], length=5, size=dice.choice((2, 8)))
            case 5:
                return frame(payload, 0)
            case 6:
                return frame(payload, PING, fin=False)
            case 7:
                return frame(payload * 5, PING, size=2)
            case 8:
                return frame(dice.choice((b"\x03", b"\x03\xed", b"\xff\xff", b"\x03\xe8\xff\xfe", b"\x00\x00")), CLOSE)
            case 9:
                return frame(b"\xff\xfe\xc0\xaf" + dice.randbytes(20))
            case 10:
                return frame(payload[:10], fin=False) + frame(payload, TEXT)
            case _:
                return dice.randbytes(dice.randint(1, 200))

    def cut(self, frames: bytes) -> bytes:
        """A prefix of ``frames``."""
        return frames[: self.dice.randrange(len(frames) + 1)]

    def _good(self) -> bytes:
        return self._json(self._call())

    def _call(self) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": self.dice.randrange(100)} | self.dice.choice(GOOD)

    def _damaged_bytes(self) -> bytes:
        dice, message = self.dice, bytearray(self._good())
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(message) or 1)
            match dice.randrange(5):
                case 0:
                    message[at : at + 1] = bytes([dice.randrange(256)])
                case 1:
                    del message[at : at + dice.randint(1, 10)]
                case 2:
                    message[at:at] = dice.choice(SPLICES)
                case 3:
                    message[at:at] = message[: dice.randint(0, 30)]
                case _:
                    message.extend(dice.randbytes(dice.randint(1, 5)))
        return bytes(message)

    def _damaged_structure(self) -> bytes:
        dice, call = self.dice, json.loads(self._good())
        for _ in range(dice.randint(1, 3)):
            inside = call.get("params")
            place = inside if isinstance(inside, dict) and inside and dice.random() < 0.7 else call
            name = dice.choice(list(place) or ["id"])
            match dice.randrange(4):
                case 0:
                    place.pop(name, None)
                case 1:
                    place[str(dice.choice(ODD))[:50]] = place.get(name)
                case _:
                    place[name] = deepcopy(dice.choice(ODD))
        return self._json(call)

    def _batch(self) -> bytes:
        size = self.dice.choice((0, 1, 2, 10, 99, 100, 101, 500))
        calls: list[Any] = [{"jsonrpc": "2.0", "id": number, "method": "tokens"} for number in range(size)]
        if calls and self.dice.random() < 0.5:
            calls[self.dice.randrange(size)] = self.dice.choice(ODD)
        return self._json(calls)

    def _deep(self) -> bytes:
        depth = self.dice.choice((10, 200, 1_000, 20_000))
        opening, closing = self.dice.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"params":', b"}")))
        return opening * depth + b"1" + closing * depth if self.dice.random() < 0.7 else opening * depth

    def _noise(self) -> bytes:
        return self.dice.randbytes(self.dice.choice((0, 1, 10, 1_000)))

    def _parts(self, payload: bytes) -> list[bytes]:
        cuts = sorted(self.dice.randrange(len(payload) + 1) for _ in range(self.dice.randint(1, 5)))
        return [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]

    def _json(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=self.dice.random() < 0.5).encode("utf-8", "surrogatepass")


def _masked(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")
