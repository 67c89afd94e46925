"""`ricordi node repo`: ls, cat, dump."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def repo(run_here: Run, each_profile: str) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a verb of `node repo` on each profile."""
    return lambda *words: run_here('-p', each_profile, 'node', 'repo', *words)


@pytest.fixture
def job(run_here: Run, each_profile: str) -> str:
    """The pk of a calculation job, which has input files."""
    where = "attributes.process_label == 'ArithmeticAddCalculation'"
    return run_here('-p', each_profile, 'node', 'list', '-q', '--where', where).stdout.split()[0]


def test_files_are_listed_folders_with_a_slash(repo: Run, job: str) -> None:
    done = repo('ls', job)
    assert (done.returncode, done.stderr) == (0, '')
    names = done.stdout.splitlines()
    assert names
    entries = json.loads(repo('ls', job, '--format', 'json').stdout)
    assert names == [entry['name'] + '/' * (entry['kind'] == 'folder') for entry in entries]
    folders = [entry['name'] for entry in entries if entry['kind'] == 'folder']
    if folders:
        inside = json.loads(repo('ls', job, folders[0], '--format', 'json').stdout)
        assert all(entry['path'].startswith(f'{folders[0]}/') for entry in inside)


def content_of(profile: str, *words: str) -> bytes:
    """What `node repo cat` writes."""
    command = [sys.executable, '-m', 'ricordi', '-p', profile, 'node', 'repo', 'cat', *words]
    return subprocess.run(command, capture_output=True, check=True).stdout


def test_content_comes_out_as_it_is(each_profile: str, repo: Run, job: str) -> None:
    for entry in json.loads(repo('ls', job, '--format', 'json').stdout):
        if entry['kind'] == 'file':
            content = content_of(each_profile, job, entry['path'])
            assert len(content) == entry['size']
            assert hashlib.sha256(content).hexdigest() == entry['key']


def test_a_single_file_needs_no_name(run_here: Run, each_profile: str, repo: Run) -> None:
    pk = run_here('-p', each_profile, 'node', 'list', '-q', '-e', 'core.singlefile').stdout.split()[0]
    (entry,) = json.loads(repo('ls', pk, '--format', 'json').stdout)
    assert hashlib.sha256(content_of(each_profile, pk)).hexdigest() == entry['key']


def test_all_files_are_written_into_a_new_folder(repo: Run, job: str, tmp_path: Path) -> None:
    folder = tmp_path / 'new' / 'files'
    assert repo('dump', job, folder).returncode == 0
    for entry in json.loads(repo('ls', job, '--format', 'json').stdout):
        if entry['kind'] == 'file':
            assert hashlib.sha256((folder / entry['path']).read_bytes()).hexdigest() == entry['key']
    done = repo('dump', job, folder)
    assert done.returncode == 1
    assert 'exists already' in done.stderr


@pytest.mark.parametrize(
    ('path', 'code', 'told'),
    [
        ('../secret', 2, 'names no file of node'),
        ('/etc/passwd', 2, 'is an absolute path'),
        ('nowhere', 1, "no file or folder 'nowhere'"),
        ('aiida.in/below', 1, 'no file or folder'),
    ],
)
@pytest.mark.parametrize('verb', ['ls', 'cat'])
def test_names_that_are_not_in_the_tree_are_refused(
    repo: Run, job: str, verb: str, path: str, code: int, told: str
) -> None:
    done = repo(verb, job, path)
    assert (done.returncode, done.stdout) == (code, '')
    assert told in done.stderr


