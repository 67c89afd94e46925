"""Snapshots of PostgreSQL databases, and PostgreSQL databases filled from snapshots."""
