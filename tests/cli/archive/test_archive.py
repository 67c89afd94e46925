"""The verbs of archives, as a person or a script runs them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / 'data'
REFERENCE = DATA / 'reference.aiida'
CLI = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def empty(empty_home: Path, run_cli: CLI) -> None:
    """A profile without nodes is the default one."""
    done = run_cli('profile', 'setup', 'core.sqlite_dos', '-n', '--profile-name', 'p', '--email', 'a@example.org')
    assert done.returncode == 0, done.stderr


def test_info_tells_what_is_in_an_archive(run_cli: CLI, empty_home: Path) -> None:
    done = run_cli('archive', 'info', REFERENCE)
    assert done.returncode == 0, done.stderr
    assert 'main_0001' in done.stdout
    found = json.loads(run_cli('archive', 'info', REFERENCE, '--detailed', '--format', 'json').stdout)
    assert (found['entities']['node'], found['objects'], found['version']) == (74, 23, 'main_0001')
    assert not empty_home.exists(), 'an archive needs no configuration'


def test_version_tells_the_version(run_cli: CLI, empty_home: Path, tmp_path: Path) -> None:
    done = run_cli('archive', 'version', REFERENCE)
    assert (done.returncode, done.stdout) == (0, f'{REFERENCE}: version main_0001\n')
    done = run_cli('archive', 'version', tmp_path / 'none')
    assert (done.returncode, done.stdout) == (2, '')
    assert 'check the path' in done.stderr


def test_a_file_that_an_option_took_is_asked_for(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    done = run_cli('-p', 'loose', 'archive', 'create', '-G', 'some', tmp_path / 'x.aiida')
    assert (done.returncode, done.stdout) == (2, '')
    assert '-G takes all that follows it' in done.stderr
    assert '`--`' in done.stderr


def test_create_and_import_carry_everything_over(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    path = tmp_path / 'all.aiida'
    done = run_cli('-p', 'loose', 'archive', 'create', path, '--all', '--include-authinfos')
    assert done.returncode == 0, done.stderr
    assert (f'Wrote {path}' in done.stderr, 'Wrote' in done.stdout) == (True, False)
    done = run_cli('-p', 'loose', 'archive', 'create', path, '--all')
    assert (done.returncode, done.stdout) == (2, '')
    assert '--force' in done.stderr
    assert (
        run_cli('profile', 'setup', 'core.sqlite_dos', '-n', '--profile-name', 'new', '--email', 'a@b.c').returncode
        == 0
    )
    done = run_cli('-p', 'new', 'archive', 'import', path, '--format', 'json')
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found['new']['node'], found['new']['link'], found['objects']) == (74, 88, 23)
    again = json.loads(run_cli('-p', 'new', 'archive', 'import', path, '--dry-run', '--format', 'json').stdout)
    assert (again['dry_run'], again['existing']['node'], again['objects']) == (True, 74, 0)


def test_parts_are_named_as_with_verdi(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    def nodes(*options: str) -> int:
        arguments = ('-p', 'loose', 'archive', 'create', tmp_path / 'x.aiida', '-n', '--format', 'json', *options)
        done = run_cli(*arguments)
        assert done.returncode == 0, done.stderr
        return int(json.loads(done.stdout)['entities']['node'])

    assert nodes('-N', '1', '2', '3') >= 3
    assert nodes('--groups', '1', '2', '--no-create-backward') >= nodes('-G', '1', '--no-create-backward')
    assert nodes('-Y', '1') == 0
    assert run_cli('-p', 'loose', 'archive', 'create', tmp_path / 'x.aiida', '-N', '4711').returncode == 1
    assert not list(tmp_path.glob('*.aiida'))


def test_an_unsealed_process_ends_the_command_with_its_name(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    done = run_cli('-p', 'mixed', 'archive', 'create', tmp_path / 'x.aiida', '--all')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'not sealed' in done.stderr


def test_standard_input_is_imported(run_cli: CLI, empty: None) -> None:
    with REFERENCE.open('rb') as archive:
        done = run_cli('archive', 'import', '-', stdin=archive)
    assert done.returncode == 0, done.stderr
    assert '74' in done.stdout


@pytest.mark.parametrize('how', ['page', 'address'])
def test_archives_come_from_the_web(run_cli: CLI, empty: None, how: str, tmp_path: Path) -> None:
    (tmp_path / 'index.html').write_text('<a href="paper.aiida">the data</a>')
    (tmp_path / 'paper.aiida').write_bytes(REFERENCE.read_bytes())
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        site = f'http://127.0.0.1:{server.server_address[1]}'
        words = ('--webpages', f'{site}/') if how == 'page' else (f'{site}/paper.aiida',)
        done = run_cli('archive', 'import', *words)
        server.shutdown()
        thread.join()
    assert done.returncode == 0, done.stderr
    assert f'Imported {site}/paper.aiida' in done.stderr
    assert len(run_cli('node', 'list', '-q').stdout.split()) == 74


def test_what_cannot_be_imported_is_told(run_cli: CLI, empty: None, tmp_path: Path) -> None:
    done = run_cli('archive', 'import', 'http://127.0.0.1:1/x.aiida')
    assert (done.returncode, done.stdout) == (1, '')
    assert 'http://127.0.0.1:1/x.aiida cannot be had' in done.stderr
    done = run_cli('archive', 'import')
    assert (done.returncode, done.stdout) == (2, '')
    assert 'nothing to import' in done.stderr
    (tmp_path / 'x.aiida').write_bytes(REFERENCE.read_bytes()[:1000])
    done = run_cli('archive', 'import', REFERENCE, tmp_path / 'x.aiida')
    assert done.returncode == 3
    assert 'x.aiida is not an archive, or only a part of one' in done.stderr
    assert run_cli('-q', 'archive', 'import', REFERENCE).stdout == ''


def test_an_archive_of_nothing_is_not_made_by_forgetting_to_choose(run_cli: CLI, tmp_path: Path) -> None:
    done = run_cli('-p', 'loose', 'archive', 'create', tmp_path / 'x.aiida', '--no-create-backward')
    assert (done.returncode, done.stdout, done.stderr.count('\n')) == (2, '', 1)
    assert '--all' in done.stderr
    assert not (tmp_path / 'x.aiida').exists()


def test_migrate_writes_another_file_or_replaces_the_archive(run_cli: CLI, empty_home: Path, tmp_path: Path) -> None:
    done = run_cli('archive', 'migrate', REFERENCE, tmp_path / 'new.aiida')
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'new.aiida').read_bytes() == REFERENCE.read_bytes()
    assert run_cli('archive', 'migrate', tmp_path / 'new.aiida', '--in-place').returncode == 0
    assert run_cli('archive', 'migrate', REFERENCE).returncode == 2
    assert run_cli('archive', 'migrate', REFERENCE, tmp_path / 'new.aiida').returncode == 2


def test_any_verb_can_look_into_an_archive(run_cli: CLI, empty_home: Path, tmp_path: Path) -> None:
    done = run_cli('--archive', REFERENCE, 'node', 'list', '--format', 'json')
    assert done.returncode == 0, done.stderr
    nodes = json.loads(done.stdout)
    assert len(nodes) == 74
    shown = run_cli('node', 'show', nodes[0]['uuid'], f'--archive={REFERENCE}')
    assert shown.returncode == 0, shown.stderr
    assert nodes[0]['uuid'] in shown.stdout
    done = run_cli(f'--archive={REFERENCE}', 'node', 'label', nodes[0]['uuid'], '--label', 'x', '--yes')
    assert done.returncode != 0
    assert 'only be read' in done.stderr
    done = run_cli('-p', 'x', '--archive', REFERENCE, 'node', 'list')
    assert (done.returncode, done.stdout) == (2, '')
    assert not empty_home.exists()


def test_a_terminated_command_leaves_no_file(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    path = tmp_path / 'out' / 'x.aiida'
    path.parent.mkdir()
    command = [sys.executable, '-m', 'ricordi', '-p', 'loose', 'archive', 'create', str(path), '--all']
    for seconds in (0.05, 0.2, 0.4, 0.6):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        process.kill()
        process.wait()
        assert [one.name for one in path.parent.iterdir()] in ([], ['x.aiida'])
        path.unlink(missing_ok=True)


def test_an_archive_goes_to_standard_output(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    for words in (('create', '-', '--all'), ('migrate', DATA / 'reference.aiida', '-')):
        done = subprocess.run(
            [sys.executable, '-m', 'ricordi', 'archive', *words], capture_output=True, cwd=tmp_path, check=True
        )
        assert b'standard output' in done.stderr
        assert list(tmp_path.glob('-')) == []
        (tmp_path / 'new.aiida').write_bytes(done.stdout)
        assert run_cli('--archive', str(tmp_path / 'new.aiida'), 'group', 'show', 'numbers').returncode == 0
    assert run_cli('archive', 'create', '-', '--all', '--format', 'json').returncode == 2


def test_an_archive_is_not_written_to_a_terminal(run_in_terminal, reference_home: Path) -> None:
    done = run_in_terminal('archive', 'create', '-', '--all')
    assert (done.returncode, 'pipe it on' in done.screen) == (2, True)


def test_an_archive_that_is_current_is_copied_and_that_is_told(run_cli: CLI, empty_home: Path, tmp_path: Path) -> None:
    done = run_cli('archive', 'migrate', str(DATA / 'reference.aiida'), str(tmp_path / 'new.aiida'))
    assert done.returncode == 0
    assert f'copied it as it is to {tmp_path / "new.aiida"}' in done.stderr
    assert (tmp_path / 'new.aiida').read_bytes() == (DATA / 'reference.aiida').read_bytes()
    assert 'nothing to do' in run_cli('archive', 'migrate', '--in-place', str(tmp_path / 'new.aiida')).stderr


def test_what_is_wrong_with_standard_input_is_told_of_standard_input(run_cli: CLI, empty: None) -> None:
    for content, code in (('', 2), ('no archive', 3)):
        done = subprocess.run(
            [sys.executable, '-m', 'ricordi', 'archive', 'import', '-'], input=content, capture_output=True, text=True
        )
        assert (done.returncode, 'standard input' in done.stderr, '/' in done.stderr) == (code, True, False)


def test_a_dry_run_tells_the_labels_that_the_import_gives(run_cli: CLI, empty: None, tmp_path: Path) -> None:
    words = ('archive', 'import', str(DATA / 'reference.aiida'), '--format', 'json')
    setup = ('-n', '-L', 'localhost', '-H', 'localhost', '-T', 'core.local', '-S', 'core.direct')
    assert run_cli('computer', 'setup', *setup).returncode == 0
    planned = json.loads(run_cli(*words, '--dry-run').stdout)['relabelled']
    assert planned == {'localhost': 'localhost (Imported #0)'}
    assert json.loads(run_cli(*words).stdout)['relabelled'] == planned


def test_an_archive_is_refused_where_it_makes_no_sense(run_cli: CLI, reference_home: Path) -> None:
    for words in (('profile', 'list'), ('profile', 'show'), ('user', 'set-default', 'bob@example.org'), ('tour',)):
        done = run_cli('--archive', str(DATA / 'reference.aiida'), *words)
        assert (done.returncode, done.stdout, '--archive' in done.stderr) == (2, '', True)


def test_an_archive_refuses_to_be_changed_before_it_is_asked_who_does_so(run_cli: CLI, empty_home: Path) -> None:
    for words in (('group', 'create', 'x'), ('node', 'comment', 'add', '-N', '1', '--', 'x')):
        done = run_cli('--archive', str(DATA / 'reference.aiida'), *words)
        assert (done.returncode, 'can only be read' in done.stderr, 'default user' in done.stderr) == (1, True, False)


def test_answers_come_from_the_web_too(run_cli: CLI, reference_home: Path, tmp_path: Path) -> None:
    (tmp_path / 'ada.yaml').write_text('email: ada@example.org\nfirst_name: Ädä\n', encoding='utf-8')
    server = ThreadingHTTPServer(('127.0.0.1', 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f'http://127.0.0.1:{server.server_port}'
    try:
        assert run_cli('user', 'configure', '-n', '--config', f'{address}/ada.yaml').returncode == 0
        assert 'Ädä' in run_cli('user', 'list').stdout
        gone = run_cli('user', 'configure', '-n', '--config', f'{address}/nothing.yaml')
        assert (gone.returncode, f'{address}/nothing.yaml cannot be had' in gone.stderr) == (1, True)
    finally:
        server.shutdown()
        server.server_close()
