"""Nobody's change to `config.json` is lost: other processes of ours, and programs that hold no lock."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ricordi.config import file as config_file
from ricordi.config import load_config
from ricordi.config.merge import merge
from ricordi.errors import ConfigurationError, DamagedConfiguration

WRITER = """
import sys
from ricordi.config import load_config
number = int(sys.argv[1])
for turn in range(5):
    config = load_config()
    config.create_profile(f'p{number}-{turn}', 'core.sqlite_dos', {'filepath': '/x'})
    config.store()
"""


def names(home: Path) -> set[str]:
    return set(json.loads((home / 'config.json').read_text())['profiles'])


def test_twelve_processes_that_store_at_once_lose_nothing(reference_home: Path) -> None:
    processes = [subprocess.Popen([sys.executable, '-c', WRITER, str(number)]) for number in range(12)]
    assert [process.wait() for process in processes] == [0] * 12
    expected = {f'p{number}-{turn}' for number in range(12) for turn in range(5)}
    assert expected <= names(reference_home)
    assert not list(reference_home.glob('.config.json.????????'))


@pytest.mark.parametrize('said', [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_file_system_without_locks_is_told_as_that(
    reference_home: Path, monkeypatch: pytest.MonkeyPatch, said: int
) -> None:
    config, before = load_config(), (reference_home / 'config.json').read_bytes()
    config.set_option('daemon.timeout', 11)

    def refused(*_: object) -> None:
        raise OSError(said, os.strerror(said))

    monkeypatch.setattr(fcntl, 'flock', refused)
    with pytest.raises(ConfigurationError, match='gives no locks: have it mounted with them; nothing was changed'):
        config.store()
    assert (reference_home / 'config.json').read_bytes() == before


def write_as_aiida_does(home: Path, change: Any) -> None:
    """Without a lock: a temporary file, renamed."""
    content = json.loads((home / 'config.json').read_text())
    change(content)
    (home / 'tmp-aiida').write_text(json.dumps(content, indent=4))
    os.replace(home / 'tmp-aiida', home / 'config.json')  # noqa: PTH105


@pytest.mark.parametrize('exchange', [True, False], ids=['files can be exchanged', 'they cannot'])
def test_a_program_that_writes_between_our_reading_and_writing_loses_nothing(
    reference_home: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    config = load_config()
    config.set_option('daemon.timeout', 11)
    pending = [lambda c: c['profiles']['mixed'].update(extra='theirs'), lambda c: c.update(second='theirs')]
    write_beside = config_file._write_beside

    def interfere(*args: Any) -> Path:
        path = write_beside(*args)
        if pending:
            write_as_aiida_does(reference_home, pending.pop(0))
        return path

    monkeypatch.setattr(config_file, '_write_beside', interfere)
    if not exchange:
        monkeypatch.setattr(config_file, '_exchange', lambda *_: False)
    config.store()
    content = json.loads((reference_home / 'config.json').read_text())
    assert content['options']['daemon.timeout'] == 11
    assert content['profiles']['mixed']['extra'] == content['second'] == 'theirs'
    assert config.get_profile('mixed').dictionary['extra'] == 'theirs'
    assert not list(reference_home.glob('.config.json.????????'))


def test_a_file_that_appears_while_we_make_the_first_one_is_kept(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {'CONFIG_VERSION': {'CURRENT': 10, 'OLDEST_COMPATIBLE': 10}, 'profiles': {}, 'theirs': 1}
    write_beside = config_file._write_beside

    def interfere(*args: Any) -> Path:
        path = write_beside(*args)
        if not (empty_home / 'config.json').exists():
            (empty_home / 'config.json').write_text(json.dumps(theirs))
        return path

    monkeypatch.setattr(config_file, '_write_beside', interfere)
    load_config(create=True)
    content = json.loads((empty_home / 'config.json').read_text())
    assert content['theirs'] == 1
    assert content['CONFIG_VERSION'] == theirs['CONFIG_VERSION']


def test_a_file_that_became_unreadable_meanwhile_is_left_alone(reference_home: Path) -> None:
    config = load_config().set_default_profile('mixed', overwrite=True)
    (reference_home / 'config.json').write_text('{ broken')
    with pytest.raises(ConfigurationError, match='not JSON'):
        config.store()
    assert (reference_home / 'config.json').read_text() == '{ broken'


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can become another user')
@pytest.mark.parametrize('plant', [Path.mkdir, os.mkfifo, lambda path: path.symlink_to('nowhere')])
def test_what_stands_in_the_place_of_the_lock_is_named(reference_home: Path, plant: Callable[[Path], None]) -> None:
    lock, before = reference_home / '.config.json.ricordi-lock', (reference_home / 'config.json').read_bytes()
    plant(lock)
    config = load_config()
    config.set_default_profile('mixed')
    with pytest.raises(DamagedConfiguration, match=r'\.ricordi-lock: a .* stands in the place of that file: remove it'):
        config.store()
    assert (reference_home / 'config.json').read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(reference_home: Path, tmp_path: Path) -> None:
    # those inside, which it looks for, are for others too, whatever the umask
    for folder in [reference_home, *reference_home.parents, *reference_home.rglob('daemon')]:
        if Path(tempfile.gettempdir()) in folder.parents:  # pytest makes its own folder there for one user alone
            folder.chmod(0o755)
    (reference_home / 'config.json').chmod(0o644)
    child = os.fork()
    if child == 0:
        code = 4
        try:
            os.setuid(65534)
            load_config().set_default_profile('mixed', overwrite=True).store()
        except ConfigurationError as error:
            code = 0 if 'nothing was changed' in str(error) and str(reference_home) in str(error) else 3
        finally:
            os._exit(code)  # whatever happens: or the child would go on with the tests
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_merging_applies_what_we_changed_to_what_they_have() -> None:
    base = {'a': 1, 'b': {'x': 1, 'y': 2}, 'gone': 0, 'list': [1]}
    mine = {'a': 2, 'b': {'x': 1, 'y': 3}, 'list': [1], 'new': True}
    theirs = {'a': 1, 'b': {'x': 9, 'y': 2, 'z': 5}, 'gone': 0, 'list': [1, 2], 'own': None}
    assert merge(base, mine, theirs) == {
        'a': 2,
        'b': {'x': 9, 'y': 3, 'z': 5},
        'list': [1, 2],
        'own': None,
        'new': True,
    }


def test_merging_tells_true_from_one() -> None:
    assert merge({'a': 1}, {'a': True}, {'a': 1})['a'] is True
