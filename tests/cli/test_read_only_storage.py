"""Storages that this user may read and not write: what reads works, with a warning; what writes is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

READING = [
    'node list -l 3',
    'node show 4',
    'node attributes 1',
    'node repo cat 52',
    'node tree 4',
    'node graph generate 4 -O -',
    'group list',
    'group show numbers',
    'user list',
    'computer list',
    'storage info --detailed',
    'storage maintain --full --dry-run',
    'storage verify --read',
    'node delete --dry-run 4',
    'status',
]
WRITING = [
    'node label -L x 1',
    'node extras set 1 a=1',
    'node comment add -N 1 -- text',
    'node delete --yes 4',
    'group create new',
    'group add-nodes -G empty 1',
    'user configure --email new@b.c -n',
    'storage maintain',
    'storage maintain --full --yes',
    'archive import {archive}',
]
ARCHIVE = Path(__file__).parents[1] / 'data' / 'reference.aiida'


@pytest.fixture
def unprivileged() -> Run:
    """Runs the command line so that permissions of files are honoured, as they are not for root."""
    prefix: list[str] = []
    if os.geteuid() == 0:
        setpriv = shutil.which('setpriv')
        if setpriv is None:
            pytest.skip('root needs setpriv to do without its privileges')
        gone = '-dac_override,-dac_read_search,-fowner,-chown'
        prefix = [setpriv, '--inh-caps', gone, '--bounding-set', gone]

    def run(*words: str, program: tuple[str, ...] = ('-m', 'ricordi')) -> subprocess.CompletedProcess[str]:
        command = [*prefix, sys.executable, *program, *words]
        return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240)

    return run


def set_writable(folder: Path, writable: bool) -> None:
    for path in (folder, *folder.rglob('*')):
        path.chmod((path.stat().st_mode | 0o200) if writable else (path.stat().st_mode & ~0o222))


@pytest.fixture(params=['all', 'storage', 'access'])
def closed_home(request: pytest.FixtureRequest, reference_home: Path) -> Iterator[Path]:
    """A configuration folder in which this user may write nothing, or not the storage, or not the access records."""
    folder = {
        'all': reference_home,
        'storage': reference_home / 'repository' / 'mixed',
        'access': reference_home / 'access',
    }[request.param]
    folder.mkdir(exist_ok=True)
    set_writable(folder, False)
    yield reference_home
    set_writable(folder, True)


def content(home: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in home.rglob('*') if path.is_file() and 'access' not in path.parts}


def test_what_reads_works_and_says_where_it_is_not_recorded(unprivileged: Run, closed_home: Path) -> None:
    before = content(closed_home)
    recorded = (closed_home / 'access').stat().st_mode & 0o200 if (closed_home / 'access').exists() else False
    for words in READING:
        done = unprivileged('-p', 'mixed', *words.split())
        assert done.returncode == 0, (words, done.stderr)
        assert done.stdout, words
        warned = done.stderr.count('reading only, without a record')
        assert warned == (0 if recorded else 1), (words, done.stderr)
    assert content(closed_home) == before


def test_what_writes_is_refused_and_changes_nothing(unprivileged: Run, closed_home: Path) -> None:
    before = content(closed_home)
    for words in WRITING:
        done = unprivileged('-p', 'mixed', *words.format(archive=ARCHIVE).split())
        assert done.returncode == 3, (words, done)
        assert 'ricordi: error: ' in done.stderr, words
        assert 'ermission' in done.stderr or 'cannot be written' in done.stderr, (words, done.stderr)
        assert 'bug' not in done.stderr, (words, done.stderr)
    assert content(closed_home) == before


def test_a_reader_without_a_record_honours_a_lock(unprivileged: Run, reference_home: Path) -> None:
    folder = reference_home / 'access' / 'mixed'
    folder.mkdir(parents=True)
    (folder / f'{os.getpid()}.lock').touch()
    set_writable(folder, False)
    try:
        done = unprivileged('-p', 'mixed', 'node', 'list')
    finally:
        set_writable(folder, True)
    assert done.returncode == 5
    assert 'is locked' in done.stderr


def test_a_lock_of_ricordi_waits_for_a_reader_without_a_record(unprivileged: Run, reference_home: Path) -> None:
    assert unprivileged('-p', 'mixed', 'node', 'list').returncode == 0  # leaves the file of the kernel's lock
    set_writable(reference_home / 'access', False)
    script = (
        'import subprocess, sys, os; from ricordi import load_profile; from ricordi.manager import get_manager;'
        'load_profile("mixed"); get_manager().get_profile_storage();'
        'from ricordi.access.kernel import KernelLock; from pathlib import Path;'
        'guard = Path(os.environ["AIIDA_PATH"]) / "access" / "mixed" / "ricordi.guard";'
        'print(KernelLock(guard).acquire("exclusive"))'
    )
    try:
        done = unprivileged(program=('-W', 'ignore', '-c', script))
    finally:
        set_writable(reference_home / 'access', True)
    assert (done.stdout, done.stderr) == ('False\n', '')


def test_a_script_reads_with_a_warning_and_cannot_store(unprivileged: Run, reference_home: Path) -> None:
    (reference_home / 'access').mkdir(exist_ok=True)
    set_writable(reference_home / 'access', False)
    script = (
        'from ricordi import load_profile, orm; from ricordi.errors import ReadOnlyStorage; load_profile("mixed");'
        'print(orm.QueryBuilder().append(orm.Node).count())\n'
        'try: orm.SinglefileData.from_string("text").store()\n'
        'except ReadOnlyStorage as error: print("refused", error)'
    )
    before = content(reference_home)
    try:
        done = unprivileged(program=('-c', script))
    finally:
        set_writable(reference_home / 'access', True)
    assert done.returncode == 0
    assert 'UnrecordedUse' in done.stderr
    assert '\nrefused ' in done.stdout
    assert content(reference_home) == before


@pytest.mark.parametrize(
    'words', ['config set daemon.timeout 3', 'profile set-default loose', 'profile use-backend mixed ricordi']
)
def test_a_configuration_that_may_not_be_written_is_no_answer_of_no(
    unprivileged: Run, reference_home: Path, words: str
) -> None:
    (reference_home / 'access').mkdir(exist_ok=True)
    set_writable(reference_home, False)
    try:
        before = content(reference_home)
        done = unprivileged(*words.split())
        assert (done.returncode, done.stdout, done.stderr.count('\n')) == (3, '', 1), done
        assert 'Permission denied' in done.stderr
        assert content(reference_home) == before
    finally:
        set_writable(reference_home, True)
