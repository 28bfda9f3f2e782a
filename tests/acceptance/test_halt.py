"""The kill switch during a burst of orders: after its commit nothing is signed, and no order is lost."""

import signal
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from uuid import UUID

import psycopg2
import pytest

from orderd.client.errors import RefusedError
from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderStatus
from orderd.process.temporary import running_daemon
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK

BURST = 500
TRADERS = 10
PATIENCE_SECONDS = 120


def test_nothing_is_signed_during_a_halt_and_every_order_is_executed_once_after_it(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    """The daemon is killed and restarted during the halt, which must not end it."""
    url = given_database["ORDERD_DATABASE_URL"]
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as database:

            def ask(question: str) -> int:
                database.execute(question)
                (answer,) = database.fetchone() or (0,)
                return int(answer)

            with running_daemon(tmp_path, QUICK | given_database) as daemon, trading(daemon.url) as trader:
                ledger = Ledger(tmp_path)
                before = ledger.balances()
                acknowledged, submitting = burst(daemon.url)
                while not ask("SELECT count(*) FROM attempts"):
                    pass
                trader.halt("a test")
                for each in submitting:
                    each.result(PATIENCE_SECONDS)
                signed = ask("SELECT count(*) FROM attempts")
                with pytest.raises(RefusedError) as refused:
                    trader.submit(order("SOL", "USDC", "0.01"))
                assert refused.value.problem.code is ErrorCode.SERVICE_HALTED
                while ask("SELECT count(*) FROM orders WHERE status IN ('routing', 'building', 'submitted')"):
                    pass
                daemon.process.send_signal(signal.SIGKILL)
                daemon.process.wait(60)

            with running_daemon(tmp_path, QUICK | given_database) as daemon, trading(daemon.url) as trader:
                assert ask("SELECT count(*) FROM attempts WHERE signed_at > (SELECT at FROM halts)") == 0
                assert ask("SELECT count(*) FROM attempts") == signed
                waiting = ask("SELECT count(*) FROM orders WHERE status = 'pending'")
                assert waiting > 0, "all orders were signed before the halt"
                assert trader.lift() == 1
                trader.acknowledged.update(acknowledged)
                stories = trader.follow_all_to_end(seconds=PATIENCE_SECONDS)
                audit(trader, stories, ledger, before)
    assert {story.order.status for story in stories} == {OrderStatus.CONFIRMED}


def burst(url: str) -> tuple[dict[str, UUID], list["Future[None]"]]:
    """Submit many orders over several connections at once; returns the acknowledged ones and the running threads."""
    acknowledged: dict[str, UUID] = {}

    def submit() -> None:
        with trading(url) as trader:
            for _ in range(BURST // TRADERS):
                with suppress(RefusedError):
                    trader.submit(order("SOL", "USDC", "0.01"))
            acknowledged.update(trader.acknowledged)

    pool = ThreadPoolExecutor(TRADERS)
    submitting = [pool.submit(submit) for _ in range(TRADERS)]
    pool.shutdown(wait=False)
    return acknowledged, submitting
