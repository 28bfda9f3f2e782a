"""Alerts: what is to be told, to whom it was told, what lasts, and who wants to be told at all.

An alert about an order is stored by the statement that changes the order. While nobody wants its kind, none is.
"""

from typing import Any

UP = """
CREATE TABLE alert_subscriptions (
    kind   text PRIMARY KEY,
    until  timestamptz NOT NULL   -- from when on nothing of this kind is stored, unless a notifier renews it
);

CREATE TABLE alerts (
    id           text PRIMARY KEY,   -- the same wherever it is stored from, so that it is stored once
    kind         text NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    order_id     uuid REFERENCES orders (id),
    seq          integer,            -- the event of the order that it is about
    data         jsonb NOT NULL DEFAULT '{}',
    distributed  boolean NOT NULL DEFAULT false
);
CREATE INDEX alerts_new ON alerts (at) WHERE NOT distributed;
CREATE INDEX alerts_at ON alerts (at);

CREATE TABLE alert_deliveries (
    receiver      text NOT NULL,
    alert_id      text NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    due_at        timestamptz DEFAULT clock_timestamp(),   -- NULL once it was delivered
    tries         integer NOT NULL DEFAULT 0,
    last_error    text,
    delivered_at  timestamptz,
    PRIMARY KEY (receiver, alert_id)
);
CREATE INDEX alert_deliveries_due ON alert_deliveries (receiver, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX alert_deliveries_alert ON alert_deliveries (alert_id);

CREATE TABLE alert_conditions (
    key      text PRIMARY KEY,
    kind     text NOT NULL,
    firing   boolean NOT NULL,
    since    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE alert_watch (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    holder  text NOT NULL,
    until   timestamptz NOT NULL
);

CREATE INDEX orders_fired ON orders (triggered_at) WHERE triggered_at IS NOT NULL AND ended_as IS NULL;
"""

DOWN = """
DROP INDEX orders_fired;
DROP TABLE alert_watch, alert_conditions, alert_deliveries, alerts, alert_subscriptions;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
