"""What the tests of archives share: everything that a storage holds, without its pks; archives changed by hand."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from ricordi.backend.rows import ROW_TYPES, ComputerRow, GroupRow, NodeRow, UserRow
from ricordi.backend.rows import EntityKind as K
from ricordi.backend.storage import StorageBackend
from ricordi.config import Profile
from ricordi.manager import use_storage
from ricordi.services.archive.info import archive_profile
from ricordi.services.profiles.profiles import find_profile

DATA = Path(__file__).parents[2] / 'data'
REFERENCE = DATA / 'reference.aiida'
Members = dict[str, bytes]


def everything(profile: Profile | str | Path) -> dict[str, Any]:
    """All that a storage holds, told by uuids, emails and contents of files."""
    if isinstance(profile, Path):
        profile = archive_profile(profile)
    with use_storage(find_profile(profile) if isinstance(profile, str) else profile) as storage:
        return everything_in(storage)


def everything_in(storage: StorageBackend) -> dict[str, Any]:
    users = {row.pk: row.email for row in storage.find(UserRow)}
    computers = {row.pk: row.uuid for row in storage.find(ComputerRow)}
    nodes = {row.pk: row.uuid for row in storage.find(NodeRow)}
    groups = {row.pk: row.uuid for row in storage.find(GroupRow)}
    names = {'user_pk': users, 'computer_pk': computers, 'node_pk': nodes, 'group_pk': groups}
    names |= {'input_pk': nodes, 'output_pk': nodes}

    def told(kind: K) -> list[dict[str, Any]]:
        rows = []
        for row in storage.find(ROW_TYPES[kind]):
            values = {name: names[name].get(value) if name in names else value for name, value in as_told(row)}
            del values['pk']
            if 'extras' in values:
                values['extras'] = {k: v for k, v in values['extras'].items() if not k.startswith('_aiida_')}
            rows.append(values)
        return sorted(rows, key=repr)

    found: dict[str, Any] = {kind.value: told(kind) for kind in K}
    keys = list(storage.named_keys())
    found['objects'] = sorted((key, storage.repository.get_object_hash(key)) for key in keys)
    assert all(key == content for key, content in found['objects'])
    return found


def as_told(row: Any) -> list[tuple[str, Any]]:
    """The fields of a row with their values, which are not copied."""
    return [(field.name, getattr(row, field.name)) for field in fields(row)]


def changed(
    target: Path,
    database: Callable[[sqlite3.Connection], object] | None = None,
    members: Callable[[Members], object] | None = None,
    source: Path = REFERENCE,
) -> Path:
    """A copy of an archive with another database, other members, or members in another place."""
    with zipfile.ZipFile(source) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    if database is not None:
        path = target.with_suffix('.sqlite3')
        path.write_bytes(content['db.sqlite3'])
        with closing(sqlite3.connect(path)) as connection:
            database(connection)
            connection.commit()
        content['db.sqlite3'] = path.read_bytes()
        path.unlink()
    if members is not None:
        members(content)
    with zipfile.ZipFile(target, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, value in content.items():
            archive.writestr(name, value)
    return target


def files_in(folder: Path) -> dict[str, bytes]:
    """Path and content of every file below a folder, but for records of who used the profile."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file() and path.suffix not in ('.idx-shm', '.idx-wal')
    }
