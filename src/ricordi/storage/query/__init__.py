"""Queries as SQL: the description of a query compiled, run, and its rows made values again."""
