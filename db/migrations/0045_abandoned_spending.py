"""The limits of a day keep counting what an operator took for dead, because nothing proved that it has not landed.

An allowance counts it from the operator's decision on; the counter of all keys keeps it. Both before an order with such
an execution has ended, and after it has.
"""

from typing import Any

UP = """
CREATE FUNCTION may_have_traded(orders) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT $1.filled_in IS NOT NULL OR $1.error_code IS NOT DISTINCT FROM 'TX_ABANDONED' OR EXISTS (
        SELECT FROM orders c WHERE c.parent_id = $1.id AND c.error_code = 'TX_ABANDONED')
$$;
CREATE OR REPLACE FUNCTION uncount_unfilled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT may_have_traded(NEW) THEN
        UPDATE daily_spending d SET notional = d.notional - n.notional
        FROM notionals n WHERE n.order_id = NEW.id AND d.day = n.day;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION count_allowance_from_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE notionals SET at = clock_timestamp() WHERE order_id = coalesce(NEW.parent_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_taken_for_dead AFTER UPDATE OF error_code ON orders FOR EACH ROW
    WHEN (NEW.error_code = 'TX_ABANDONED' AND OLD.ended_as IS NULL)
    EXECUTE FUNCTION count_allowance_from_decision();
"""

DOWN = """
DROP TRIGGER orders_taken_for_dead ON orders;
DROP FUNCTION count_allowance_from_decision();
CREATE OR REPLACE FUNCTION uncount_unfilled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE daily_spending d SET notional = d.notional - n.notional
    FROM notionals n WHERE n.order_id = NEW.id AND d.day = n.day;
    RETURN NULL;
END $$;
DROP FUNCTION may_have_traded(orders);
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
