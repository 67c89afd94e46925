"""Backups as plain functions: taken, listed, forgotten, restored, rehearsed."""
