"""Which row of an archive is which row of a profile: found by uuid or email, kept in tables beside the archive's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ricordi.model.fields import FIELDS, TABLES, EntityKind
from ricordi.storage.columns import columns
from ricordi.storage.sqlite.dialect import SqliteDialect

if TYPE_CHECKING:
    from ricordi.backend.imports import Decoders, ImportTarget, StoredValues
    from ricordi.storage.archive.staging import Staging

PAGE = 1000

MATCHED_BY = {kind: name for kind, fields in FIELDS.items() for name in ('uuid', 'email') if name in fields}
"""The field by which rows of a kind are the same, wherever they are."""

Change = Callable[[list[Any]], None]


def map_of(kind: EntityKind) -> str:
    """The table `(id, target)`: pk in the archive, pk in the profile or NULL."""
    return f'temp.map_{kind.value}'


class Mapping:
    """The pks of one archive in one profile."""

    def __init__(self, staging: Staging, target: ImportTarget) -> None:
        self.staging = staging
        self.raw = staging.raw
        self.target = target
        self._dialect = SqliteDialect(staging.path)
        self.existing: dict[EntityKind, int] = {}
        self.new: dict[EntityKind, int] = {}

    def match(self, kind: EntityKind) -> None:
        """Find the rows of a kind that the profile has already."""
        column, table = MATCHED_BY[kind], TABLES[kind]
        with self.staging.guarded():
            self.raw.execute(f'DROP TABLE IF EXISTS {map_of(kind)}')
            self.raw.execute(f'CREATE TABLE {map_of(kind)} (id INTEGER PRIMARY KEY, target INTEGER)')
            total = self.raw.execute(f'INSERT INTO {map_of(kind)} (id) SELECT id FROM {table}').rowcount
        found = 0
        for page in self.pages(f'SELECT id, {column} FROM {table} WHERE id > ?'):
            there = self.target.pks_of(kind, column, [name for _, name in page])
            pairs = [(there[name], pk) for pk, name in page if name in there]
            self.note(kind, pairs)
            found += len(pairs)
        self.existing[kind], self.new[kind] = found, total - found

    def note(self, kind: EntityKind, pairs: Sequence[tuple[int, int]]) -> None:
        """Note pairs of pk in the profile and pk in the archive."""
        with self.staging.guarded():
            self.raw.executemany(f'UPDATE {map_of(kind)} SET target = ? WHERE id = ?', pairs)

    def pages(self, select: str, size: int = PAGE) -> Iterator[list[StoredValues]]:
        """Rows of the archive, some at a time; the first column is the pk, and `select` ends with `id > ?`."""
        last = 0
        while page := self._page(f'{select} ORDER BY 1 LIMIT {size}', last):
            yield page
            last = page[-1][0]

    def _page(self, statement: str, last: int) -> list[StoredValues]:
        with self.staging.guarded():
            return self.raw.execute(statement, (last,)).fetchall()

    def insert(
        self,
        kind: EntityKind,
        told: Callable[[int], None],
        change: Change | None = None,
        *,
        only: str | None = None,
        condition: str = 'TRUE',
    ) -> int:
        """Insert rows of the archive into the profile, with the pks of the profile in their references.

        :param told: hears how many rows were inserted.
        :param change: changes the values of a row, which come in the order of `columns(kind)`.
        :param only: a table of their pks; of kinds that are matched by default those that the profile lacks.
        :param condition: a further one, in SQL; `t` stands for the table.
        :returns: how many were inserted.
        """
        total = 0
        fields = list(columns(kind))[1:]
        decoders = self.decoders(kind, fields)
        for page in self.pages(_select(kind, only, condition)):
            rows: list[StoredValues] = []
            for values in page:
                row = list(values)
                if change is not None:
                    change(row)
                rows.append(tuple(row[1:]))
            pks = self.target.insert(kind, fields, rows, decoders)
            if kind in MATCHED_BY:
                self.note(kind, [(target, values[0]) for target, values in zip(pks, page, strict=True)])
            total += len(rows)
            told(len(rows))
        return total

    def decoders(self, kind: EntityKind, fields: Iterable[str]) -> Decoders:
        """What makes the Python values of what the archive holds, for the fields that need it."""
        found = {name: self._dialect.decoder(FIELDS[kind][name].kind) for name in fields}
        return {name: decode for name, decode in found.items() if decode is not None}


def _select(kind: EntityKind, only: str | None, condition: str) -> str:
    """The SELECT of rows with their references translated, for `pages`."""
    chosen, joins = [], []
    if only is not None:
        joins.append(f'JOIN {only} AS own ON own.id = t.id')
    elif kind in MATCHED_BY:
        joins.append(f'JOIN {map_of(kind)} AS own ON own.id = t.id AND own.target IS NULL')
    for name, field in FIELDS[kind].items():
        if field.references is not None:
            joins.append(f'LEFT JOIN {map_of(field.references)} AS m_{name} ON m_{name}.id = t.{field.column}')
            chosen.append(f'm_{name}.target')
        else:
            chosen.append(f't.{field.column}')
    return f'SELECT {", ".join(chosen)} FROM {TABLES[kind]} AS t {" ".join(joins)} WHERE {condition} AND t.id > ?'
