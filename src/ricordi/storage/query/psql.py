"""Comparing and selecting values on PostgreSQL: how `jsonb` compares keeps numbers exact and types apart."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from ricordi.model.fields import ValueKind
from ricordi.storage.psql.dialect import SQL_TYPES
from ricordi.storage.query.expressions import Decoder, Expressions, Place
from ricordi.storage.query.index_keys import IndexKeys
from ricordi.storage.query.numbers import Span, is_coarse, span_of, spellings
from ricordi.storage.query.rows import decode_json, time_or_none
from ricordi.storage.query.times import ISO_TIME, ISO_ZONE

_NULL = "'null'::jsonb"
_SAFE_TEXT = re.compile(r'[A-Za-z0-9_./]{0,200}').fullmatch
_BY_CODE_POINT = {'<': '~<~', '<=': '~<=~', '>': '~>~', '>=': '~>=~'}
_OF_OPEN_SPAN = {'<': '<=', '>=': '>', '<=': '<', '>': '>='}


class PsqlExpressions(Expressions):
    """SQL of PostgreSQL."""

    mark = '%({})s'
    most_parameters = 65_535

    def holds_text(self, text: str) -> bool:
        return '\x00' not in text

    def constant(self, text: str) -> str:
        # A plan for unknown parameters, which PostgreSQL makes for statements that come often, takes any range of texts
        # for a narrow one. Types of nodes are seldom that.
        return f"'{text}'" if _SAFE_TEXT(text) else self.bind(text)

    # -- columns --------------------------------------------------------------------------------------------

    def encode_time(self, moment: datetime) -> datetime:
        return moment.astimezone(UTC)

    def compare_text(self, sql: str, operator: str, parameter: str) -> str:
        # The operators of the `ix_pat_…` indexes: by code point whatever the locale.
        return f'{sql} {_BY_CODE_POINT[operator]} {parameter}'

    def column_text(self, place: Place) -> str:
        if place.kind is ValueKind.TIME:
            return f"to_char({place.sql} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
        return f'{place.sql}::text'

    def like(self, text: str, pattern: str) -> str:
        return f'{text} LIKE {self.bind(pattern)}'

    def ilike(self, text: str, pattern: str) -> str:
        return f'{text} ILIKE {self.bind(pattern)}'

    def one_of(self, sql: str, kind: ValueKind, values: Sequence[Any], negated: bool) -> str:
        element = SQL_TYPES[kind]
        if kind is ValueKind.INT and any(isinstance(value, float) for value in values):
            element, values = 'float8', [float(value) for value in values]
        listed = f'{self.bind(list(values))}::{element}[]'
        return f'{sql} <> ALL({listed})' if negated else f'{sql} = ANY({listed})'

    # -- JSON -----------------------------------------------------------------------------------------------

    def json_present(self, place: Place) -> str:
        return f'{self._json(place)} <> {_NULL}'

    def json_absent(self, place: Place) -> str:
        return f'coalesce({self._json(place)} = {_NULL}, TRUE)'

    def json_has_type(self, place: Place, name: str) -> str:
        return f"jsonb_typeof({self._json(place)}) = '{name}'"

    def json_compare(self, place: Place, operator: str, value: Any) -> str:
        if isinstance(value, datetime):
            operator = '=' if operator == '==' else operator
            return f'coalesce({self.json_time(place)} {operator} {self.bind(self.encode_time(value))}, FALSE)'
        if isinstance(value, str) and operator != '==' and not self.holds_text(value):
            # no text lies between one and the same with NUL behind it
            value, operator = value.partition('\x00')[0], '>' if operator in ('>', '>=') else '<='
        if _has_no_place(value):
            return self.false
        if is_coarse(value):
            return self._guarded(place, 'number', self._compare_coarse(place, operator, span_of(value)))
        if operator == '==':
            return f'{self._json(place)} IN ({", ".join(map(self._constant, spellings(value)))})'
        if isinstance(value, str):
            test = self.compare_text(self.json_text(place), operator, self.bind(value))
            return self._guarded(place, 'string', test)
        name = 'boolean' if isinstance(value, bool) else 'number'
        return self._guarded(place, name, f'{self._json(place)} {operator} {self._constant(value)}')

    def json_one_of(self, place: Place, values: Sequence[Any]) -> str:
        tests = []
        times = [self.encode_time(value) for value in values if isinstance(value, datetime)]
        if times:
            tests.append(f'coalesce({self.json_time(place)} = ANY({self.bind(times)}::timestamptz[]), FALSE)')
        coarse = [_range_text(span_of(value)) for value in values if is_coarse(value)]
        if coarse:
            inside = f'({self._json(place)})::numeric <@ ANY({self.bind(coarse)}::numrange[])'
            tests.append(f"CASE WHEN jsonb_typeof({self._json(place)}) = 'number' THEN {inside} ELSE FALSE END")
        others = [value for value in values if not isinstance(value, datetime) and not is_coarse(value)]
        others = [spelled for value in others if not _has_no_place(value) for spelled in spellings(value)]
        if others:
            tests.append(f'{self._json(place)} IN (SELECT jsonb_array_elements({self._constant(others)}))')
        return f'({" OR ".join(tests)})' if tests else self.false

    def json_like(self, place: Place, pattern: str, ignore_case: bool) -> str:
        match = self.ilike if ignore_case else self.like
        return self._guarded(place, 'string', match(self.json_text(place), pattern))

    def json_length(self, place: Place, operator: str, length: int) -> str:
        value = self._json(place)
        test = f'jsonb_array_length({value}) {operator} {self.bind(length)}'
        return f"CASE WHEN jsonb_typeof({value}) = 'array' THEN {test} ELSE FALSE END"

    def json_has_key(self, place: Place, key: str) -> str:
        if _has_no_place(key):
            return self.false
        value = self._json(place)
        return f"(jsonb_typeof({value}) IN ('object', 'array') AND {value} ? {self.bind(key)})"

    def json_contains(self, place: Place, value: Any) -> str:
        if _has_no_place(value):
            return self.false
        tests = [f'{self._json(place)} @> {self._constant(spelled)}' for spelled in spellings(value)]
        return f'({" OR ".join(tests)})'

    def index_condition(self, place: Place, operator: str, value: Any) -> str:
        return IndexKeys(self, place).condition(operator, value)

    # -- results --------------------------------------------------------------------------------------------

    def select(self, place: Place) -> tuple[str, Decoder | None]:
        kind = place.kind
        if kind is ValueKind.TIME:
            # As text with the offset in it: read by C code without a call of Python for each value.
            text = f"({place.sql} AT TIME ZONE 'UTC')::text || '+00:00'"
            return text, time_or_none if place.nullable else datetime.fromisoformat
        if kind is ValueKind.JSON:
            return f'{self._json(place)}::text', decode_json
        return place.sql, None

    def json_number(self, place: Place) -> str:
        value = self._json(place)
        return f"CASE WHEN jsonb_typeof({value}) = 'number' THEN {value}::numeric END"

    def json_whole(self, place: Place) -> str:
        return f'trunc({self.json_number(place)})'

    def json_text(self, place: Place) -> str:
        return f"({self._json(place)} #>> '{{}}')"

    def json_truth(self, place: Place) -> str:
        value = self._json(place)
        return f"CASE WHEN {value} = 'true'::jsonb THEN 1 WHEN {value} = 'false'::jsonb THEN 0 END"

    def json_time(self, place: Place) -> str:
        text = self.json_text(place)
        zone = f"CASE WHEN {text} ~ {self.bind_once(ISO_ZONE + '$')} THEN '' ELSE 'Z' END"
        is_time = f"jsonb_typeof({self._json(place)}) = 'string' AND {text} ~ {self.bind_once(ISO_TIME)}"
        return f'CASE WHEN {is_time} THEN ({text} || {zone})::timestamptz END'

    def json_rank(self, place: Place) -> str:
        return (
            f"CASE jsonb_typeof({self._json(place)}) WHEN 'string' THEN 1 WHEN 'number' THEN 2 "
            "WHEN 'boolean' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 5 END"
        )

    def group_key(self, place: Place) -> str:
        return self._json(place) if place.kind is ValueKind.JSON else place.sql

    def aggregate_text(self, function: str, sql: str) -> str:
        return f'{function}({sql}::text COLLATE "C")'

    def order_term(self, sql: str, is_text: bool, descending: bool, nullable: bool) -> str:
        # NULL comes last, first when descending: what PostgreSQL does anyway.
        if is_text:
            return f'{sql} USING {"~>~" if descending else "~<~"}'
        return f'{sql}{" DESC" if descending else ""}'

    # -- walks ----------------------------------------------------------------------------------------------

    def links_from(self, near: str, far: str, node: str, few: bool) -> str:
        if not few:
            return super().links_from(near, far, node, few)
        # OFFSET keeps the planner from a hash join, which would read the whole table at each step of the walk.
        links = f'SELECT {near}, {far}, type FROM db_dblink WHERE {near} = {node} OFFSET 0'
        return f'CROSS JOIN LATERAL ({links}) AS link'

    def path_of(self, first: str, second: str) -> str:
        return f'ARRAY[{first}, {second}]'

    def longer_path(self, path: str, following: str) -> str:
        return f'{path} || {following}'

    def not_on_path(self, path: str, pk: str) -> str:
        return f'{pk} <> ALL({path})'

    def path_as_json(self, path: str) -> str:
        return f'to_jsonb({path})'

    # -- inside ---------------------------------------------------------------------------------------------

    def _json(self, place: Place) -> str:
        if not place.path:
            return place.sql
        if _has_no_place(place.path):
            return 'NULL::jsonb'
        # The path as the text of an array: one text per path, so that equal expressions share their parameter.
        return f'({place.sql} #> {self.bind_once(_array_text(place.path))}::text[])'

    def _constant(self, value: Any) -> str:
        return f'{self.bind(json.dumps(value))}::jsonb'

    def _compare_coarse(self, place: Place, operator: str, span: Span) -> str:
        """Compare with all the numbers next to one double."""
        value = self._json(place)
        if operator == '==':
            at_least, at_most = ('>=', '<=') if span.closed else ('>', '<')
            return f'{value} {at_least} {self._constant(span.low)} AND {value} {at_most} {self._constant(span.high)}'
        end = span.low if operator in ('<', '>=') else span.high
        return f'{value} {operator if span.closed else _OF_OPEN_SPAN[operator]} {self._constant(end)}'

    def _guarded(self, place: Place, name: str, test: str) -> str:
        return f"(jsonb_typeof({self._json(place)}) = '{name}' AND {test})"


def _range_text(span: Span) -> str:
    begin, end = '[]' if span.closed else '()'
    return f'{begin}{span.low},{span.high}{end}'


def _array_text(path: Sequence[str]) -> str:
    return '{' + ','.join('"' + key.replace('\\', '\\\\').replace('"', '\\"') + '"' for key in path) + '}'


def _has_no_place(value: Any) -> bool:
    """Whether PostgreSQL cannot hold this: the character NUL in a text."""
    return '\\u0000' in json.dumps(value)
