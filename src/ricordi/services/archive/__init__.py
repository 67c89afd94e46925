"""Archives: created, imported, described, migrated, fetched."""
