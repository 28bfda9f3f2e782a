"""The fill of each landed transaction, as shown by the history.

A row is written with its event, and marked if the block is rolled back. The attempt keeps the pair's mid price and the
pools' fee from the time of signing.
"""

from typing import Any

UP = """
ALTER TABLE attempts
    ADD COLUMN pool_fee numeric(20),
    ADD COLUMN mid numeric CHECK (mid > 0);

CREATE TABLE fills (
    order_id        uuid NOT NULL REFERENCES orders,
    attempt         integer NOT NULL CHECK (attempt >= 1),
    signature       text NOT NULL,
    slot            bigint,                 -- NULL if it was only in events that have been removed
    at              timestamptz NOT NULL,
    amount_in       numeric(20) NOT NULL CHECK (amount_in >= 1),
    amount_out      numeric(20) NOT NULL CHECK (amount_out >= 1),
    network_fee     bigint NOT NULL,        -- lamports
    rent            bigint,                 -- lamports; NULL like slot
    pool_fee        numeric(20),            -- by the route, in base units of the sold token
    mid             numeric CHECK (mid > 0), -- of the pair at the time of signing, in token_out per token_in
    rolled_back_at  timestamptz,
    -- At most one fill of an order counts.
    UNIQUE NULLS NOT DISTINCT (order_id, rolled_back_at)
);

INSERT INTO fills (order_id, attempt, signature, slot, at, amount_in, amount_out, network_fee, rent, pool_fee)
SELECT o.id, coalesce((told.data->>'attempt')::integer, o.failures + 1), o.signature,
       coalesce((told.data->>'slot')::bigint, a.slot), coalesce(told.at, o.updated_at),
       o.filled_in, o.filled_out, o.network_fee,
       CASE WHEN told.data IS NOT NULL THEN coalesce((told.data->>'rent')::numeric * 1000000000, 0)::bigint END,
       CASE WHEN routed.fee_token = o.token_in THEN trunc(routed.fee * 10::numeric ^ o.decimals_in)
            ELSE ceil(trunc(routed.fee * 10::numeric ^ o.decimals_out) * o.amount_in / o.quoted_amount_out) END
FROM orders o
LEFT JOIN attempts a ON a.order_id = o.id AND a.outcome = 'landed'
LEFT JOIN LATERAL (
    SELECT at, data FROM order_events WHERE order_id = o.id AND kind = 'confirmed' ORDER BY seq DESC LIMIT 1
) told ON true
LEFT JOIN LATERAL (
    SELECT (data->'chosen'->>'fee')::numeric AS fee, data->'chosen'->>'fee_token' AS fee_token
    FROM order_events WHERE order_id = o.id AND kind = 'routed' ORDER BY seq DESC LIMIT 1
) routed ON true
WHERE o.ended_as = 'confirmed';
"""

DOWN = """
DROP TABLE fills;
ALTER TABLE attempts DROP COLUMN pool_fee, DROP COLUMN mid;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
