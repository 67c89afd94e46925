"""Passwords given on the command line stand neither in the list of processes nor in a record of the profile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ricordi.cli.terminal.hidden_words import without_passwords
from ricordi.config.secrets import MASK, hide_in_text, hide_secrets, is_secret


@pytest.mark.parametrize(
    ('words', 'shown'),
    [
        (['a', '--database-password', 'hunter2', 'b'], ['a', '--database-password', MASK, 'b']),
        (['--database-password=hunter2'], [f'--database-password={MASK}']),
        (['--secret-access-key', 'hunter2'], ['--secret-access-key', MASK]),
        (['--secret-access-key=hunter2', 'b'], [f'--secret-access-key={MASK}', 'b']),
        (['--admin-uri', 'postgresql://u:hunter2@h/d'], ['--admin-uri', f'postgresql://u:{MASK}@h/d']),
        (['https://u:p@ss@h/x.aiida', 'https://h/x@y'], [f'https://u:{MASK}@h/x.aiida', 'https://h/x@y']),
        (['node', 'show', '1'], ['node', 'show', '1']),
    ],
)
def test_the_words_of_a_process_are_shown_without_passwords(words: list[str], shown: list[str]) -> None:
    assert without_passwords(words) == shown


def test_the_process_has_the_password_and_its_command_line_has_not() -> None:
    script = (
        'import sys, time\n'
        'from ricordi.cli.terminal.hidden_words import hide_words\n'
        'hide_words()\n'
        'print(open("/proc/self/cmdline").read().replace(chr(0), " "), "|", ascii(sys.argv[-1]), flush=True)\n'
    )
    command = [sys.executable, '-c', script, '--database-password', 'hunter\udcff2']
    done = subprocess.run([os.fsencode(word) for word in command], capture_output=True, check=True)
    seen, _, known = done.stdout.rpartition(b'|')
    assert b'hunter' not in seen
    assert known.strip() == rb"'hunter\udcff2'"


def test_a_record_that_a_killed_setup_leaves_holds_no_password(empty_home: Path, tmp_path: Path) -> None:
    script = (
        'import os, signal\n'
        'from ricordi.access import own_records\n'
        'plain = own_records.OwnRecord.write\n'
        'def write(self):\n'
        '    plain(self)\n'
        '    os.kill(os.getpid(), signal.SIGKILL)\n'
        'own_records.OwnRecord.write = write\n'
        'from ricordi.cli.main import main\n'
        'main()\n'
    )
    words = ['-p', 'new', '--email', 'a@b.c', '-n']
    command = [sys.executable, '-c', script, 'profile', 'setup', 'core.sqlite_dos', *words]
    done = subprocess.run([*command, '--filepath', f'{tmp_path}/a://u:hunter2@b'], capture_output=True)
    found = [path.read_bytes() for path in (empty_home / 'access').rglob('*') if path.is_file()]
    assert done.returncode == -9, done.stderr
    assert any(b'--filepath' in content for content in found)
    assert not any(b'hunter2' in content for content in found)


def test_secrets_of_a_configuration_are_known_by_one_rule() -> None:
    for key in (
        'pwd',
        'passphrase',
        'api_key',
        'apiKey',
        'key',
        'pass',
        'broker_password',
        'AUTH_TOKEN',
        'db-pw',
        'secretKey',
    ):
        assert is_secret(key), key
    for key in (
        'keyboard',
        'key_filename',
        'key_policy',
        'compass',
        'bypass_rules',
        'monkey',
        'database_port',
        'passive',
        5,
        '',
    ):
        assert not is_secret(key), key
    hidden = hide_secrets({'credentials': {'pass': 'x'}, 'uri': 'postgresql://u:x@h/d', 'list': [{'pwd': 'x'}], 'n': 1})
    assert hidden == {
        'credentials': {'pass': MASK},
        'uri': f'postgresql://u:{MASK}@h/d',
        'list': [{'pwd': MASK}],
        'n': 1,
    }
    assert hide_in_text('host=h password=x user=u') == f'host=h password={MASK} user=u'


def test_an_error_tells_no_password_of_an_address(run_here) -> None:
    for words in (['--debug'], []):
        done = run_here(*words, 'archive', 'import', 'http://u:hunter2@127.0.0.1:9/x.aiida')
        assert done.returncode != 0
        assert 'hunter2' not in done.stderr + done.stdout
