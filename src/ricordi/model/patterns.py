r"""Patterns of `like`: `%` any characters, `_` any one, a backslash takes the meaning from what follows."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'\\.|.', re.DOTALL)
_WILD = {'%': '.*', '_': '.'}


def literal(text: str) -> str:
    """A text as part of a pattern, standing for itself."""
    return text.replace('\\', '\\\\').replace('%', '\\%').replace('_', '\\_')


def as_regular_expression(pattern: str) -> re.Pattern[str]:
    """What matches, as a whole, the texts that a pattern matches; a lone backslash at its end stands for itself."""
    parts = (_WILD.get(part, re.escape(part.removeprefix('\\') or part)) for part in _TOKEN.findall(pattern))
    return re.compile(''.join(parts), re.DOTALL)
