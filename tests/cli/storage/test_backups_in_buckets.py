"""The verbs of backups on a place in a bucket, as a person and a script meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def to_store(object_store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, str]:
    """The option that says where the store is; the credentials are in the environment."""
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', object_store.access_key)
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', object_store.secret_key)
    for name in ('AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'XDG_CACHE_HOME'):
        monkeypatch.setenv(name, str(tmp_path / name))
    return ('--endpoint-url', object_store.endpoint)


def test_a_profile_goes_into_a_bucket_and_comes_back(
    run_here: Callable[..., Any], reference_home: Path, to_store: tuple[str, str], new_bucket: Callable[[], str]
) -> None:
    place = f's3://{new_bucket()}/aiida'
    lacking = run_here('-p', 'mixed', 'storage', 'backup', 's3://not-there/x', *to_store)
    assert (lacking.returncode, '--make-bucket' in lacking.stderr) == (3, True)
    made = run_here('-p', 'mixed', 'storage', 'backup', place, *to_store)
    assert (made.returncode, made.stderr) == (0, '')
    assert place in made.stdout
    listed = run_here('-q', 'storage', 'snapshots', place, *to_store)
    (name,) = listed.stdout.split()
    status = json.loads(run_here('-p', 'mixed', 'storage', 'info', '--format', 'json').stdout)
    assert status['last_backup']['place'] == place
    back = run_here('storage', 'restore', f'{place}@{name}', 'back', '-n', *to_store)
    assert back.returncode == 0, back.stderr
    assert run_here('storage', 'verify', '--read', '--backup', place, *to_store).returncode == 0
    gone = run_here('storage', 'forget', place, name, '--yes', '--format', 'json', *to_store)
    assert json.loads(gone.stdout)['removed'] == [name]
    refused = run_here('storage', 'snapshots', str(reference_home), *to_store)
    assert (refused.returncode, '--endpoint-url needs a place in a bucket' in refused.stderr) == (2, True)


def test_a_place_in_a_bucket_is_mended_where_what_describes_it_is_gone(
    run_here: Callable[..., Any],
    reference_home: Path,
    to_store: tuple[str, str],
    new_bucket: Callable[[], str],
    object_store: Any,
) -> None:
    import obstore

    bucket = new_bucket()
    place = f's3://{bucket}/aiida'
    assert run_here('-q', '-p', 'mixed', 'storage', 'backup', place, *to_store).returncode == 0
    obstore.delete(object_store.client(bucket), 'aiida/repository.json')
    told = run_here('storage', 'snapshots', place, *to_store)
    assert (told.returncode, f'`ricordi storage repair --backup {place}` mends it' in told.stderr) == (3, True)
    asked = run_here('storage', 'repair', '--backup', place, *to_store)
    assert (asked.returncode, '--yes' in asked.stderr) == (2, True)
    mended = run_here('storage', 'repair', '--backup', place, '--yes', '--format', 'json', *to_store)
    assert mended.returncode == 0, mended.stderr
    report = json.loads(mended.stdout)
    assert (report['place'], [one['fault'] for one in report['done']]) == (place, ['lost description'])
    assert run_here('storage', 'snapshots', place, *to_store).returncode == 0
