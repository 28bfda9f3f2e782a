"""A mint's account gives its decimals, authorities, transfer fee and name."""

import struct

import pytest
from solders.pubkey import Pubkey

from orderd.amm.transfer_fee import FeeSchedule, TransferFee
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.mint import Trait
from orderd.solana.mints import facts_of, fee_schedule
from orderd.solana.programs import token
from orderd.solana.programs.token import Extension, TokenAccount
from orderd.solana.rpc import ChainAccount
from tests.samples.mints import NOBODY, SOMEBODY, account, extended, fee, named, plain, spl

MINT = Pubkey([9] * 32)
METADATA = bytes(SOMEBODY) + bytes(MINT) + struct.pack("<I", 4) + b"Good" + struct.pack("<I", 1) + b"G"


def traits_of(*extensions: tuple[int, bytes]) -> set[Trait]:
    return set(facts_of(MINT, extended(plain(), *extensions)).traits)


def test_a_plain_mint_has_no_traits() -> None:
    facts = facts_of(MINT, spl(5))
    assert (facts.mint, facts.decimals, facts.program) == (str(MINT), 5, str(token.PROGRAM_ID))
    assert (facts.traits, facts.name, facts.transfer_fee_bps) == (frozenset(), "", 0)
    assert fee_schedule(plain()) is None


def test_authorities_of_a_mint_are_reported() -> None:
    assert facts_of(MINT, spl(mint_authority=SOMEBODY)).traits == {Trait.MINT_AUTHORITY}
    assert facts_of(MINT, spl(freeze=SOMEBODY)).traits == {Trait.FREEZE_AUTHORITY}


@pytest.mark.parametrize(
    "extension",
    [
        (Extension.CLOSE_AUTHORITY, bytes(SOMEBODY)),
        (Extension.METADATA_POINTER, bytes(64)),
        (Extension.GROUP, bytes(80)),
        (Extension.DEFAULT_STATE, b"\x01"),
        (Extension.PERMANENT_DELEGATE, bytes(NOBODY)),
        (Extension.TRANSFER_HOOK, bytes(64)),
    ],
)
def test_harmless_extensions_are_ignored(extension: tuple[int, bytes]) -> None:
    assert traits_of(extension) == set()


@pytest.mark.parametrize(
    ("extension", "trait"),
    [
        ((Extension.PERMANENT_DELEGATE, bytes(SOMEBODY)), Trait.PERMANENT_DELEGATE),
        ((Extension.TRANSFER_HOOK, bytes(32) + bytes(SOMEBODY)), Trait.TRANSFER_HOOK),
        ((Extension.TRANSFER_HOOK, bytes(SOMEBODY) + bytes(32)), Trait.HOOK_AUTHORITY),
        ((Extension.DEFAULT_STATE, b"\x02"), Trait.FROZEN_BY_DEFAULT),
        ((Extension.NON_TRANSFERABLE, b""), Trait.NON_TRANSFERABLE),
        ((Extension.CONFIDENTIAL_TRANSFER, bytes(65)), Trait.CONFIDENTIAL),
        ((Extension.CONFIDENTIAL_MINT_BURN, bytes(196)), Trait.CONFIDENTIAL),
        ((Extension.INTEREST, bytes(52)), Trait.SCALED_AMOUNT),
        ((Extension.SCALED_AMOUNT, bytes(56)), Trait.SCALED_AMOUNT),
        ((Extension.PAUSABLE, bytes(33)), Trait.PAUSABLE),
        ((99, b"new"), Trait.UNKNOWN_EXTENSION),
        (fee(100, 5), Trait.TRANSFER_FEE),
        (fee(0, 0), Trait.TRANSFER_FEE),  # a fee may be set later
    ],
)
def test_relevant_extensions_are_reported(extension: tuple[int, bytes], trait: Trait) -> None:
    assert traits_of(extension) == {trait}


def test_current_and_future_transfer_fees_are_reported() -> None:
    mint = extended(plain(), fee(100, 5, later=(7, 250, 9)))
    assert facts_of(MINT, mint).transfer_fee_bps == 250
    assert fee_schedule(token.Mint.decode(mint.data)) == FeeSchedule(TransferFee(100, 5), TransferFee(250, 9), 7)


@pytest.mark.parametrize(
    ("extensions", "size"),
    [([], 170), ([fee(1, 1)], 182), ([fee(1, 1), (Extension.TRANSFER_HOOK, bytes(64))], 187)],
)
def test_an_accounts_size_includes_the_extensions_of_its_mint(extensions: list[tuple[int, bytes]], size: int) -> None:
    mint = token.Mint.decode(extended(plain(), *extensions).data)
    assert mint.account_size(token.TOKEN_2022_PROGRAM_ID) == size
    assert mint.account_size(token.PROGRAM_ID) == token.ACCOUNT_SIZE


@pytest.mark.parametrize(
    ("mint", "metadata", "name"),
    [
        (spl(), named(MINT, "Bonk\0\0\0"), "Bonk"),
        (spl(), named(MINT, "x" * 99), "x" * 32),
        (spl(), account(named(MINT, "Bonk").data), ""),  # owned by another program
        (spl(), account(b"short", named(MINT, "").owner), ""),
        (extended(plain(), (Extension.METADATA, METADATA)), named(MINT, "Other"), "Good"),
        (extended(plain(), (Extension.METADATA, b"")), None, ""),
    ],
)
def test_the_name_of_a_mint_is_read_from_its_metadata(
    mint: ChainAccount, metadata: ChainAccount | None, name: str
) -> None:
    assert facts_of(MINT, mint, metadata).name == name


@pytest.mark.parametrize(
    "content",
    [
        None,
        account(plain().encode(), SOMEBODY),
        account(b"short"),
        account(bytes(82)),
        account(TokenAccount.new(MINT, SOMEBODY).encode()),
        account(TokenAccount.new(MINT, SOMEBODY).encode(), token.TOKEN_2022_PROGRAM_ID),
        account(plain().encode() + bytes(84), token.TOKEN_2022_PROGRAM_ID),
        account(extended(plain(), (3, bytes(32))).data[:-1], token.TOKEN_2022_PROGRAM_ID),
        extended(plain(), (Extension.TRANSFER_FEE, b"short")),
    ],
)
def test_an_account_that_is_not_a_mint_is_refused(content: ChainAccount | None) -> None:
    with pytest.raises(OrderdError) as refused:
        facts_of(MINT, content)
    assert refused.value.code is ErrorCode.TOKEN_NO_MINT
