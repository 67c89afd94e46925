"""Results on stdout: lists and details as table, JSON, JSON lines, CSV or YAML.

A table on a terminal fits it; the other forms are the same everywhere, without colour and limit of width.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from ricordi.cli.terminal.colors import Tone, Toned
from ricordi.cli.terminal.screen import width as screen_width
from ricordi.cli.terminal.shapes import NUMBER, ColumnShape, shape_of
from ricordi.cli.terminal.streams import carries_all_characters
from ricordi.cli.terminal.table import detail_lines, format_table
from ricordi.cli.terminal.times import local_time
from ricordi.cli.terminal.widths import display_width

Row = Mapping[str, Any]

_ROWS = 100
_EMPTY = ('', '')


class OutputColumn(NamedTuple):
    """A column of a table for people.

    :param key: which value of the row.
    :param heading: what stands above it.
    :param show: how to write a value; None for as it is.
    :param shape: how it gives way where the terminal is narrow; None: as a column of its key does.
    :param tone: what a value means, for its colour.
    """

    key: str
    heading: str
    show: Callable[[Any], str] | None = None
    shape: ColumnShape | None = None
    tone: Callable[[Any], Tone | None] | None = None

    def text(self, row: Row) -> str:
        """The cell of `row`; a missing value is an empty cell."""
        value = row.get(self.key)
        if value is None:
            return ''
        text = self.show(value) if self.show else shown(value)
        return Toned(text, self.tone(value)) if self.tone else text


def keys_of(kind: type[Any]) -> tuple[str, ...]:
    """The keys of rows made of a dataclass by `asdict`."""
    return tuple(field.name for field in fields(kind))


def write_list(
    rows: Iterable[Row], columns: Sequence[OutputColumn], output_format: str | None, keys: Sequence[str] | None = None
) -> None:
    """Write rows, streamed: all keys of a row for a program, the columns for a person.

    :param keys: the keys of all rows, in their order, which head a CSV file also where there is no row; if not given,
        those of the first row, or of the columns.
    """
    if output_format in (None, 'table'):
        _write_table(list(rows), columns)
    elif output_format == 'json':
        _write_json_array(rows)
    elif output_format == 'jsonl':
        for row in rows:
            print(to_json(row))
    elif output_format == 'csv':
        _write_csv(rows, keys, [column.key for column in columns])
    else:
        _write_yaml_list(rows)


def _write_table(rows: Sequence[Row], columns: Sequence[OutputColumn]) -> None:
    table = [[column.text(row) for column in columns] for row in rows]
    shapes = {number: column.shape or shape_of(column.key) for number, column in enumerate(columns)}
    right = [
        number
        for number, column in enumerate(columns)
        if shapes[number] is NUMBER or are_numbers(row.get(column.key) for row in rows)
    ]
    shapes = {number: shape for number, shape in shapes.items() if number not in right}
    print(format_table(table, [column.heading for column in columns], right, shapes))


def are_numbers(values: Iterable[Any]) -> bool:
    """Whether the values of a column are numbers, as far as there are any."""
    kinds = {type(value) for value in values} - {type(None)}
    return bool(kinds) and kinds <= {int, float}


def write_details(
    details: Row,
    output_format: str | None,
    show: Callable[[str, Any], str] = lambda key, value: shown(value),
    short: Callable[[Row], str | None] = lambda group: None,
    name: Callable[[str], str] = str,
) -> None:
    """Write one thing: on a terminal indented by topics; elsewhere and as CSV a line per value, nested keys joined by
    dots; in the other forms as it is.

    :param show: how to write the value of a dotted key for a person.
    :param short: a mapping in one line, for a terminal; None: it is indented.
    :param name: what a key is called on a terminal.
    """
    if output_format in (None, 'table') and screen_width() is not None:
        print('\n'.join(_topics(details, show, short, name)))
    elif output_format in (None, 'table'):
        print(format_table([[key, show(key, value)] for key, value in flatten(details)]))
    elif output_format == 'json':
        print(to_json(details, indent=2))
    elif output_format == 'jsonl':
        print(to_json(details))
    elif output_format == 'csv':
        _write_csv(({'key': key, 'value': one_line(value)} for key, value in flatten(details)), ('key', 'value'))
    else:
        _write_yaml(details)


def _topics(
    details: Row, show: Callable[[str, Any], str], short: Callable[[Row], str | None], name: Callable[[str], str]
) -> Iterator[str]:
    """Lines of names and values; what is nested is indented under its name, an empty line before each topic."""

    def pairs(group: Mapping[Any, Any], above: str, indent: str) -> Iterator[tuple[str, str]]:
        texts = [show(f'{above}.{key}', value) for key, value in group.items()] if are_numbers(group.values()) else []
        digits = max(map(len, texts), default=0)
        for key, value in group.items():
            dotted = f'{above}.{key}' if above else str(key)
            nested = _as_mapping(value)
            text = show(dotted, value).rjust(digits) if nested is None else short(nested)
            if text is not None:
                yield f'{indent}{name(str(key))}', text
            elif nested is not None and nested.items():
                yield from [_EMPTY] * (not indent)
                yield f'{indent}{name(str(key))}', ''
                yield from pairs(nested, dotted, f'{indent}  ')
                yield from [_EMPTY] * (not indent)

    lines = [pair for pair, _ in groupby(pairs(details, '', ''))]
    lines = lines[lines[:1] == [_EMPTY] : len(lines) - (lines[-1:] == [_EMPTY])]
    wide = max((display_width(left) for left, right in lines if right), default=0)
    yield from detail_lines(lines, screen_width(), wide)


def _as_mapping(value: Any) -> Mapping[Any, Any] | None:
    """A mapping, or a list of mappings by their numbers; None for what is neither."""
    if isinstance(value, list | tuple) and value and all(isinstance(part, Mapping) for part in value):
        return dict(enumerate(value))
    return value if isinstance(value, Mapping) else None


def write_details_and_list(details: Row, key: str, rows: Iterable[Row], output_format: str) -> None:
    """Write one thing whose last key holds an array, streamed, as JSON or YAML: memory does not grow with the array.

    :param details: the other keys; at least one.
    """
    if output_format == 'json':
        print(to_json(details, indent=2).removesuffix('\n}') + f',\n  {to_json(key)}: ', end='')
        _write_json_array(rows, indent='  ')
        print('}')
        return
    _write_yaml(details)
    first = next(rows := iter(rows), None)
    print(f'{key}: []' if first is None else f'{key}:')
    if first is not None:
        _write_yaml_list(chain([first], rows))


def flatten(details: Mapping[Any, Any], above: str = '') -> Iterator[tuple[str, Any]]:
    """Pairs of dotted key and value; empty mappings vanish, mappings in a list get their number as key."""
    for key, value in details.items():
        name = f'{above}.{key}' if above else str(key)
        nested = _as_mapping(value)
        if nested is not None:
            yield from flatten(nested, name)
        else:
            yield name, value


def one_line(value: Any) -> str:
    """A value in one line: text as it is with control characters escaped, the rest as JSON would write it."""
    if isinstance(value, str):
        return value if value.isprintable() else value.encode('unicode_escape').decode('ascii')
    if value is None:
        return ''
    if isinstance(value, list | tuple) and all(isinstance(part, str | int) for part in value):
        return ', '.join(map(one_line, value))
    text = to_json(value)
    return text.strip('"')


def shown(value: Any) -> str:
    """A value in one line for a person: times in the local zone."""
    return local_time(value) if isinstance(value, datetime) else one_line(value)


def shown_nested(value: Any, indent: str = '') -> str:
    """A value in as many lines as it has parts: what a mapping holds is indented, a key a line."""
    if type(value) is not dict or not value:  # what is damaged refuses to be looked into
        return shown(value)
    lines = []
    for key, part in value.items():
        text = shown_nested(part, f'{indent}  ')
        nested = type(part) is dict and part
        lines.append(f'{indent}{one_line(str(key))}:{chr(10) if nested else " "}{text}'.rstrip(' '))
    return '\n'.join(lines)


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON text: times in ISO 8601, paths and other foreign things as text; what stdout cannot carry escaped."""
    import json

    return json.dumps(value, indent=indent, ensure_ascii=not carries_all_characters(), default=_plain)


