"""Where in the attributes or extras of nodes a value lies that an index can be made of."""

from __future__ import annotations

import re
from typing import NamedTuple

from ricordi.errors import WrongValue

_COLUMNS = ('attributes', 'extras')
_KEY = re.compile(r'[A-Za-z0-9_][A-Za-z0-9_ :/@-]{0,99}', re.ASCII).fullmatch
_ONLY_DIGITS = re.compile(r'\d+', re.ASCII).fullmatch


class AttributePath(NamedTuple):
    """A column of JSON and the keys that lead to a value in it.

    :param column: `attributes` or `extras`.
    :param keys: at least one; of characters that no database reads as anything else.
    """

    column: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        return '.'.join((self.column, *self.keys))


def may_be_indexed(column: str, keys: tuple[str, ...]) -> bool:
    """Whether an index can be made of what lies there. A key of digits might be an index in a list as well."""
    return column in _COLUMNS and bool(keys) and all(_KEY(key) and not _ONLY_DIGITS(key) for key in keys)


def read_attribute_path(text: str) -> AttributePath:
    """Read `attributes.process_state` or `extras._aiida_hash`.

    :raises ricordi.errors.WrongValue: it names neither attributes nor extras, or a key that no index can be made of.
    """
    column, _, rest = text.partition('.')
    keys = tuple(rest.split('.')) if rest else ()
    if column not in _COLUMNS or not keys:
        raise WrongValue(f'{text!r} names no attribute or extra: it begins with `attributes.` or `extras.`')
    if not may_be_indexed(column, keys):
        raise WrongValue(
            f'no index can be made of {text!r}: keys are of letters, digits, blanks and _ : / @ -, not of digits alone'
        )
    return AttributePath(column, keys)
