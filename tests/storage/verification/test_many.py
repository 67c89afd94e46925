"""Whatever is damaged by the ten thousand: the first are named, the rest is counted, memory stays what it was."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.storage.verification.kinds import KINDS

Change = Callable[[Any, list[str]], None]
NUMBER = 20_000
MOST_BYTES = 40 << 20
SERIES = {
    'sqlite': '(WITH RECURSIVE n(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM n WHERE x < {last}) SELECT x FROM n)',
    'postgresql': '(SELECT generate_series(100, {last}) AS x)',
}
UUIDS = {
    'sqlite': "substr(uuid, 1, 28) || printf('%08x', x)",
    'postgresql': "(substr(uuid::text, 1, 28) || lpad(to_hex(x), 8, '0'))::uuid",
}


@pytest.fixture
def worn(filled: Any, change: Change) -> Any:
    """A storage with twenty thousand nodes of no type and no user, and as many links that lead back and nowhere."""
    name = filled.dialect.name
    series = SERIES[name].format(last=99 + NUMBER)
    change(
        filled,
        [
            f"INSERT INTO db_dbnode SELECT x, {UUIDS[name]}, 'nothing', NULL, '', '', ctime, mtime, '[]', extras, "
            f"'[]', NULL, 99 FROM {series} AS s, db_dbnode WHERE id = 1",
            f"INSERT INTO db_dblink SELECT x, x, 1, 'a b', 'create' FROM {series} AS s",
            f'INSERT INTO db_dbgroup_dbnodes SELECT x, {NUMBER} + x, 1 FROM {series} AS s',
            *(
                f"SELECT setval('{table}_id_seq', {100 + NUMBER})"
                for table in ('db_dbnode', 'db_dblink', 'db_dbgroup_dbnodes')
                if name != 'sqlite'
            ),
        ],
    )
    return filled


def test_of_thousands_of_damaged_rows_the_first_are_named_in_little_memory(worn: Any) -> None:
    tracemalloc.start()
    try:
        findings = list(worn.verify_database())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_BYTES
    named: dict[tuple[str, str], list[Any]] = {}
    for one in findings:
        named.setdefault((one.kind, one.where.split()[0]), []).append(one)
    expected = {
        ('node type', 'db_dbnode'),
        ('dangling reference', 'db_dbnode'),
        ('unreadable JSON', 'db_dbnode'),
        ('file tree', 'db_dbnode'),
        ('forbidden link', 'db_dblink'),
        ('dangling reference', 'db_dbgroup_dbnodes'),
    }
    assert expected <= named.keys()
    for kind in expected:
        assert len(named[kind]) == 101
        assert (named[kind][-1].detail, named[kind][-1].where) == (f'and {NUMBER - 100:,} more', kind[1])
    assert len(named['too many links', 'db_dblink']) == 1


def test_the_kinds_of_finding_are_those_that_the_documentation_lists() -> None:
    page = (Path(__file__).parents[3] / 'docs' / 'verify-database.md').read_text(encoding='utf-8')
    listed = re.findall(r'^\| `([^`]+)` \|([^|]+)\|([^|]*)\|$', page, re.MULTILINE)
    remedies = {name: remedy.strip() for name, _, remedy in listed}
    assert [name for name, _, _ in listed] == list(KINDS)
    assert {name: meaning.strip() for name, meaning, _ in listed} == {
        name: kind.meaning for name, kind in KINDS.items()
    }
    assert remedies == {name: 'notice' if kind.notice else kind.remedy for name, kind in KINDS.items()}


def test_each_kind_of_finding_is_made_somewhere() -> None:
    folder = Path(__file__).parents[3] / 'src' / 'ricordi' / 'storage' / 'verification'
    source = ''.join(path.read_text(encoding='utf-8') for path in folder.glob('*.py') if path.name != 'kinds.py')
    built = {f'unreadable {what}' for what in ('number', 'uuid', 'time', 'boolean')}  # by the sort of a column
    assert {kind for kind in KINDS if f"'{kind}'" not in source} == built
