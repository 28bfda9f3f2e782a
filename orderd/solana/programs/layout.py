"""Fixed little-endian layouts of account and instruction data, declared as dataclasses.

A record's annotations define the binary format of each field. ``decode`` and ``encode`` are exact inverses, so reserved
bytes survive a round trip:

    @dataclass(frozen=True, slots=True)
    class Transfer(Record):
        DISCRIMINATOR = b"\\x03"
        amount: U64
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, get_type_hints

from solders.pubkey import Pubkey


class LayoutError(ValueError):
    """The bytes are not what the layout describes: another size, or another discriminator."""


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """The binary format of a field: a ``struct`` format, and conversions for types that struct does not know."""

    format: str
    load: Callable[[Any], Any] | None = None
    dump: Callable[[Any], Any] | None = None


def _integer(size: int, *, signed: bool = False) -> FieldLayout:
    return FieldLayout(
        f"{size}s",
        lambda data: int.from_bytes(data, "little", signed=signed),
        lambda value: value.to_bytes(size, "little", signed=signed),
    )


def raw(size: int) -> FieldLayout:
    """A field of ``size`` bytes without conversion."""
    return FieldLayout(f"{size}s")


U8 = Annotated[int, FieldLayout("B")]
U16 = Annotated[int, FieldLayout("H")]
U32 = Annotated[int, FieldLayout("I")]
U64 = Annotated[int, FieldLayout("Q")]
I32 = Annotated[int, FieldLayout("i")]
I64 = Annotated[int, FieldLayout("q")]
I128 = Annotated[int, _integer(16, signed=True)]
U128 = Annotated[int, _integer(16)]
U256 = Annotated[int, _integer(32)]
U1024 = Annotated[int, _integer(128)]
U6144 = Annotated[int, _integer(768)]
Key = Annotated[Pubkey, FieldLayout("32s", Pubkey.from_bytes, bytes)]
Tail = Annotated[bytes, FieldLayout("")]
"""All bytes after the fixed part; only allowed as the last field."""


class Record:
    """Base of the layouts. Nested records are fields annotated with their class."""

    __slots__ = ()
    DISCRIMINATOR: ClassVar[bytes] = b""

    @classmethod
    def size(cls) -> int:
        """Size of the fixed part in bytes, including the discriminator."""
        return len(cls.DISCRIMINATOR) + _plan(cls).fixed.size

    @classmethod
    def offset(cls, field: str) -> int:
        """Offset of a field in bytes, counted from the start of the discriminator."""
        plan = _plan(cls)
        before = plan.formats[: plan.names.index(field)]
        return len(cls.DISCRIMINATOR) + struct.calcsize("<" + "".join(before))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode a record. Raises LayoutError if the size or the discriminator differs."""
        plan, size, start = _plan(cls), cls.size(), len(cls.DISCRIMINATOR)
        if len(data) != size and not (plan.has_tail and len(data) > size):
            raise LayoutError(f"{cls.__name__} takes {size} bytes, got {len(data)}")
        if data[:start] != cls.DISCRIMINATOR:
            raise LayoutError(f"{cls.__name__} starts with {cls.DISCRIMINATOR.hex()}, got {data[:start].hex()}")
        values = list(plan.fixed.unpack_from(data, start))
        for index, load in plan.loads:
            values[index] = load(values[index])
        if plan.has_tail:
            values.append(bytes(data[size:]))
        return cls(*values)

    def encode(self) -> bytes:
        """The record's bytes. Raises struct.error if a value does not fit its field."""
        plan = _plan(type(self))
        values = [getattr(self, name) for name in plan.names]
        for index, dump in plan.dumps:
            values[index] = dump(values[index])
        data = self.DISCRIMINATOR + plan.fixed.pack(*values)
        return data + getattr(self, plan.tail) if plan.tail else data


@dataclass(frozen=True, slots=True)
class _Plan:
    """A record class, compiled: the struct of its fixed part and the fields that need conversion."""

    fixed: struct.Struct
    names: tuple[str, ...]
    formats: tuple[str, ...]
    loads: tuple[tuple[int, Callable[[Any], Any]], ...]
    dumps: tuple[tuple[int, Callable[[Any], Any]], ...]
    tail: str

    @property
    def has_tail(self) -> bool:
        return bool(self.tail)


_plans: dict[type[Record], _Plan] = {}


def _plan(cls: type[Record]) -> _Plan:
    if cls not in _plans:
        _plans[cls] = _compile(cls)
    return _plans[cls]


def _compile(cls: type[Record]) -> _Plan:
    hints = get_type_hints(cls, include_extras=True)
    hints.pop("DISCRIMINATOR")
    slots = {name: _slot(hint) for name, hint in hints.items()}
    tail = next((name for name, slot in slots.items() if not slot.format), "")
    fixed = {name: slot for name, slot in slots.items() if name != tail}
    formats = tuple(slot.format for slot in fixed.values())
    return _Plan(
        struct.Struct("<" + "".join(formats)),
        tuple(fixed),
        formats,
        tuple((index, slot.load) for index, slot in enumerate(fixed.values()) if slot.load),
        tuple((index, slot.dump) for index, slot in enumerate(fixed.values()) if slot.dump),
        tail,
    )


def _slot(hint: Any) -> FieldLayout:  # noqa: ANN401  (a type hint can be any object)
    if isinstance(hint, type) and issubclass(hint, Record):
        return FieldLayout(f"{hint.size()}s", hint.decode, hint.encode)
    slot: FieldLayout = hint.__metadata__[0]
    return slot
