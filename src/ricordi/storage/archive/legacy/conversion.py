"""The rows of an old archive as those of `main_0000`: each record through all steps, then into its table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ricordi.backend.rows import EntityKind
from ricordi.model.fields import FIELDS, TABLES, RowField, ValueKind
from ricordi.storage.archive.legacy.chain import steps_from
from ricordi.storage.archive.legacy.layout import KINDS, field_name, field_names
from ricordi.storage.archive.legacy.records import Fields, LazyJson, LinkRecord, NodeRecord
from ricordi.storage.archive.legacy.scratch import Scratch
from ricordi.storage.columns import columns, row_words

SHOWN = 5
EMPTY = '{}'
_PARTS = {EntityKind.COMPUTER: 'computer', EntityKind.GROUP: 'group', EntityKind.LOG: 'log'}
"""Which part of a step changes the fields of which kind; those of nodes and links take more than fields."""


@dataclass(slots=True)
class LeftOut:
    """What was left out for one reason: how many, and the first of them in words."""

    number: int = 0
    shown: list[str] = field(default_factory=list)

    def add(self, which: str) -> None:
        """Count one more."""
        self.number += 1
        if len(self.shown) < SHOWN:
            self.shown.append(which[:200])

    def __str__(self) -> str:
        more = f' and {self.number - SHOWN:,} more' if self.number > SHOWN else ''
        return f'{", ".join(self.shown)}{more}'


class Conversion:
    """One archive on its way from scratch to tables. What it had to leave out is told in `notes`."""

    def __init__(self, scratch: Scratch, version: str) -> None:
        """
        :param version: of the archive.
        """
        self._scratch = scratch
        self._raw = scratch.raw
        self._steps = steps_from(version)
        self._unknown: Counter[str] = Counter()
        self._left_out: dict[str, LeftOut] = {}
        self.notes: list[str] = []

    def run(self) -> None:
        """Fill the tables.

        :raises ValueError: a value is not of its kind.
        :raises sqlite3.IntegrityError: two rows are one, or a row names one that is not there.
        """
        for name, kind in KINDS.items():
            rows = self._nodes() if kind is EntityKind.NODE else self._rows(name, kind)
            self._insert(kind, rows)
        self._insert(EntityKind.LINK, self._links())
        self._add_members()
        self._refuse_dangling()
        self._tell()

    def _insert(self, kind: EntityKind, rows: Iterator[list[Any]]) -> None:
        names = columns(kind).values()
        statement = f'INSERT INTO main.{TABLES[kind]} ({", ".join(names)}) VALUES ({", ".join("?" * len(names))})'
        self._raw.executemany(statement, rows)

    def _rows(self, name: str, kind: EntityKind) -> Iterator[list[Any]]:
        part = _PARTS.get(kind)
        changes = [change for step in self._steps if part and (change := getattr(step, part)) is not None]
        for pk, fields in self._scratch.records(name):
            _apply(changes, fields)
            if kind is EntityKind.GROUP and fields.get('extras') is None:
                fields['extras'] = {}
            yield self._values(kind, pk, fields)

    def _values(self, kind: EntityKind, pk: int, fields: Fields, ready: dict[str, Any] | None = None) -> list[Any]:
        """The values of a row in the order of its columns.

        :param ready: JSON texts by column.
        """
        ready = ready or {}
        if not field_names(kind).issuperset(fields):
            self._unknown.update(f'{kind.value}.{name}' for name in fields.keys() - field_names(kind))
        values: list[Any] = [pk]
        for one, name in _plan(kind):
            if one.column in ready:
                values.append(ready[one.column])
            else:
                value = fields.get(name)
                plain = value is None or (type(value) is str and one.kind is ValueKind.TEXT)
                values.append(value if plain else _value(kind, pk, one, value))
        return values

    # -- nodes --------------------------------------------------------------------------------------------------

    def _nodes(self) -> Iterator[list[Any]]:
        changes = [step.node for step in self._steps if step.node is not None]
        for pk, fields, texts in self._scratch.nodes():
            uuid = str(fields.get('uuid'))
            uuid.encode()  # what is no text would be told by SQLite in words that say nothing
            attributes, extras, *dates = map(LazyJson, texts)
            record = NodeRecord(fields, attributes, extras, dates[0], dates[1], self._scratch.symbols_of(uuid))
            if 'type' in fields:
                self._raw.execute('INSERT INTO temp.before VALUES (?, ?)', (pk, str(fields['type'])))
            _apply(changes, record)
            ready = {
                'attributes': _json(record.attributes, pk, 'attributes'),
                'extras': _json(record.extras, pk, 'extras'),
                'repository_metadata': self._scratch.tree(uuid, record.removed_files),
            }
            for name in ready.keys() & fields.keys():
                del fields[name]
            yield self._values(EntityKind.NODE, pk, fields, ready)

    # -- links and groups ---------------------------------------------------------------------------------------

    def _links(self) -> Iterator[list[Any]]:
        changes = [step.link for step in self._steps if step.link is not None]
        self._raw.execute(
            "INSERT OR REPLACE INTO temp.node SELECT n.uuid, n.id, coalesce(b.node_type, ''), n.node_type "
            'FROM main.db_dbnode AS n LEFT JOIN temp.before AS b ON b.pk = n.id WHERE n.uuid IS NOT NULL'
        )
        statement = (
            'SELECT l.id, l.source, l.target, l.label, l.type, s.pk, t.pk, s.before, t.before, t.after '
            'FROM temp.link AS l LEFT JOIN temp.node AS s ON s.uuid = l.source '
            'LEFT JOIN temp.node AS t ON t.uuid = l.target ORDER BY l.id'
        )
        for number, *ends, label, kind, source, target, before, target_before, after in self._raw.execute(statement):
            record = LinkRecord({'label': label, 'type': kind}, before or '', target_before or '', after or '')
            if source is None or target is None:
                record.left_out = 'its nodes are not all there'
            for change in changes:
                if not record.left_out:
                    change(record)
            if record.left_out:
                self._leave_out(f'links were left out: {record.left_out}', f'{ends[0]} → {ends[1]} ({label})')
                continue
            ready = {'input_id': source, 'output_id': target}
            yield self._values(EntityKind.LINK, number, record.fields, ready)

    def _add_members(self) -> None:
        found = (
            'FROM temp.member AS m LEFT JOIN main.db_dbgroup AS g ON g.uuid = m."group" '
            'LEFT JOIN temp.node AS n ON n.uuid = m.node'
        )
        self._raw.execute(
            f'INSERT OR IGNORE INTO main.{TABLES[EntityKind.GROUP_NODE]} (dbnode_id, dbgroup_id) SELECT n.pk, g.id '
            f'{found} WHERE n.pk IS NOT NULL AND g.id IS NOT NULL ORDER BY m.id'
        )
        lost = self._raw.execute(f'SELECT m."group", m.node {found} WHERE n.pk IS NULL OR g.id IS NULL ORDER BY m.id')
        for group, node in lost:
            self._leave_out('members of groups were left out: node or group is not there', f'{node} of group {group}')

    def _leave_out(self, what: str, which: str) -> None:
        self._left_out.setdefault(what, LeftOut()).add(which)

    # -- at the end ---------------------------------------------------------------------------------------------

    def _refuse_dangling(self) -> None:
        for table, pk, parent, _ in self._raw.execute('PRAGMA main.foreign_key_check'):
            raise ValueError(f'the {row_words(table)} with pk {pk} names a {row_words(parent)} that is not in it')

    def _tell(self) -> None:
        self.notes += [f'{which.number:,} {what}: {which}' for what, which in self._left_out.items()]
        if self._unknown:
            told = ', '.join(f'{name} ({number:,})' for name, number in sorted(self._unknown.items()))
            self.notes.append(f'fields that no archive has were left out: {told}')
        for name, number in sorted(self._scratch.other.items()):
            if number:
                self.notes.append(f'{number:,} entries of kind {name[:50]} were left out: no archive has such')
        (lost,) = self._raw.execute(
            'SELECT count(*) FROM temp.file WHERE key IS NOT NULL AND uuid NOT IN (SELECT uuid FROM temp.node)'
        ).fetchone()
        if lost:
            self.notes.append(f'{lost:,} files were left out: their nodes are not there')


@cache
def _plan(kind: EntityKind) -> list[tuple[RowField, str]]:
    """The fields of a kind after its pk, which comes first, and what they are called in an archive."""
    return [(field, field_name(field)) for field in FIELDS[kind].values() if field.name != 'pk']


def _apply(changes: list[Callable[[Any], None]], record: Any) -> None:
    for change in changes:
        change(record)


def _json(value: LazyJson, pk: int, name: str) -> str:
    text = value.text()
    if text is None:
        raise ValueError(f'the {name} of the node with pk {pk} are not in it')
    return EMPTY if text == 'null' else text


def _value(kind: EntityKind, pk: int, field: RowField, value: Any) -> Any:
    """A value as SQLite keeps it.

    :raises ValueError: it is not of the kind that its column holds.
    """
    if value is None:
        return None
    if field.kind is ValueKind.JSON:
        return json.dumps(value)
    if field.kind is ValueKind.INT and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return value
    if field.kind is ValueKind.TIME and isinstance(value, str):
        with suppress(ValueError):
            return _time(value)
    if field.kind in (ValueKind.TEXT, ValueKind.UUID) and isinstance(value, str):
        return value
    raise ValueError(f'the {field.column} of the {row_words(TABLES[kind])} with pk {pk} cannot be {str(value)[:50]!r}')


def _time(text: str) -> str:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat(' ', 'microseconds')
