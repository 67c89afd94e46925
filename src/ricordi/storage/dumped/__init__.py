"""What `pg_dump` writes in its plain form, read without a server: a database at one moment."""
