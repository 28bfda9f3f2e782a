"""Status figures are counted from the orders themselves."""

from datetime import UTC, datetime

import pytest
import redis

from db import balances, counts, finality, journal
from db.balances import SellableBalance
from db.connection import database
from db.journal import AttemptEnd, Change
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import Cancelled, Deferred, Failed
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.domain.well_known import registry_of
from orderd.engine.endpoint_views import endpoint_view
from orderd.engine.status_report import LiveWorker, StatusQueries
from orderd.solana.endpoint_figures import EndpointTally, figures_of
from orderd.solana.rpc import RpcClient
from orderd.wire.status import QueueMetrics
from tests.integration.orders import FILL, built, claimed, pending, sign
from tests.samples.orders import FILL as CONFIRMED


def questions(away: bool = False) -> StatusQueries:
    def use() -> tuple[int, int]:
        if away:
            raise redis.ConnectionError("gone")
        return 3, 2

    nobody = redis.Redis(port=9)
    rpc = RpcClient("http://127.0.0.1:9")
    return StatusQueries(
        rpc,
        nobody,
        rate_limit_use=use,
        queue_depth=lambda: 4,
        workers=lambda: [LiveWorker()],
        tokens=registry_of("simnet"),
    )


@pytest.fixture
def orders_of_all_kinds(connected: str) -> None:
    with database.connection_context():
        pending()
        for delay_ms in (60_000, 0):
            waits = Deferred(until=datetime.now(UTC), reason="slot")
            journal.apply([Change(pending(), waits, None, to=OrderStatus.PENDING, delay_ms=delay_ms)])
        claimed()
        built()
        sign(built(), "live")
        landed = sign(built(), "landed").order
        end = AttemptEnd("landed", 9, sends=1)
        journal.apply([Change(landed.id, CONFIRMED, landed.version, FILL, attempt_end=end)])
        for _ in range(2):
            refused = claimed()
            failed = Failed(attempt=1, code=ErrorCode.ROUTE_NOT_FOUND, detail="no pool")
            journal.apply([Change(refused.id, failed, refused.version, {"error_code": failed.code})])
        journal.apply([Change(pending(), Cancelled(), None)])


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_orders_are_counted_by_their_current_activity() -> None:
    with database.connection_context():
        assert questions().queue() == QueueMetrics(
            waiting=2, active=3, delayed=1, confirmed=1, failed=2, rate_limit=None
        )


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_orders_are_counted_by_status() -> None:
    with database.connection_context():
        counts = questions().counts()
    assert (counts.by_status[OrderStatus.PENDING], counts.by_status[OrderStatus.CANCELLED], counts.unknown) == (3, 1, 0)


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_counts_stay_exact_after_compaction_and_after_a_rollback() -> None:
    with database.connection_context():
        before = questions().queue()
        counts.add_up()
        assert database.execute_sql("SELECT count(*) FROM ended_orders").fetchone() == (3,), "one row per ended order"
        assert questions().queue() == before
        database.execute_sql("UPDATE attempts SET awaits_finality = true WHERE outcome = 'landed'")
        finality.roll_back(finality.awaiting(10))
        assert (questions().queue().confirmed, questions().queue().active) == (0, before.active + 1)
        assert questions().counts().by_status[OrderStatus.SUBMITTED] == 2
        counts.add_up()
        assert OrderStatus.CONFIRMED not in questions().counts().by_status


@pytest.mark.usefixtures("orders_of_all_kinds")
def test_open_orders_are_counted_by_kind_with_the_age_of_the_oldest() -> None:
    with database.connection_context():
        oldest = pending()
        database.execute_sql(
            "UPDATE orders SET created_at = clock_timestamp() - interval '1 hour' WHERE id = %s", (str(oldest),)
        )
        kinds = questions().open_orders()
    assert {kind: each.orders for kind, each in kinds.items()} == {OrderKind.MARKET: 7}
    assert 3_600 <= kinds[OrderKind.MARKET].oldest_seconds < 3_700


@pytest.mark.usefixtures("connected")
def test_only_recently_read_balances_are_reported_by_symbol() -> None:
    with database.connection_context():
        assert questions().balances() == {}
        seen = [(WSOL_MINT, False, 1_500_000_000), (WSOL_MINT, True, 5), (USDC_MINT, False, 2_250_000)]
        balances.store([SellableBalance(mint, wrapped, amount, True) for mint, wrapped, amount in seen], 100)
        assert questions().balances() == {"SOL": 1.5, "wSOL": 0.000000005, "USDC": 2.25}
        database.execute_sql("UPDATE balances SET seen_at = clock_timestamp() - interval '2 minutes'")
        assert questions().balances() == {}


@pytest.mark.usefixtures("connected")
def test_the_reported_size_of_the_database_includes_its_tables() -> None:
    with database.connection_context():
        stored = questions().stored()
    assert stored.database_bytes is not None
    assert stored.database_bytes > sum(stored.table_bytes.values()) > 0


@pytest.mark.usefixtures("connected")
def test_a_read_only_database_accepts_no_orders() -> None:
    with database.connection_context():
        assert questions().takes_orders() == ""
        database.execute_sql("SET default_transaction_read_only = on")
        assert "read-only" in questions().takes_orders()
        database.execute_sql("RESET default_transaction_read_only")


def test_an_unavailable_redis_is_an_error_and_not_a_zero() -> None:
    with pytest.raises(redis.RedisError):
        questions(away=True).line()


def test_a_redis_without_the_config_command_is_counted(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.acl_setuser("guest", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-config"])
        try:
            guest = redis.Redis.from_url(redis_url, username="guest", password="any")
            line = StatusQueries(
                RpcClient("http://127.0.0.1:9"),
                guest,
                rate_limit_use=lambda: (3, 2),
                queue_depth=lambda: 4,
                workers=lambda: [LiveWorker()],
            ).line()
            guest.close()
        finally:
            client.acl_deluser("guest")
    assert (line.used, line.waiting, line.depth, line.workers) == (3, 2, 4, 1)


def test_endpoint_figures_are_summed_over_all_processes(redis_url: str) -> None:
    figures_of("node-of-a-test").answered(0.010)
    worker = LiveWorker(
        endpoints=(EndpointTally("node-of-a-test", {10: 4}, {"rate_limited": 1}, slot=812, slot_lag=2),)
    )
    with redis.Redis.from_url(redis_url) as client:
        line = StatusQueries(
            RpcClient("http://127.0.0.1:9"),
            client,
            rate_limit_use=lambda: (0, 0),
            queue_depth=lambda: 0,
            workers=lambda: [worker, worker],
        ).line()
    (told,) = (endpoint_view(each) for each in line.endpoints if each.host == "node-of-a-test")
    assert (told.processes, told.requests, told.rate_limited, told.slot, told.slot_lag) == (3, 9, 2, 812, 2)


def test_an_unavailable_chain_is_reported_as_an_error() -> None:
    with pytest.raises(OrderdError) as error:
        questions().tip()
    assert error.value.code is ErrorCode.RPC_UNAVAILABLE
