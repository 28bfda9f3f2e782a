"""What the chain says about a mint: its risks and its name."""

from dataclasses import replace

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.mint import MintFacts, Trait, display_name

PROGRAM = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"


def facts(*traits: Trait, fee: int = 0) -> MintFacts:
    return MintFacts("A" * 43, 6, PROGRAM, frozenset(traits), transfer_fee_bps=fee)


def test_a_mint_without_any_trait_is_harmless() -> None:
    assert [*facts().warnings()] == []
    assert facts().objection is None


def test_each_trait_has_a_warning_or_a_refusal() -> None:
    for trait in Trait:
        mint = facts(trait)
        warned = [code for code, _ in mint.warnings()]
        assert (warned == [trait]) != (mint.objection is not None), trait


def test_a_fee_is_reported_in_percent() -> None:
    ((code, detail),) = facts(Trait.TRANSFER_FEE, fee=150).warnings()
    assert code == "transfer_fee"
    assert detail.endswith(": 1.5 % at most")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Bonk", "Bonk"),
        ("  two\n lines\t", "two lines"),
        ("\x1b[31mred\x00", "[31mred"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}CDSU", "CDSU"),
        ("x" * 100, "x" * 32),
        ("y" * 31 + " z", "y" * 31),
        ("", ""),
    ],
)
def test_a_name_is_reduced_to_printable_characters(name: str, shown: str) -> None:
    assert display_name(name) == shown


@pytest.mark.parametrize("decimals", [19, 255])
def test_a_mint_with_more_decimals_than_an_order_can_have_is_not_traded(decimals: int) -> None:
    assert replace(facts(), decimals=18).objection is None
    objection = replace(facts(), decimals=decimals).objection
    assert objection is not None
    assert objection.code is ErrorCode.TOKEN_DECIMALS
