"""`ricordi profile dump` and `ricordi group dump`: what is written, written again, left alone, removed, refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from ricordi import orm
from ricordi.manager import profile_context

Run = Callable[..., subprocess.CompletedProcess[str]]
Dump = Callable[..., dict[str, Any]]

EVERYTHING = ('--all', '--also-ungrouped', '--dump-unsealed')
ARCHIVE = Path(__file__).parents[2] / 'data' / 'reference.aiida'
LOG, MARK, METADATA = 'ricordi_dump_log.jsonl', '.aiida_dump_safeguard', 'aiida_node_metadata.yaml'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the dump goes."""
    return tmp_path / 'dump'


@pytest.fixture
def dump(run_here: Run, reference_home: Path, folder: Path) -> Dump:
    """Dumps the profile `mixed` and gives the report: `dump('--all')`, `dump('group', 'dump', 'numbers')`."""

    def run(*words: object, code: int = 0, profile: str = 'mixed') -> dict[str, Any]:
        verb = () if words[:1] == ('group',) else ('profile', 'dump')
        done = run_here('-p', profile, *verb, *words, '--path', folder, '--format', 'json')
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout else {'error': done.stderr}

    return run


@pytest.fixture
def change(run_here: Run, reference_home: Path) -> Callable[..., None]:
    """Changes the profile `mixed`: `change('node', 'label', '-L', 'new', '4')`."""

    def run(*words: object) -> None:
        done = run_here('-p', 'mixed', *words)
        assert done.returncode == 0, done.stderr

    return run


def files(folder: Path) -> dict[str, bytes]:
    """Content of all files of a dump by path, its log aside."""
    paths = (path for path in folder.rglob('*') if path.is_file() and path.name != LOG)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def written_since(folder: Path, before: float) -> list[str]:
    """The files that were written after `before`."""
    paths = (path for path in folder.rglob('*') if path.is_file() and path.lstat().st_mtime_ns > before)
    return sorted(path.relative_to(folder).as_posix() for path in paths)


# what is written -------------------------------------------------------------------------------------------


def test_a_profile_is_dumped_on_each_database(run_here: Run, each_profile: str, folder: Path) -> None:
    done = run_here('-p', each_profile, 'profile', 'dump', *EVERYTHING, '--path', folder)
    assert (done.returncode, 'Wrote' in done.stderr, 'Wrote' in done.stdout) == (0, True, False)
    metadata = list(folder.glob(f'ungrouped/calculations/job 0-*/{METADATA}'))
    assert len(metadata) == 1
    told = yaml.safe_load(metadata[0].read_text())
    assert (told['Node data']['label'], told['Node data']['is_finished_ok']) == ('job 0', False)
    assert told['Computer data']['label'] == 'cluster'
    assert (metadata[0].parent / 'outputs' / 'aiida.out').stat().st_size > 0
    nested = list(folder.glob('ungrouped/workflows/Nested-*/01-add_multiply-*/02-multiply-*'))
    assert [(place / 'inputs' / 'source_file').is_file() for place in nested] == [True, True]
    again = run_here('-p', each_profile, 'profile', 'dump', *EVERYTHING, '--path', folder)
    assert again.stderr.startswith('Nothing to do: ')


def test_a_group_is_dumped_on_each_database(run_here: Run, each_profile: str, folder: Path) -> None:
    jobs = run_here('-p', each_profile, 'node', 'list', '-q', '--where', "label like 'job%'").stdout.split()
    assert run_here('-p', each_profile, 'group', 'add-nodes', '-G', 'numbers', *jobs).returncode == 0
    words = ('-p', each_profile, 'group', 'dump', 'numbers', '--path', folder, '--format', 'json')
    assert json.loads(run_here(*words).stdout)['new'] == len(jobs) == 6
    assert len(list(folder.glob('calculations/job ?-*/outputs/aiida.out'))) == 6
    assert json.loads(run_here(*words).stdout)['nothing_to_do']


