from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.liquidity import ObservedMarket, guards, objection, of_mint
from orderd.domain.mint import MintFacts, Trait
from orderd.domain.terms import OrderTerms
from orderd.domain.terms_given import GivenTerms
from orderd.domain.terms_parsing import understood
from orderd.domain.tokens import TokenRegistry
from orderd.domain.well_known import registry_of

TOKENS: TokenRegistry = registry_of("simnet")
CLEAN = MintFacts("mint", 6, "program")
FINE = ObservedMarket(liquidity=5_000_000_000, pool_fee=Fraction(1, 20), back=90_000_000, facts=CLEAN)
"""A market at exactly the default limits: 5,000 USDC, a fee of 5 % and a loss of 10 %."""


def terms(**others: Any) -> OrderTerms:
    given = GivenTerms(
        token_in="USDC", token_out="SOL", amount_in="100", limit_price="95", min_liquidity="5000", **others
    )
    return understood(given, TOKENS, "0.5")


def code(seen: ObservedMarket, **others: Any) -> ErrorCode | None:
    error = objection(guards(terms(**others), seen))
    return None if error is None else error.code


def test_guards_are_met_exactly_at_their_limits() -> None:
    assert code(FINE) is None
    assert [guard.name for guard in guards(terms(), FINE)] == ["mint", "liquidity", "pool fee", "round trip"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"liquidity": 4_999_999_999}, ErrorCode.POOL_SHALLOW),
        ({"pool_fee": Fraction(1, 20) + Fraction(1, 10**12)}, ErrorCode.POOL_FEE),
        ({"back": 89_999_999}, ErrorCode.ROUTE_ROUND_TRIP),
        ({"back": None, "no_way_back": "it cannot be sold again: no pool"}, ErrorCode.ROUTE_ROUND_TRIP),
        ({"facts": replace(CLEAN, traits=frozenset({Trait.MINT_AUTHORITY}))}, ErrorCode.ROUTE_TOKEN_POWERS),
        ({"facts": replace(CLEAN, traits=frozenset({Trait.PAUSABLE}))}, ErrorCode.ROUTE_TOKEN_POWERS),
    ],
)
def test_each_guard_refuses_with_its_own_code(change: dict[str, Any], expected: ErrorCode) -> None:
    assert code(replace(FINE, **change)) is expected


def test_a_round_trip_with_a_gain_has_no_loss() -> None:
    (trip,) = (guard for guard in guards(terms(), replace(FINE, back=100_000_001)) if guard.name == "round trip")
    assert (trip.is_met, trip.found) == (True, "0 %: 100.000001 USDC come back")


def test_a_loss_is_rounded_up() -> None:
    (trip,) = (guard for guard in guards(terms(), replace(FINE, back=99_999_999)) if guard.name == "round trip")
    assert trip.found == "0.0001 %: 99.999999 USDC come back"


def test_allowed_authorities_are_reported_and_do_not_block() -> None:
    risky = replace(CLEAN, traits=frozenset({Trait.MINT_AUTHORITY, Trait.FREEZE_AUTHORITY}))
    both = of_mint(terms(allow="freeze_authority, mint_authority"), risky)
    assert (both.is_met, both.found) == (True, "freeze_authority, mint_authority")
    assert both.wanted == "nobody has power over it but freeze_authority, mint_authority"
    one = of_mint(terms(allow="mint_authority"), risky)
    assert not one.is_met
    assert one.found == "freeze_authority: somebody can freeze what you hold, and then it cannot be sold"
    assert of_mint(terms(), CLEAN).found == "no powers over it"


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        (Fraction(1, 5), None),
        (Fraction(1, 5) + Fraction(1, 10**9), ErrorCode.ROUTE_HOLDER),
        (None, ErrorCode.ROUTE_HOLDER_UNKNOWN),
    ],
)
def test_the_largest_holder_counts_only_if_limited(holder: Fraction | None, expected: ErrorCode | None) -> None:
    assert code(replace(FINE, holder=holder), max_holder="20") is expected
    assert code(replace(FINE, holder=holder)) is None


def test_an_objection_names_the_wanted_and_the_found_value() -> None:
    error = objection(guards(terms(), replace(FINE, liquidity=1_000_000)))
    assert error is not None
    assert error.detail == "liquidity: wanted is at least 5000 USDC; found is 1 USDC"
