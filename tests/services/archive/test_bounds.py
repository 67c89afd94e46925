"""What archives of strangers may cost: memory, disk, time; and that work on them ends when it is asked to."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ricordi.config import Profile
from ricordi.errors import CorruptStorage, Interrupted, StorageMigrationError, UnreachableStorage, ValidationError
from ricordi.progress import Run, Stop
from ricordi.services.archive.importing import ImportRequest, import_archive
from ricordi.storage.archive.file import LARGEST_METADATA, open_archive, read_version, unpack_database
from ricordi.zipfiles.directory import ZipDirectory
from services.archive.tools import REFERENCE, changed

PLAIN = ImportRequest(import_group=False)
MEMORY = 300 << 20


PROGRAM = """
import re, sys
from ricordi.cli.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
print('took', re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1], file=sys.stderr)
sys.exit(code)
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the most memory that it had."""

    code: int
    output: str
    memory_bytes: int


def run(tmp_path: Path, *arguments: object) -> Ended:
    """A command as a process of its own, with what it took."""
    (tmp_path / 'tmp').mkdir(exist_ok=True)
    environment = {**os.environ, 'AIIDA_PATH': str(tmp_path / '.aiida'), 'TMPDIR': str(tmp_path / 'tmp')}
    words = [sys.executable, '-c', PROGRAM, *map(str, arguments)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL)
    output, _, kibibytes = done.stderr.rpartition('took ')
    return Ended(done.returncode, done.stdout + output, int(kibibytes) << 10)


# memory ----------------------------------------------------------------------------------------------------


def test_metadata_of_many_elements_takes_no_memory(tmp_path: Path) -> None:
    content = b'{"export_version": "main_0001", "x": [' + b'{},' * (9 << 20) + b'{}]}'
    archive = changed(tmp_path / 'x.aiida', members=lambda members: members.update({'metadata.json': content}))
    ended = run(tmp_path, 'archive', 'version', archive)
    assert (ended.code, 'too many elements' in ended.output) == (3, True)
    assert ended.memory_bytes < MEMORY


def test_metadata_of_many_bytes_is_not_read(tmp_path: Path) -> None:
    content = b' ' * (LARGEST_METADATA + 1)
    archive = changed(tmp_path / 'x.aiida', members=lambda members: members.update({'metadata.json': content}))
    with pytest.raises(CorruptStorage, match='claims'):
        read_version(archive)


def test_metadata_with_all_that_was_chosen_by_name_is_read(tmp_path: Path) -> None:
    """400,000 nodes named one by one: more than a command line can hold."""
    chosen = {'node': [f'{number:08d}-0000-4000-8000-000000000000' for number in range(400_000)]}
    told = {'export_version': 'main_0001', 'creation_parameters': {'entities_starting_set': chosen}}
    archive = changed(
        tmp_path / 'x.aiida', members=lambda members: members.update({'metadata.json': json.dumps(told).encode()})
    )
    assert read_version(archive) == 'main_0001'
    assert run(tmp_path, 'archive', 'info', archive).memory_bytes < MEMORY


@pytest.mark.parametrize('kind', ['elements', 'bytes'])
def test_a_value_that_takes_much_memory_is_not_read(tmp_path: Path, kind: str) -> None:
    text = '[' + '{},' * 3_000_000 + '{}]' if kind == 'elements' else '"' + 'x' * (33 << 20) + '"'

    def fill(db: sqlite3.Connection) -> None:
        db.execute('UPDATE db_dbnode SET attributes = ? WHERE id = 1', (f'{{"a": {text}}}',))

    archive = changed(tmp_path / 'x.aiida', fill)
    for words in (('node', 'show', '1'), ('node', 'attributes', '1'), ('node', 'list')):
        ended = run(tmp_path, '--archive', archive, *words)
        assert ended.memory_bytes < MEMORY, words
        assert ended.code in (0, 3)
        assert 'bug' not in ended.output


def pax(content: bytes, times: int) -> bytes:
    """A tar file that begins with headers of more names for the headers that follow."""
    block = tarfile.TarInfo('pax')
    block.type, block.size = tarfile.XHDTYPE, len(content)
    padded = content + bytes(-len(content) % 512)
    return (block.tobuf(tarfile.USTAR_FORMAT) + padded) * times + bytes(1024)


@pytest.mark.parametrize(('size', 'times'), [(200 << 20, 1), (11, 5000)], ids=['long', 'chained'])
def test_of_a_tar_file_no_more_is_read_than_tells_what_it_is(tmp_path: Path, size: int, times: int) -> None:
    archive = tmp_path / 'x.aiida'
    archive.write_bytes(gzip.compress(pax(b'11 path=xy\n'.ljust(size, b'x'), times), 1))
    ended = run(tmp_path, 'archive', 'version', archive)
    assert (ended.code, 'tar file' in ended.output) == (3, True)
    assert ended.memory_bytes < MEMORY


@pytest.mark.parametrize('mode', ['w', 'w:gz', 'w:bz2', 'w:xz'])
def test_a_tar_file_is_told_as_such_however_it_is_packed(tmp_path: Path, mode: Any) -> None:
    archive = tmp_path / 'old.aiida'
    with tarfile.open(archive, mode) as file:
        file.addfile(tarfile.TarInfo('data.json'), io.BytesIO())
    with pytest.raises(StorageMigrationError, match='tar file'):
        open_archive(archive)


# disk ------------------------------------------------------------------------------------------------------


def test_a_database_that_shrinks_as_no_real_one_does_is_not_unpacked(tmp_path: Path) -> None:
    archive = changed(tmp_path / 'x.aiida', members=lambda members: members.update({'db.sqlite3': bytes(64 << 20)}))
    with closing(ZipDirectory(archive)) as directory:
        with pytest.raises(CorruptStorage, match='as no real one'):
            unpack_database(directory, tmp_path / 'database', always_unpacked=(64 << 20) - 1)
        assert not (tmp_path / 'database').exists()
        unpack_database(directory, tmp_path / 'database', always_unpacked=64 << 20)


# files that are none ---------------------------------------------------------------------------------------


def test_what_is_no_regular_file_is_no_archive(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe')
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / 'socket'))
        for place in ('socket', '/dev/zero', '.'):
            with pytest.raises(UnreachableStorage):
                open_archive(tmp_path / place)
    for words in (('archive', 'version'), ('--archive',)):
        tail = ('node', 'list') if words == ('--archive',) else ()
        assert run(tmp_path, *words, tmp_path / 'pipe', *tail).code in (2, 3)
    with pytest.raises(UnreachableStorage, match='no regular file'):
        ZipDirectory(tmp_path / 'pipe')


# time ------------------------------------------------------------------------------------------------------


def test_sqlite_ends_when_the_work_on_an_archive_is_asked_to(sqlite: Profile, tmp_path: Path) -> None:
    class LateStop(Stop):
        """Asked for an end when it is looked at for the fifth time."""

        looks = 0

        @property
        def reason(self) -> str | None:
            self.looks += 1
            return 'SIGTERM' if self.looks > 5 else None

    many = (
        'INSERT INTO db_dblink (input_id, output_id, label, type) '
        "SELECT a.id, b.id, a.id || 'x' || b.id || 'x' || c.id, 'create' FROM db_dbnode a, db_dbnode b, db_dbgroup c"
    )
    archive = changed(tmp_path / 'x.aiida', lambda db: db.execute(many))
    with pytest.raises(Interrupted, match='SIGTERM: ended early'):
        import_archive(sqlite, archive, PLAIN, run=Run(stop=LateStop()))


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_query_that_never_ends_ends_with_a_signal(tmp_path: Path, number: int, code: int) -> None:
    program = (
        'import sys\n'
        'from pathlib import Path\n'
        'from ricordi.cli import main\n'
        'from ricordi.cli.terminal.signals import end_tidily\n'
        'from ricordi.storage.session import Session\n'
        'from ricordi.storage.sqlite.dialect import SqliteDialect\n'
        'def endless(arguments):\n'
        '    end_tidily()\n'
        '    session = Session(SqliteDialect(Path(sys.argv[1]), create=True))\n'
        '    print("at work", flush=True)\n'
        '    session.execute("WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT sum(x) FROM r")\n'
        'main.dispatch = endless\n'
        'sys.exit(main.run([]))\n'
    )
    with subprocess.Popen(
        [sys.executable, '-c', program, tmp_path / 'x.sqlite3'], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)  # into the query; a signal that comes before ends it in the same way
        process.send_signal(number)
        _, told = process.communicate(timeout=240)
    assert (process.returncode, told) == (code, b'ricordi: interrupted\n')


def test_text_with_nul_is_refused_for_postgresql_before_anything_is_written(
    new_profile: Callable[..., Profile], tmp_path: Path
) -> None:
    target = new_profile('core.psql_dos')
    for number, statement in enumerate(
        (
            'UPDATE db_dbnode SET extras = \'{"a": "\\u0000"}\' WHERE id = 1',
            "UPDATE db_dbnode SET description = 'a' || char(0) WHERE id = 1",
        )
    ):
        archive = changed(tmp_path / f'{number}.aiida', lambda db, act=statement: db.execute(act))
        with pytest.raises(ValidationError, match='NUL'):
            import_archive(target, archive, PLAIN, dry_run=True)
    assert REFERENCE.exists()
