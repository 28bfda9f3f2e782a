"""Cached facts about mints from the chain, and the operator's symbols."""

from typing import Any

UP = """
CREATE TABLE mints (
    mint             text PRIMARY KEY,
    decimals         smallint NOT NULL CHECK (decimals BETWEEN 0 AND 255),
    program          text NOT NULL,             -- its token program
    traits           text[] NOT NULL,           -- as orderd.domain.mint names them
    name             text NOT NULL,             -- its name in its metadata
    transfer_fee_bps integer NOT NULL,
    read_at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX mints_read_at ON mints (read_at);

CREATE TABLE token_names (
    symbol    text NOT NULL,
    mint      text NOT NULL,
    pinned    boolean NOT NULL,                 -- whether the symbol means this mint, of all mints that have it
    named_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX token_names_each_once ON token_names (upper(symbol), mint);
CREATE UNIQUE INDEX token_names_pinned ON token_names (upper(symbol)) WHERE pinned;
"""

DOWN = """
DROP TABLE token_names;
DROP TABLE mints;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
