"""The SQL storages: one set of tables, a dialect each for SQLite and PostgreSQL."""
