"""The levels of log records: those of Python, and AiiDA's `REPORT`. Loads nothing, for the help of verbs."""

from __future__ import annotations

LEVELS = {'NOTSET': 0, 'DEBUG': 10, 'INFO': 20, 'REPORT': 23, 'WARNING': 30, 'ERROR': 40, 'CRITICAL': 50}
"""Names, each with its weight."""
