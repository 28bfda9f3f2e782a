"""A part of ``make conformance``, if the binaries are available (``ORDERD_CONFORMANCE_PROGRAMS``)."""

import os
from pathlib import Path

import pytest

from tests.conformance.runs import rows

DIRECTORY = os.environ.get("ORDERD_CONFORMANCE_PROGRAMS")


@pytest.mark.skipif(not DIRECTORY, reason="ORDERD_CONFORMANCE_PROGRAMS is not a directory with program binaries")
def test_handlers_and_binaries_have_equal_results() -> None:
    for row in rows(Path(DIRECTORY or ""), 100, 50):
        assert row.landed > 0
        assert row.differences == []
