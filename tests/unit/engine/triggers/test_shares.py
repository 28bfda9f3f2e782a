"""Each pair has one of those that watch, and changes hands only with him."""

from collections import Counter
from collections.abc import Mapping

from orderd.engine.routing.quote_collection import Pair
from orderd.engine.triggers.shares import Shares

PAIRS = [("SOL", f"token {number}") for number in range(1_000)]
THREE = frozenset({"worker-a", "worker-b", "worker-c"})


def owners(watchers: frozenset[str]) -> Mapping[Pair, str]:
    """As all of them come to it by themselves; nobody claims a pair that another one claims."""
    shares = {name: Shares(name, lambda: watchers) for name in watchers}
    claims = [(pair, name) for pair in PAIRS for name, own in shares.items() if own.is_mine(pair)]
    assert len(claims) == len(dict(claims))
    return dict(claims)


def test_each_pair_is_one_watchers_and_each_has_about_as_many() -> None:
    found = owners(THREE)
    assert found.keys() == {*PAIRS}
    assert all(250 < pairs < 420 for pairs in Counter(found.values()).values())


def test_only_the_pairs_of_who_goes_change_hands() -> None:
    before, after = owners(THREE), owners(THREE - {"worker-b"})
    assert {pair for pair in PAIRS if before[pair] != after[pair]} == {
        pair for pair in PAIRS if before[pair] == "worker-b"
    }


def test_both_directions_of_a_pair_are_two_pairs() -> None:
    shares = Shares("worker-a", lambda: THREE)
    assert any(shares.is_mine(pair) != shares.is_mine(pair[::-1]) for pair in PAIRS)


def test_who_does_not_watch_himself_has_none() -> None:
    for watchers in (frozenset[str](), THREE):
        assert not any(map(Shares("worker-d", lambda watchers=watchers: watchers).is_mine, PAIRS))  # type: ignore[misc]


def test_whoever_watches_now_decides() -> None:
    now = [THREE]
    shares = Shares("worker-a", lambda: now[0])
    assert not all(map(shares.is_mine, PAIRS))
    now[0] = frozenset({"worker-a"})
    assert all(map(shares.is_mine, PAIRS))
    now[0] = THREE
    assert not all(map(shares.is_mine, PAIRS))
