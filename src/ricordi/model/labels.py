"""What a label may be that a person gives: of a group, a computer, a code, a link.

Storages hold others, which AiiDA has let through; they are read, found and replaced as they are.
"""

from __future__ import annotations

import re
from unicodedata import category

from ricordi.errors import ValidationError, WrongType, WrongValue

_BREAK_LINES = {'Cc', 'Zl', 'Zp'}
"""Categories of Unicode: control characters, and what separates lines and paragraphs."""
_LINK_LABEL = re.compile(r'[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?')
PATH_SEPARATOR = '/'
"""Between the names in the label of a group that is read as a path."""
CODE_SEPARATOR = '@'
"""Between the label of a code and that of its computer."""


def check_label(label: object, kind: str) -> None:
    """Check that a new label can be told from nothing and printed in one line.

    AiiDA refuses one without any character for a group, and one of blanks for a computer; it takes the rest, by which
    lists of one name a line, files named by label and completion would break.

    :param kind: `group` or `computer`, for the message.
    :raises ricordi.errors.WrongType: it is no text.
    :raises ricordi.errors.WrongValue: it is empty, or holds a control character.
    """
    check_one_line(label, f'the label of a {kind}')


def check_one_line(value: object, what: str) -> None:
    """Check a short text that must not be missing: errors as of `check_label`.

    :param what: what it is, for the message: `the host name of a computer`.
    """
    if value is not None and not isinstance(value, str):
        raise WrongType(f'{what} is a string, got {value!r}')
    if value is None or not value.strip():
        raise WrongValue(f'{what} cannot be empty')
    if value.isprintable():
        return
    bad = next((letter for letter in value if category(letter) in _BREAK_LINES), None)
    if bad is not None:
        raise WrongValue(f'{what} cannot hold control characters such as {bad!r}: leave it out')


def check_code_label(label: str) -> None:
    """Check the label of a code, which AiiDA takes whatever it is.

    :raises ricordi.errors.ValidationError: it holds what separates it from the label of the computer.
    """
    if CODE_SEPARATOR in label:
        raise ValidationError(f'the label of a code cannot hold {CODE_SEPARATOR}, got {label!r}')


def validate_link_label(label: str) -> None:
    """Refuse a label that is no identifier of `[A-Za-z0-9_]`, or starts or ends with `_`.

    :raises TypeError: it is no string.
    :raises ricordi.errors.ValidationError: it is not a valid label.
    """
    if not isinstance(label, str):
        raise WrongType(f'a link label is a string, got {label!r}')
    if not _LINK_LABEL.fullmatch(label):
        raise ValidationError(
            f'invalid link label {label!r}: letters, digits and underscores, starting with a letter and not ending '
            'with an underscore'
        )


def is_group_path(label: str) -> bool:
    """Whether the label of a group can be read as a path: no name in it is empty."""
    return all(label.split(PATH_SEPARATOR))
