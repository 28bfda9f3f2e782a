from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.strict_json import RepeatedMemberError, read_json


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"a": 1, "\\u0061": 2}', "a"),
        ('{"b": [{"a": 1, "c": 2, "a": null}]}', "a"),
        ('{"": 1, "": 2}', ""),
    ],
)
def test_a_duplicate_member_is_reported_by_name(text: str, name: str) -> None:
    with pytest.raises(RepeatedMemberError) as refused:
        read_json(text)
    assert refused.value.name == name


@pytest.mark.parametrize("text", ['{"a": {"a": 1}, "b": {"a": 2}}', '[{"a": 1}, {"a": 2}]', '{"a": "\\"a\\": 1"}'])
def test_equal_names_in_different_objects_are_accepted(text: str) -> None:
    read_json(text)


@pytest.mark.untraced
@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_json_written_by_python_is_read_back(value: Any) -> None:
    import json

    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value
