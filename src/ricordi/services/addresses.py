"""Web addresses, where else paths of files are given."""

from __future__ import annotations

SCHEMES = ('http://', 'https://')


def is_address(text: str) -> bool:
    """Whether a text is a web address."""
    return text.lower().startswith(SCHEMES)
