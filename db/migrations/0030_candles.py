"""Prices of pairs as candles of a minute and of an hour."""

from typing import Any

UP = """
CREATE TABLE candles (
    base     text NOT NULL,                 -- mints
    quote    text NOT NULL,
    seconds  integer NOT NULL CHECK (seconds IN (60, 3600)),
    at       timestamptz NOT NULL,          -- beginning of the candle
    open     numeric NOT NULL CHECK (open > 0),     -- price in quote per base, in whole tokens
    high     numeric NOT NULL CHECK (high >= open AND high >= close),
    low      numeric NOT NULL CHECK (low > 0 AND low <= open AND low <= close),
    close    numeric NOT NULL CHECK (close > 0),
    PRIMARY KEY (base, quote, seconds, at)
);
CREATE INDEX candles_old ON candles (seconds, at);
"""

DOWN = "DROP TABLE candles"


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
