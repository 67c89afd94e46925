"""Dates and times as text inside JSON: what counts as one. The patterns mean the same to Python and to PostgreSQL."""

from __future__ import annotations

_LEAP_YEAR = r'([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)'
_DAY = (
    r'[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))'
    rf'|{_LEAP_YEAR}-02-29'
)
ISO_ZONE = r'(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])'
"""The offset at the end of a time; a time without one is UTC."""

ISO_TIME = rf'^({_DAY})([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?{ISO_ZONE}?)?$'
"""A date, or a date and time, of ISO 8601 that is one of the calendar."""
