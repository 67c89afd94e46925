"""The storage on PostgreSQL, and what is particular to PostgreSQL."""
