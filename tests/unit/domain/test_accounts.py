"""Valid names of accounts, which appear in tables and on command lines."""

import pytest

from orderd.domain.accounts import DEFAULT, MAX_NAME, checked_name
from orderd.domain.errors import ErrorCode, OrderdError


@pytest.mark.parametrize("name", [DEFAULT, "desk two", "börse", "x" * MAX_NAME])
def test_a_name_is_printable(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", " ", " desk", "desk\n", "de\x1b[2Jsk", "x" * (MAX_NAME + 1)])
def test_an_empty_long_or_unprintable_name_is_refused(name: str) -> None:
    with pytest.raises(OrderdError, match="cannot be an account's name") as refused:
        checked_name(name)
    assert refused.value.code is ErrorCode.REQUEST_INVALID
