"""Tables of a bucket's index as an earlier version of Ricordi made them."""

from __future__ import annotations

TO_SECOND_VERSION = (
    'DROP FUNCTION note_references_gone CASCADE',
    'DROP TABLE references_gone',
    'ALTER TABLE store DROP COLUMN all_named, DROP COLUMN findings_of_rows',
    'DELETE FROM migrations WHERE version > 2',
)
"""Statements, for a connection that finds these tables first, that take away what version 3 has added."""
