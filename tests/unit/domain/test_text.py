from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderd.domain.text import NoTextError, text_of


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_sets_the_encoding(encoding: str) -> None:
    assert text_of("über 1 €\n".encode(encoding)) == "über 1 €\n"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("a\nü".encode("latin-1"), "it is not in UTF-8 (byte 0xfc in line 2); save it as UTF-8"),
        ("text".encode("utf-16-le"), "it holds NUL characters"),
        (b"\xff\xfea", "it says that it is in UTF-16-LE, and is not"),
    ],
)
def test_invalid_text_is_refused_with_a_remedy(data: bytes, why: str) -> None:
    with pytest.raises(NoTextError) as refused:
        text_of(data)
    assert why in str(refused.value)


@given(st.binary())
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with suppress(NoTextError):
        assert "\0" not in text_of(data)
