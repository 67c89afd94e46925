"""`ricordi computer test` and `goto`, here and through a real SSH server; `ricordi node delete --clean-workdir`."""

from __future__ import annotations

import getpass
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ports import refusing_port
from ricordi.backend.rows import ComputerRow, NodeRow, UserRow
from ricordi.config import load_config
from ricordi.manager import use_storage

if TYPE_CHECKING:
    from conftest import SshServer

Run = Callable[..., subprocess.CompletedProcess[str]]

ME = getpass.getuser()
CHECKS = 6


# computers -------------------------------------------------------------------------------------------------


@pytest.fixture
def profile(request: pytest.FixtureRequest, reference_home: Path) -> str:
    """The profile on SQLite, unless a test asks for both."""
    return 'mixed' if getattr(request, 'param', 'mixed') == 'mixed' else request.getfixturevalue('psql_profile')


on_both_databases = pytest.mark.parametrize('profile', ['mixed', 'psql'], indirect=True)


@pytest.fixture
def computer(run_here: Run, profile: str) -> Run:
    return lambda *words, **kwargs: run_here('-p', profile, 'computer', *words, **kwargs)


def make(computer: Run, label: str, transport: str, work_dir: object, *words: object, host: str = '127.0.0.1') -> None:
    setup = ('setup', '-n', '-L', label, '-H', host, '-T', transport, '-S', 'core.direct', '-w', work_dir)
    for done in (computer(*setup), computer('configure', transport, label, '-n', *words)):
        assert done.returncode == 0, done.stderr


@pytest.fixture
def local(computer: Run, tmp_path: Path) -> Path:
    """The work directory of the computer `local`."""
    make(computer, 'local', 'core.local', tmp_path / 'work' / '{username}', '--no-use-login-shell')
    return tmp_path / 'work' / ME


@pytest.fixture
def remote(computer: Run, sshd: SshServer, tmp_path: Path) -> Path:
    """The work directory of the computer `remote`, whose host key nobody has to know."""
    words = ('--port', sshd.port, '--key-filename', sshd.key, '--no-look-for-keys', '--no-allow-agent')
    words += ('--no-use-login-shell',)  # which would read the login files of who runs the tests
    trust = ('--key-policy', 'AutoAddPolicy', '--no-load-system-host-keys')
    make(computer, 'remote', 'core.ssh', tmp_path / "it's far {username}", '--username', ME, *words, *trust)
    return tmp_path / f"it's far {ME}"


def checks(computer: Run, label: str, *words: object, code: int = 0) -> list[dict]:
    done = computer('test', label, '--format', 'json', *words)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


# test ------------------------------------------------------------------------------------------------------


def test_a_local_computer_passes_all_checks_and_nothing_is_left(computer: Run, local: Path) -> None:
    found = checks(computer, 'local')
    assert [check['ok'] for check in found] == [True] * CHECKS
    assert {found[3]['message'], found[4]['message']} == {ME, str(local)}
    assert list(local.iterdir()) == []
    shown = computer('test', 'local')
    assert (shown.returncode, shown.stdout.count('… OK')) == (0, CHECKS)
    assert 'All 6 checks are fine.' in shown.stderr


