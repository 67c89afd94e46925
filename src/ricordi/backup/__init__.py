"""Backup repositories: places that hold snapshots of storages (docs/formats/backups.md)."""
