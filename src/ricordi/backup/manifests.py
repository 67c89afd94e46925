"""Manifests: the JSON files that make snapshots of what lies in the store (docs/formats/backups.md)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ricordi.backend.maintenance import Amount
from ricordi.backend.snapshots import Misfit, TablePart
from ricordi.backup.records import PartRecord, PieceEntry, SnapshotMark, SnapshotOrigin, SnapshotRecord
from ricordi.errors import CorruptStorage, StorageError
from ricordi.model.file_trees import is_key

FORMAT = 1
ENDING = '.json'
LARGEST = 256 << 20
"""Bytes of a manifest: a list of pieces stands for at least a mebirow, or for eight gigabytes."""
DIGITS = 12
is_name = re.compile(rf'\d{{8}}T\d{{6}}Z-[0-9a-f]{{{DIGITS}}}').fullmatch


def manifest_of(record: SnapshotRecord) -> tuple[SnapshotRecord, bytes]:
    """The manifest of a snapshot as it is to be written; and the record with the name that this gives it."""
    content = json.dumps(_as_data(record), indent=1, ensure_ascii=True).encode()
    return record._replace(name=f'{record.time:%Y%m%dT%H%M%SZ}-{_digest(content)}'), content


def record_in(name: str, content: bytes) -> SnapshotRecord:
    """What a manifest says.

    :raises ricordi.errors.CorruptStorage: it is not what was written under this name.
    :raises ricordi.errors.StorageError: it has a form that is not known here.
    """
    if not is_name(name) or _digest(content) != name.rpartition('-')[2]:
        raise CorruptStorage(f'the snapshot {name} is damaged: its manifest is not what its name says')
    return record_announced(name, content)


def record_announced(name: str, content: bytes) -> SnapshotRecord:
    """What the manifest of a snapshot in the making will say; errors as of `record_in`.

    :param name: anything that tells it from others.
    """
    try:
        data = json.loads(content)
        if data['format'] != FORMAT:
            raise StorageError(
                f'the snapshot {name} has the form {data["format"]!r}; this program knows {FORMAT}: use a newer Ricordi'
            )
        return _from_data(name, data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptStorage(f'the manifest of snapshot {name} is not of the form that it says ({error!r})') from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _as_data(record: SnapshotRecord) -> dict[str, Any]:
    mark = {} if record.mark is None else {'mark': record.mark._asdict()}
    lost = {'lost_rows': record.lost_rows} if record.lost_rows else {}
    return {
        'format': FORMAT,
        'time': record.time.isoformat(timespec='microseconds'),
        'origin': record.origin._asdict(),
        'database': record.source,
        'schema': record.schema,
        'tables': [
            {
                'table': one.part.table,
                'part': one.part.part,
                'columns': list(one.part.columns),
                'width': one.part.width,
                'rows': one.rows,
                'lists': [list(entry) for entry in one.lists],
            }
            for one in record.parts
        ],
        'sequences': dict(record.sequences),
        'objects': {**record.objects._asdict(), 'keys_digest': record.keys_digest},
        'complete': record.complete,
        'missing': {'count': record.missing_count, 'first': list(record.missing)},
        'misfits': [misfit._asdict() for misfit in record.misfits],
        'tags': list(record.tags),
        'added': {'objects': record.added._asdict(), 'pieces': record.added_pieces._asdict()},
        'seconds': record.seconds,
        'program': record.program,
        **lost,
        **mark,
    }


def _from_data(name: str, data: Mapping[str, Any]) -> SnapshotRecord:
    source = data['database']
    if source not in ('sqlite', 'postgresql'):
        raise ValueError(f'no kind of database: {source!r}')
    objects, missing, added = data['objects'], data['missing'], data['added']
    return SnapshotRecord(
        name=name,
        time=datetime.fromisoformat(data['time']).astimezone(UTC),
        origin=_origin(data['origin']),
        source=source,
        schema=str(data['schema']),
        parts=tuple(map(_part, data['tables'])),
        sequences={str(table): int(value) for table, value in data['sequences'].items()},
        objects=_amount(objects),
        keys_digest=str(objects['keys_digest']),
        missing=tuple(map(str, missing['first'])),
        missing_count=int(missing['count']),
        misfits=tuple(Misfit(**{field: one[field] for field in Misfit._fields}) for one in data['misfits']),
        tags=tuple(map(str, data['tags'])),
        added=_amount(added['objects']),
        added_pieces=_amount(added['pieces']),
        seconds=float(data['seconds']),
        program=str(data['program']),
        mark=_mark(data.get('mark')),
        lost_rows=str(data.get('lost_rows', '')),
    )


def _mark(data: Mapping[str, Any] | None) -> SnapshotMark | None:
    return None if data is None else SnapshotMark(str(data['database']), str(data['store']))


def _origin(data: Mapping[str, Any]) -> SnapshotOrigin:
    told = {**SnapshotOrigin._field_defaults, **data}
    return SnapshotOrigin(**{field: str(told[field]) for field in SnapshotOrigin._fields})


def _amount(data: Mapping[str, Any]) -> Amount:
    return Amount(int(data['objects']), int(data['bytes']))


def _part(data: Mapping[str, Any]) -> PartRecord:
    part = TablePart(str(data['table']), str(data['part']), tuple(map(str, data['columns'])), int(data['width']))
    return PartRecord(part, tuple(_entry(*entry) for entry in data['lists']))


def _entry(first: Any, rows: Any, size: Any, odd: Any, key: Any) -> PieceEntry:
    if not is_key(key):
        raise ValueError(f'no key: {key!r}')
    return PieceEntry(int(first), int(rows), int(size), int(odd), key)
