"""The hash of the quoting code changes with the behaviour of the code, and only with it."""

import pytest

from orderd.domain.pool_kind import PoolKind
from orderd.venues.quoting_code import meaning, quoting_code

SOURCE = '''"""A module."""

def fee(amount: int) -> int:
    """Rounded up."""
    return amount + 1  # so that nobody gains by it
'''


def test_docstrings_and_comments_do_not_change_the_hash() -> None:
    other = SOURCE.replace("A module", "Fees").replace("Rounded up", "In base units").replace("  # so that", "\n    #")
    assert other != SOURCE
    assert meaning(other) == meaning(SOURCE)
    assert meaning('class Error(Exception):\n    """Why."""') == meaning('class Error(Exception):\n    "How."')


@pytest.mark.parametrize(
    ("old", "new"), [("+ 1", "+ 2"), ("amount + 1", "amount - 1"), ("def fee", "def tax"), ("-> int", "-> float")]
)
def test_code_changes_the_hash(old: str, new: str) -> None:
    assert meaning(SOURCE.replace(old, new)) != meaning(SOURCE)


def test_each_kind_has_its_own_hash() -> None:
    names = {quoting_code(kind) for kind in PoolKind}
    assert len(names) == len(PoolKind)
    assert {len(name) for name in names} == {64}