def _plain(value: Any) -> Any:
    if hasattr(value, 'isoformat'):
        return value.isoformat()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def _write_json_array(rows: Iterable[Row], indent: str = '') -> None:
    """An element a line.

    :param indent: what the line with the bracket that closes the array begins with.
    """
    opened = False
    for row in rows:
        sys.stdout.write(f'{"," if opened else "["}\n{indent}  {to_json(row)}')
        opened = True
    print(f'\n{indent}]' if opened else '[]')


def _write_csv(rows: Iterable[Row], keys: Sequence[str] | None, without_rows: Sequence[str] = ()) -> None:
    """A heading and a line per row; without `keys` the heading has those of the first row, else `without_rows`."""
    import csv

    writer = csv.writer(sys.stdout, lineterminator='\n')
    rows = iter(rows)
    first = next(rows, None)
    keys = keys or (list(first) if first is not None else without_rows)
    writer.writerow(keys)
    for row in chain([] if first is None else [first], rows):
        writer.writerow([one_line(row.get(key)) for key in keys])


def _write_yaml_list(rows: Iterable[Row]) -> None:
    """A sequence, written some rows at a time: a list of rows ends where the next one goes on."""
    rows = iter(rows)
    some = list(islice(rows, _ROWS))
    if not some:
        print('[]')
    while some:
        _write_yaml([dict(row) for row in some])
        some = list(islice(rows, _ROWS))


def _write_yaml(value: Any) -> None:
    import json

    import yaml

    plain = json.loads(to_json(value))
    dumper = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)
    unicode = carries_all_characters()
    yaml.dump(plain, sys.stdout, Dumper=dumper, sort_keys=False, allow_unicode=unicode, default_flow_style=False)
