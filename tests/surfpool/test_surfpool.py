"""Where surfpool and the binaries are at hand (`SURFPOOL`, `PROGRAMS`), a part of what `make surfpool` does.

Nothing is installed for that: it is skipped where they are not there.
"""

import os
from pathlib import Path

import pytest

from tests.surfpool.chains import on_surfpool
from tests.surfpool.orders import trade
from tests.surfpool.validator import missing

ADDON, PROGRAMS = os.environ.get("SURFPOOL"), os.environ.get("PROGRAMS")
REASON = missing(ADDON, PROGRAMS)


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_orders_on_a_validator_that_nobody_here_wrote_are_paid_as_quoted(tmp_path: Path) -> None:
    with on_surfpool(tmp_path / "state", Path(PROGRAMS or ""), Path(ADDON or "")) as trader:
        row = trade("surfpool", trader, 12)
    assert row.differences == []
    assert row.confirmed == row.as_quoted == 12
