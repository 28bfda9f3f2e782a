"""The Postgres database, the single source of truth: tables, migrations and all changes of orders."""
