"""Alerts, their deliveries, lasting conditions, and subscriptions of notifiers.

The statement that changes an order stores its alert, unless no notifier subscribes to the kind.
"""

from typing import Any

UP = """
CREATE TABLE alert_subscriptions (
    kind   text PRIMARY KEY,
    until  timestamptz NOT NULL   -- alerts of this kind are stored until then, unless a notifier renews it
);

CREATE TABLE alerts (
    id           text PRIMARY KEY,   -- derived from its subject, so that it is stored only once
    kind         text NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    order_id     uuid REFERENCES orders (id),
    seq          integer,            -- the order's event
    data         jsonb NOT NULL DEFAULT '{}',
    distributed  boolean NOT NULL DEFAULT false
);
CREATE INDEX alerts_new ON alerts (at) WHERE NOT distributed;
CREATE INDEX alerts_at ON alerts (at);

CREATE TABLE alert_deliveries (
    receiver      text NOT NULL,
    alert_id      text NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    due_at        timestamptz DEFAULT clock_timestamp(),   -- NULL after delivery
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
