"""Tables of a bucket's index as an earlier version of Ricordi made them."""

from __future__ import annotations

TO_SECOND_VERSION = (
    'DROP FUNCTION ricordi_bucket.note_references_gone CASCADE',
    'DROP TABLE ricordi_bucket.references_gone',
    'ALTER TABLE ricordi_bucket.store DROP COLUMN all_named, DROP COLUMN findings_of_rows',
    'DELETE FROM ricordi_bucket.migrations WHERE version > 2',
)
"""Statements that take away what version 3 has added."""
