"""Mending a database: indexes, constraints and sequences; rows that point nowhere, after they were written down."""