def test_a_work_directory_that_cannot_be_written_to_fails(computer: Run, tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    make(computer, 'local', 'core.local', tmp_path / 'file' / 'work')
    found = {check['name']: check for check in checks(computer, 'local', code=1)}
    failed = found['Creating and deleting temporary file']
    assert not failed['ok']
    assert 'file' in failed['message']
    plain, traced = computer('test', 'local').stdout, computer('test', '-t', 'local').stdout
    assert ('Traceback' in plain, 'Traceback' in traced) == (False, True)


def test_output_of_login_files_is_found(computer: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / '.bash_profile').write_text('echo Welcome\n')
    monkeypatch.setenv('HOME', str(tmp_path))
    make(computer, 'local', 'core.local', tmp_path / 'work')
    found = {check['name']: check for check in checks(computer, 'local', code=1)}
    assert 'Welcome' in found['Checking for spurious output']['message']


def test_a_scheduler_that_is_not_there_fails(computer: Run, local: Path) -> None:
    computer('duplicate', 'local', '-n', '-L', 'slurm', '-S', 'core.slurm')
    computer('configure', 'core.local', 'slurm', '-n')
    found = {check['name']: check for check in checks(computer, 'slurm', code=1)}
    assert 'squeue' in found['Getting number of jobs from scheduler']['message']


def test_a_computer_has_to_be_configured_and_enabled(computer: Run, local: Path) -> None:
    done = computer('test', 'bare')
    assert (done.returncode, 'computer configure core.ssh bare' in done.stderr) == (1, True)
    computer('disable', 'local')
    done = computer('test', 'local')
    assert (done.returncode, '--yes' in done.stderr) == (2, True)
    assert computer('test', '--yes', 'local').returncode == 0


def test_a_computer_passes_all_checks_through_one_connection(computer: Run, remote: Path, sshd: SshServer) -> None:
    computer('configure', 'core.ssh', 'remote', '-n', '--use-login-shell')
    before = sshd.logins
    found = checks(computer, 'remote')
    assert [check['ok'] for check in found] == [True] * CHECKS, found
    assert found[4]['message'] == str(remote)
    assert list(remote.iterdir()) == []
    assert sshd.logins == before + 1


def test_a_host_that_is_not_known_is_refused(computer: Run, remote: Path) -> None:
    computer('configure', 'core.ssh', 'remote', '-n', '--key-policy', 'RejectPolicy')
    (found,) = checks(computer, 'remote', code=1)
    assert 'Host key verification failed' in found['message']
    assert list(found) == ['name', 'ok', 'message', 'seconds', 'details']


def test_a_key_that_is_not_let_in_is_told(computer: Run, remote: Path, tmp_path: Path) -> None:
    subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', tmp_path / 'other'], check=True)
    computer('configure', 'core.ssh', 'remote', '-n', '--key-filename', tmp_path / 'other')
    (found,) = checks(computer, 'remote', code=1)
    assert 'Permission denied' in found['message']


def test_a_port_where_nobody_listens_is_told(computer: Run, remote: Path) -> None:
    with refusing_port() as port:
        computer('configure', 'core.ssh', 'remote', '-n', '--port', port)
        (found,) = checks(computer, 'remote', code=1)
    assert 'Connection refused' in found['message']


def test_a_proxy_command_is_gone_through(computer: Run, remote: Path, sshd: SshServer, tmp_path: Path) -> None:
    proxy = tmp_path / 'proxy'
    proxy.write_text(
        f'#!/bin/sh\ntouch {tmp_path}/used\nexec bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; cat <&3 & cat >&3"\n'
    )
    proxy.chmod(0o755)
    computer('configure', 'core.ssh', 'remote', '-n', '--proxy-command', f'{proxy} %p')
    refused = computer('test', 'remote', '--yes')
    assert (refused.returncode, str(proxy) in refused.stderr, '--run-commands' in refused.stderr) == (2, True, True)
    assert not (tmp_path / 'used').exists()
    checks(computer, 'remote', '--run-commands')
    assert (tmp_path / 'used').exists()


@pytest.mark.parametrize('jumps', ['127.0.0.1', f'127.0.0.1, {ME}@localhost:PORT'])
def test_hosts_on_the_way_are_gone_through_with_the_same_key(
    computer: Run, remote: Path, sshd: SshServer, jumps: str
) -> None:
    jumps = jumps.replace('PORT', str(sshd.port))
    computer('configure', 'core.ssh', 'remote', '-n', '--proxy-jump', jumps)
    before = sshd.logins
    checks(computer, 'remote')
    assert sshd.logins == before + 1 + len(jumps.split(','))
    computer('configure', 'core.ssh', 'remote', '-n', '--proxy-jump', 'nowhere.invalid')
    (found,) = checks(computer, 'remote', code=1)
    assert 'nowhere.invalid' in found['message']


def test_ssh_async_is_what_the_ssh_configuration_says(
    computer: Run, ssh_with_config: Path, sshd: SshServer, tmp_path: Path
) -> None:
    script = tmp_path / 'authenticate'
    script.write_text(f'#!/bin/sh\ntouch {tmp_path}/authenticated\n')
    script.chmod(0o755)
    words = ('--host', 'alias', '--authentication-script', script)
    make(computer, 'async', 'core.ssh_async', tmp_path / 'work', '--no-use-login-shell', *words, host='nowhere.invalid')
    before = sshd.logins
    assert computer('test', 'async').returncode == 2
    assert not (tmp_path / 'authenticated').exists()
    checks(computer, 'async', '--run-commands')
    assert (tmp_path / 'authenticated').exists()
    assert sshd.logins == before + 1
    script.write_text('#!/bin/sh\necho no token >&2; exit 3\n')
    (found,) = checks(computer, 'async', '--run-commands', code=1)
    assert 'ended with 3: no token' in found['message']


def test_files_go_through_the_host_for_files(
    computer: Run, ssh_with_config: Path, sshd: SshServer, tmp_path: Path
) -> None:
    make(
        computer,
        'async',
        'core.ssh_async',
        tmp_path / 'work',
        '--no-use-login-shell',
        '--data-node-host',
        'alias',
        host='alias',
    )
    checks(computer, 'async')
    computer('configure', 'core.ssh_async', 'async', '-n', '--data-node-host', 'nowhere.invalid')
    found = {check['name']: check for check in checks(computer, 'async', code=1)}
    assert [name for name, check in found.items() if not check['ok']] == ['Creating and deleting temporary file']
    assert 'nowhere.invalid' in found['Creating and deleting temporary file']['message']


def test_a_connection_that_the_person_shares_is_used(
    computer: Run, ssh_with_config: Path, sshd: SshServer, tmp_path: Path
) -> None:
    ssh_with_config.write_text(
        ssh_with_config.read_text() + f'  ControlMaster auto\n  ControlPath {tmp_path}/%p\n  ControlPersist yes\n'
    )
    make(computer, 'async', 'core.ssh_async', tmp_path / 'work', '--no-use-login-shell', host='alias')
    before = sshd.logins
    checks(computer, 'async')
    checks(computer, 'async')
    assert sshd.logins == before + 1
    subprocess.run(['ssh', '-O', 'exit', 'alias'], check=True, capture_output=True)


# goto ------------------------------------------------------------------------------------------------------


def test_a_shell_needs_a_terminal(computer: Run, local: Path) -> None:
    done = computer('goto', 'local')
    assert (done.returncode, 'needs a terminal' in done.stderr) == (2, True)


@pytest.mark.parametrize('where', ['local', 'remote'])
def test_a_shell_opens_in_the_work_directory(
    where: str, request: pytest.FixtureRequest, run_in_terminal, reference_home: Path
) -> None:
    folder = request.getfixturevalue(where)
    typed = 'echo "at <$PWD> as <$(id -un)>"; exit 7\n'
    for there in (False, True):
        if there:
            folder.mkdir(parents=True, exist_ok=True)
        run = run_in_terminal('-p', 'mixed', 'computer', 'goto', where, answers={'$ ': typed, '# ': typed})
        assert run.returncode == 7, run.screen
        assert f'as <{ME}>' in run.screen
        assert ('is not there' in run.screen) is not there
        assert (f'at <{folder}>' in run.screen) is there


# node delete --clean-workdir -------------------------------------------------------------------------------


@pytest.fixture
def node(run_here: Run, profile: str) -> Run:
    return lambda *words, **kwargs: run_here('-p', profile, 'node', *words, **kwargs)


def give_work_directories(profile: str, folder: Path, label: str, count: int = 2) -> dict[int, Path]:
    """Bind calculation jobs to a computer, with work directories there; pk → directory, in AiiDA's form."""
    made = {}
    with use_storage(load_config().get_profile(profile)) as storage:
        (computer,) = storage.find(ComputerRow, {'label': label})
        jobs = [row for row in storage.find(NodeRow) if row.node_type.startswith('process.calculation.calcjob.')]
        for row in jobs[:count]:
            path = folder / row.uuid[:2] / row.uuid[2:4] / row.uuid[4:]
            (path / 'out').mkdir(parents=True)
            (path / 'out' / 'file').write_text('result')
            attributes = {**row.attributes, 'remote_workdir': str(path)}
            storage.update('node', row.pk, {'attributes': attributes, 'computer_pk': computer.pk})
            made[row.pk] = path
    return made


def count(node: Run) -> int:
    return len(node('list', '-q').stdout.split())


@pytest.mark.parametrize('where', ['local', 'remote'])
def test_work_directories_go_before_their_nodes(
    where: str, request: pytest.FixtureRequest, node: Run, profile: str
) -> None:
    folder = request.getfixturevalue(where)
    (one, path), (_, kept) = give_work_directories(profile, folder, where).items()
    before = count(node)
    plan = json.loads(node('delete', '--clean-workdir', '--dry-run', one, '--format', 'json').stdout)
    assert plan['work_directories'] == [{'node': one, 'computer': where, 'path': str(path)}]
    shown = node('delete', '--clean-workdir', '-n', one).stdout
    assert f'Work directories to be removed: 1 on {where}.\n  {where}: {path}' in shown
    asked = node('delete', '--clean-workdir', one)
    assert (asked.returncode, path.exists(), count(node)) == (2, True, before)
    done = node('delete', '--clean-workdir', '--yes', one)
    assert (done.returncode, f'{where}: removed 1 work directory.' in done.stderr) == (0, True)
    assert (path.exists(), (kept / 'out' / 'file').exists()) == (False, True)
    assert count(node) < before


def test_without_the_option_they_stay(local: Path, node: Run, profile: str) -> None:
    (pk, path), *_ = give_work_directories(profile, local, 'local').items()
    assert node('delete', '--yes', pk).returncode == 0
    assert path.exists()


def test_what_is_gone_already_is_no_failure(local: Path, node: Run, profile: str) -> None:
    (pk, path), *_ = give_work_directories(profile, local, 'local').items()
    shutil.rmtree(path)
    done = node('delete', '--clean-workdir', '--yes', pk)
    assert (done.returncode, '1 not there any more' in done.stderr) == (0, True)


def test_a_computer_that_does_not_answer_keeps_the_nodes(computer: Run, node: Run, remote: Path, profile: str) -> None:
    (pk, path), *_ = give_work_directories(profile, remote, 'remote').items()
    before = count(node)
    computer('configure', 'core.ssh', 'remote', '-n', '--port', 1)
    done = node('delete', '--clean-workdir', '--yes', pk)
    assert done.returncode == 1
    assert 'cannot reach computer' in done.stderr
    assert 'no node was deleted' in done.stderr
    assert (path.exists(), count(node)) == (True, before)


@pytest.mark.parametrize('danger', ['work', 'above', 'home', 'top', 'relative', 'dots', 'lines', 'elsewhere', 'link'])
def test_a_path_that_holds_more_than_a_calculation_is_never_removed(
    danger: str, node: Run, local: Path, tmp_path: Path, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((pk, path),) = give_work_directories(profile, local, 'local', count=1).items()
    monkeypatch.setenv('HOME', str(tmp_path / 'homes' / 'me'))
    (tmp_path / 'homes' / 'me').mkdir(parents=True)
    named = {
        'work': local,
        'above': f'{tmp_path}/',
        'home': tmp_path / 'homes',
        'top': '/tmp',
        'relative': 'tmp/x',
        'dots': f'{path}/../..',
        'lines': f'{path}\n{local}',
        'elsewhere': tmp_path / 'kept' / 'job',
        'link': local / 'way' / 'job',
    }[danger]
    (tmp_path / 'kept' / 'job').mkdir(parents=True)
    (local / 'way').symlink_to(tmp_path / 'kept')
    with use_storage(load_config().get_profile(profile)) as storage:
        attributes = {**storage.get(NodeRow, pk).attributes, 'remote_workdir': str(named)}
        storage.update('node', pk, {'attributes': attributes})
    done = node('delete', '--clean-workdir', '--yes', pk)
    assert (done.returncode, 'no node was deleted' in done.stderr) == (1, True)
    assert (path / 'out' / 'file').exists()
    assert (tmp_path / 'homes' / 'me').exists()
    assert (tmp_path / 'kept' / 'job').exists()


@pytest.mark.parametrize('work', ['/', '/nowhere/at/all'])
def test_a_work_directory_that_is_the_top_or_not_there_confines_nothing(
    work: str, node: Run, local: Path, profile: str
) -> None:
    ((pk, path),) = give_work_directories(profile, local, 'local', count=1).items()
    with use_storage(load_config().get_profile(profile)) as storage:
        (computer,) = storage.find(ComputerRow, {'label': 'local'})
        storage.update('computer', computer.pk, {'metadata': {**computer.metadata, 'workdir': work}})
    done = node('delete', '--clean-workdir', '--yes', pk)
    assert (done.returncode, 'not in the work directory' in done.stderr) == (1, True)
    assert path.exists()


@pytest.mark.parametrize('host', ['-oProxyCommand=x', 'a;touch x', '$(id)', 'a b', 'a\x1b', ''])
def test_a_host_that_a_shell_would_obey_is_not_handed_on(computer: Run, remote: Path, profile: str, host: str) -> None:
    with use_storage(load_config().get_profile(profile)) as storage:
        (row,) = storage.find(ComputerRow, {'label': 'remote'})
        storage.update('computer', row.pk, {'hostname': host})
    done = computer('test', 'remote')
    assert (done.returncode, 'is no name of a host' in done.stderr) == (1, True)


@on_both_databases
def test_directories_of_other_users_and_clean_ones_stay_out_of_it(local: Path, node: Run, profile: str) -> None:
    made = give_work_directories(profile, local, 'local', count=3)
    first, second, third = made
    with use_storage(load_config().get_profile(profile)) as storage:
        (bob,) = storage.find(UserRow, {'email': 'bob@example.org'})
        storage.update('node', first, {'user_pk': bob.pk})
        for job, extras in ((second, {'cleaned': True}), (third, {})):
            row = storage.get(NodeRow, job)
            folder = {
                'node_type': 'data.core.remote.RemoteData.',
                'user_pk': row.user_pk,
                'extras': extras,
                'computer_pk': row.computer_pk,
                'attributes': {'remote_path': str(made[job])},
            }
            (pk,) = storage.insert('node', [folder])
            link = {'input_pk': job, 'output_pk': pk, 'type': 'create', 'label': 'remote_folder'}
            storage.insert('link', [link])
    done = node('delete', '--clean-workdir', '--dry-run', first, second, third)
    assert 'Work directories to be removed: 1 on local.' in done.stdout
    assert node('delete', '--clean-workdir', '--no-create-forward', '--yes', first, second, third).returncode == 0
    assert [made[job].exists() for job in made] == [True, True, False]
    assert json.loads(node('extras', pk, '--format', 'json').stdout)[0]['extras'] == {'cleaned': True}


@pytest.mark.parametrize('below', ['', '/out', '/'])
@on_both_databases
def test_a_directory_that_another_node_points_at_stays(below: str, local: Path, node: Run, profile: str) -> None:
    (one, shared), (other, _) = give_work_directories(profile, local, 'local').items()
    with use_storage(load_config().get_profile(profile)) as storage:
        row = storage.get(NodeRow, other)
        storage.update('node', other, {'attributes': {**row.attributes, 'remote_workdir': f'{shared}{below}'}})
    done = node('delete', '--clean-workdir', '-n', one)
    assert 'Work directories that other nodes point at, which stay: 1.' in done.stdout
    assert node('delete', '--clean-workdir', '--yes', one).returncode == 0
    assert (shared / 'out' / 'file').exists()
    assert node('delete', '--clean-workdir', '--yes', other).returncode == 0
    assert not (shared / 'out').exists()
