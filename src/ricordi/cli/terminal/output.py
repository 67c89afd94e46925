"""Results on stdout: lists and details as table, JSON, JSON lines, CSV or YAML. No colour, no limit of width."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import chain, islice
from typing import Any, NamedTuple

from ricordi.cli.terminal.streams import carries_all_characters
from ricordi.cli.terminal.table import format_table

Row = Mapping[str, Any]

_ROWS = 100


class OutputColumn(NamedTuple):
    """A column of a table for people.

    :param key: which value of the row.
    :param heading: what stands above it.
    :param show: how to write a value; None for as it is.
    """

    key: str
    heading: str
    show: Callable[[Any], str] | None = None

    def text(self, row: Row) -> str:
        """The cell of `row`; a missing value is an empty cell."""
        value = row.get(self.key)
        if value is None:
            return ''
        return self.show(value) if self.show else one_line(value)


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
        table = [[column.text(row) for column in columns] for row in rows]
        print(format_table(table, [column.heading for column in columns]))
    elif output_format == 'json':
        _write_json_array(rows)
    elif output_format == 'jsonl':
        for row in rows:
            print(to_json(row))
    elif output_format == 'csv':
        _write_csv(rows, keys, [column.key for column in columns])
    else:
        _write_yaml_list(rows)


def write_details(
    details: Row, output_format: str | None, show: Callable[[str, Any], str] = lambda key, value: one_line(value)
) -> None:
    """Write one thing: for a person and as CSV a line per value, nested keys joined by dots; else as it is.

    :param show: how to write the value of a dotted key for a person.
    """
    if output_format in (None, 'table'):
        print(format_table([[key, show(key, value)] for key, value in flatten(details)]))
    elif output_format == 'json':
        print(to_json(details, indent=2))
    elif output_format == 'jsonl':
        print(to_json(details))
    elif output_format == 'csv':
        _write_csv(({'key': key, 'value': one_line(value)} for key, value in flatten(details)), ('key', 'value'))
    else:
        _write_yaml(details)


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
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        elif isinstance(value, list | tuple) and value and all(isinstance(part, Mapping) for part in value):
            yield from flatten(dict(enumerate(value)), name)
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
