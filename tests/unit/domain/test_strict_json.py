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
def test_a_member_that_is_given_twice_is_reported_by_its_name(text: str, name: str) -> None:
    with pytest.raises(RepeatedMemberError) as refused:
        read_json(text)
    assert refused.value.name == name


@pytest.mark.parametrize("text", ['{"a": {"a": 1}, "b": {"a": 2}}', '[{"a": 1}, {"a": 2}]', '{"a": "\\"a\\": 1"}'])
def test_the_same_name_in_several_objects_is_several_members(text: str) -> None:
    read_json(text)


@pytest.mark.untraced
@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_python_writes_is_read_as_it_was(value: Any) -> None:
    import json

    assert read_json(json.dumps(value)) == value
    assert read_json(json.dumps(value).encode()) == value
