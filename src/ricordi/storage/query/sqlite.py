"""Comparing and selecting values on SQLite 3.35 and newer, with its JSON functions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ricordi.model.attribute_paths import AttributePath
from ricordi.model.fields import ValueKind
from ricordi.storage.attribute_indexes.names import index_name
from ricordi.storage.attribute_indexes.sqlite import literal_path
from ricordi.storage.query.expressions import Decoder, Expressions, Place
from ricordi.storage.query.numbers import is_coarse, is_huge, is_number
from ricordi.storage.query.patterns import after_prefix, parse_pattern
from ricordi.storage.query.rows import decode_bounded, decode_json, decode_text, time_or_none

_PLAIN_KEY = re.compile(r'[ !#-\[\]-~]+').fullmatch
_INDEX = re.compile(r'-?\d{1,9}', re.ASCII).fullmatch
_NUL = '\x00'
_BEYOND_THE_END = '$[#]'
_NO_JSON = 'no JSON'
"""What a guarded query yields where a value is to be read out of what is no JSON."""
_BY_VALUE = ('==', 'in', '<', '<=', '>', '>=')
_NUMBER = "('integer', 'real')"
_TYPES = {
    'object': "= 'object'",
    'array': "= 'array'",
    'string': "= 'text'",
    'number': f'IN {_NUMBER}',
    'boolean': "IN ('true', 'false')",
}


class SqliteExpressions(Expressions):
    """SQL of SQLite."""

    mark = ':{}'
    no_limit = ' LIMIT -1'
    sorts_blindly = True

    def __init__(self, distrusted: bool = False, guarded: bool = False) -> None:
        """
        :param distrusted: the database comes from strangers: of its JSON no more is read than there is memory for.
        :param guarded: there is a row in it whose JSON is none, which would end a whole query; slower.
        """
        super().__init__()
        self._decode_json = decode_bounded if distrusted else decode_json
        self._guarded_rows = guarded

    # -- columns --------------------------------------------------------------------------------------------

    def encode_time(self, moment: datetime) -> str:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'microseconds')

    def encode_bool(self, value: bool) -> int:
        return int(value)

    def compare_text(self, sql: str, operator: str, parameter: str) -> str:
        return f'{sql} {operator} {parameter}'

    def column_text(self, place: Place) -> str:
        return f'CAST({place.sql} AS TEXT)' if place.kind is ValueKind.INT else place.sql

    def like(self, text: str, pattern: str) -> str:
        return f"{text} LIKE {self.bind(pattern)} ESCAPE '\\'"

    def ilike(self, text: str, pattern: str) -> str:
        if pattern.isascii():
            return f"lower({text}) LIKE {self.bind(pattern.lower())} ESCAPE '\\'"
        bare = f'CAST({text} AS BLOB)' if self._guarded_rows else text
        return f"{self._call('ricordi_lower', bare)} LIKE {self.bind(pattern.lower())} ESCAPE '\\'"

    def one_of(self, sql: str, kind: ValueKind, values: Sequence[Any], negated: bool) -> str:
        # json_each ends a text at the character NUL.
        odd = [value for value in values if isinstance(value, str) and _NUL in value]
        if odd:
            among = f'hex({sql}) IN {self._listed([value.encode().hex().upper() for value in odd])}'
            rest = [value for value in values if _NUL not in value]
            others = [self.one_of(sql, kind, rest, negated)] if rest else []
            if negated:  # hex makes an empty text of NULL
                return f'({" AND ".join([f"NOT {among}", f"{sql} IS NOT NULL", *others])})'
            return f'({" OR ".join([among, *others])})'
        return f'{sql} {"NOT " if negated else ""}IN {self._listed(values)}'

    # -- JSON -----------------------------------------------------------------------------------------------

    def json_present(self, place: Place) -> str:
        return f"{self._type(place)} <> 'null'"

    def json_absent(self, place: Place) -> str:
        return f"ifnull({self._type(place)}, 'null') = 'null'"

    def json_has_type(self, place: Place, name: str) -> str:
        return f'{self._type(place)} {_TYPES[name]}'

    def json_compare(self, place: Place, operator: str, value: Any) -> str:
        if isinstance(value, bool):
            return self._guarded(place, 'boolean', f'{self._value(place)} {operator} {int(value)}')
        if isinstance(value, datetime):
            return f'ifnull({self.json_time(place)} {operator} {self.bind(self.encode_time(value))}, FALSE)'
        if isinstance(value, str):
            return self._guarded(place, 'string', f'{self._value(place)} {operator} {self.bind(value)}')
        if isinstance(value, list | dict) or is_huge(value):
            return self._test(place, operator, value)
        # A float goes through SQLite's own reading of its digits, as the stored one does: else the last bit may differ.
        number = f"json_extract({self.bind(repr(value))}, '$')" if isinstance(value, float) else self.bind(value)
        stored = f'CAST({self._value(place)} AS REAL)' if is_coarse(value) else self._value(place)
        return self._guarded(place, 'number', f'{stored} {operator} {number}')

    def json_one_of(self, place: Place, values: Sequence[Any]) -> str:
        tests = [
            self.json_compare(place, '==', truth) for truth in (False, True) if any(one is truth for one in values)
        ]
        times = [self.encode_time(value) for value in values if isinstance(value, datetime)]
        if times:
            tests.append(f'ifnull({self.json_time(place)} IN {self._listed(times)}, FALSE)')
        texts = [value for value in values if isinstance(value, str) and _NUL not in value]
        numbers = [value for value in values if is_number(value) and not is_coarse(value) and not is_huge(value)]
        for name, group in (('string', texts), ('number', numbers)):
            if group:
                tests.append(self._guarded(place, name, f'{self._value(place)} IN {self._listed(group)}'))
        others = [value for value in values if _stands_alone(value)]
        if others:
            tests.append(self._test(place, 'in', others))
        return f'({" OR ".join(tests)})'

    def json_like(self, place: Place, pattern: str, ignore_case: bool) -> str:
        match = self.ilike if ignore_case else self.like
        return self._guarded(place, 'string', match(self._value(place), pattern))

    def json_length(self, place: Place, operator: str, length: int) -> str:
        return self._guarded(place, 'array', f'{self._json("json_array_length", place)} {operator} {self.bind(length)}')

    def json_has_key(self, place: Place, key: str) -> str:
        document, paths = self._document(place)
        if len(paths) > 1 or not _PLAIN_KEY(key):
            return self._test(place, 'has_key', key)
        inside = f'json_type({document}, {self.bind(paths[0] + _step(key))}) IS NOT NULL'
        listed = f"EXISTS (SELECT 1 FROM json_each({document}, {self.bind(paths[0])}) WHERE type = 'text' AND value = "
        return (
            f"CASE {self._type(place)} WHEN 'object' THEN {inside} "
            f"WHEN 'array' THEN {listed}{self.bind(key)}) WHEN 'null' THEN NULL ELSE FALSE END"
        )

    def json_contains(self, place: Place, value: Any) -> str:
        return self._test(place, 'contains', value)

    def guesses_at(self, place: Place, operator: str, value: Any) -> bool:
        # Of an index SQLite keeps how many rows a value has on the average: as many that failed as that went well.
        if not self.has_index(place):
            return False
        if operator == 'like':
            return bool(parse_pattern(value).prefix) and _NUL not in value
        values = value if operator == 'in' else (value,)
        return operator in _BY_VALUE and all(map(_is_found_by_value, values))

    def by_index(self, place: Place) -> str:
        # Left to itself it reads all rows for the few of which few have another value than most.
        return f' INDEXED BY {index_name(AttributePath(place.sql.rpartition(".")[2], tuple(place.path)))}'

    def index_condition(self, place: Place, operator: str, value: Any) -> str:
        if operator == 'has_key':
            return f'json_type({self._document(place)[0]}, {literal_path((value,))}) IS NOT NULL'
        prefix = parse_pattern(value).prefix if operator == 'like' else ''
        if not prefix or _NUL in prefix:
            return ''
        end = after_prefix(prefix)
        range_of_texts = f'{self._value(place)} >= {self.bind(prefix)}'
        return range_of_texts if end is None else f'{range_of_texts} AND {self._value(place)} < {self.bind(end)}'

    # -- results --------------------------------------------------------------------------------------------

    def select(self, place: Place) -> tuple[str, Decoder | None]:
        kind = place.kind
        if kind is ValueKind.TIME:
            # With the offset in it, C code reads the time without a call of Python.
            text = f"{place.sql} || '+00:00'"
            return text, time_or_none if place.nullable else datetime.fromisoformat
        if kind is ValueKind.BOOL:
            return place.sql, _decode_bool
        if kind is not ValueKind.JSON:
            return place.sql, None if kind is ValueKind.INT else decode_text
        if not place.path:
            return place.sql, self._decode_json
        document, paths = self._document(place)
        if paths == ['$']:
            return document, self._decode_json
        # With several paths the values come as JSON text, digit by digit as they were stored.
        paths = [*paths, _BEYOND_THE_END][:2]
        text = f'json_extract({document}, {", ".join(map(self.bind_once, paths))})'
        if not self._guarded_rows:
            return text, first_found
        return f"CASE WHEN {_is_json(place.sql)} THEN {text} ELSE '{_NO_JSON}' END", _first_found_of_json

    def json_number(self, place: Place) -> str:
        return f'CASE WHEN {self._type(place)} IN {_NUMBER} THEN {self._value(place)} END'

    def json_whole(self, place: Place) -> str:
        return f'CAST({self.json_number(place)} AS INTEGER)'

    def json_text(self, place: Place) -> str:
        kind = self._type(place)
        return (
            f"CASE {kind} WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST({self._value(place)} AS TEXT) END"
        )

    def json_truth(self, place: Place) -> str:
        return f"CASE {self._type(place)} WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"

    def json_time(self, place: Place) -> str:
        text = f"CASE {self._type(place)} WHEN 'text' THEN {self._value(place)} END"
        return self._call('ricordi_json_time', text)

    def json_rank(self, place: Place) -> str:
        return (
            f"CASE {self._type(place)} WHEN 'text' THEN 1 WHEN 'integer' THEN 2 WHEN 'real' THEN 2 "
            "WHEN 'true' THEN 3 WHEN 'false' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 5 END"
        )

    def group_key(self, place: Place) -> str:
        return self.select(place)[0] if place.kind is ValueKind.JSON else place.sql

    def aggregate_text(self, function: str, sql: str) -> str:
        return f'{function}({sql})'

    def order_term(self, sql: str, is_text: bool, descending: bool, nullable: bool) -> str:
        nulls = f' NULLS {"FIRST" if descending else "LAST"}' if nullable else ''
        return f'{sql}{" DESC" if descending else ""}{nulls}'

    def decode_time(self, value: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(f'{value}+00:00')

    # -- walks ----------------------------------------------------------------------------------------------

    def unsearched(self, sql: str) -> str:
        return f'+{sql}'

    def path_of(self, first: str, second: str) -> str:
        return f"',' || {first} || ',' || {second} || ','"

    def longer_path(self, path: str, following: str) -> str:
        return f"{path} || {following} || ','"

    def not_on_path(self, path: str, pk: str) -> str:
        return f"instr({path}, ',' || {pk} || ',') = 0"

    def path_as_json(self, path: str) -> str:
        return f"'[' || trim({path}, ',') || ']'"

    # -- inside ---------------------------------------------------------------------------------------------

    def _document(self, place: Place) -> tuple[str, list[str]]:
        """The JSON document and the path in it: two, where a key of digits may be an index as well."""
        indexes = sum(1 for key in place.path if _INDEX(key))
        if indexes > 1 or not all(map(_PLAIN_KEY, place.path)):
            return self._call('ricordi_json_get', self._bare(place), self.bind_once(json.dumps(place.path))), ['$']
        document = f'CASE WHEN {_is_json(place.sql)} THEN {place.sql} END' if self._guarded_rows else place.sql
        path = '$' + ''.join(map(_step, place.path))
        if not indexes:
            return document, [path]
        as_index = '$' + ''.join(_index_step(key) if _INDEX(key) else _step(key) for key in place.path)
        return document, [as_index, path]

    def _bare(self, place: Place) -> str:
        """The document for a function in Python, which the driver does not call with what is no text."""
        return f'CAST({place.sql} AS BLOB)' if self._guarded_rows else place.sql

    def _json(self, function: str, place: Place) -> str:
        document, paths = self._document(place)
        if self.has_index(place):
            return f'{function}({document}, {literal_path(place.path)})'
        calls = [f'{function}({document}, {self.bind_once(path)})' for path in paths]
        return calls[0] if len(calls) == 1 else f'coalesce({", ".join(calls)})'

    def _type(self, place: Place) -> str:
        return self._json('json_type', place)

    def _value(self, place: Place) -> str:
        return self._json('json_extract', place)

    def _guarded(self, place: Place, name: str, test: str) -> str:
        return f'({self._type(place)} {_TYPES[name]} AND {test})'

    def _test(self, place: Place, operator: str, value: Any) -> str:
        path = self.bind_once(json.dumps(place.path))
        operand = self.bind(json.dumps(value))
        return self._call('ricordi_json_test', self._bare(place), path, f"'{operator}'", operand)

    def _listed(self, values: Sequence[Any]) -> str:
        return f'(SELECT value FROM json_each({self.bind(json.dumps(values))}))'

    def _call(self, function: str, *arguments: str) -> str:
        self.calls_python = True
        return f'{function}({", ".join(arguments)})'


def _step(key: str) -> str:
    return f'."{key}"'


def _index_step(key: str) -> str:
    place = int(key)
    return f'[#{place}]' if place < 0 else f'[{place}]'


def _is_found_by_value(value: Any) -> bool:
    return isinstance(value, str | bool | int | float) and not _stands_alone(value)


def _stands_alone(value: Any) -> bool:
    """Whether a value is one that SQLite cannot compare with those that json_each lists."""
    if isinstance(value, str):
        return _NUL in value
    return isinstance(value, list | dict) or is_coarse(value) or is_huge(value)


def _is_json(sql: str) -> str:
    """Whether a column holds JSON, or the NULL or number that stands for some."""
    return f"(CASE typeof({sql}) WHEN 'blob' THEN FALSE WHEN 'text' THEN json_valid({sql}) ELSE TRUE END)"


def _first_found_of_json(text: str | None) -> Any:
    if text == _NO_JSON:
        raise ValueError('it is no JSON')
    return first_found(text)


def _decode_bool(value: Any) -> bool | None:
    return None if value is None else bool(value)


def first_found(text: str | None) -> Any:
    """The value that one of two paths has found: of the array of both."""
    if text is None:
        return None
    first, second = decode_json(text)  # a ValueError or TypeError where one of them cannot be read
    return second if first is None else first
