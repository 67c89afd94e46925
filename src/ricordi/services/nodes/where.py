"""Filters as a person writes them: `attributes.exit_status != 0 and label like 'run%'`, read into those of a query.

    filter     = all {"or" all}          all = one {"and" one}        one = ["not"] ( "(" filter ")" | comparison )
    comparison = field operator value
    operator   = == = != < <= > >= [not] in, like, ilike, contains, has_key, of_type, of_length, longer, shorter
    value      = number | 'text' | "text" | bare-word | true | false | null | [value, …]

Fields are those of `QueryBuilder`: columns, and keys inside attributes and extras joined by dots. `user` and `computer`
stand for the address and the label.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ricordi.errors import UsageError
from ricordi.model.fields import FIELDS, ValueKind

Filters = dict[str, Any]

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<sign><=|>=|==|!=|<>|=|<|>)
    | (?P<mark>[()\[\],])
    | (?P<word>[^\s()\[\],<>=!'"]+)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r'[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?')
_CONSTANTS = {'true': True, 'false': False, 'null': None, 'none': None}
_SIGNS = {'==': '==', '=': '==', '!=': '!==', '<>': '!==', '<': '<', '<=': '<=', '>': '>', '>=': '>='}
WORD_OPERATORS = ('in', 'like', 'ilike', 'contains', 'has_key', 'of_type', 'of_length', 'longer', 'shorter')
"""Operators before which `not` may stand."""
_EMPTY_KEY = re.compile(r'^\.|(?<!\\)\.(?:\.|$)')
JUNCTIONS = ('and', 'or')
"""What joins comparisons."""
OPERATORS = (*_SIGNS, *sorted(WORD_OPERATORS))
"""What may stand between a field and a value."""
_TIMES = {name for fields in FIELDS.values() for name, field in fields.items() if field.kind is ValueKind.TIME}
_DEEPEST = 50
_MOST_DIGITS = 1000


def parse_where(text: str) -> Filters:
    """The filters of a query that a text stands for.

    :returns: as `QueryBuilder.append(filters=…)` takes them.
    :raises ricordi.errors.UsageError: it cannot be read; the message shows where.
    """
    return _Reader(text).read()


def parse_all(texts: Iterable[str]) -> Filters:
    """Filters that ask for all of several texts; empty for none."""
    parts = [parse_where(text) for text in texts]
    return {'and': parts} if parts else {}


def check_no_empty_key(field: str) -> None:
    """Refuse the name of a field with nothing before, between or after its dots.

    :raises ricordi.errors.UsageError: such as `attributes.`.
    """
    if _EMPTY_KEY.search(field):
        raise UsageError(
            f'{field!r} is not a field: a key is missing beside a dot; write it like attributes.exit_status'
        )


def tokens_of(text: str) -> list[tuple[str, str, int]]:
    """Kind, text and place of each token of a filter.

    :raises ricordi.errors.UsageError: there is something that is none.
    """
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            start = len(text) - len(text[place:].lstrip())
            raise UsageError(f'cannot read the filter `{text}` from `{text[start:]}` on')
        kind = match.lastgroup
        tokens.append((kind, match[kind], match.start(kind)))
        place = match.end()
    return tokens


class _Reader:
    """Reads one text from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._next = 0
        self._depth = 0

    def read(self) -> Filters:
        found = self._filter()
        if self._next < len(self._tokens):
            raise self._wrong('`and`, `or` or the end was expected')
        return found

    # -- grammar --------------------------------------------------------------------------------------------

    def _filter(self) -> Filters:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise UsageError(f'the filter is nested more than {_DEEPEST} levels deep')
        parts = [self._all()]
        while self._take_word('or'):
            parts.append(self._all())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else {'or': parts}

    def _all(self) -> Filters:
        parts = [self._one()]
        while self._take_word('and'):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else {'and': parts}

    def _one(self) -> Filters:
        negated = False
        while self._take_word('not'):
            negated = not negated
        if self._take_mark('('):
            found = self._filter()
            if not self._take_mark(')'):
                raise self._wrong('`)` was expected')
        else:
            found = self._comparison()
        return {'!and': [found]} if negated else found

    def _comparison(self) -> Filters:
        kind, field, _ = self._take('the name of a field was expected')
        if kind not in ('word', 'text'):
            self._next -= 1
            raise self._wrong('the name of a field was expected')
        name = field if kind == 'word' else _unquoted(field)
        check_no_empty_key(name)
        if name.lstrip('!~') in JUNCTIONS:
            raise UsageError(f'cannot read the filter `{self._text}`: `{name}` joins comparisons, and is no field')
        operator = self._operator()
        value = self._value(is_time=name in _TIMES)
        if operator.endswith('in') and not isinstance(value, list):
            raise self._wrong('`in` takes a list: write `in [1, 2]`', back=1)
        return {name: {operator: value}}

    def _operator(self) -> str:
        negation = '!' if self._take_word('not') else ''
        expected = f'an operator was expected, one of {" ".join(OPERATORS)}'
        kind, text, _ = self._take(expected)
        if kind == 'sign' and not negation:
            return _SIGNS[text]
        if kind == 'word' and text.lower() in WORD_OPERATORS:
            return negation + text.lower()
        self._next -= 1
        raise self._wrong(expected)

    def _value(self, is_time: bool) -> Any:
        kind, text, _ = self._take('a value was expected')
        if kind == 'mark' and text == '[':
            return self._list(is_time)
        if kind == 'text':
            return _time(_unquoted(text)) if is_time else _unquoted(text)
        if kind == 'word':
            return _time(text) if is_time else _bare(text)
        self._next -= 1
        raise self._wrong('a value was expected: a number, a text in quotes, true, false, null or [a, list]')

    def _list(self, is_time: bool) -> list[Any]:
        values: list[Any] = []
        while not self._take_mark(']'):
            if values and not self._take_mark(','):
                raise self._wrong('`,` or `]` was expected')
            values.append(self._value(is_time))
        return values

    # -- tokens ---------------------------------------------------------------------------------------------

    def _take(self, expected: str) -> tuple[str, str, int]:
        if self._next >= len(self._tokens):
            raise self._wrong(expected)
        self._next += 1
        return self._tokens[self._next - 1]

    def _take_if(self, kind: str, text: str) -> bool:
        if self._next < len(self._tokens):
            token = self._tokens[self._next]
            if token[0] == kind and token[1].lower() == text:
                self._next += 1
                return True
        return False

    def _take_word(self, text: str) -> bool:
        return self._take_if('word', text)

    def _take_mark(self, text: str) -> bool:
        return self._take_if('mark', text)

    def _wrong(self, reason: str, back: int = 0) -> UsageError:
        place = self._next - back
        rest = self._text[self._tokens[place][2] :] if place < len(self._tokens) else ''
        where = f'at `{rest}`' if rest else 'at its end'
        return UsageError(f'cannot read the filter `{self._text}`: {reason} {where}')


def _unquoted(text: str) -> str:
    return re.sub(r'\\(.)', r'\1', text[1:-1], flags=re.DOTALL)


def _bare(text: str) -> Any:
    """A word without quotes: a number, a constant, or else a text."""
    if text.lower() in _CONSTANTS:
        return _CONSTANTS[text.lower()]
    if _NUMBER.fullmatch(text):
        if len(text) > _MOST_DIGITS:
            raise UsageError(
                f'a number of {len(text):,} digits is compared with nothing: the filter has `{text[:20]}…`'
            )
        return int(text) if text.lstrip('+-').isdecimal() else float(text)
    return text


def _time(text: str) -> datetime:
    """A date or time in ISO 8601; local time where no zone is given."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise UsageError(f'`{text}` is no time: write it like 2025-03-01 or 2025-03-01T12:30') from None
