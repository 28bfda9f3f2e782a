"""Where the binaries are at hand (``ORDERD_CONFORMANCE_PROGRAMS``), a part of what ``make conformance`` does."""

import os
from pathlib import Path

import pytest

from tests.conformance.runs import rows

DIRECTORY = os.environ.get("ORDERD_CONFORMANCE_PROGRAMS")


@pytest.mark.skipif(not DIRECTORY, reason="ORDERD_CONFORMANCE_PROGRAMS names no directory of program binaries")
def test_handlers_and_binaries_answer_alike() -> None:
    for row in rows(Path(DIRECTORY or ""), 100, 50):
        assert row.landed > 0
        assert row.differences == []