def test_an_archive_is_dumped(run_here: Run, folder: Path) -> None:
    words = ('--archive', ARCHIVE, 'profile', 'dump', *EVERYTHING, '--path', folder, '--format', 'json')
    first = json.loads(run_here(*words).stdout)
    assert (first['new'] > 20, first['nothing_to_do']) == (True, False)
    assert json.loads(run_here(*words).stdout)['nothing_to_do']


def test_the_folder_is_named_after_what_is_dumped(
    run_here: Run, reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (
        ('-p', 'mixed', 'profile', 'dump', '--all'),
        ('-p', 'mixed', 'group', 'dump', 'tree/branch/leaf'),
        ('--archive', ARCHIVE, 'profile', 'dump', '--all'),
    ):
        assert run_here(*words).returncode == 0
    for name in ('mixed', 'tree/branch/leaf', 'reference'):
        assert (tmp_path / name / MARK).is_file()


def test_a_dry_run_counts_and_writes_nothing(dump: Dump, folder: Path) -> None:
    planned = dump(*EVERYTHING, '--dry-run')
    assert not folder.exists()
    done = dump(*EVERYTHING)
    keys = ('groups', 'new', 'changed', 'same', 'removed')
    assert [planned[key] for key in keys] == [done[key] for key in keys]
    before = files(folder)
    assert dump(*EVERYTHING, '--dry-run', '--overwrite')['new'] == done['new']
    assert files(folder) == before


def test_filters_choose_processes(dump: Dump, change: Callable[..., None]) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '4', '57', '60')
    assert dump('-G', 'numbers', '-n')['new'] == 3
    assert dump('-G', 'numbers', '-n', '--computers', 'cluster')['new'] == 2
    assert dump('-G', 'numbers', '-n', '--user', 'bob@example.org')['new'] == 0
    assert dump('-G', 'numbers', '-n', '--past-days', '36500')['new'] == 3
    assert dump('-G', 'numbers', '-n', '--past-days', '0')['new'] == 0
    assert dump('-G', 'numbers', '-n', '--start-date', '2100-01-01')['new'] == 0
    assert dump('-G', 'numbers', '-n', '--end-date', '2001-01-01T12:00')['new'] == 0
    change('node', 'label', '-L', 'touched', '4', '-f')
    assert dump('-G', 'numbers', '-n', '--past-days', '1')['new'] >= 1


def test_only_processes_that_used_a_code_are_dumped(
    dump: Dump, reference_home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with profile_context('mixed'):
        code = (
            orm.QueryBuilder()
            .append(orm.Code, tag='c')
            .append(orm.CalculationNode, with_incoming='c', project='pk', tag='p')
        )
        code.add_projection('c', ['pk'])
        rows = code.all()
    assert rows
    chosen = rows[0][0]
    report = dump('--codes', chosen, '--also-ungrouped', '-n')
    assert report['new'] == len({row[1] for row in rows if row[0] == chosen})


def test_processes_that_are_not_sealed_are_left_out_and_counted(run_here: Run, dump: Dump, folder: Path) -> None:
    report = dump('--all', '--also-ungrouped')
    assert report['unsealed'] == 1
    assert not list(folder.rglob('Late-*'))
    assert dump(*EVERYTHING)['new'] == 1
    told = run_here('-p', 'mixed', 'profile', 'dump', '--all', '--also-ungrouped', '--path', folder)
    assert '--dump-unsealed' in told.stderr


def test_called_calculations_of_a_group_get_folders_of_their_own(
    dump: Dump, change: Callable[..., None], folder: Path
) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '21')
    dump('group', 'dump', 'numbers', '--no-only-top-level-calcs', '--no-only-top-level-workflows', '--symlink-calcs')
    assert sorted(path.name for path in (folder / 'calculations').iterdir()) == ['add-24', 'multiply-26', 'table-28']
    assert sorted(path.name for path in (folder / 'workflows').iterdir()) == ['Nested-21', 'add_multiply-23']
    link = folder / 'workflows' / 'Nested-21' / '02-table-28'
    assert link.is_symlink()
    assert (link / 'inputs' / 'source_file').is_file()


