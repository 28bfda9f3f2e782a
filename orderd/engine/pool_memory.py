"""Keeps the pools that were found on the chain in Postgres, because listing a program's accounts takes seconds."""

from collections.abc import Sequence

from db import pools_found
from db.connection import database
from orderd.best_effort import best_effort
from orderd.domain.pool_kind import PoolKind


class StoredPools:
    """Best effort: if Postgres does not answer, pools are looked up on the chain."""

    def recall(self, kind: PoolKind, pair: tuple[str, str]) -> Sequence[str]:
        found: list[str] = []
        with best_effort("pools_found"), database.connection_context():
            found += pools_found.recall(kind, *pair)
        return found

    def keep(self, kind: PoolKind, pair: tuple[str, str], pools: Sequence[str]) -> None:
        with best_effort("pools_found"), database.connection_context():
            pools_found.keep(kind, *pair, pools)