def test_a_tree_with_names_that_lead_out_is_not_written(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    config = json.loads((reference_home / 'config.json').read_text())
    database = Path(config['profiles']['mixed']['storage']['config']['filepath']) / 'database.sqlite'
    key = 'a' * 64
    with sqlite3.connect(database) as connection:
        tree = {'o': {'fine': {'k': key}, '..': {'o': {'escaped': {'k': key}}}}}
        connection.execute('UPDATE db_dbnode SET repository_metadata = ? WHERE id = 1', (json.dumps(tree),))
    done = run_here('-p', 'mixed', 'node', 'repo', 'dump', 1, tmp_path / 'deep' / 'out')
    assert done.returncode == 1
    assert "'..' cannot be the name of a file" in done.stderr
    assert not (tmp_path / 'deep').exists()


def test_missing_content_is_named_with_its_node(run_here: Run, reference_home: Path, tmp_path: Path) -> None:
    config = json.loads((reference_home / 'config.json').read_text())
    database = Path(config['profiles']['mixed']['storage']['config']['filepath']) / 'database.sqlite'
    key = 'a' * 64
    with sqlite3.connect(database) as connection:
        tree = {'o': {'lost': {'k': key}}}
        connection.execute('UPDATE db_dbnode SET repository_metadata = ? WHERE id = 1', (json.dumps(tree),))
    done = run_here('-p', 'mixed', 'node', 'repo', 'cat', 1)
    assert (done.returncode, done.stdout) == (6, '')
    assert f"the content of 'lost' of node 1 is missing in the repository (key {key})" in done.stderr
    dumped = run_here('-p', 'mixed', 'node', 'repo', 'dump', 1, tmp_path / 'out')
    assert dumped.returncode == 6
    assert '1 of 1 file of node 1 could not be written' in dumped.stderr
    assert f'lost is missing in the repository (key {key})' in dumped.stderr
    (entry,) = json.loads(run_here('-p', 'mixed', 'node', 'repo', 'ls', 1, '--format', 'json').stdout)
    assert entry['size'] is None


def test_what_is_damaged_or_in_a_pack_that_is_gone_is_named_and_all_else_is_written(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    config = json.loads((reference_home / 'config.json').read_text())
    storage = Path(config['profiles']['loose']['storage']['config']['filepath'])
    objects = sorted(path for path in (storage / 'container' / 'loose').rglob('*') if path.is_file())
    damaged, sound = (path.parent.name + path.name for path in objects[:2])
    objects[0].chmod(0o600)
    objects[0].write_bytes(b'other bytes')
    with sqlite3.connect(storage / 'database.sqlite') as connection:
        tree = {'o': {'a': {'k': damaged}, 'b': {'k': 'f' * 64}, 'c': {'k': sound}}}
        connection.execute('UPDATE db_dbnode SET repository_metadata = ? WHERE id = 1', (json.dumps(tree),))
    done = run_here('-p', 'loose', 'node', 'repo', 'cat', 1, 'a')
    assert (done.returncode, "'a' of node 1 is damaged" in done.stderr) == (6, True)
    dumped = run_here('-p', 'loose', 'node', 'repo', 'dump', 1, tmp_path / 'out')
    assert dumped.returncode == 6
    assert '2 of 3 files' in dumped.stderr
    assert 'a is damaged' in dumped.stderr
    assert 'b is missing' in dumped.stderr
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['c']
    assert (tmp_path / 'out' / 'c').read_bytes() == objects[1].read_bytes()


def test_a_pack_that_is_gone_makes_its_objects_missing_for_every_verb(
    run_here: Run, reference_home: Path, tmp_path: Path
) -> None:
    (reference_home / 'repository' / 'mixed' / 'container' / 'packs' / '0').unlink()
    for words in (
        ('node', 'repo', 'cat', 52),
        ('node', 'repo', 'dump', 51, tmp_path / 'out'),
        ('profile', 'dump', '--all', '--also-ungrouped', '--path', tmp_path / 'dump'),
    ):
        done = run_here('-p', 'mixed', *words)
        assert (done.returncode, 'missing in the repository' in done.stderr) == (6, True)
        assert 'damaged' not in done.stderr


def test_a_node_without_files_is_said_to_have_none(run_here: Run, reference_home: Path) -> None:
    done = run_here('node', 'repo', 'cat', 1)
    assert (done.returncode, done.stderr) == (1, 'ricordi: error: node 1 has no files\n')
