"""Rows of the database: insert, update, delete, get, find. One statement for one row, bulk forms for many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from ricordi.backend.rows import ROW_TYPES, EntityKind, RowT
from ricordi.errors import NotExistent, ValidationError
from ricordi.model.fields import FIELDS, TABLES, RowField, ValueKind
from ricordi.model.identifiers import uuid_start
from ricordi.model.values import (
    UNREADABLE,
    DamagedJson,
    damaged_bytes,
    damaged_time,
    why_unreadable,
)
from ricordi.storage.columns import check_length, column_name, columns, place_of
from ricordi.storage.dialect import Dialect
from ricordi.storage.session import Session
from ricordi.storage.values import new_uuids

FIND_ROWS = 1000
"""Up to so many rows are found by one statement; of more, first the pks, then the rows in portions of this size."""


class RowCodec:
    """How rows of one kind go into and come out of one database."""

    def __init__(self, dialect: Dialect, kind: EntityKind, limits_texts: bool = True) -> None:
        """
        :param limits_texts: whether a text is refused that is longer than its column was declared.
        """
        self.kind = kind
        self._limits_texts = limits_texts
        self.table = TABLES[kind]
        self.columns = columns(kind)
        self.select = f'SELECT {", ".join(self.columns.values())} FROM {self.table}'
        self._row_type = ROW_TYPES[kind]
        known = [*FIELDS[kind].values()]
        self._encoders = {field.name: dialect.encoder(field.kind) for field in known}
        self._json = [place for place, field in enumerate(known) if field.kind is ValueKind.JSON]
        self._inserted = [field.name for field in known if field.name != 'pk']
        self._defaults = {name: _default_of(kind, name) for name in self._inserted}
        self._made = {field.name for field in known if field.kind in (ValueKind.UUID, ValueKind.TIME)}
        decoders = [dialect.decoder(field.kind) for field in known]
        self._decoders = [(place, decode) for place, decode in enumerate(decoders) if decode]
        self._places = {field.name: place for place, field in enumerate(known)}
        self._decoder_of = dict(self._decoders)
        self._texts = None
        if dialect.keeps_any_type:
            self._texts = _taker(_texts_in(known, nullable=False))
            self._decoders += [(place, _no_bytes) for place in _texts_in(known, nullable=True)]

    def decode(self, values: Sequence[Any]) -> Any:
        """The row of what `select` yields; JSON that is NULL in the database is an empty dict.

        :raises ricordi.errors.CorruptStorage: a value is none that the storage can have written.
        """
        decoded = list(values)
        try:
            for place, decode in self._decoders:
                if decoded[place] is not None:
                    decoded[place] = decode(decoded[place])
            if self._texts is not None:
                ''.join(self._texts(values))  # a TypeError for what is no text, without a loop in Python
        except UNREADABLE:
            decoded = self._decode_damaged(values)
        for place in self._json:
            if decoded[place] is None:
                decoded[place] = {}
            elif not isinstance(decoded[place], dict):
                decoded[place] = self._damaged('it is no dictionary', values[0], place)
        return self._row_type(*decoded)

    def decode_fields(self, pk: Any, fields: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
        """As `decode`, of some fields of a row."""
        return tuple(self._decode_field(pk, field, value) for field, value in zip(fields, values, strict=True))

    def _decode_field(self, pk: Any, field: str, value: Any) -> Any:
        place = self._places[field]
        if value is None:
            return {} if place in self._json else None
        if isinstance(value, bytes):
            value = damaged_bytes(value)
        decode = self._decoder_of.get(place)
        if decode is not None:
            try:
                value = decode(value)
            except UNREADABLE as error:
                reason = why_unreadable(error, value)
                return self._damaged(reason, pk, place) if place in self._json else damaged_time()
        if place in self._json and not isinstance(value, dict):
            return self._damaged('it is no dictionary', pk, place)
        return value

    def _decode_damaged(self, values: Sequence[Any]) -> list[Any]:
        """The values of a row in which one cannot be read; another stands for it, so that the row can be shown."""
        decoded = [damaged_bytes(value) if isinstance(value, bytes) else value for value in values]
        for place, decode in self._decoders:
            try:
                decoded[place] = None if decoded[place] is None else decode(decoded[place])
            except UNREADABLE as error:
                reason = why_unreadable(error, decoded[place])
                decoded[place] = self._damaged(reason, values[0], place) if place in self._json else damaged_time()
        return decoded

    def _damaged(self, reason: str, pk: Any, place: int) -> DamagedJson:
        return DamagedJson(reason, place_of(self.table, pk, [*self.columns.values()][place]))

    def encode(self, field: str, value: Any) -> Any:
        """What the driver takes for a value of a field, to compare with."""
        encoder = self._encoders[field]
        return value if encoder is None or value is None else encoder(value, field)

    def encode_new(self, field: str, value: Any) -> Any:
        """What the driver takes for a value that is about to be kept."""
        if self._limits_texts:
            check_length(self.kind, field, value)
        return self.encode(field, value)

    def encode_rows(self, rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Columns and encoded values of rows to be inserted, with defaults, uuids and times where they are missing."""
        given = rows[0].keys()
        if any(row.keys() != given for row in rows):
            raise ValidationError('all rows of one insert must have the same fields')
        unknown = given - self.columns.keys()
        if unknown:
            raise ValidationError(f'{self.table} has no field {min(unknown)!r}; it has {", ".join(self.columns)}')
        if 'pk' in given and any(row['pk'] is not None for row in rows):
            raise ValidationError('a pk cannot be chosen: the database gives it')
        now = datetime.now(UTC)
        values = [self._encode_column(name, rows, name in given, now) for name in self._inserted]
        return [self.columns[name] for name in self._inserted], list(zip(*values, strict=True))

    def _encode_column(self, name: str, rows: Sequence[Mapping[str, Any]], given: bool, now: datetime) -> list[Any]:
        default, encoder = self._defaults[name], self._encoders[name]
        if not given:
            return new_uuids(len(rows)) if name == 'uuid' else [self.encode(name, default(now))] * len(rows)
        if encoder is None:
            values = [row[name] for row in rows]
            if self._limits_texts and FIELDS[self.kind][name].limit is not None:
                for value in values:
                    check_length(self.kind, name, value)
            return values
        if name in self._made:
            return [encoder(row[name] or default(now), name) for row in rows]
        return [None if (value := row[name]) is None else encoder(value, name) for row in rows]


