"""Signs only on the timeline of Postgres' write-ahead log that this installation has recorded.

The promotion of a standby and a point-in-time recovery start a new timeline, and can lack transactions that were
committed before. A restart after a crash does not. Servers that do not report a timeline are considered to stay on one.
"""

from typing import Any

UP = """
CREATE FUNCTION wal_timeline() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
EXCEPTION WHEN feature_not_supported OR insufficient_privilege OR undefined_function THEN
    RETURN '';
END $$;

ALTER TABLE installation ADD COLUMN timeline text;
UPDATE installation SET timeline = wal_timeline();
ALTER TABLE installation ALTER COLUMN timeline SET NOT NULL;

CREATE OR REPLACE FUNCTION may_sign() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7140051903123);
    RETURN NOT EXISTS (SELECT FROM halts) AND EXISTS (SELECT FROM installation WHERE timeline = wal_timeline());
END $$;
"""

DOWN = """
CREATE OR REPLACE FUNCTION may_sign() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7140051903123);
    RETURN NOT EXISTS (SELECT FROM halts);
END $$;
ALTER TABLE installation DROP COLUMN timeline;
DROP FUNCTION wal_timeline();
"""


def up(migrator: Any, db: Any) -> None:  # noqa: ANN401  (the migration runner's own signature)
    db.execute_sql(UP)


def down(migrator: Any, db: Any) -> None:  # noqa: ANN401
    db.execute_sql(DOWN)
