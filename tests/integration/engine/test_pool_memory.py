"""Which pools were found is known to the next process, and nothing depends on it."""

from db.connection import database
from orderd.domain.pool_kind import PoolKind
from orderd.engine.pool_memory import StoredPools

PAIR = ("A", "B")


def test_what_one_process_has_found_another_one_knows(connected: str) -> None:
    StoredPools().keep(PoolKind.METEORA_DLMM, PAIR, ["one", "two"])
    StoredPools().keep(PoolKind.METEORA_DLMM, PAIR, ["two"])
    assert StoredPools().recall(PoolKind.METEORA_DLMM, PAIR) == ["two"]
    assert StoredPools().recall(PoolKind.RAYDIUM_CPMM, PAIR) == []


def test_without_postgres_nothing_is_known_and_nothing_fails(connected: str) -> None:
    with database.connection_context():
        database.execute_sql("DROP TABLE pools_found")
    StoredPools().keep(PoolKind.METEORA_DLMM, PAIR, ["one"])
    assert StoredPools().recall(PoolKind.METEORA_DLMM, PAIR) == []
