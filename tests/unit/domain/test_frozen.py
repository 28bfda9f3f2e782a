"""Frozen dataclasses without the cost of a frozen constructor."""

from dataclasses import field, replace

from orderd.domain.frozen import dataclass


@dataclass(frozen=True, slots=True)
class _Amounts:
    paid: int
    received: int = 0
    note: str = field(default="", compare=False)


def test_values_with_the_same_fields_are_equal_and_hash_alike() -> None:
    assert _Amounts(1, 2, "one") == _Amounts(1, 2, "other")
    assert len({_Amounts(1, 2), _Amounts(1, 2), _Amounts(1, 3)}) == 2


def test_a_changed_copy_leaves_the_value_as_it_was() -> None:
    amounts = _Amounts(1)
    assert replace(amounts, received=5) == _Amounts(1, 5)
    assert amounts == _Amounts(1)


def test_mypy_refuses_an_assignment() -> None:
    amounts = _Amounts(1)
    amounts.paid = 2  # type: ignore[misc]  # strict mypy reports this comment if there is no error to ignore
    assert not hasattr(amounts, "__dict__")
