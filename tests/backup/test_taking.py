"""Snapshots in a backup repository: what is put, what is not put again, what is read back."""

from __future__ import annotations

from backup.conftest import ORIGIN, FewRows
from ricordi.backend.snapshots import Misfit
from ricordi.backup.repository import BackupRepository
from ricordi.repository.container.container import Container


def test_a_snapshot_is_read_back_as_it_was_taken(
    backups: BackupRepository, source: Container, nodes: dict[int, str]
) -> None:
    rows = FewRows(nodes)
    expected = {part: list(rows.pieces(part)) for part in rows.parts}
    record = backups.take(rows, source, ORIGIN, tags=('nightly',))
    assert backups.snapshots() == [record] == [backups.find(record.name)]
    assert record.complete
    assert (record.objects.objects, record.tags, record.origin) == (12, ('nightly',), ORIGIN)
    assert record.objects.bytes == sum(map(source.get_object_size, nodes.values()))
    assert record.rows['db_dbnode'] == 12
    with backups.database(record) as database:
        assert {part: list(database.pieces(part)) for part in database.parts} == expected
        assert list(database.named_keys()) == sorted(nodes.values())
        assert database.misfits(5) == [Misfit('db_dbnode', 1, 'label', 'it holds NUL')]
        assert (database.source, database.schema, database.sequences) == ('sqlite', 'main_0002', {'db_dbnode': 99})
    for key in nodes.values():
        assert backups.objects.get_object_content(key) == source.get_object_content(key)
