"""What may be the label of a group or computer that a person makes or renames."""

from __future__ import annotations

from unicodedata import category

from ricordi.errors import WrongValue

_BREAK_LINES = {'Cc', 'Zl', 'Zp'}
"""Categories of Unicode: control characters, and what separates lines and paragraphs."""


def check_label(label: str, kind: str) -> None:
    """Check that a new label can be told from nothing and printed in one line; older ones may be otherwise.

    :param kind: `group` or `computer`, for the message.
    :raises ricordi.errors.WrongValue: it is empty, or holds a control character.
    """
    if not label.strip():
        raise WrongValue(f'the label of a {kind} cannot be empty')
    bad = next((letter for letter in label if category(letter) in _BREAK_LINES), None)
    if bad is not None:
        raise WrongValue(f'the label of a {kind} cannot hold control characters such as {bad!r}: leave it out')
