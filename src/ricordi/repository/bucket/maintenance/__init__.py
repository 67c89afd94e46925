"""Maintenance of a store in a bucket: garbage goes, what is in the database is packed, packs are merged."""
