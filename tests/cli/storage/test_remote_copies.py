"""The recipe of docs/storage-backup.md for a copy of a place on another machine, through a real SSH server."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from programs import needed
from ricordi.backup.key_spool import lacking
from ricordi.manager import open_backup
from ricordi.services.backups.snapshots import list_snapshots

PAGE = Path(__file__).parents[3] / 'docs' / 'storage-backup.md'
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def recipe(tmp_path: Path, ssh_with_config: Path) -> Callable[..., None]:
    """Carries out what the page tells: the whole script for the first time, or one of its calls of rsync by number."""
    needed('rsync')
    first, later = re.findall(r'```sh\n(.*?)```', PAGE.read_text(encoding='utf-8'), re.DOTALL)
    head, *_ = first.partition('rsync')
    assert 'place=/backup/aiida; there=backup@vault.example.org:/vault/aiida' in head
    head = head.replace('/backup/aiida', f'{tmp_path}/place').replace(
        'backup@vault.example.org:/vault/aiida', f'alias:{tmp_path}/vault'
    )
    calls = [line for line in (first + later).splitlines() if line.startswith('rsync')]
    assert len(calls) == 5
    (making,) = re.findall(r'`(ssh [^`]*)`', PAGE.read_text(encoding='utf-8'))
    making = making.replace('backup@vault.example.org', 'alias').replace('/vault/aiida', f'{tmp_path}/vault')

    def run(number: int | None = None) -> None:
        chosen = [making, *calls[:3]] if number is None else [calls[number - 1]]
        subprocess.run(['sh', '-c', '\n'.join([head, *chosen])], check=True)

    return run


def whole_snapshots(copy: Path) -> list[str]:
    """The snapshots in a copy, each of which is whole; none where it is no repository yet."""
    if not (copy / 'repository.json').exists():
        return []
    found = list_snapshots(copy)
    assert found.faults == {}
    with open_backup(copy) as backups:
        for record in found.records:
            database = backups.database(record)
            for part in database.parts:
                list(database.pieces(part))
            assert [*lacking(database.named_keys(), backups.objects.list_objects())] == []
    return [record.name for record in found.records]


def test_a_copy_has_whole_snapshots_wherever_the_connection_breaks(
    run_here: Run, reference_home: Path, tmp_path: Path, recipe: Callable[..., None]
) -> None:
    place, copy = tmp_path / 'place', tmp_path / 'vault'
    run_here('-p', 'mixed', 'storage', 'backup', place)
    recipe()
    first = whole_snapshots(place)
    assert whole_snapshots(copy) == first
    run_here('-p', 'loose', 'storage', 'backup', place)
    both = whole_snapshots(place)
    for number, expected in ((1, first), (2, first), (3, both)):
        recipe(number)
        assert whole_snapshots(copy) == expected
    run_here('storage', 'forget', place, first[0], '--yes')
    for number in (4, 5):
        recipe(number)
        assert whole_snapshots(copy) == both[1:]
