"""Fills a database as if after many orders, with a few statements instead of trading.

Nine of ten orders are confirmed, most sell SOL for USDC, and their ages are evenly spread over ``DAYS``. Some are still
active. Their other values are short, and unknown to the chain.
"""

from typing import Final

from db.connection import database
from db.models import DEFAULT_ACCOUNT

DAYS: Final = 10
ACTIVE: Final = 60
"""Number of orders that have not ended: equal parts wait, are being built, and are submitted."""
_ORDERS: Final = """
CREATE TEMPORARY TABLE filling ON COMMIT DROP AS
SELECT i, now() - age AS at, uuidv7(-age) AS id,
       CASE WHEN i > %(orders)s - %(active)s THEN (ARRAY['pending', 'building', 'submitted'])[1 + i %% 3]
            WHEN i %% 10 > 0 THEN 'confirmed'
            ELSE (ARRAY['failed', 'cancelled', 'failed', 'expired'])[1 + i / 10 %% 4] END::order_status AS status,
       i < %(orders)s / 10 AND i %% 1000 = 0 AS is_rare
FROM generate_series(1, %(orders)s) i, LATERAL (
    SELECT (%(orders)s - i) * (%(days)s * interval '1 day' / %(orders)s) + %(ago)s * interval '1 second' AS age) ages;

INSERT INTO orders (id, account_id, client_order_id, token_in, token_out, mint_in, mint_out, decimals_in, decimals_out,
                    amount_in, slippage_bps, status, seq, version, starts, due_at, valid_until, lease_owner,
                    lease_until, venue, pool, quoted_amount_out, min_amount_out, signature, filled_in, filled_out,
                    network_fee, error_code, error_detail, created_at, updated_at)
SELECT id, %(account)s, id, CASE WHEN is_rare THEN 'CHILLGUY' ELSE 'SOL' END, 'USDC',
       CASE WHEN is_rare THEN 'Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump'
            ELSE 'So11111111111111111111111111111111111111112' END,
       'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', 9, 6, 1500000000 + i, 50, status,
       CASE status WHEN 'confirmed' THEN 5 WHEN 'submitted' THEN 4 WHEN 'pending' THEN 1 ELSE 3 END,
       1, 1, CASE WHEN status = 'pending' THEN at + interval '1 hour' END, at + interval '10 minutes',
       CASE WHEN status IN ('building', 'submitted') THEN 'filling' END,
       CASE WHEN status IN ('building', 'submitted') THEN at + interval '1 hour' END,
       'raydium', '7JuwJuNU88gurFnyWeiyGKbFmExMWcmRZntn9imEzdny', 152104000, 151000000,
       CASE WHEN status IN ('confirmed', 'submitted') THEN 'filled' || i END,
       CASE WHEN status = 'confirmed' THEN 1500000000 + i END, CASE WHEN status = 'confirmed' THEN 152310211 END,
       CASE WHEN status = 'confirmed' THEN 5000 END,
       CASE WHEN status IN ('failed', 'expired') THEN 'ROUTE_NOT_FOUND' END, '', at, at + interval '2 seconds'
FROM filling;

INSERT INTO ended_orders SELECT ended_as, count(*) FROM orders WHERE ended_as IS NOT NULL GROUP BY ended_as;

INSERT INTO order_events (order_id, seq, at, status, kind, data)
SELECT id, seq, at + (seq - 1) * interval '0.5 seconds', CASE WHEN is_last THEN status ELSE before::order_status END,
       kind, jsonb_build_object('kind', kind, 'attempt', 1)
FROM filling, LATERAL (
    SELECT seq, kind, before, seq = count(*) OVER () AS is_last FROM unnest(
        CASE status WHEN 'confirmed' THEN ARRAY['accepted', 'started', 'routed', 'submitted', 'confirmed']
                    WHEN 'submitted' THEN ARRAY['accepted', 'started', 'routed', 'submitted']
                    WHEN 'building' THEN ARRAY['accepted', 'started', 'routed']
                    WHEN 'pending' THEN ARRAY['accepted']
                    ELSE ARRAY['accepted', 'started', status::text] END,
        ARRAY['pending', 'routing', 'building', 'submitted', 'confirmed']) WITH ORDINALITY AS told (kind, before, seq)
    WHERE kind IS NOT NULL) AS events;

INSERT INTO attempts (id, order_id, number, signature, signed_bytes, last_valid_block_height, venue, pool,
                      min_amount_out, outcome, slot, signed_at, settled_at)
SELECT id, id, 1, 'filled' || i, 'signed', 150, 'raydium', '7JuwJuNU88gurFnyWeiyGKbFmExMWcmRZntn9imEzdny',
       151000000, CASE status WHEN 'confirmed' THEN 'landed' ELSE 'live' END::attempt_outcome, 9, at,
       CASE WHEN status = 'confirmed' THEN at END
FROM filling WHERE status IN ('confirmed', 'submitted');

INSERT INTO fills (order_id, attempt, signature, slot, at, amount_in, amount_out, network_fee, rent, pool_fee, mid)
SELECT id, 1, 'filled' || i, 9, at + interval '2 seconds', 1500000000 + i, 152310211, 5000, 0, 3750000, 101.6
FROM filling WHERE status = 'confirmed';

INSERT INTO audit (at, actor, address, action, outcome, order_id)
SELECT at, CASE WHEN is_rare THEN 'rare' ELSE 'filling' END, '127.0.0.1', 'order.submit', 'ok', id FROM filling
UNION ALL
SELECT at, 'filling', '127.0.0.1', CASE WHEN status = 'cancelled' THEN 'order.cancel' ELSE 'order.submit' END,
       CASE WHEN status = 'cancelled' THEN 'ok' ELSE 'LIMIT_DAY' END, CASE WHEN status = 'cancelled' THEN id END
FROM filling WHERE i %% 20 = 0;

INSERT INTO api_tokens (id, account_id, name, hash, scopes, max_notional_per_day)
VALUES (%(account)s, %(account)s, 'filling', sha256('filling'), '{trade}', 18446744073709551615);
INSERT INTO notionals (order_id, token_id, notional, at)
SELECT id, %(account)s, 152104000, at FROM filling WHERE i %% 10 = 1;
"""


def fill(orders: int, active: int = ACTIVE, ago: int = 0) -> None:
    """Store ``orders`` with their events, attempts, fills and audit rows; the newest ``active`` have not ended.

    The newest was created ``ago`` seconds ago. Recent fills would set reference prices, so use 300 or more before
    trading.

    Needs a superuser's connection to a migrated database without orders, because it disables foreign keys and triggers.
    """
    with database.patient(None):
        with database.atomic():
            database.execute_sql("SET LOCAL session_replication_role = replica")
            values = {"orders": orders, "days": DAYS, "active": active, "ago": ago, "account": str(DEFAULT_ACCOUNT)}
            database.execute_sql(_ORDERS, values)
        database.execute_sql("VACUUM ANALYZE orders, order_events, attempts, fills, audit, notionals")
