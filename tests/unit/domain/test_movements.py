"""A fill and the movements of a transaction add up to its balance changes."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.movements import Effect, Known, Movement, MovementKind, movements_of
from orderd.domain.tokens import USDC_MINT, WSOL_MINT

OTHER = "OtherMint"
_DELTAS = st.dictionaries(st.sampled_from([WSOL_MINT, USDC_MINT, OTHER]), st.integers(-(10**12), 10**12))


@given(_DELTAS, st.none() | _DELTAS, st.integers(0, 10**7), st.integers(0, 10**7), st.booleans())
def test_fill_and_movements_add_up_to_the_balance_changes(
    deltas: dict[str, int], known: dict[str, int] | None, fee: int, rent: int, is_own: bool
) -> None:
    kept = movements_of(Effect(deltas, fee, rent), None if known is None else Known(known), is_own=is_own)
    sums = Counter(known or {})
    for each in kept:
        sums[each.mint] += each.amount
    assert {mint: amount for mint, amount in sums.items() if amount} == {
        mint: amount for mint, amount in deltas.items() if amount
    }
    assert len({(each.mint, each.kind) for each in kept}) == len(kept)
    assert all(each.amount for each in kept)


@pytest.mark.parametrize(
    ("deltas", "fee", "rent", "kinds"),
    [
        ({WSOL_MINT: 10**9}, 0, 0, {WSOL_MINT: {MovementKind.DEPOSIT: 10**9}}),
        (
            {WSOL_MINT: -5_000, USDC_MINT: -7},
            5_000,
            0,
            {WSOL_MINT: {MovementKind.FEE: -5_000}, USDC_MINT: {MovementKind.WITHDRAWAL: -7}},
        ),
        (
            {WSOL_MINT: -2_044_280, USDC_MINT: -7, OTHER: 9},
            5_000,
            2_039_280,
            {
                WSOL_MINT: {MovementKind.FEE: -5_000, MovementKind.RENT: -2_039_280},
                USDC_MINT: {MovementKind.TRADE: -7},
                OTHER: {MovementKind.TRADE: 9},
            },
        ),
        (
            {WSOL_MINT: -105_000, USDC_MINT: 9},
            5_000,
            0,
            {WSOL_MINT: {MovementKind.FEE: -5_000, MovementKind.TRADE: -100_000}, USDC_MINT: {MovementKind.TRADE: 9}},
        ),
        (
            {USDC_MINT: -7, OTHER: -9},
            0,
            0,
            {USDC_MINT: {MovementKind.WITHDRAWAL: -7}, OTHER: {MovementKind.WITHDRAWAL: -9}},
        ),
        ({}, 0, 0, {}),
    ],
    ids=["deposit", "withdrawal", "external swap", "external sale of SOL", "pool deposit", "nothing"],
)
def test_external_transactions_are_classified(
    deltas: dict[str, int], fee: int, rent: int, kinds: dict[str, dict[MovementKind, int]]
) -> None:
    found: dict[str, dict[MovementKind, int]] = {}
    for each in movements_of(Effect(deltas, fee, rent), None, is_own=False):
        found.setdefault(each.mint, {})[each.kind] = each.amount
    assert found == kinds


def test_a_failed_own_transaction_costs_its_fee() -> None:
    failed = Effect({WSOL_MINT: -6_000}, 5_000, 0)
    assert movements_of(failed, None, is_own=True) == [Movement(WSOL_MINT, -6_000, MovementKind.FEE)]


def test_a_surplus_besides_a_fill_is_a_movement_and_a_tip_is_a_fee() -> None:
    known = Known({WSOL_MINT: -1_005_000, USDC_MINT: 100})
    assert movements_of(Effect({WSOL_MINT: -1_005_000, USDC_MINT: 100}, 5_000, 0), known, is_own=True) == []
    more = Effect({WSOL_MINT: -1_015_000, USDC_MINT: 100, OTHER: 3}, 5_000, 0)
    assert movements_of(more, known, is_own=True) == [
        Movement(OTHER, 3, MovementKind.LEFT_OVER),
        Movement(WSOL_MINT, -10_000, MovementKind.FEE),
    ]
