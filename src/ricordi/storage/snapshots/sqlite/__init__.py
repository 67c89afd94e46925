"""Snapshots of SQLite databases, and SQLite databases filled from snapshots."""
