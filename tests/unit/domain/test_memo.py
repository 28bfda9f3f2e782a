"""The memo of a transaction: short enough for every route, and read back as it was written."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from orderd.domain.memo import LENGTH, Memo, memos_in
from orderd.engine.routing.space import MAX_MEMO

ORDER = UUID("019aa5d4-3f40-7c31-8b0e-5a1c7d2e9f00")


@given(st.binary(min_size=8, max_size=8), st.binary(min_size=4, max_size=4), st.integers(1, 0xFFFF))
def test_a_memo_is_read_back_as_it_was_written(tag: bytes, installation: bytes, attempt: int) -> None:
    memo = Memo(uuid7(), attempt, tag, installation)
    assert len(memo.text) == LENGTH == len(MAX_MEMO)
    assert memo.text.isascii()
    assert [*memos_in(f"[{LENGTH}] {memo.text}")] == [memo]
    assert [*memos_in(f'Program log: Memo (len {LENGTH}): "{memo.text}"')] == [memo]


def test_a_memo_is_not_longer_than_before() -> None:
    """Routes over three pools fit with no byte to spare."""
    assert len(Memo(ORDER, 1, bytes(8), bytes(4)).text) <= len(f"{ORDER}:100")


def test_an_attempt_number_above_the_maximum_is_written_as_the_maximum() -> None:
    text = Memo(ORDER, 1_000_000, bytes(8), bytes(4)).text
    assert [memo.attempt for memo in memos_in(text)] == [0xFFFF]


def test_memos_of_earlier_versions_are_read() -> None:
    assert [*memos_in(f"[38] {ORDER}:7")] == [Memo(ORDER, 7)]
    assert [*memos_in(f'Program log: Memo (len 40): "{ORDER}:123"')] == [Memo(ORDER, 123)]


def test_several_memos_are_all_read() -> None:
    now, before = Memo(ORDER, 2, b"tag of 8", b"mine"), Memo(uuid7(), 3)
    assert {*memos_in(f"[2] gm; [40] {now.text}; [38] {before.order_id}:3")} == {now, before}


@pytest.mark.parametrize(
    "text",
    ["", "[2] gm", "(unparseable)", "vote 12", f"{uuid4()}:1", f"{ORDER}:", "A" * 40, "A" * 39, f"{'A' * 40}_"],
    ids=["empty", "short", "none", "vote", "other id", "no attempt", "no order", "too short", "too long"],
)
def test_memos_of_others_are_ignored(text: str) -> None:
    assert [*memos_in(text)] == []


def test_a_memo_within_a_longer_text_is_ignored() -> None:
    assert [*memos_in(f"x{Memo(ORDER, 1, bytes(8), bytes(4)).text}")] == []
