"""Each pair has one watching process, and changes its process only when that one leaves or joins."""

from collections import Counter
from collections.abc import Mapping

from orderd.engine.routing.quote_collection import Pair
from orderd.engine.triggers.shares import Shares

PAIRS = [("SOL", f"token {number}") for number in range(1_000)]
THREE = frozenset({"worker-a", "worker-b", "worker-c"})


def owners(watchers: frozenset[str]) -> Mapping[Pair, str]:
    """The owner of each pair, computed by each process independently; no pair has two owners."""
    shares = {name: Shares(name, lambda: watchers) for name in watchers}
    claims = [(pair, name) for pair in PAIRS for name, own in shares.items() if own.is_mine(pair)]
    assert len(claims) == len(dict(claims))
    return dict(claims)


def test_each_pair_has_one_owner_and_shares_are_balanced() -> None:
    found = owners(THREE)
    assert found.keys() == {*PAIRS}
    assert all(250 < pairs < 420 for pairs in Counter(found.values()).values())


def test_only_pairs_of_a_leaving_process_change_their_owner() -> None:
    before, after = owners(THREE), owners(THREE - {"worker-b"})
    assert {pair for pair in PAIRS if before[pair] != after[pair]} == {
        pair for pair in PAIRS if before[pair] == "worker-b"
    }


def test_both_directions_of_a_pair_are_two_pairs() -> None:
    shares = Shares("worker-a", lambda: THREE)
    assert any(shares.is_mine(pair) != shares.is_mine(pair[::-1]) for pair in PAIRS)


def test_a_process_that_does_not_watch_owns_no_pair() -> None:
    for watchers in (frozenset[str](), THREE):
        assert not any(map(Shares("worker-d", lambda watchers=watchers: watchers).is_mine, PAIRS))  # type: ignore[misc]


def test_the_current_watchers_decide_the_owners() -> None:
    now = [THREE]
    shares = Shares("worker-a", lambda: now[0])
    assert not all(map(shares.is_mine, PAIRS))
    now[0] = frozenset({"worker-a"})
    assert all(map(shares.is_mine, PAIRS))
    now[0] = THREE
    assert not all(map(shares.is_mine, PAIRS))
