"""Backups of profiles: make, list, remove, restore."""