def _texts_in(known: Sequence[RowField], nullable: bool) -> list[int]:
    """The places of texts among the fields of a row: those that it cannot be without, or those that it can."""
    kinds = (ValueKind.TEXT, ValueKind.UUID)
    return [place for place, field in enumerate(known) if field.kind in kinds and field.nullable is nullable]


def _taker(places: list[int]) -> Callable[[Sequence[Any]], Iterable[Any]] | None:
    """What takes the values at some places out of those of a row; None where there are no two."""
    return itemgetter(*places) if len(places) > 1 else None


def _no_bytes(value: Any) -> Any:
    if isinstance(value, bytes):
        raise TypeError('it is no text')
    return value


def _default_of(kind: EntityKind, name: str) -> Callable[[datetime], Any]:
    """What makes the value of a field that was not given, at a moment."""
    if FIELDS[kind][name].kind is ValueKind.UUID:
        return lambda now: new_uuids(1)[0]
    if FIELDS[kind][name].kind is ValueKind.TIME:
        return lambda now: now
    made: Any = ROW_TYPES[kind]
    return lambda now: getattr(made(), name)


class Rows:
    """The rows of all kinds in the databases of one dialect; each call is given the session to work in."""

    def __init__(self, dialect: Dialect, limits_texts: bool = True) -> None:
        """
        :param limits_texts: whether a text is refused that is longer than its column was declared.
        """
        self.dialect = dialect
        self._limits_texts = limits_texts
        self._codecs: dict[EntityKind, RowCodec] = {}

    def codec(self, kind: EntityKind) -> RowCodec:
        """The codec of a kind, made at first need."""
        if kind not in self._codecs:
            self._codecs[kind] = RowCodec(self.dialect, kind, self._limits_texts)
        return self._codecs[kind]

    # -- changing -------------------------------------------------------------------------------------------

    def insert(self, session: Session, kind: EntityKind, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert rows, all or none; returns their pks in order."""
        if not rows:
            return []
        names, values = self.codec(kind).encode_rows(rows)
        if len(values) == 1:
            return self.dialect.insert(session, TABLES[kind], names, values)
        with session.transaction():
            return self.dialect.insert(session, TABLES[kind], names, values)

    def update(self, session: Session, kind: EntityKind, pk: int, values: Mapping[str, Any]) -> None:
        """Change fields of one row."""
        if not values:
            return
        statement, encoded = self._update_statement(kind, values)
        if session.execute(statement, (*encoded, pk)).rowcount == 0:
            raise NotExistent(f'there is no {kind} with pk {pk}')

    def update_json(
        self,
        session: Session,
        kind: EntityKind,
        pk: int,
        field: str,
        values: Mapping[str, Any],
        drop: Sequence[str],
        as_read: tuple[object, Any] | None,
    ) -> None:
        """Set some keys of a field that holds a dictionary, and drop others; the rest stays as it is."""
        merged = self.dialect.merged_json(column_name(kind, field))
        if merged is None:
            with session.unbroken():
                found = self._dictionary(session, kind, pk, field, as_read)
                kept = {key: value for key, value in found.items() if key not in drop}
                self.update(session, kind, pk, {field: {**kept, **values}})
            return
        codec, mark = self.codec(kind), self.dialect.mark
        changes, parameters = [f'{column_name(kind, field)} = {merged}'], [list(drop), codec.encode_new(field, values)]
        if 'mtime' in codec.columns:
            changes.append(f'mtime = {mark}')
            parameters.append(codec.encode('mtime', datetime.now(UTC)))
        statement = f'UPDATE {codec.table} SET {", ".join(changes)} WHERE id = {mark}'
        if session.execute(statement, (*parameters, pk)).rowcount == 0:
            raise NotExistent(f'there is no {kind} with pk {pk}')

    def _dictionary(
        self, session: Session, kind: EntityKind, pk: int, field: str, as_read: tuple[object, Any] | None
    ) -> Any:
        if as_read is not None and as_read[0] == self.dialect.change_token(session):  # nobody can change it from now on
            return as_read[1]
        found = self.get_fields(session, ROW_TYPES[kind], pk, (field,))
        if found is None:
            raise NotExistent(f'there is no {kind} with pk {pk}')
        return found[0]

    def bulk_update(self, session: Session, kind: EntityKind, rows: Sequence[Mapping[str, Any]]) -> None:
        """Change many rows, all or none."""
        alike: dict[str, list[tuple[Any, ...]]] = {}
        for row in rows:
            if 'pk' not in row:
                raise ValidationError('each row of a bulk update must have its pk')
            values = {name: value for name, value in row.items() if name != 'pk'}
            if values:
                statement, encoded = self._update_statement(kind, values)
                alike.setdefault(statement, []).append((*encoded, row['pk']))
        with session.transaction():
            for statement, parameters in alike.items():
                if session.execute_many(statement, parameters) != len(parameters):
                    self._refuse_missing(session, kind, [values[-1] for values in parameters])

    def _update_statement(self, kind: EntityKind, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        codec = self.codec(kind)
        if 'pk' in values:
            raise ValidationError('the pk of a row cannot be changed')
        if 'mtime' in codec.columns and 'mtime' not in values:
            values = {**values, 'mtime': datetime.now(UTC)}
        changes = ', '.join(f'{column_name(kind, name)} = {self.dialect.mark}' for name in values)
        encoded = [codec.encode_new(name, value) for name, value in values.items()]
        return f'UPDATE {codec.table} SET {changes} WHERE id = {self.dialect.mark}', encoded

    def _refuse_missing(self, session: Session, kind: EntityKind, pks: list[int]) -> None:
        there = {row.pk for row in self.find(session, ROW_TYPES[kind], {'pk': pks}, ('pk',), None)}
        missing = sorted(set(pks) - there)
        if missing:
            raise NotExistent(f'there is no {kind} with pk {", ".join(map(str, missing[:10]))}; no row was changed')

    def delete(self, session: Session, kind: EntityKind, pks: Iterable[int] | None) -> int:
        """Delete rows, or all of them for None; memberships go with their group."""
        chosen = None if pks is None else list(pks)
        if chosen == []:
            return 0
        with session.transaction():
            if kind is EntityKind.GROUP:
                self.delete_where(session, EntityKind.GROUP_NODE, {} if chosen is None else {'group_pk': chosen})
            return self.delete_where(session, kind, {} if chosen is None else {'pk': chosen})

    def delete_where(self, session: Session, kind: EntityKind, equal: Mapping[str, Any]) -> int:
        """Delete the rows that `find` would find; returns how many."""
        condition, parameters = self._condition(kind, equal)
        return int(session.execute(f'DELETE FROM {TABLES[kind]} WHERE {condition}', parameters).rowcount)

    # -- reading ----------------------------------------------------------------------------------------------

    def get(self, session: Session, row_type: type[RowT], pk: int, lock: bool = False) -> RowT | None:
        """One row by primary key; with `lock`, nobody else changes it until the transaction ends."""
        if _has_no_place(pk):
            return None
        codec = self.codec(row_type.kind)
        tail = self.dialect.lock_row if lock else ''
        values = session.execute(f'{codec.select} WHERE id = {self.dialect.mark}{tail}', (pk,)).fetchone()
        return None if values is None else codec.decode(values)

    def get_fields(
        self, session: Session, row_type: type[RowT], pk: int, fields: Sequence[str]
    ) -> tuple[Any, ...] | None:
        """Some fields of one row."""
        if _has_no_place(pk):
            return None
        codec = self.codec(row_type.kind)
        chosen = ', '.join(codec.columns[field] for field in fields)
        statement = f'SELECT {chosen} FROM {codec.table} WHERE id = {self.dialect.mark}'
        values = session.execute(statement, (pk,)).fetchone()
        return None if values is None else codec.decode_fields(pk, fields, values)

    def find(
        self,
        session: Session,
        row_type: type[RowT],
        equal: Mapping[str, Any] | None,
        order_by: Sequence[str],
        limit: int | None,
    ) -> Iterator[RowT]:
        """Rows whose fields equal the given values; few by one statement, many in portions."""
        kind = row_type.kind
        codec = self.codec(kind)
        condition, parameters = self._condition(kind, equal or {})
        tail = f'WHERE {condition} ORDER BY {_ordering(kind, order_by)}'
        first = FIND_ROWS + 1 if limit is None else min(limit, FIND_ROWS + 1)
        found = session.execute(f'{codec.select} {tail} LIMIT {first}', parameters).fetchall()
        if len(found) <= FIND_ROWS or limit == len(found):
            return map(codec.decode, found)
        most = '' if limit is None else f' LIMIT {limit}'
        pks = [pk for (pk,) in session.execute(f'SELECT id FROM {codec.table} {tail}{most}', parameters)]
        return self._in_portions(session, codec, pks)

    def _in_portions(self, session: Session, codec: RowCodec, pks: list[int]) -> Iterator[Any]:
        values = self.dialect.table_of_values(ValueKind.INT)
        statement = f'{codec.select} WHERE id IN {values}'
        for begin in range(0, len(pks), FIND_ROWS):
            portion = pks[begin : begin + FIND_ROWS]
            rows = {row[0]: row for row in session.execute(statement, (self.dialect.pack(portion),)).fetchall()}
            for pk in portion:
                if pk in rows:  # it may have been deleted meanwhile
                    yield codec.decode(rows[pk])

    def find_uuid_prefix(self, session: Session, row_type: type[RowT], prefix: str, limit: int) -> list[RowT]:
        """Rows whose uuid starts with `prefix`, with or without hyphens; none for what cannot start a uuid."""
        start = uuid_start(prefix)
        if start is None:
            return []
        first, last = self.dialect.uuid_range(start)
        codec, mark = self.codec(row_type.kind), self.dialect.mark
        found = session.execute(
            f'{codec.select} WHERE uuid >= {mark} AND uuid <= {mark} ORDER BY uuid LIMIT {limit}', (first, last)
        )
        return [codec.decode(values) for values in found.fetchall()]

    # -- conditions -------------------------------------------------------------------------------------------

    def _condition(self, kind: EntityKind, equal: Mapping[str, Any]) -> tuple[str, list[Any]]:
        parts, parameters = [], []
        for name, value in equal.items():
            column = column_name(kind, name)
            if FIELDS[kind][name].kind is ValueKind.JSON:
                raise ValidationError(f'{name} holds JSON and cannot be compared here; use a query')
            if isinstance(value, Sequence | Set) and not isinstance(value, str | bytes):
                part, parameter = self._any_of(kind, name, column, list(value))
                parts.append(part)
                parameters += parameter
            elif value is None:
                parts.append(f'{column} IS NULL')
            elif _has_no_place(value):
                parts.append('1 = 0')
            else:
                parts.append(f'{column} = {self.dialect.mark}')
                parameters.append(self.codec(kind).encode(name, value))
        return ' AND '.join(parts) or '1 = 1', parameters

    def _any_of(self, kind: EntityKind, name: str, column: str, values: list[Any]) -> tuple[str, list[Any]]:
        encode = self.codec(kind).encode
        encoded = [encode(name, value) for value in values if value is not None]
        element = FIELDS[kind][name].kind
        if element is ValueKind.INT and not all(isinstance(value, int) for value in encoded):
            element = ValueKind.TEXT  # PostgreSQL refuses to compare texts with integers; to integers it would round
        condition = f'{column} IN {self.dialect.table_of_values(element)}'
        if len(encoded) < len(values):
            condition = f'({condition} OR {column} IS NULL)'
        return condition, [self.dialect.pack(encoded)]


def _has_no_place(value: Any) -> bool:
    """Whether no database can hold a value in a column: an integer beyond 64 bits, a text with the character NUL."""
    return (isinstance(value, int) and value.bit_length() > 63) or (isinstance(value, str) and '\x00' in value)


def _ordering(kind: EntityKind, order_by: Sequence[str]) -> str:
    """ORDER BY of fields, downwards where a minus stands before; ties are broken by pk."""
    names = [(name.removeprefix('-'), name.startswith('-')) for name in order_by]
    if not any(name == 'pk' for name, _ in names):
        names.append(('pk', False))
    return ', '.join(f'{column_name(kind, name)}{" DESC" if downwards else ""}' for name, downwards in names)
