"""The verbs of `computer` in verdi and here, on the same profile: what they print, and what they leave."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from both_programs import PROFILE, Command, make_home, run_verdi
from ricordi.backend.rows import AuthInfoRow, ComputerRow
from ricordi.config import load_config
from ricordi.manager import use_storage

pytestmark = pytest.mark.interop


# what they print -------------------------------------------------------------------------------------------

LABELS = ('localhost', 'cluster', 'bare')


def test_both_list_and_show_the_same(tmp_path: Path, aiida_python: str, here: Callable[..., str]) -> None:
    home = make_home(tmp_path)
    commands: list[Command] = [('computer', 'list'), ('computer', 'list', '-a')]
    commands += [('computer', 'show', label) for label in LABELS]
    commands += [('computer', 'configure', 'show', label) for label in LABELS]
    usable, every, *rest = run_verdi(aiida_python, home, commands)
    for result, words in ((usable, ()), (every, ('-a',))):
        labels = [line[2:] for line in result['out'].splitlines() if not line.startswith('Report')]
        assert here(home, 'computer', 'list', '-r', *words).split() == labels
    for label, result in zip(LABELS, rest[:3], strict=True):
        assert words_of(result['out']) <= words_of(here(home, 'computer', 'show', label))
    for label, result in zip(LABELS, rest[3:], strict=True):
        # verdi aligns by what it takes for numbers, and writes True where JSON has true
        assert words_of(here(home, 'computer', 'configure', 'show', label)) == words_of(result['out'].lower())


def words_of(text: str) -> set[tuple[str, ...]]:
    """The lines as words, in lower case where it does not matter."""
    lines = {tuple(line.lower().split()) for line in text.splitlines() if not set(line) <= set('- ')}
    return lines - {()}


def test_both_know_the_same_defaults(
    tmp_path: Path, aiida_python: str, here: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = tmp_path / 'person'
    (person / '.ssh').mkdir(parents=True)
    (person / '.ssh' / 'config').write_text(
        'Host login.* !login.other.org\n  User carol\n  Port=2200\n  IdentityFile "~/.ssh/my key"\n'
        '  ProxyCommand ssh -W %h:%p gate 2>/dev/null\n  ConnectTimeout 12\n  GSSAPIAuthentication yes\n'
        'Host *\n  User dave\n  Port 1\n'
    )
    monkeypatch.setenv('HOME', str(person))
    home = make_home(tmp_path)
    show = ('computer', 'configure', 'show', '--defaults')
    results = run_verdi(aiida_python, home, [(*show, label) for label in ('cluster', 'bare')])
    for label, result in zip(('cluster', 'bare'), results, strict=True):
        assert words_of(here(home, *show, label)) == words_of(result['out']), label


# what they leave -------------------------------------------------------------------------------------------

BASIC = ('-H', 'host.example.org', '-n')
WRITING: list[Command] = [
    ('computer', 'setup', '-L', 'one', '-T', 'core.local', '-S', 'core.direct', *BASIC),
    (
        *('computer', 'setup', '-L', 'two', '-T', 'core.ssh', '-S', 'core.slurm', '-w', '/x/{username}', *BASIC),
        *('--mpiprocs-per-machine', '4', '--default-memory-per-machine', '1000', '--use-double-quotes'),
        *('-m', ' srun  -n {tot_num_mpiprocs} {num_machines}', '--prepend-text', 'a\nb', '-D', 'ünï'),
        *('--append-text', 'c', '--shebang', '#!/bin/sh'),
    ),
    ('computer', 'setup', '-L', 'async', '-T', 'core.ssh_async', '-S', 'core.sge', '-m', '', *BASIC),
    ('computer', 'duplicate', '-L', 'third', '--mpiprocs-per-machine', '5', '-n', 'two'),
    ('computer', 'duplicate', '-L', 'fourth', '-D', 'from old', '-n', 'cluster'),
    ('computer', 'configure', 'core.local', '-n', 'one'),
    ('computer', 'configure', 'core.ssh', '-n', 'two'),
    ('computer', 'configure', 'core.ssh', '-n', '--port', '2222', '--gss-auth', 'true', 'two'),
    (
        *('computer', 'configure', 'core.ssh', '-n', '-u', 'bob@example.org', '--no-compress', '--timeout', '5'),
        *('--username', 'bob', '--proxy-jump', 'a,b', '--key-policy', 'AutoAddPolicy', '--safe-interval', '3', 'two'),
    ),
    ('computer', 'configure', 'core.ssh_async', '-n', '--host', 'alias', '--no-use-sftp', 'async'),
    ('computer', 'disable', 'two', 'bob@example.org'),
    ('computer', 'disable', 'cluster', 'alice@example.org'),
    ('computer', 'enable', 'cluster', 'alice@example.org'),
    ('computer', 'relabel', 'bare', 'relabelled'),
]


def test_both_leave_the_same(tmp_path: Path, aiida_python: str, here: Callable[..., str]) -> None:
    theirs, ours = make_home(tmp_path / 'theirs'), make_home(tmp_path / 'ours')
    for command, result in zip(WRITING, run_verdi(aiida_python, theirs, WRITING), strict=True):
        assert result['code'] == 0, (command, result['out'])
    for command in WRITING:
        here(ours, *command)
    assert rows(ours) == rows(theirs)


def rows(home: Path) -> list[dict[str, Any]]:
    """All computers and authinfos of the profile, without the identifiers of what is new."""
    os.environ['AIIDA_PATH'] = str(home)
    with use_storage(load_config().get_profile(PROFILE)) as storage:
        found = [asdict(row) for row_type in (ComputerRow, AuthInfoRow) for row in storage.find(row_type)]
    return [{key: value for key, value in row.items() if key != 'uuid'} for row in found]


def test_files_go_from_one_to_the_other(tmp_path: Path, aiida_python: str, here: Callable[..., str]) -> None:
    theirs, ours = make_home(tmp_path / 'theirs'), make_home(tmp_path / 'ours')
    for home in (theirs, ours):
        for command in WRITING[:9]:
            here(home, *command)
    exports = [(kind, label) for kind in ('setup', 'config') for label in ('one', 'two')]
    exporting = [('computer', 'export', kind, label) for kind, label in exports]
    run_verdi(aiida_python, theirs, [(*words, tmp_path / f'verdi-{words[2]}-{words[3]}.yaml') for words in exporting])
    for words in exporting:
        file = tmp_path / f'ricordi-{words[2]}-{words[3]}.yaml'
        here(ours, *words, file)
        assert file.read_bytes() == (tmp_path / f'verdi-{words[2]}-{words[3]}.yaml').read_bytes()
    reading: list[Command] = []
    for label, transport in (('one', 'core.local'), ('two', 'core.ssh')):
        reading += [
            ('computer', 'relabel', label, f'old-{label}'),
            ('computer', 'setup', '-n', '--config', tmp_path / f'%s-setup-{label}.yaml'),
            ('computer', 'configure', transport, '-n', '--config', tmp_path / f'%s-config-{label}.yaml', label),
        ]
    swapped = [[str(word).replace('%s', 'ricordi') for word in command] for command in reading]
    for command, result in zip(swapped, run_verdi(aiida_python, theirs, swapped), strict=True):
        assert result['code'] == 0, (command, result['out'])
    for command in reading:
        here(ours, *(str(word).replace('%s', 'verdi') for word in command))
    assert rows(ours) == rows(theirs)
    assert yaml.safe_load((tmp_path / 'verdi-setup-two.yaml').read_text())['prepend_text'] == 'a\nb'
