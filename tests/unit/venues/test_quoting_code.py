"""The name of the code that quotes changes with what the code does, and with nothing else."""

import pytest

from orderd.domain.pool_kind import PoolKind
from orderd.venues.quoting_code import meaning, quoting_code

SOURCE = '''"""A module."""

def fee(amount: int) -> int:
    """Rounded up."""
    return amount + 1  # so that nobody gains by it
'''


def test_words_are_no_part_of_it() -> None:
    other = SOURCE.replace("A module", "Fees").replace("Rounded up", "In base units").replace("  # so that", "\n    #")
    assert other != SOURCE
    assert meaning(other) == meaning(SOURCE)
    assert meaning('class Error(Exception):\n    """Why."""') == meaning('class Error(Exception):\n    "How."')


@pytest.mark.parametrize(
    ("old", "new"), [("+ 1", "+ 2"), ("amount + 1", "amount - 1"), ("def fee", "def tax"), ("-> int", "-> float")]
)
def test_what_the_code_does_is(old: str, new: str) -> None:
    assert meaning(SOURCE.replace(old, new)) != meaning(SOURCE)


def test_each_kind_has_code_of_its_own() -> None:
    names = {quoting_code(kind) for kind in PoolKind}
    assert len(names) == len(PoolKind)
    assert {len(name) for name in names} == {64}
