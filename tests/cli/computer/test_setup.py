"""`ricordi computer setup`, `duplicate`, `configure` and `export`."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

Run = Callable[..., subprocess.CompletedProcess[str]]
NEW = ('setup', '-n', '-L', 'new', '-H', 'new.example.org', '-T', 'core.ssh', '-S', 'core.slurm')


@pytest.fixture
def computer(run_here: Run, each_profile: str) -> Run:
    """Runs a verb of `computer` on each profile."""
    return lambda *words, **kwargs: run_here('-p', each_profile, 'computer', *words, **kwargs)


def data(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shown(computer: Run, label: str) -> dict:
    return data(computer('show', label, '--format', 'json'))


def configured(computer: Run, label: str, *words: object) -> dict:
    return data(computer('configure', 'show', label, '--format', 'json', *words))


# setup -----------------------------------------------------------------------------------------------------


def test_a_computer_is_set_up_with_defaults(computer: Run) -> None:
    done = computer(*NEW)
    assert (done.returncode, done.stdout) == (0, '')
    assert 'computer configure core.ssh new' in done.stderr
    found = shown(computer, 'new')
    assert (found['work_dir'], found['shebang']) == ('/scratch/{username}/aiida/', '#!/bin/bash')
    assert (found['mpirun_command'], found['description']) == ('mpirun -np {tot_num_mpiprocs}', '')
    assert (found['mpiprocs_per_machine'], found['use_double_quotes']) == (None, False)


def test_without_a_terminal_all_that_is_missing_is_named(computer: Run) -> None:
    for words in (('setup',), ('setup', '-n')):
        done = computer(*words)
        assert done.returncode == 2
        assert 'missing: --label, --hostname, --transport, --scheduler' in done.stderr


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (('-T', 'ssh'), 'did you mean `core.ssh`?'),
        (('-S', 'core.slrum'), 'did you mean `core.slurm`?'),
        (('-w', 'relative/{username}'), 'not an absolute path'),
        (('-w', '/scratch/{user}'), '{username}'),
        (('-m', 'srun {nodes}'), '{tot_num_mpiprocs}'),
        (('--shebang', '/bin/bash'), '#!'),
        (('--mpiprocs-per-machine', '-1'), 'positive'),
        (('--default-memory-per-machine', 'much'), 'integer'),
        (('-L', ''), 'empty'),
        (('-H', ' '), 'empty'),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(computer: Run, words: tuple[str, ...], reason: str) -> None:
    done = computer(*NEW, *words)
    assert (done.returncode, done.stdout) == (2, '')
    assert reason in done.stderr
    assert computer('show', 'new').returncode == 1


def test_plug_ins_of_other_packages_are_taken_as_they_are(computer: Run) -> None:
    assert computer(*NEW, '-T', 'firecrest.firecrest', '-S', 'hyperqueue').returncode == 2
    assert computer(*NEW, '-T', 'firecrest.firecrest', '-S', 'hyper.queue').returncode == 0
    done = computer('configure', 'show', 'new')
    assert (done.returncode, 'verdi computer configure firecrest.firecrest' in done.stderr) == (1, True)


def test_a_label_is_given_once(computer: Run) -> None:
    assert computer(*NEW).returncode == 0
    done = computer(*NEW)
    assert done.returncode == 1
    assert 'computer duplicate new' in done.stderr


def test_options_go_before_the_file_with_values(computer: Run, tmp_path: Path) -> None:
    file = tmp_path / 'setup.yaml'
    file.write_text('label: from-file\nhostname: h\ntransport: core.local\nscheduler: core.direct\nwork-dir: /w\n')
    assert computer('setup', '--config', file, '-L', 'given').returncode == 0
    assert shown(computer, 'given')['work_dir'] == '/w'
    file.write_text('label: x\nqueue: short\n')
    done = computer('setup', '--config', file)
    assert (done.returncode, 'no option `queue`' in done.stderr) == (2, True)


def test_a_copy_differs_in_what_is_given(computer: Run) -> None:
    done = computer('duplicate', 'cluster', '-n')
    assert (done.returncode, '--label' in done.stderr) == (2, True)
    assert computer('duplicate', 'cluster', '-n', '-L', 'twin', '--mpiprocs-per-machine', 8).returncode == 0
    one, other = shown(computer, 'cluster'), shown(computer, 'twin')
    different = {key for key in one if one[key] != other[key]}
    assert different == {'pk', 'uuid', 'label', 'mpiprocs_per_machine'}
    assert computer('duplicate', 'cluster', '-n', '-L', 'twin').returncode == 1


def test_a_person_is_asked_and_asked_again(run_in_terminal, run_cli: Run, reference_home: Path) -> None:
    answers = {
        'Label: ': 'mine\n',
        'Hostname: ': 'localhost\n',
        'Description: ': '\n',
        'Transport (core.local, core.ssh, core.ssh_async): ': 'core.locl\n',
        'did you mean `core.local`': 'core.local\n',
        'Scheduler (': 'core.direct\n',
        'First line of job scripts [#!/bin/bash]: ': '\n',
        'Work directory on the computer [': 'here\n',
        'not an absolute path': '/here\n',
        'Command that starts MPI [': '\n',
        'MPI processes per machine, by default: ': '4\n',
        'Quote words': '\n',
        'before the run (Enter: none, e: in an editor)': 'module load x\n',
        'after the run (Enter: none, e: in an editor)': '\n',
    }
    run = run_in_terminal('computer', 'setup', answers=answers)
    assert run.returncode == 0, run.screen
    assert 'Memory per machine' not in run.screen  # core.direct knows none
    found = data(run_cli('computer', 'show', 'mine', '--format', 'json'))
    assert (found['work_dir'], found['mpiprocs_per_machine'], found['prepend_text']) == ('/here', 4, 'module load x')


def test_a_person_may_empty_a_value_and_write_lines_in_an_editor(
    run_in_terminal, run_cli: Run, reference_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / 'editor'
    editor.write_text('#!/bin/sh\necho module load y >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.delenv('VISUAL', raising=False)
    monkeypatch.setenv('EDITOR', str(editor))
    answers = {
        'Label: ': 'twin\n',
        'Description [ünï cluster]: ': '!\n',
        'before the run (Enter: as it is, e: in an editor)': 'e\n',
    }
    questions = ('Hostname [', 'core.ssh_async) [', 'core.torque) [', 'scripts [', 'computer [', 'MPI [')
    questions += ('machine, by default: ', 'in kB, by default [', 'quotes [', 'after the run (')
    answers |= dict.fromkeys(questions, '\n')
    run = run_in_terminal('computer', 'duplicate', 'cluster', answers=answers)
    assert run.returncode == 0, run.screen
    one, other = (data(run_cli('computer', 'show', name, '--format', 'json')) for name in ('cluster', 'twin'))
    assert (other['description'], other['prepend_text']) == ('', f'{one["prepend_text"]}\nmodule load y')
    assert (other['hostname'], other['default_memory_per_machine']) == (one['hostname'], 1024)


# configure -------------------------------------------------------------------------------------------------


def test_a_configuration_begins_with_defaults_and_keeps_what_is_not_given(computer: Run) -> None:
    computer(*NEW)
    assert set(configured(computer, 'new').values()) == {None}
    assert computer('configure', 'core.ssh', 'new', '-n', '--username', 'ada', '--no-compress').returncode == 0
    first = configured(computer, 'new')
    assert (first['username'], first['port'], first['compress']) == ('ada', 22, False)
    assert (first['timeout'], first['key_policy'], first['gss_host']) == (60, 'RejectPolicy', 'new.example.org')
    assert computer('configure', 'core.ssh', 'new', '-P', 2222).returncode == 0
    assert configured(computer, 'new') == {**first, 'port': 2222}


def test_each_user_has_a_configuration(computer: Run) -> None:
    assert computer('configure', 'core.ssh', 'cluster', '-n', '-u', 'bob@example.org', '-P', 1).returncode == 0
    assert configured(computer, 'cluster', '-u', 'bob@example.org')['port'] == 1
    assert configured(computer, 'cluster')['port'] == 2222


def test_a_computer_is_configured_by_its_own_transport(computer: Run) -> None:
    done = computer('configure', 'core.local', 'cluster', '-n')
    assert (done.returncode, 'computer configure core.ssh cluster' in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ('words', 'reason'),
    [
        (('--port', '70000'), 'out of range'),
        (('--port', 'ssh'), 'integer'),
        (('--key-filename', 'id_rsa'), 'not an absolute path'),
        (('--key-filename', '/nowhere/id_rsa'), 'no file'),
        (('--key-policy', 'Any'), 'RejectPolicy'),
        (('--safe-interval', '-1'), 'seconds'),
        (('--user', 'nobody@example.org'), 'no user'),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(computer: Run, words: tuple[str, ...], reason: str) -> None:
    before = configured(computer, 'cluster')
    done = computer('configure', 'core.ssh', 'cluster', '-n', *words)
    assert done.returncode == (1 if '--user' in words else 2)
    assert reason in done.stderr
    assert configured(computer, 'cluster') == before


def test_a_script_has_to_be_executable(computer: Run, tmp_path: Path) -> None:
    computer('setup', '-n', '-L', 'async', '-H', 'host', '-T', 'core.ssh_async', '-S', 'core.sge')
    script = tmp_path / 'login.sh'
    script.write_text('#!/bin/sh\n')
    words = ('configure', 'core.ssh_async', 'async', '-n', '--authentication-script')
    assert 'not executable' in computer(*words, script).stderr
    script.chmod(0o755)
    assert computer(*words, script).returncode == 0
    found = configured(computer, 'async')
    assert (found['authentication_script'], found['host'], found['max_io_allowed']) == (str(script), 'host', 8)
    assert computer(*words, 'None').returncode == 0
    assert configured(computer, 'async')['authentication_script'] == 'None'


def test_options_are_shown_such_that_they_can_be_given_again(computer: Run) -> None:
    shown = computer('configure', 'show', '--as-option-string', 'cluster').stdout
    assert '--port=2222' in shlex.split(shown)
    computer('duplicate', 'cluster', '-n', '-L', 'twin')
    words = [word for word in shlex.split(shown) if not word.startswith('--key-filename')]
    assert computer('configure', 'core.ssh', 'twin', '-n', *words).returncode == 0
    again = shlex.split(computer('configure', 'show', '--as-option-string', 'twin').stdout)
    assert {word for word in words if 'interval' not in word} <= set(again)  # which was 15 and is 15.0


def test_defaults_are_shown_without_being_stored(computer: Run) -> None:
    assert configured(computer, 'bare', '--defaults')['port'] == 22
    assert configured(computer, 'bare')['port'] is None
    assert '* port' in computer('configure', 'show', 'bare').stdout


def test_a_person_is_asked_for_a_configuration(run_in_terminal, run_cli: Run, reference_home: Path) -> None:
    answers = {'Use a login shell to run commands [True]: ': 'no\n', 'Seconds between two connections': 'soon\n'}
    answers["'soon' is no number"] = '2.5\n'
    run = run_in_terminal('computer', 'configure', 'core.local', 'localhost', answers=answers)
    assert run.returncode == 0, run.screen
    found = data(run_cli('computer', 'configure', 'show', 'localhost', '--format', 'json'))
    assert found == {'use_login_shell': False, 'safe_interval': 2.5}


# export ----------------------------------------------------------------------------------------------------


def test_what_is_exported_can_be_read_back(computer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    computer(*NEW, '--prepend-text', 'a\nb: c\n', '-D', 'ünï')
    computer('configure', 'core.ssh', 'new', '-n', '--username', 'ada', '--no-compress')
    assert computer('export', 'setup', 'new').returncode == 0
    assert computer('export', 'config', 'new', 'given.yaml').returncode == 0
    setup, config = shown(computer, 'new'), configured(computer, 'new')
    assert computer('delete', '--yes', 'new').returncode == 0
    assert computer('setup', '--config', 'new-setup.yaml').returncode == 0
    assert computer('configure', 'core.ssh', 'new', '--config', 'given.yaml').returncode == 0
    assert {**shown(computer, 'new'), 'pk': 0, 'uuid': ''} == {**setup, 'pk': 0, 'uuid': ''}
    assert configured(computer, 'new') == config


def test_a_file_is_replaced_on_request_only(computer: Run, tmp_path: Path) -> None:
    file = tmp_path / 'out.yaml'
    file.write_text('mine')
    done = computer('export', 'setup', 'cluster', file)
    assert (done.returncode, '--overwrite' in done.stderr, file.read_text()) == (2, True, 'mine')
    assert computer('export', 'setup', 'cluster', file, '-o').returncode == 0
    assert yaml.safe_load(file.read_text())['label'] == 'cluster'
    for place in (tmp_path, tmp_path / 'nowhere' / 'out.yaml'):
        assert computer('export', 'setup', 'cluster', place, '-o').returncode == 2


def test_standard_output_and_the_order_of_names(computer: Run) -> None:
    ordered = computer('export', 'setup', 'cluster', '-', '--no-sort').stdout
    assert ordered.startswith('label: cluster\nhostname:')
    assert yaml.safe_load(ordered) == yaml.safe_load(computer('export', 'setup', 'cluster', '-').stdout)
    done = computer('export', 'config', 'bare', '-')
    assert (done.returncode, done.stdout) == (1, '')
