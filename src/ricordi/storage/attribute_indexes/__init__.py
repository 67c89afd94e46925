"""Indexes of single attributes and extras: how each database is told to make them, and what queries find by them."""
