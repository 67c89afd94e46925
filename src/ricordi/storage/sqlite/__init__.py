"""The storages on SQLite, in a folder, in memory and in an archive, and what is particular to SQLite."""
