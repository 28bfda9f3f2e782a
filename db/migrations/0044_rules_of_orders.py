"""The rules for the columns of an order, in forms that Postgres keeps in memory.

Postgres parses a CHECK constraint anew from its stored text for each statement that writes a row. With forty of them,
this was a quarter of what a statement about one order cost. The constraint of a domain is parsed once per session, and
evaluated only when its column is written. The rules about several columns are in a trigger function, whose expression
is planned once per session.

Both refuse a row with the error of a violated CHECK constraint. A rule whose value is NULL is met, as in a constraint.
"""

from typing import Any

UP = """
CREATE DOMAIN base_units AS numeric(20);
CREATE DOMAIN basis_points AS integer;
CREATE DOMAIN share_in_basis_points AS integer;
CREATE DOMAIN price AS numeric;
CREATE DOMAIN token_decimals AS smallint;
CREATE DOMAIN positive_integer AS integer;
CREATE DOMAIN client_order_id AS text;
CREATE DOMAIN order_floor AS text;
CREATE DOMAIN order_time_in_force AS text;
CREATE DOMAIN order_catch_up AS text;
CREATE DOMAIN order_route AS jsonb;

DROP TRIGGER orders_family_changed ON orders;  -- it names amount_in, whose type changes
ALTER TABLE orders
    DROP CONSTRAINT orders_client_order_id_check,
    DROP CONSTRAINT orders_decimals_in_check,
    DROP CONSTRAINT orders_decimals_out_check,
    DROP CONSTRAINT orders_amount_in_check,
    DROP CONSTRAINT orders_slippage_bps_check,
    DROP CONSTRAINT orders_seq_check,
    DROP CONSTRAINT orders_route_check,
    DROP CONSTRAINT orders_min_out_check,
    DROP CONSTRAINT orders_max_cost_bps_check,
    DROP CONSTRAINT orders_floor_check,
    DROP CONSTRAINT orders_limit_price_check,
    DROP CONSTRAINT orders_stop_price_check,
    DROP CONSTRAINT orders_take_profit_price_check,
    DROP CONSTRAINT orders_time_in_force_check,
    DROP CONSTRAINT orders_exact_out_check,
    DROP CONSTRAINT orders_max_in_check,
    DROP CONSTRAINT orders_min_fill_bps_check,
    DROP CONSTRAINT orders_slices_check,
    DROP CONSTRAINT orders_every_seconds_check,
    DROP CONSTRAINT orders_jitter_bps_check,
    DROP CONSTRAINT orders_catch_up_check,
    DROP CONSTRAINT orders_then_take_profit_price_check,
    DROP CONSTRAINT orders_then_stop_price_check,
    DROP CONSTRAINT orders_min_liquidity_check,
    DROP CONSTRAINT orders_max_pool_fee_bps_check,
    DROP CONSTRAINT orders_max_round_trip_loss_bps_check,
    DROP CONSTRAINT orders_max_holder_bps_check,
    ALTER COLUMN client_order_id TYPE client_order_id,
    ALTER COLUMN decimals_in TYPE token_decimals,
    ALTER COLUMN decimals_out TYPE token_decimals,
    ALTER COLUMN amount_in TYPE base_units,
    ALTER COLUMN exact_out TYPE base_units,
    ALTER COLUMN min_out TYPE base_units,
    ALTER COLUMN max_in TYPE base_units,
    ALTER COLUMN min_liquidity TYPE base_units,
    ALTER COLUMN slippage_bps TYPE basis_points,
    ALTER COLUMN max_cost_bps TYPE basis_points,
    ALTER COLUMN jitter_bps TYPE basis_points,
    ALTER COLUMN max_pool_fee_bps TYPE basis_points,
    ALTER COLUMN max_round_trip_loss_bps TYPE basis_points,
    ALTER COLUMN max_holder_bps TYPE basis_points,
    ALTER COLUMN min_fill_bps TYPE share_in_basis_points,
    ALTER COLUMN limit_price TYPE price,
    ALTER COLUMN stop_price TYPE price,
    ALTER COLUMN take_profit_price TYPE price,
    ALTER COLUMN then_take_profit_price TYPE price,
    ALTER COLUMN then_stop_price TYPE price,
    ALTER COLUMN seq TYPE positive_integer,
    ALTER COLUMN slices TYPE positive_integer,
    ALTER COLUMN every_seconds TYPE positive_integer,
    ALTER COLUMN floor TYPE order_floor,
    ALTER COLUMN time_in_force TYPE order_time_in_force,
    ALTER COLUMN catch_up TYPE order_catch_up,
    ALTER COLUMN route TYPE order_route;

-- Added last: a column that gets a type with a constraint makes Postgres write the whole table again.
ALTER DOMAIN base_units ADD CHECK (VALUE BETWEEN 1 AND 18446744073709551615);
ALTER DOMAIN basis_points ADD CHECK (VALUE BETWEEN 0 AND 10000);
ALTER DOMAIN share_in_basis_points ADD CHECK (VALUE BETWEEN 1 AND 10000);
ALTER DOMAIN price ADD CHECK (VALUE > 0);
ALTER DOMAIN token_decimals ADD CHECK (VALUE BETWEEN 0 AND 18);
ALTER DOMAIN positive_integer ADD CHECK (VALUE >= 1);
ALTER DOMAIN client_order_id ADD CHECK (length(VALUE) BETWEEN 1 AND 64);
ALTER DOMAIN order_floor ADD CHECK (VALUE IN ('first', 'each'));
ALTER DOMAIN order_time_in_force ADD CHECK (VALUE IN ('gtc', 'ioc', 'fok'));
ALTER DOMAIN order_catch_up ADD CHECK (VALUE IN ('one', 'all', 'none'));
ALTER DOMAIN order_route ADD CHECK (jsonb_typeof(VALUE) = 'array');

ALTER TABLE orders
    DROP CONSTRAINT two_tokens,
    DROP CONSTRAINT one_amount,
    DROP CONSTRAINT limit_of_its_amount,
    DROP CONSTRAINT on_liquidity_says_how_much,
    DROP CONSTRAINT pending_is_due,
    DROP CONSTRAINT what_rests_is_looked_at,
    DROP CONSTRAINT what_is_held_waits,
    DROP CONSTRAINT submitted_is_signed,
    DROP CONSTRAINT only_what_is_signed_is_unknown,
    DROP CONSTRAINT confirmed_has_a_fill,
    DROP CONSTRAINT filled_below_its_ceiling,
    DROP CONSTRAINT failed_has_a_code,
    DROP CONSTRAINT expired_has_a_code;

CREATE FUNCTION check_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken text := CASE
        WHEN NOT (NEW.mint_in <> NEW.mint_out) THEN 'two_tokens'
        WHEN NOT (
            num_nonnulls(NEW.amount_in, NEW.exact_out) = 1
            OR (NEW.amount_in IS NULL AND NEW.exact_out IS NULL AND NEW.entry_id IS NOT NULL
                AND NEW.due_at IS NULL AND NEW.looks_from IS NULL AND NEW.filled_in IS NULL)
        ) THEN 'one_amount'
        WHEN NOT (
            (NEW.exact_out IS NULL OR NEW.min_out IS NULL) AND (NEW.amount_in IS NULL OR NEW.max_in IS NULL)
        ) THEN 'limit_of_its_amount'
        WHEN NOT (
            (NEW.kind = 'on_liquidity') = (NEW.min_liquidity IS NOT NULL)
            AND (NEW.kind <> 'on_liquidity' OR NEW.limit_price IS NOT NULL)
        ) THEN 'on_liquidity_says_how_much'
        WHEN NOT ((NEW.status = 'pending') = (NEW.due_at IS NOT NULL)) THEN 'pending_is_due'
        WHEN NOT ((NEW.status = 'open') = (NEW.looks_from IS NOT NULL)) THEN 'what_rests_is_looked_at'
        WHEN NOT (
            (NEW.status = 'held') = (NEW.ended_as IS NULL AND NEW.due_at IS NULL AND NEW.looks_from IS NULL
                                     AND NEW.waits_for IS NOT NULL)
        ) THEN 'what_is_held_waits'
        WHEN NOT (NEW.status <> 'submitted' OR NEW.signature IS NOT NULL) THEN 'submitted_is_signed'
        WHEN NOT (NEW.unknown_since IS NULL OR NEW.status = 'submitted') THEN 'only_what_is_signed_is_unknown'
        WHEN NOT (
            (NEW.status = 'confirmed') <=
                (NEW.filled_out IS NOT NULL AND NEW.filled_in IS NOT NULL AND NEW.network_fee IS NOT NULL)
            AND (NEW.status = 'confirmed' OR NEW.slices IS NOT NULL OR NEW.partial OR NEW.kind = 'oco'
                 OR NEW.filled_out IS NULL)
            AND (NEW.status <> 'confirmed' OR (NEW.filled_out >= 1 AND NEW.signature IS NOT NULL
                 AND (NEW.filled_out >= NEW.min_amount_out OR NEW.slices IS NOT NULL OR NEW.partial
                      OR NEW.kind = 'oco')))
        ) THEN 'confirmed_has_a_fill'
        WHEN NOT (NEW.status <> 'confirmed' OR NEW.filled_in <= NEW.max_amount_in) THEN 'filled_below_its_ceiling'
        WHEN NOT (NEW.status <> 'failed' OR NEW.error_code IS NOT NULL) THEN 'failed_has_a_code'
        WHEN NOT (NEW.status <> 'expired' OR NEW.error_code IS NOT NULL) THEN 'expired_has_a_code'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE check_violation USING
            MESSAGE = 'new row for relation "orders" violates check constraint "' || broken || '"',
            TABLE = 'orders', CONSTRAINT = broken;
    END IF;
    RETURN NULL;
END $$;
-- After the row is written, because ended_as is generated then. "Always" includes sessions that replay a replica's log.
CREATE TRIGGER orders_checked AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION check_order();
ALTER TABLE orders ENABLE ALWAYS TRIGGER orders_checked;
CREATE TRIGGER orders_family_changed AFTER UPDATE OF cancel_requested, amount_in ON orders FOR EACH ROW
    WHEN ((NEW.kind IN ('oco', 'twap') OR NEW.partial)
          AND (NEW.cancel_requested, NEW.amount_in) IS DISTINCT FROM (OLD.cancel_requested, OLD.amount_in))
    EXECUTE FUNCTION note_family();
"""

