"""The pools that orders are routed over."""

from typing import Annotated

from pydantic import Field, StringConstraints

from orderd.domain.pool_kind import PoolKind, VenueName
from orderd.domain.quoted import Refused
from orderd.wire.message import Message


class PoolsParams(Message):
    """The pools that trade the named tokens; all of them where none is named."""

    token: tuple[Annotated[str, StringConstraints(max_length=64)], ...] = Field(
        (), max_length=2, description="one token, or the two of a pair"
    )


class PoolView(Message):
    """A pool as it stood at ``slot``. ``token_a`` is the token that was named first."""

    address: str
    venue: VenueName
    kind: PoolKind
    token_a: str
    token_b: str
    price: str = Field(description="of one token_a in token_b, before fees")
    fee: str = Field(description="in percent, for the next small swap of token_a into token_b")
    reserve_a: str = Field(description="what the pool's vault holds of token_a")
    reserve_b: str
    slot: int


class PoolsResult(Message):
    """``refusals`` are pools and venues that are left out of routes now, and why. ``slot`` is the newest of a pool."""

    pools: tuple[PoolView, ...]
    refusals: tuple[Refused, ...]
    slot: int | None
