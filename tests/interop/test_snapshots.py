"""AiiDA reads in a storage that was filled from a snapshot all that it read in the one that the snapshot is of."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.manager import get_config, initialise_storage, use_storage
from ricordi.services.profiles.profiles import find_profile

REFERENCE = Path(__file__).parent.parent / 'data' / 'reference.dump.json'


@pytest.mark.interop
def test_aiida_reads_the_same_in_either_database(
    reference_home: Path,
    tmp_path: Path,
    postgres: Any,
    new_database: Callable[[], str],
    aiida_dump: Callable[..., str],
) -> None:
    config = get_config()
    psql = postgres.storage_config(new_database(), tmp_path / 'psql')
    targets = [
        config.create_profile('sqlite', 'core.sqlite_dos', {'filepath': str(tmp_path / 'sqlite')}),
        config.create_profile('psql', 'core.psql_dos', psql),
    ]
    config.store()
    with use_storage(find_profile('loose')) as source, source.snapshot() as snapshot:
        contents = [source.repository.get_object_content(key) for key in snapshot.named_keys()]
        for profile in targets:
            initialise_storage(profile)
            with use_storage(profile) as storage:
                storage.repository.put_objects(contents)
                storage.fill(snapshot)
    for profile in targets:
        assert json.loads(aiida_dump(reference_home, profile.name)) == json.loads(REFERENCE.read_text())
