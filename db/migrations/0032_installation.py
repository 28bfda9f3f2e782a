"""The id and the secret key of this installation, and the tag of each order in its public memos.

A tag is the first 8 bytes of HMAC-SHA256 (RFC 2104). The key is stored combined with the inner and with the outer pad,
so that SQL can compute a tag. Children and exits have the tag of the submitted order.
"""

import secrets
from typing import Any

_BLOCK = 64

UP = """
CREATE TABLE installation (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    id         bytea NOT NULL CHECK (length(id) = 4),
    inner_key  bytea NOT NULL CHECK (length(inner_key) = 64),
    outer_key  bytea NOT NULL CHECK (length(outer_key) = 64),
    seen_slot  bigint NOT NULL DEFAULT 0
);
CREATE TABLE past_installations (
    id         bytea PRIMARY KEY,
    last_slot  bigint NOT NULL
);

CREATE FUNCTION memo_tag(account_id uuid, client_order_id text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT substr(sha256(i.outer_key || sha256(
        i.inner_key || uuid_send(account_id) || convert_to(client_order_id, 'UTF8'))), 1, 8)
    FROM installation i
$$;
"""

FILL = """
ALTER TABLE orders ADD COLUMN memo_tag bytea;
UPDATE orders o SET memo_tag = memo_tag(r.account_id, r.client_order_id)
FROM orders r
WHERE (o.ended_as IS NULL OR EXISTS (SELECT FROM attempts a WHERE a.order_id = o.id AND a.awaits_finality))
  AND r.id = coalesce((SELECT p.entry_id FROM orders p WHERE p.id = o.parent_id), o.parent_id, o.entry_id, o.id);
"""

DOWN = """
ALTER TABLE orders DROP COLUMN memo_tag;
DROP FUNCTION memo_tag(uuid, text);
DROP TABLE past_installations, installation;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)
    key = secrets.token_bytes(_BLOCK)
    pads = [bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C)]
    insert = "INSERT INTO installation (id, inner_key, outer_key) VALUES (%s, %s, %s)"
    db.execute_sql(insert, (secrets.token_bytes(4), *pads))
    db.execute_sql(FILL)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
