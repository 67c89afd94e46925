"""The store of objects in packs in a bucket of an S3-compatible store, with their index in PostgreSQL."""
