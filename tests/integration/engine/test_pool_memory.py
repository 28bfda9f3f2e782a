"""Pools that one process found are known to the next one; this is only an optimisation."""

from db.connection import database
from orderd.domain.pool_kind import PoolKind
from orderd.engine.pool_memory import StoredPools

PAIR = ("A", "B")


def test_pools_found_by_one_process_are_known_to_another(connected: str) -> None:
    StoredPools().keep(PoolKind.METEORA_DLMM, PAIR, ["one", "two"])
    StoredPools().keep(PoolKind.METEORA_DLMM, PAIR, ["two"])
    assert StoredPools().recall(PoolKind.METEORA_DLMM, PAIR) == ["two"]
    assert StoredPools().recall(PoolKind.RAYDIUM_CPMM, PAIR) == []


def test_no_pool_is_known_and_nothing_fails_without_the_table(connected: str) -> None:
    with database.connection_context():
        database.execute_sql("DROP TABLE pools_found")
    StoredPools().keep(PoolKind.METEORA_DLMM, PAIR, ["one"])
    assert StoredPools().recall(PoolKind.METEORA_DLMM, PAIR) == []
