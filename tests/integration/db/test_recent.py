"""Recent activity is summarised by steps, venues and codes, for one account or all."""

from uuid import uuid4

import pytest

from db import journal
from db.connection import database
from db.journal import AttemptEnd, Change, FailureRecord
from db.models import DEFAULT_ACCOUNT
from db.recent import FillFigures, Recent, recent
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Failed
from tests.integration.orders import FILL, built, claimed, pending, sign
from tests.samples.orders import FILL as CONFIRMED

pytestmark = pytest.mark.usefixtures("connection")


def fill(signature: str, filled_out: int) -> None:
    landed = sign(built(), signature).order
    end = AttemptEnd("landed", 9, sends=1)
    columns = FILL | {"filled_out": filled_out}
    journal.apply([Change(landed.id, CONFIRMED, landed.version, columns, attempt_end=end)])


@pytest.fixture
def trades(connection: None) -> None:
    """Three fills, one of them an hour old, a failed attempt, and a waiting order."""
    for signature, filled_out in (("old", 152_104_000), ("good", 152_104_000 + 15_210), ("bad", 152_104_000 - 15_210)):
        fill(signature, filled_out)
    database.execute_sql("UPDATE fills SET at = at - interval '1 hour' WHERE signature = 'old'")
    order = claimed()
    code = ErrorCode.ROUTE_NOT_FOUND
    failed = Failed(attempt=1, code=code, detail="no pool")
    columns = {"error_code": str(code), "error_detail": "no pool"}
    journal.apply([Change(order.id, failed, order.version, columns, failure=FailureRecord(1, code, "no pool"))])
    pending()


@pytest.mark.usefixtures("trades")
def test_fills_failures_and_acceptances_are_counted_by_step() -> None:
    found = recent(900, 15)
    assert sum(found.accepted.values()) == 5
    assert sum(found.failed.values()) == 1
    assert found.by_code == {"ROUTE_NOT_FOUND": 1}
    assert found.all_fills.fills == sum(each.fills for each in found.filled.values()) == 2
    assert max([*found.accepted, *found.failed, *found.filled]) < 4, "an event is not within the last minute"


@pytest.mark.usefixtures("trades")
def test_fills_are_compared_with_their_quotes() -> None:
    (figures,) = recent(900, 900).by_venue.values()
    assert figures.bps is not None
    worst, median, best = figures.bps
    assert (worst, median, best) == pytest.approx((-0.8, 0.0, 0.8), abs=0.001), "quantiles between -1 and 1 bp"
    assert figures.seconds is not None
    assert 0 <= figures.seconds[0] <= figures.seconds[1]


@pytest.mark.usefixtures("trades")
def test_an_account_sees_only_its_own_activity() -> None:
    assert recent(900, 15, DEFAULT_ACCOUNT) == recent(900, 15)
    assert recent(900, 15, uuid4()) == Recent(all_fills=FillFigures(0, None, None))


@pytest.mark.usefixtures("trades")
def test_a_rolled_back_fill_does_not_count() -> None:
    database.execute_sql("UPDATE fills SET rolled_back_at = clock_timestamp() WHERE signature = 'good'")
    assert recent(900, 15).all_fills.fills == 1


def test_no_activity_gives_no_figures() -> None:
    assert recent(900, 15) == Recent(all_fills=FillFigures(0, None, None))
