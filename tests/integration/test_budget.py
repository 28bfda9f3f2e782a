"""What an order makes the engine do stays within its budget: statements, round trips, requests, hand-overs, bytes."""

import subprocess
import sys

import pytest

from benchmarks.budget import budget, excesses


def test_an_order_stays_within_its_budget() -> None:
    """In a process of its own, for it counts the calls of classes that others use too."""
    counted = subprocess.run(
        [sys.executable, "-m", "benchmarks.budget"], capture_output=True, text=True, timeout=120, check=False
    )
    assert counted.returncode == 0, counted.stderr


@pytest.mark.parametrize("size", [*budget()])
def test_each_count_that_grows_by_more_than_a_tenth_is_named(size: str) -> None:
    assert excesses(budget(), budget()) == []
    for name, allowed in budget()[size].items():
        assert excesses({size: {name: allowed * 1.09}}, budget()) == []
        (above,) = excesses({size: {name: allowed * 1.11}}, budget())
        assert above.startswith(f"{name}, {size}: ")


def test_what_has_no_budget_is_named() -> None:
    assert excesses({"1 together": {"letters": 1}}, budget()) == ["letters, 1 together: 1 an order, the budget is 0"]
