"""Limits of API keys, the use of their allowances, and the audit log."""

from typing import Any

UP = """
ALTER TABLE api_tokens
    ADD COLUMN requests_per_minute     integer CHECK (requests_per_minute >= 1),
    ADD COLUMN burst                   integer CHECK (burst >= 1),
    ADD COLUMN allowed_mints           text[] CHECK (cardinality(allowed_mints) >= 2),
    ADD COLUMN max_notional_per_order  numeric(20) CHECK (max_notional_per_order >= 1),
    ADD COLUMN max_notional_per_day    numeric(20) CHECK (max_notional_per_day >= 1),
    ADD CONSTRAINT burst_of_requests CHECK ((burst IS NULL) = (requests_per_minute IS NULL));

-- The value of each order at its acceptance, for API keys with an allowance.
CREATE TABLE notionals (
    order_id  uuid PRIMARY KEY REFERENCES orders,
    token_id  uuid NOT NULL REFERENCES api_tokens,
    notional  numeric(20) NOT NULL CHECK (notional >= 1),
    at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX notionals_of_token ON notionals (token_id, at);

CREATE TABLE audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor     text NOT NULL,
    token_id  uuid,
    address   text NOT NULL,
    action    text NOT NULL CHECK (action <> ''),
    outcome   text NOT NULL CHECK (outcome <> ''),
    order_id  uuid,
    detail    text NOT NULL DEFAULT '',
    times     integer NOT NULL DEFAULT 1 CHECK (times >= 1)
);
CREATE INDEX audit_at ON audit USING brin (at);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

-- Notifies every gateway when the revocation or expiry of an API key is committed.
CREATE FUNCTION tell_token_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('orderd_token_ended', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER api_tokens_ended AFTER UPDATE OF revoked_at, expires_at ON api_tokens
    FOR EACH ROW EXECUTE FUNCTION tell_token_ended();
"""

DOWN = """
DROP TRIGGER api_tokens_ended ON api_tokens;
DROP FUNCTION tell_token_ended();
DROP TABLE audit, notionals;
DROP FUNCTION audit_is_append_only();
ALTER TABLE api_tokens
    DROP COLUMN requests_per_minute, DROP COLUMN burst, DROP COLUMN allowed_mints,
    DROP COLUMN max_notional_per_order, DROP COLUMN max_notional_per_day;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