DOWN = """
DROP TRIGGER orders_checked ON orders;
DROP FUNCTION check_order();
DROP TRIGGER orders_family_changed ON orders;
ALTER TABLE orders
    ALTER COLUMN client_order_id TYPE text,
    ALTER COLUMN decimals_in TYPE smallint,
    ALTER COLUMN decimals_out TYPE smallint,
    ALTER COLUMN amount_in TYPE numeric(20),
    ALTER COLUMN exact_out TYPE numeric(20),
    ALTER COLUMN min_out TYPE numeric(20),
    ALTER COLUMN max_in TYPE numeric(20),
    ALTER COLUMN min_liquidity TYPE numeric(20),
    ALTER COLUMN slippage_bps TYPE integer,
    ALTER COLUMN max_cost_bps TYPE integer,
    ALTER COLUMN jitter_bps TYPE integer,
    ALTER COLUMN max_pool_fee_bps TYPE integer,
    ALTER COLUMN max_round_trip_loss_bps TYPE integer,
    ALTER COLUMN max_holder_bps TYPE integer,
    ALTER COLUMN min_fill_bps TYPE integer,
    ALTER COLUMN limit_price TYPE numeric,
    ALTER COLUMN stop_price TYPE numeric,
    ALTER COLUMN take_profit_price TYPE numeric,
    ALTER COLUMN then_take_profit_price TYPE numeric,
    ALTER COLUMN then_stop_price TYPE numeric,
    ALTER COLUMN seq TYPE integer,
    ALTER COLUMN slices TYPE integer,
    ALTER COLUMN every_seconds TYPE integer,
    ALTER COLUMN floor TYPE text,
    ALTER COLUMN time_in_force TYPE text,
    ALTER COLUMN catch_up TYPE text,
    ALTER COLUMN route TYPE jsonb,
    ADD CHECK (length(client_order_id) BETWEEN 1 AND 64),
    ADD CHECK (decimals_in BETWEEN 0 AND 18),
    ADD CHECK (decimals_out BETWEEN 0 AND 18),
    ADD CHECK (amount_in BETWEEN 1 AND 18446744073709551615),
    ADD CHECK (exact_out BETWEEN 1 AND 18446744073709551615),
    ADD CHECK (min_out > 0),
    ADD CHECK (max_in BETWEEN 1 AND 18446744073709551615),
    ADD CHECK (min_liquidity BETWEEN 1 AND 18446744073709551615),
    ADD CHECK (slippage_bps BETWEEN 0 AND 10000),
    ADD CHECK (max_cost_bps BETWEEN 0 AND 10000),
    ADD CHECK (jitter_bps BETWEEN 0 AND 10000),
    ADD CHECK (max_pool_fee_bps BETWEEN 0 AND 10000),
    ADD CHECK (max_round_trip_loss_bps BETWEEN 0 AND 10000),
    ADD CHECK (max_holder_bps BETWEEN 0 AND 10000),
    ADD CHECK (min_fill_bps BETWEEN 1 AND 10000),
    ADD CHECK (limit_price > 0),
    ADD CHECK (stop_price > 0),
    ADD CHECK (take_profit_price > 0),
    ADD CHECK (then_take_profit_price > 0),
    ADD CHECK (then_stop_price > 0),
    ADD CHECK (seq >= 1),
    ADD CHECK (slices >= 1),
    ADD CHECK (every_seconds >= 1),
    ADD CHECK (floor IN ('first', 'each')),
    ADD CHECK (time_in_force IN ('gtc', 'ioc', 'fok')),
    ADD CHECK (catch_up IN ('one', 'all', 'none')),
    ADD CHECK (jsonb_typeof(route) = 'array'),
    ADD CONSTRAINT two_tokens CHECK (mint_in <> mint_out),
    ADD CONSTRAINT one_amount CHECK (
        num_nonnulls(amount_in, exact_out) = 1
        OR (amount_in IS NULL AND exact_out IS NULL AND entry_id IS NOT NULL
            AND due_at IS NULL AND looks_from IS NULL AND filled_in IS NULL)),
    ADD CONSTRAINT limit_of_its_amount CHECK (
        (exact_out IS NULL OR min_out IS NULL) AND (amount_in IS NULL OR max_in IS NULL)),
    ADD CONSTRAINT on_liquidity_says_how_much CHECK (
        (kind = 'on_liquidity') = (min_liquidity IS NOT NULL)
        AND (kind <> 'on_liquidity' OR limit_price IS NOT NULL)),
    ADD CONSTRAINT pending_is_due CHECK ((status = 'pending') = (due_at IS NOT NULL)),
    ADD CONSTRAINT what_rests_is_looked_at CHECK ((status::text = 'open') = (looks_from IS NOT NULL)),
    ADD CONSTRAINT what_is_held_waits CHECK ((status::text = 'held') = (
        ended_as IS NULL AND due_at IS NULL AND looks_from IS NULL AND waits_for IS NOT NULL)),
    ADD CONSTRAINT submitted_is_signed CHECK (status <> 'submitted' OR signature IS NOT NULL),
    ADD CONSTRAINT only_what_is_signed_is_unknown CHECK (unknown_since IS NULL OR status = 'submitted'),
    ADD CONSTRAINT confirmed_has_a_fill CHECK (
        (status = 'confirmed') <= (filled_out IS NOT NULL AND filled_in IS NOT NULL AND network_fee IS NOT NULL)
        AND (status = 'confirmed' OR slices IS NOT NULL OR partial OR kind = 'oco' OR filled_out IS NULL)
        AND (status <> 'confirmed' OR (filled_out >= 1 AND signature IS NOT NULL
             AND (filled_out >= min_amount_out OR slices IS NOT NULL OR partial OR kind = 'oco')))),
    ADD CONSTRAINT filled_below_its_ceiling CHECK (status <> 'confirmed' OR filled_in <= max_amount_in),
    ADD CONSTRAINT failed_has_a_code CHECK (status <> 'failed' OR error_code IS NOT NULL),
    ADD CONSTRAINT expired_has_a_code CHECK (status::text <> 'expired' OR error_code IS NOT NULL);
CREATE TRIGGER orders_family_changed AFTER UPDATE OF cancel_requested, amount_in ON orders FOR EACH ROW
    WHEN ((NEW.kind IN ('oco', 'twap') OR NEW.partial)
          AND (NEW.cancel_requested, NEW.amount_in) IS DISTINCT FROM (OLD.cancel_requested, OLD.amount_in))
    EXECUTE FUNCTION note_family();
DROP DOMAIN base_units, basis_points, share_in_basis_points, price, token_decimals, positive_integer, client_order_id,
    order_floor, order_time_in_force, order_catch_up, order_route;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
