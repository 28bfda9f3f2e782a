"""Overwriting single fields of account data gives the same bytes as encoding the changed record."""

from dataclasses import fields, replace
from typing import Any

import pytest
from solders.pubkey import Pubkey

from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_dlmm.accounts import LbPair
from orderd.pools.raydium_clmm.accounts import PoolState, TickArrayState
from orderd.simnet.codec import decoded, rewritten
from orderd.simnet.genesis import Genesis
from orderd.solana.pool_programs import program_of
from orderd.solana.programs.layout import Record
from orderd.solana.programs.token import Mint, OptionalKey, TokenAccount
from tests.unit.simnet.conftest import GENESIS_TIME
from tests.unit.simnet.world import ALICE, MINT

KEY = Pubkey.from_bytes(bytes([9] * 32))
ACCOUNTS = Genesis(GENESIS_TIME).block().changed


def of_genesis(layout: type[Record], kind: PoolKind) -> Record:
    """The first account of the kind's program with this layout."""
    program = program_of(kind).ids["simnet"]
    return next(
        layout.decode(account.data)
        for account in ACCOUNTS.values()
        if account is not None and account.owner == program and account.data.startswith(layout.DISCRIMINATOR)
    )


def other(value: Any) -> Any:
    """A different value for a field with this value."""
    match value:
        case int():
            return value ^ 1
        case bytes():
            return bytes([value[0] ^ 1, *value[1:]])
        case Pubkey():
            return KEY
        case Record():
            first = fields(value)[0].name  # type: ignore[arg-type]  # every record is a dataclass
            return replace(value, **{first: other(getattr(value, first))})  # type: ignore[type-var]
    raise AssertionError(value)


@pytest.mark.parametrize(
    "before",
    [
        TokenAccount.new(MINT, ALICE.pubkey(), 5, native_rent=7),
        Mint.new(9, supply=1, authority=KEY),
        of_genesis(PoolState, PoolKind.RAYDIUM_CLMM),
        of_genesis(TickArrayState, PoolKind.RAYDIUM_CLMM),
        of_genesis(LbPair, PoolKind.METEORA_DLMM),
    ],
    ids=lambda record: type(record).__name__,
)
def test_each_field_is_written_at_its_offset(before: Record) -> None:
    for field in fields(before):  # type: ignore[arg-type]
        value = getattr(before, field.name)
        changed = b"more" if value == b"" else other(value)
        after = replace(before, **{field.name: changed})  # type: ignore[type-var]

        assert rewritten(before.encode(), before, after) == after.encode(), field.name


def test_written_fields_are_read_back_and_others_are_unchanged() -> None:
    before = TokenAccount.new(MINT, ALICE.pubkey(), 5)
    after = replace(before, amount=6, delegate=OptionalKey.of(KEY))
    old = before.encode()

    new = rewritten(old, before, after)

    assert decoded(TokenAccount, new) == after == TokenAccount.decode(new)
    assert decoded(TokenAccount, old) == before
    assert old == before.encode()
