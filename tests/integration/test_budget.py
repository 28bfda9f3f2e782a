"""The engine's work per order stays within its budget: statements, round trips, requests, hand-overs and bytes."""

import subprocess
import sys

import pytest

from benchmarks.budget import budget, excesses


def test_an_order_stays_within_its_budget() -> None:
    """Runs in its own process, because it counts calls of shared classes."""
    counted = subprocess.run(
        [sys.executable, "-m", "benchmarks.budget"], capture_output=True, text=True, timeout=120, check=False
    )
    assert counted.returncode == 0, counted.stderr


@pytest.mark.parametrize("size", [*budget()])
def test_each_count_that_grows_by_more_than_a_tenth_is_reported(size: str) -> None:
    assert excesses(budget(), budget()) == []
    for name, allowed in budget()[size].items():
        assert excesses({size: {name: allowed * 1.09}}, budget()) == []
        (above,) = excesses({size: {name: max(allowed * 1.11, 0.01)}}, budget())
        assert above.startswith(f"{name}, {size}: ")


def test_a_count_without_a_budget_is_reported() -> None:
    assert excesses({"batch of 1": {"letters": 1}}, budget()) == ["letters, batch of 1: 1 per order, the budget is 0"]
