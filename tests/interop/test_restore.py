"""What was restored, from our backups and from verdi's, into either database, AiiDA reads as before, and works on.

Also where attributes have indexes.
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ricordi.config import load_config
from ricordi.manager import use_storage
from ricordi.model.attribute_paths import read_attribute_path
from ricordi.services.backups.backup import back_up
from ricordi.services.backups.restore import restore
from ricordi.services.profiles.setup import Request, sqlite_config

DATA = Path(__file__).parent.parent / 'data'
SCRIPT = Path(__file__).parent / 'read_and_work_on.py'


def expected(name: str, hashes: bool = True) -> Any:
    """What AiiDA reads in a storage of the test data.

    :param hashes: False: without the extra that an import drops.
    """
    found = json.loads((DATA / f'{name}.dump.json').read_text())
    return found if hashes else without_hashes(found)


def without_hashes(found: Any) -> Any:
    for node in found['nodes']:
        node['extras'].pop('_aiida_hash', None)
    return found


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[str], Path]:
    """Unpacks a folder of the test data."""

    def unpack(name: str) -> Path:
        with tarfile.open(DATA / f'{name}.tar.gz') as archive:
            archive.extractall(tmp_path, filter='data')
        return tmp_path / name

    return unpack


@pytest.mark.interop
def test_aiida_reads_the_same_in_what_was_restored_and_works_on(
    tmp_path: Path,
    empty_home: Path,
    unpacked: Callable[[str], Path],
    postgres: Any,
    new_database: Callable[[], str],
    aiida_python: str,
) -> None:
    config = load_config(create=True)
    loose = config.create_profile('loose', 'core.sqlite_dos', {'filepath': str(unpacked('loose'))})
    database = new_database()
    with psycopg.connect(postgres.uri(database)) as connection:
        connection.execute((DATA / 'psql_dos.sql').read_bytes())
    repository = unpacked('psql_dos')
    on_psql = config.create_profile('on_psql', 'core.psql_dos', postgres.storage_config(database, repository))
    config.store()
    for profile in (loose, on_psql):
        back_up(profile, tmp_path / 'place')

    place = str(tmp_path / 'place')
    sources = {
        'of_sqlite': (place, 'loose'),
        'of_psql': (place, 'on_psql'),
        'of_verdi_sqlite': (str(unpacked('verdi_backup_sqlite')), None),
        'of_verdi_psql': (str(unpacked('verdi_backup_psql')), None),
    }
    for name, (where, of) in sources.items():
        restore(where, Request(f'{name}_to_sqlite', 'core.sqlite_dos', sqlite_config(None), None), of=of)
        psql = postgres.storage_config(new_database(), tmp_path / name)
        restore(where, Request(f'{name}_to_psql', 'core.psql_dos', psql, None), of=of)

    names = [f'{name}_to_{target}' for name in sources for target in ('sqlite', 'psql')]
    for name in ('of_sqlite_to_sqlite', 'of_sqlite_to_psql'):
        with use_storage(load_config().get_profile(name)) as storage:
            storage.add_attribute_index(read_attribute_path('attributes.filename'))
    done = subprocess.run(
        [aiida_python, SCRIPT, *names],
        env={**os.environ, 'AIIDA_PATH': str(empty_home)},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    for name in names:
        if 'of_psql' in name or 'verdi_psql' in name:
            assert without_hashes(found[name]) == expected('reference', hashes=False), name
        else:
            assert found[name] == expected('reference'), name
