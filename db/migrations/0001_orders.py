"""Accounts and their tokens, orders, their attempts, events and failures."""

from typing import Any

UP = """
CREATE TYPE order_status AS ENUM (
    'pending',    -- waits for a worker, a rate-limit slot or the end of a backoff
    'routing',    -- a worker reads the pools and chooses a route
    'building',   -- the route is chosen; the transaction is built and signed
    'submitted',  -- signed bytes exist that may land
    'confirmed',  -- landed; terminal
    'failed',     -- ended without a fill; terminal
    'cancelled'   -- withdrawn before anything was signed; terminal
);

CREATE TYPE attempt_outcome AS ENUM (
    'live',     -- may still land
    'landed',   -- landed and succeeded
    'failed',   -- landed and failed: fees were paid, nothing was traded
    'expired'   -- proved that it can never land
);

CREATE TABLE accounts (
    id          uuid PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);

INSERT INTO accounts (id, name) VALUES ('00000000-0000-7000-8000-000000000001', 'default');

CREATE TABLE api_tokens (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES accounts,
    name          text NOT NULL CHECK (name <> ''),
    hash          bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes        text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'trade', 'admin'] AND scopes <> '{}'),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at    timestamptz,
    revoked_at    timestamptz,
    last_used_at  timestamptz
);
CREATE UNIQUE INDEX api_tokens_live_name ON api_tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE orders (
    id                 uuid PRIMARY KEY,
    account_id         uuid NOT NULL REFERENCES accounts,
    client_order_id    text NOT NULL CHECK (length(client_order_id) BETWEEN 1 AND 64),
    token_in           text NOT NULL,
    token_out          text NOT NULL,
    mint_in            text NOT NULL,
    mint_out           text NOT NULL,
    decimals_in        smallint NOT NULL CHECK (decimals_in BETWEEN 0 AND 18),
    decimals_out       smallint NOT NULL CHECK (decimals_out BETWEEN 0 AND 18),
    amount_in          numeric(20) NOT NULL CHECK (amount_in BETWEEN 1 AND 18446744073709551615),
    slippage_bps       integer NOT NULL CHECK (slippage_bps BETWEEN 0 AND 10000),

    status             order_status NOT NULL DEFAULT 'pending',
    seq                integer NOT NULL CHECK (seq >= 1),
    version            integer NOT NULL DEFAULT 0,
    starts             integer NOT NULL DEFAULT 0,
    failures           integer NOT NULL DEFAULT 0,
    due_at             timestamptz,
    lease_owner        text,
    lease_until        timestamptz,

    venue              text,
    pool               text,
    quoted_amount_out  numeric(20),
    min_amount_out     numeric(20),
    signature          text,
    filled_in          numeric(20),
    filled_out         numeric(20),
    network_fee        bigint,
    error_code         text,
    error_detail       text,
    created_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at         timestamptz NOT NULL DEFAULT clock_timestamp(),

    UNIQUE (account_id, client_order_id),
    CONSTRAINT two_tokens CHECK (mint_in <> mint_out),
    CONSTRAINT pending_is_due CHECK ((status = 'pending') = (due_at IS NOT NULL)),
    CONSTRAINT confirmed_has_a_fill CHECK (
        (status = 'confirmed') = (filled_out IS NOT NULL AND filled_in IS NOT NULL AND network_fee IS NOT NULL)
        AND (status <> 'confirmed' OR (filled_out >= 1 AND filled_out >= min_amount_out AND signature IS NOT NULL))
    ),
    CONSTRAINT failed_has_a_code CHECK (status <> 'failed' OR error_code IS NOT NULL),
    CONSTRAINT submitted_is_signed CHECK (status <> 'submitted' OR signature IS NOT NULL)
);
-- Dispatch searches for due orders, and for orders whose worker may be dead. No index contains lease_until, so that
-- its renewal changes no index entry.
CREATE INDEX orders_due ON orders (due_at) WHERE status = 'pending';
CREATE INDEX orders_held ON orders (lease_owner) WHERE status IN ('routing', 'building', 'submitted');
CREATE INDEX orders_newest ON orders (account_id, id DESC);
CREATE INDEX orders_by_status ON orders (account_id, status, id DESC);
CREATE INDEX orders_moved ON orders (updated_at);

CREATE TABLE attempts (
    id                       uuid PRIMARY KEY,
    order_id                 uuid NOT NULL REFERENCES orders,
    number                   smallint NOT NULL CHECK (number >= 1),
    signature                text NOT NULL UNIQUE,
    signed_bytes             bytea NOT NULL CHECK (length(signed_bytes) BETWEEN 1 AND 1232),
    last_valid_block_height  bigint NOT NULL,
    venue                    text NOT NULL,
    pool                     text NOT NULL,
    min_amount_out           numeric(20) NOT NULL CHECK (min_amount_out >= 1),
    outcome                  attempt_outcome NOT NULL DEFAULT 'live',
    sends                    integer NOT NULL DEFAULT 0,
    slot                     bigint,
    signed_at                timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at               timestamptz,
    UNIQUE (order_id, number),
    CONSTRAINT settled_has_a_time CHECK ((outcome = 'live') = (settled_at IS NULL))
);
-- At most one transaction of an order can land: a second attempt is stored only after the first has failed or expired.
CREATE UNIQUE INDEX attempts_one_alive ON attempts (order_id) WHERE outcome IN ('live', 'landed');

CREATE TABLE order_events (
    order_id  uuid NOT NULL REFERENCES orders,
    seq       integer NOT NULL CHECK (seq >= 1),
    at        timestamptz NOT NULL,
    status    order_status NOT NULL,
    kind      text NOT NULL,
    data      jsonb NOT NULL,
    PRIMARY KEY (order_id, seq)
);

CREATE INDEX order_events_starts ON order_events (at) WHERE kind = 'started';

CREATE TABLE order_failures (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id   uuid NOT NULL REFERENCES orders,
    attempt    smallint NOT NULL CHECK (attempt >= 1),
    code       text NOT NULL,
    detail     text NOT NULL,
    signature  text,
    logs       text[] NOT NULL DEFAULT '{}',
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX order_failures_of ON order_failures (order_id, id);
"""

DOWN = """
DROP TABLE order_failures, order_events, attempts, orders, api_tokens, accounts;
DROP TYPE attempt_outcome;
DROP TYPE order_status;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
