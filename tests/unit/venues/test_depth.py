"""Depth is what a pool holds of both tokens: a large one-sided deposit gains nothing."""

from hypothesis import given
from hypothesis import strategies as st

from orderd.venues.depth import by_depth

AMOUNTS = st.integers(0, 2**64 - 1)
HELD = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=4), st.tuples(AMOUNTS, AMOUNTS))


def test_the_pool_with_most_of_both_tokens_is_first() -> None:
    assert by_depth({"a": (10, 1_000), "b": (30, 3_000), "c": (20, 2_000)}) == ["b", "c", "a"]


def test_a_one_sided_deposit_does_not_change_the_order() -> None:
    honest = {"a": (10, 1_000), "b": (30, 3_000)}
    assert by_depth(honest | {"bait": (10**15, 0)}) == ["b", "a", "bait"]
    assert by_depth(honest | {"bait": (0, 10**15)}) == ["b", "a", "bait"]


def test_one_sided_pools_are_ordered_by_their_side_and_kept() -> None:
    assert by_depth({"a": (10, 0), "b": (20, 0), "c": (0, 0)}) == ["b", "a", "c"]


def test_equal_pools_have_a_stable_order() -> None:
    assert by_depth({"b": (1, 1), "a": (1, 1)}) == ["a", "b"]
    assert by_depth({}) == []


@given(HELD, st.integers(1, 2**64 - 1))
def test_a_one_sided_pool_never_overtakes_a_two_sided_one(held: dict[str, tuple[int, int]], bait: int) -> None:
    ranked = by_depth(held | {"bait": (bait, 0)})
    both = [pool for pool in by_depth(held) if min(held[pool]) > 0]
    assert ranked[: len(both)] == both or set(ranked[: len(both)]) == set(both)
    assert set(ranked) == {*held, "bait"}
