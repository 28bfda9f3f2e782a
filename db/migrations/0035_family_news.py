"""The families that have changed since their last evaluation, so that unchanged ones are not read.

Triggers write the rows in the transaction of the change. Families that are due by time alone are found by an index.
"""

from typing import Any

UP = """
CREATE TABLE family_news (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    parent_id  uuid NOT NULL
);
INSERT INTO family_news (parent_id)
    SELECT id FROM orders WHERE looks_from IS NOT NULL AND (kind IN ('oco', 'twap') OR partial);

CREATE FUNCTION note_family() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO family_news (parent_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE FUNCTION note_parent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO family_news (parent_id) VALUES (NEW.parent_id);
    RETURN NULL;
END $$;
CREATE FUNCTION note_family_of_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO family_news (parent_id) VALUES (NEW.family_id);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_family_begun AFTER INSERT ON orders FOR EACH ROW
    WHEN (NEW.kind = 'oco') EXECUTE FUNCTION note_family();
CREATE TRIGGER orders_family_changed AFTER UPDATE OF cancel_requested, amount_in ON orders FOR EACH ROW
    WHEN ((NEW.kind IN ('oco', 'twap') OR NEW.partial)
          AND (NEW.cancel_requested, NEW.amount_in) IS DISTINCT FROM (OLD.cancel_requested, OLD.amount_in))
    EXECUTE FUNCTION note_family();
CREATE TRIGGER orders_child_ended AFTER UPDATE ON orders FOR EACH ROW
    WHEN (NEW.parent_id IS NOT NULL AND NEW.ended_as IS DISTINCT FROM OLD.ended_as) EXECUTE FUNCTION note_parent();
CREATE TRIGGER attempts_final AFTER UPDATE OF awaits_finality ON attempts FOR EACH ROW
    WHEN (NEW.family_id IS NOT NULL AND OLD.awaits_finality AND NOT NEW.awaits_finality)
    EXECUTE FUNCTION note_family_of_attempt();

CREATE INDEX orders_timed ON orders (looks_from)
    WHERE looks_from IS NOT NULL AND ((kind = 'twap' AND NOT paused) OR (partial AND time_in_force = 'ioc'));
"""

DOWN = """
DROP INDEX orders_timed;
DROP TRIGGER attempts_final ON attempts;
DROP TRIGGER orders_child_ended ON orders;
DROP TRIGGER orders_family_changed ON orders;
DROP TRIGGER orders_family_begun ON orders;
DROP FUNCTION note_family_of_attempt();
DROP FUNCTION note_parent();
DROP FUNCTION note_family();
DROP TABLE family_news;
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