# again -----------------------------------------------------------------------------------------------------


def test_a_second_run_writes_only_what_has_changed(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    first = dump(*EVERYTHING)
    before = time.time_ns()
    again = dump(*EVERYTHING)
    assert (again['nothing_to_do'], again['same']) == (True, first['new'])
    assert written_since(folder, before) == []
    change('node', 'extras', 'set', '57', 'quality=good')
    assert dump(*EVERYTHING, '--include-extras', '--dry-run')['changed'] == first['new']
    assert dump(*EVERYTHING)['changed'] == 1
    changed = [name for name in written_since(folder, before) if name != LOG]
    assert [name for name in changed if not name.endswith(MARK)] == [f'ungrouped/calculations/job 0-57/{METADATA}']


def test_other_contents_replace_the_files_that_do_not_belong_any_more(dump: Dump, folder: Path) -> None:
    dump(*EVERYTHING)
    plain = files(folder)
    dump(*EVERYTHING, '--include-outputs', '--flat')
    assert not list(folder.rglob('inputs'))
    dump(*EVERYTHING)
    assert files(folder) == plain


def test_a_folder_follows_the_label_of_its_node(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    dump(*EVERYTHING)
    own = folder / 'ungrouped' / 'calculations' / 'job 0-57'
    (own / 'notes.txt').write_text('mine')
    change('node', 'label', '-L', 'other/../name', '57', '-f')
    report = dump(*EVERYTHING)
    assert (report['moved'], report['changed'], report['new']) == (1, 1, 0)
    assert (own.parent / 'other_.._name-57' / 'notes.txt').read_text() == 'mine'
    assert not own.exists()


def test_a_folder_follows_the_label_of_its_group(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    change('group', 'add-nodes', '-G', 'tree', '4', '21')
    change('group', 'add-nodes', '-G', 'tree/branch/leaf', '4')
    dump('--all')
    change('group', 'relabel', 'tree', 'forest/pines')
    assert dump('--all', '--no-relabel-groups')['moved'] == 0
    report = dump('--all')
    assert (report['moved'], report['new'], report['removed']) == (2, 0, 0)
    assert (folder / 'groups/forest/pines/calculations/add-4' / METADATA).is_file()
    assert (folder / 'groups/forest/pines/workflows/Nested-21/02-table-28' / METADATA).is_file()
    assert (folder / 'groups/tree/branch/leaf/calculations/add-4' / METADATA).is_file()
    assert not (folder / 'groups/tree' / MARK).exists()
    assert dump('--all')['nothing_to_do']


def test_another_layout_moves_everything(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '4', '21')
    change('group', 'add-nodes', '-G', 'tree', '4')
    dump('--all', '--no-organize-by-groups')
    flat = files(folder)
    dump('--all')
    assert not (folder / 'calculations').exists()
    dump('--all', '--no-organize-by-groups')
    assert {name for name in files(folder) if 'groups/' not in name} == set(flat)
    assert not list(folder.glob('groups/*/*/*'))


def test_what_is_gone_is_removed_and_nothing_else(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '4', '57', '60')
    change('group', 'add-nodes', '-G', 'tree', '57', '21')
    change('group', 'add-nodes', '-G', 'tree/branch/leaf', '6')
    dump('--all')
    (folder / 'groups/numbers/calculations/add-4/notes.txt').write_text('mine')
    (folder / 'groups/numbers/calculations/job 1-60/outputs/notes.txt').write_text('mine')
    (folder / 'groups/tree/papers').mkdir()
    (folder / 'groups/tree/papers/paper.txt').write_text('mine')
    change('group', 'remove-nodes', '-G', 'numbers', '4', '-f')
    change('node', 'delete', '-f', '60')
    change('group', 'delete', '-f', 'tree')
    assert dump('--all', '--no-delete-missing')['removed'] == 0
    assert (folder / 'groups/tree/calculations/job 0-57' / METADATA).is_file()
    removed = dump('--all')['removed']
    assert removed > 5
    left = {name for name in files(folder) if not name.endswith((MARK, METADATA))}
    assert {name for name in left if name.endswith('.txt')} == {
        'groups/numbers/calculations/add-4/notes.txt',
        'groups/numbers/calculations/job 1-60/outputs/notes.txt',
        'groups/tree/papers/paper.txt',
    }
    assert not (folder / 'groups/tree/workflows').exists()
    assert not (folder / 'groups/tree/calculations').exists()
    assert (folder / 'groups/tree/branch/leaf/calculations/multiply-6' / METADATA).is_file()
    assert (folder / 'groups/numbers/calculations/job 0-57' / METADATA).is_file()
    assert dump('--all')['nothing_to_do']


def test_groups_that_are_not_asked_for_stay(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '4')
    change('group', 'add-nodes', '-G', 'tree', '57')
    dump('-G', 'numbers')
    report = dump('-G', 'tree')
    assert (report['new'], report['removed']) == (1, 0)
    assert (folder / 'groups/numbers/calculations/add-4' / METADATA).is_file()


def test_a_node_that_enters_a_group_leaves_the_ungrouped(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    dump(*EVERYTHING)
    change('group', 'add-nodes', '-G', 'numbers', '57')
    report = dump(*EVERYTHING)
    assert (report['new'], report['removed']) == (1, 1)
    assert [path.parent.name for path in folder.rglob('job 0-57')] == ['calculations']


def test_a_link_whose_target_is_gone_becomes_a_folder(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '57')
    change('group', 'add-nodes', '-G', 'tree', '57')
    assert dump('--all', '--symlink-calcs')['linked'] == 1
    link = folder / 'groups/tree/calculations/job 0-57'
    assert link.is_symlink()
    assert dump('--all', '--symlink-calcs')['nothing_to_do']
    change('group', 'remove-nodes', '-G', 'numbers', '57', '-f')
    dump('--all', '--symlink-calcs')
    assert not link.is_symlink()
    assert (link / 'outputs' / 'aiida.out').is_file()
    change('group', 'add-nodes', '-G', 'numbers', '57')
    dump('--all')
    assert not any(path.is_symlink() for path in folder.rglob('*'))


def test_a_link_that_no_log_knows_gives_way_and_one_to_elsewhere_does_not(
    dump: Dump, change: Callable[..., None], folder: Path, tmp_path: Path
) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '57')
    change('group', 'add-nodes', '-G', 'tree', '57')
    dump('--all', '--symlink-calcs')
    (folder / LOG).unlink()  # as if killed before it was written
    assert dump('--all')['new'] == 2
    place = folder / 'groups/tree/calculations/job 0-57'
    assert not place.is_symlink()
    shutil.rmtree(place)
    place.symlink_to(tmp_path)
    assert 'in the way' in dump('--all', code=1)['error']


def test_what_was_removed_by_hand_comes_back(dump: Dump, folder: Path) -> None:
    dump(*EVERYTHING)
    whole = files(folder)
    own = folder / 'ungrouped/calculations/job 0-57'
    (own / METADATA).unlink()
    assert dump(*EVERYTHING)['changed'] == 1
    (own / 'outputs' / 'aiida.out').unlink()
    assert dump(*EVERYTHING)['nothing_to_do']
    assert dump(*EVERYTHING, '--no-filter-by-last-dump-time')['changed'] == 1
    assert files(folder) == whole


def test_overwrite_begins_anew_and_keeps_what_is_not_ours(dump: Dump, folder: Path) -> None:
    first = dump(*EVERYTHING)
    (folder / 'notes.txt').write_text('mine')
    second = dump('--all', '--overwrite')
    assert (first['new'] > 0, second['new']) == (True, 0)
    assert not list(folder.rglob(METADATA))
    assert (folder / 'notes.txt').read_text() == 'mine'


# crashes ---------------------------------------------------------------------------------------------------


@contextmanager
def held_up(folder: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """A dump that has begun so many folders and waits to be told to go on, as a process of its own."""
    script = f"""
import sys
from ricordi.services.dump import folder as dump_folder
plain, left = dump_folder.DumpFolder.write, [int(sys.argv.pop(1))]
def held_up(self, path, content):
    written = plain(self, path, content)
    left[0] -= str(path).endswith('{METADATA}')
    if not left[0]:
        left[0] = -1
        print('held up', flush=True)
        sys.stdin.readline()
    return written
dump_folder.DumpFolder.write = held_up
from ricordi.services.dump import log as dump_log
from ricordi.services.dump import sync as dump_sync
dump_log._FLUSH_EVERY, dump_sync._WRITTEN_AT_ONCE = 0.0, 2
from ricordi.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
    words = [str(count), '-p', 'mixed', 'profile', 'dump', *EVERYTHING, '--path', str(folder)]
    pipes = dict.fromkeys(('stdin', 'stdout', 'stderr'), subprocess.PIPE)
    with subprocess.Popen([sys.executable, '-c', script, *words], text=True, **pipes) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == 'held up\n'
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize('after', [1, 5, 14])
def test_a_dump_that_was_killed_is_completed_by_the_next(dump: Dump, folder: Path, tmp_path: Path, after: int) -> None:
    with held_up(folder, after):
        pass
    log = folder / LOG
    if log.exists():
        with log.open('ab') as handle:  # what a crash of the machine may leave
            handle.write(b'{"folder": "torn')
    done = len([line for line in log.read_text().splitlines() if '"files"' in line]) if log.exists() else 0
    report = dump(*EVERYTHING)
    assert report['same'] == done < report['same'] + report['new'] + report['changed']
    assert dump(*EVERYTHING)['nothing_to_do']
    completed = files(folder)
    for path in sorted(folder.rglob('*'), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    dump(*EVERYTHING)
    assert files(folder) == completed


def test_a_signal_ends_a_dump_with_the_code_for_more_to_do(dump: Dump, folder: Path) -> None:
    with held_up(folder, 3) as process:
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate('go on\n', timeout=240)
    assert process.returncode == 7
    assert 'run it again' in error
    report = dump(*EVERYTHING)
    assert report['same'] >= 2
    assert dump(*EVERYTHING)['nothing_to_do']


def test_two_dumps_into_one_folder_do_not_meet(dump: Dump, folder: Path) -> None:
    with held_up(folder, 1):
        assert 'another dump' in dump(*EVERYTHING, code=5)['error']


def test_a_full_disk_is_told_and_the_next_run_completes(dump: Dump, folder: Path, reference_home: Path) -> None:
    script = """
import errno, os, sys
from ricordi.services.dump import folder as dump_folder
plain, left = dump_folder.DumpFolder.write, [6]
def full(self, path, content):
    left[0] -= 1
    if left[0] < 0:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.place(path)))
    return plain(self, path, content)
dump_folder.DumpFolder.write = full
from ricordi.services.dump import sync as dump_sync
dump_sync._WRITTEN_AT_ONCE = 2
from ricordi.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
    words = ['-p', 'mixed', 'profile', 'dump', *EVERYTHING, '--path', str(folder)]
    done = subprocess.run([sys.executable, '-c', script, *words], capture_output=True, text=True, timeout=240)
    assert done.returncode == 3
    assert 'No space left' in done.stderr
    report = dump(*EVERYTHING)
    assert report['same'] == 6
    assert report['new'] > 0


@pytest.mark.skipif(os.geteuid() == 0, reason='nothing is forbidden to root')
def test_a_folder_that_may_not_be_written_is_told(dump: Dump, folder: Path) -> None:
    folder.mkdir(mode=0o555)
    assert 'permission' in dump(*EVERYTHING, code=3)['error'].lower()


def test_missing_and_damaged_content_is_told_and_the_rest_is_written(
    dump: Dump, folder: Path, reference_home: Path
) -> None:
    words = ('--include-outputs', *EVERYTHING)
    dump(*words, profile='loose')
    contents = sorted({content for name, content in files(folder).items() if Path(name).name == 'aiida.out'})
    shutil.rmtree(folder)
    container = reference_home / 'repository' / 'loose' / 'container' / 'loose'
    keys = [hashlib.sha256(content).hexdigest() for content in contents[:2]]
    missing, damaged = (container / key[:2] / key[2:] for key in keys)
    missing.unlink()
    damaged.chmod(0o644)
    damaged.write_bytes(b'x' * len(contents[1]))
    report = dump(*words, profile='loose', code=6)
    assert (report['problem_count'], report['new'] > 10) == (2, True)
    assert all(any(key in told for told in report['problems']) for key in keys)
    assert b'x' * len(contents[1]) not in files(folder).values()
    missing.write_bytes(contents[0])
    damaged.write_bytes(contents[1])
    again = dump(*words, profile='loose')
    assert (again['problem_count'], again['nothing_to_do']) == (0, False)
    assert dump(*words, profile='loose')['nothing_to_do']


# refused ---------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_a_dump_is_refused(dump: Dump, folder: Path) -> None:
    folder.mkdir()
    (folder / 'thesis.tex').write_text('mine')
    for words in (EVERYTHING, (*EVERYTHING, '--overwrite'), (*EVERYTHING, '--dry-run')):
        assert 'was not made by a dump' in dump(*words, code=1)['error']
    assert [path.name for path in folder.iterdir()] == ['thesis.tex']


def test_a_folder_inside_the_dump_that_it_did_not_make_is_not_written_to(dump: Dump, folder: Path) -> None:
    dump('--all')
    own = folder / 'ungrouped/calculations/job 0-57'
    own.mkdir(parents=True)
    (own / METADATA).write_text('mine')
    assert 'was not made by a dump' in dump(*EVERYTHING, code=1)['error']
    assert (own / METADATA).read_text() == 'mine'


def test_a_node_that_comes_back_gets_its_folder_with_what_was_kept_in_it(
    dump: Dump, change: Callable[..., None], folder: Path
) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '57')
    dump('--all')
    (folder / 'groups/numbers/calculations/job 0-57/notes.txt').write_text('mine')
    change('group', 'remove-nodes', '-G', 'numbers', '57', '-f')
    dump('--all')
    change('group', 'add-nodes', '-G', 'numbers', '57')
    assert dump('--all')['new'] == 1
    assert (folder / 'groups/numbers/calculations/job 0-57/notes.txt').read_text() == 'mine'


def test_the_dump_of_something_else_is_refused(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    change('group', 'add-nodes', '-G', 'numbers', '57')
    dump('group', 'dump', 'numbers')
    assert 'holds the dump of another process or group' in dump('--all', code=1)['error']
    assert 'holds the dump of another process or group' in dump('group', 'dump', 'tree', code=1)['error']
    assert dump('--all', '--overwrite')['new'] == 1
    assert 'holds the dump of the whole profile' in dump('group', 'dump', 'tree', code=1)['error']


@pytest.mark.parametrize('same', ['name', 'uuid'])
def test_the_dump_of_a_profile_over_a_copy_of_the_storage_is_refused(
    dump: Dump, reference_home: Path, folder: Path, same: str
) -> None:
    dump('--all', '--also-ungrouped')
    before = files(folder)
    path = reference_home / 'config.json'
    config = json.loads(path.read_text())
    shutil.copytree(reference_home / 'repository' / 'mixed', reference_home / 'repository' / 'copy')
    copy = json.loads(json.dumps(config['profiles']['mixed']))
    copy['storage']['config']['filepath'] = str(reference_home / 'repository' / 'copy')
    if same == 'name':
        copy['PROFILE_UUID'] = 'c' * 32
    config['profiles'][name := 'mixed' if same == 'name' else 'copy'] = copy
    path.write_text(json.dumps(config))
    refused = dump('--all', profile=name, code=1)['error']
    assert ('another profile' if same == 'name' else "of profile 'mixed'") in refused
    assert '--overwrite' in refused
    assert files(folder) == before
    assert dump('--all', '--overwrite', '--dry-run', profile=name)['dry_run']
    assert dump('--all', '--overwrite', profile=name)['folder'] == str(folder)


def test_the_log_of_an_earlier_version_which_names_no_profile_is_gone_on_with(dump: Dump, folder: Path) -> None:
    dump('--all', '--also-ungrouped')
    header, *lines = (folder / LOG).read_text().splitlines(keepends=True)
    old = {key: value for key, value in json.loads(header).items() if not key.startswith('profile')}
    (folder / LOG).write_text(json.dumps(old) + '\n' + ''.join(lines))
    assert dump('--all', '--also-ungrouped')['nothing_to_do']


def test_nothing_is_written_or_removed_through_links_of_others(
    dump: Dump, change: Callable[..., None], folder: Path, tmp_path: Path
) -> None:
    dump(*EVERYTHING)
    elsewhere = tmp_path / 'elsewhere'
    (folder / 'ungrouped/calculations').rename(elsewhere)
    (folder / 'ungrouped/calculations').symlink_to(elsewhere)
    before = files(elsewhere)
    change('node', 'extras', 'set', '57', 'a=1')
    assert 'in the way' in dump(*EVERYTHING, code=1)['error']
    assert files(elsewhere) == before
    change('node', 'delete', '-f', '57')
    dump(*EVERYTHING, '-n')
    dump('--all')
    assert files(elsewhere) == before


def test_labels_cannot_lead_out_of_the_folder(dump: Dump, change: Callable[..., None], folder: Path) -> None:
    names = ('../../outside', '/absolute', 'a/../../b', '..', 'x' * 250 + 'é' * 2)
    for label in names:
        change('group', 'create', label)
        change('group', 'add-nodes', '-G', label, '57')
    change('node', 'label', '-L', 'line\nfeed/' + 'ü' * 120, '57', '-f')
    dump('--all')
    outside = {path.name for path in folder.parent.iterdir()}
    assert outside <= {'dump', 'home', 'empty'}
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob(METADATA))
    assert len(found) == len(names)
    assert not any('..' in Path(name).parts for name in found)
    assert {path.parent.name for path in folder.rglob(METADATA)} == {'line_feed_' + 'ü' * 120 + '-57'}
    assert dump('--all')['nothing_to_do']


@pytest.mark.parametrize(
    ('words', 'told'),
    [
        ((), '--all'),
        (('--past-days', '3'), '--also-ungrouped'),
        (('--all', '--past-days', '3', '--start-date', '2025-01-01'), '--past-days'),
        (('--all', '--codes', '1', '--computers', 'cluster'), '--codes'),
        (('--all', '--start-date', 'yesterday'), 'yesterday'),
        (('--all', '--start-date', '2025-01-02', '--end-date', '2025-01-01'), '--end-date'),
    ],
)
def test_choices_that_make_no_sense_are_refused(dump: Dump, folder: Path, words: tuple[str, ...], told: str) -> None:
    assert told in dump(*words, code=2)['error']
    assert not folder.exists()


def test_what_is_not_there_is_named(dump: Dump, folder: Path) -> None:
    assert "'nobody@x.y'" in dump('--all', '--user', 'nobody@x.y', code=1)['error']
    assert "'number'" in dump('-G', 'number', code=1)['error']
    assert 'numbers' in dump('group', 'dump', 'number', code=1)['error']


def test_a_damaged_log_is_named_with_the_way_out(dump: Dump, folder: Path) -> None:
    dump(*EVERYTHING)
    lines = (folder / LOG).read_text().splitlines(keepends=True)
    (folder / LOG).write_text(''.join([*lines[:2], 'nonsense\n', *lines[2:]]))
    assert 'line 3' in dump(*EVERYTHING, code=1)['error']
    (folder / LOG).unlink()
    assert dump(*EVERYTHING)['new'] > 20
