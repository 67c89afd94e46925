"""The database of an archive: read, checked, merged into a storage, made of one, migrated."""
