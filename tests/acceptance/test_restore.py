"""A restore drill: the newest part of the database is lost, and clients resubmit all their orders."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderStatus
from orderd.process.temporary import running_daemon
from orderd.wire.submissions import SubmitParams
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Trader, order, trading
from tests.conftest import QUICK

ORDERD = Path(sys.executable).parent / "orderd"
EARLIER, LATER = 20, 60
PATIENCE_SECONDS = 120
LOSSY = QUICK | {"ORDERD_SIMNET_FAULTS": '{"dropped_sends": 0.3}', "ORDERD_RESEND_INTERVAL_MS": "60000"}
"""Some transactions that are signed before the daemon dies are never delivered, and nobody sends them again."""


def orderd(*arguments: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}
    done = subprocess.run(
        [ORDERD, *arguments], env=clean | environment, check=True, capture_output=True, text=True, timeout=120
    )
    return done.stdout.strip()


def orders(count: int) -> list[SubmitParams]:
    return [order("SOL", "USDC", "0.01") for _ in range(count)]


def test_no_order_is_traded_twice_when_clients_resubmit_after_a_restore(
    tmp_path: Path, given_database: dict[str, str], empty_postgres_url: str
) -> None:
    lost_url = given_database["ORDERD_DATABASE_URL"]
    restored = given_database | {"ORDERD_DATABASE_URL": empty_postgres_url}
    earlier, later = orders(EARLIER), orders(LATER)
    with running_daemon(tmp_path, LOSSY | given_database) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(tmp_path)
        trader.submit_all(earlier)
        backup = orderd("backup", str(tmp_path / "backups"), ORDERD_DATABASE_URL=lost_url)
        trader.submit_all(later)
        while not some_are_traded_and_some_in_flight(lost_url):
            pass
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait(60)

    traded_before = {landed.order_id for landed in ledger.transactions() if landed.succeeded}
    assert len(traded_before) > EARLIER // 2, "too few orders were traded before the restore"
    orderd("restore", backup, "--old-daemon-is-stopped", ORDERD_DATABASE_URL=empty_postgres_url)

    with running_daemon(tmp_path, QUICK | restored) as daemon, trading(daemon.url) as trader:
        with pytest.raises(RefusedError) as refused:
            trader.submit(later[0])
        assert refused.value.problem.code is ErrorCode.SERVICE_HALTED
        while trader.halts() != ["operator"]:
            pass
        trader.lift()
        refusals = resubmit_all(trader, [*earlier, *later])
        assert set(refusals) <= {ErrorCode.ORDER_TRADED}
        assert refusals, "no lost order had been traded"
        stories = trader.follow_all_to_end(seconds=PATIENCE_SECONDS)
        assert {story.order.status for story in stories} == {OrderStatus.CONFIRMED}

    trades = [landed for landed in ledger.transactions() if landed.succeeded]
    assert max(Counter(landed.order_id for landed in trades).values()) == 1
    assert max(Counter(landed.tag for landed in trades).values()) == 1, "an order was traded twice"
    assert len(trades) == EARLIER + LATER, "an order was not traded"
    assert len(refusals) + len(stories) == EARLIER + LATER


def some_are_traded_and_some_in_flight(url: str) -> bool:
    """True if some orders submitted after the backup are traded and some are in flight."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE status = 'confirmed'), count(*) FILTER (WHERE status = 'submitted') "
            "FROM (SELECT status FROM orders ORDER BY id OFFSET %s) later",
            (EARLIER,),
        )
        traded, under_way = cursor.fetchone() or (0, 0)
        return bool(traded > LATER // 4 and under_way)


def resubmit_all(trader: Trader, repeated: Sequence[SubmitParams]) -> list[ErrorCode]:
    """Resubmit orders; returns the codes of the refused ones."""
    refusals = []
    for params in repeated:
        try:
            trader.submit(params)
        except RefusedError as error:
            refusals.append(error.problem.code)
    return refusals
