"""Rows of a query as record batches of Arrow, without a Python object for each value."""
