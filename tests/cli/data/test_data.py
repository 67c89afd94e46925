"""`ricordi data`: what data nodes hold, as text. That it is what verdi prints: tests/interop/test_verdi_data.py."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]
ARRAY, STRUCTURE, DICTIONARY, FILE, OTHER_FILE, REMOTE = '44', '45', '50', '52', '53', '56'


@pytest.fixture
def become(reference_home: Path) -> Callable[[str, str], None]:
    """Makes a node one of another type."""

    def change(pk: str, node_type: str) -> None:
        with closing(sqlite3.connect(reference_home / 'repository' / 'mixed' / 'database.sqlite')) as database:
            database.execute('UPDATE db_dbnode SET node_type = ? WHERE id = ?', (node_type, pk))
            database.commit()

    return change


@pytest.fixture
def run(run_here: Run, reference_home: Path) -> Run:
    return lambda *words, **more: run_here('-p', 'mixed', 'data', *words, **more)


def test_a_dictionary_and_arrays_are_shown_in_every_format(run: Run) -> None:
    shown = json.loads(run('core.dict', 'show', DICTIONARY).stdout)
    assert list(shown) == sorted(shown)
    assert json.loads(run('core.array', 'show', ARRAY, '--format', 'jsonl').stdout).keys() == {'energies', 'mask'}
    assert run('core.array', 'show', ARRAY, '-f', 'yaml').stdout.startswith('energies:\n')
    assert run('core.array', 'show', ARRAY, '--format', 'csv').stdout.startswith('key,value\n')


def test_a_node_of_another_type_is_refused_by_name(run: Run) -> None:
    done = run('core.dict', 'show', STRUCTURE)
    assert (done.returncode, done.stdout) == (1, '')
    assert 'node 45 is no core.dict: it is of type StructureData' in done.stderr


def test_a_structure_is_listed_shown_and_exported(run: Run, tmp_path: Path) -> None:
    [found] = json.loads(run('core.structure', 'list', '-A', '--format', 'json').stdout)
    assert found == {'pk': 45, 'label': 'silicon', 'formula': 'Si2'}
    assert run('core.structure', 'list', '-A', '-e', 'Ge', '-r').stdout == ''
    assert 'Structure 45 (silicon): Si2' in run('core.structure', 'show', STRUCTURE).stdout
    assert run('core.structure', 'export', STRUCTURE).stdout.splitlines()[0] == '2'
    target = tmp_path / 'silicon.xsf'
    assert run('core.structure', 'export', STRUCTURE, '-F', 'xsf', '-o', target).returncode == 0
    assert target.read_text().startswith('CRYSTAL\nPRIMVEC 1\n')
    assert run('core.structure', 'export', STRUCTURE, '-o', target).returncode == 2
    assert run('core.structure', 'export', STRUCTURE, '-o', target, '--force').returncode == 0
    assert target.read_text().startswith('2\nLattice=')


@pytest.mark.parametrize(
    'words',
    [
        ('core.structure', 'export', '-F', 'cif', STRUCTURE),
        ('core.structure', 'list', '-f', 'group'),
        ('core.trajectory', 'export', STRUCTURE),
        ('core.upf', 'export', FILE),
        ('core.bands', 'list'),
        ('core.structure', 'import'),
        ('core.remote', 'ls', REMOTE),
    ],
)
def test_what_is_not_here_says_what_to_type_in_verdi(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words)
    assert (done.returncode, done.stdout) == (2, '')
    assert f'`verdi data {words[0]}' in done.stderr


def test_files_are_given_as_they_are(
    run: Run, become: Callable[[str, str], None], run_here: Run, tmp_path: Path
) -> None:
    content = run_here('-p', 'mixed', 'node', 'repo', 'cat', FILE).stdout
    assert run('core.singlefile', 'content', FILE).stdout == content
    become(FILE, 'data.core.cif.CifData.')
    assert run('core.cif', 'content', FILE, FILE).stdout == content
    assert run('core.cif', 'list', '-q', '-A').stdout == f'{FILE}\n'
    become(FILE, 'data.core.upf.UpfData.')
    assert run('core.upf', 'export', FILE, '-F', 'upf', '-o', tmp_path / 'a.upf').returncode == 0
    assert (tmp_path / 'a.upf').read_text() == content


def test_the_files_of_a_family_are_written_and_those_that_are_there_stay(
    run: Run, become: Callable[[str, str], None], run_here: Run, tmp_path: Path
) -> None:
    become(FILE, 'data.core.upf.UpfData.')
    become(OTHER_FILE, 'data.core.upf.UpfData.')
    run_here('-p', 'mixed', 'group', 'create', 'family')
    run_here('-p', 'mixed', 'group', 'add-nodes', '-G', 'family', FILE, OTHER_FILE, DICTIONARY)
    (tmp_path / 'two.txt').write_text('mine')
    done = run('core.upf', 'exportfamily', tmp_path, 'family')
    assert done.returncode == 0
    assert 'two.txt is in' in done.stderr
    assert 'Wrote 1 file' in done.stderr
    assert ((tmp_path / 'two.txt').read_text(), (tmp_path / 'one.txt').exists()) == ('mine', True)
    run_here('-p', 'mixed', 'group', 'create', 'none')
    assert 'holds no pseudopotentials' in run('core.upf', 'exportfamily', tmp_path, 'none').stderr


@pytest.mark.parametrize('odd', ['{}', '{"kinds": 3, "sites": [{}], "cell": 1}', '{"kinds": [{}], "sites": []}'])
def test_a_structure_that_aiida_would_not_make_is_told_of(run: Run, reference_home: Path, odd: str) -> None:
    with closing(sqlite3.connect(reference_home / 'repository' / 'mixed' / 'database.sqlite')) as database:
        database.execute('UPDATE db_dbnode SET attributes = ? WHERE id = ?', (odd, STRUCTURE))
        database.commit()
    for words in (('show', STRUCTURE), ('export', STRUCTURE), ('export', '-F', 'xsf', STRUCTURE)):
        done = run('core.structure', *words)
        assert (done.returncode, done.stdout) == (3, '')
        assert 'node 45 is not as AiiDA makes' in done.stderr
    assert run('core.structure', 'list', '-A', '-e', 'Si').returncode == 0


def test_an_export_into_a_folder_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    assert run('core.structure', 'export', STRUCTURE, '-o', tmp_path, '-f').returncode == 2
    assert run('core.structure', 'export', STRUCTURE, '-o', tmp_path / 'missing' / 'x').returncode == 2


def test_where_a_remote_folder_is(run: Run) -> None:
    assert run('core.remote', 'show', REMOTE).stdout.startswith('- Remote computer name: ')
    assert json.loads(run('core.remote', 'show', REMOTE, '--format', 'json').stdout)['pk'] == 56


def test_an_archive_is_read_too(run_here: Run, reference_home: Path) -> None:
    archive = Path(__file__).parents[2] / 'data' / 'reference.aiida'
    [found] = json.loads(run_here('--archive', archive, 'data', 'core.structure', 'list', '--format', 'json').stdout)
    assert found['formula'] == 'Si2'
    assert 'energies' in run_here('--archive', archive, 'data', 'core.array', 'show', found['pk'] - 1).stdout
