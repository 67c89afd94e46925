"""Kills `ricordi storage maintain --full` of a whole SQLite profile at every change it makes: `… FOLDER`.

Besides the changes to the container there are those to the database, the records of the lock, and the note of what was
done; see `trap.py` for what counts. Prints a JSON object: `points`, `runs`, and how many of the containers were
`read_by_other` too, by the disk-objectstore of `--other PYTHON`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from both_programs import make_home
from faults.crash_points import check_clean
from faults.other_reader import OtherReader
from faults.trap import kill_at, killed
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.cli import main as command_line
from ricordi.config import Profile
from ricordi.manager import use_storage
from ricordi.repository.container.container import Container
from ricordi.services import storage
from ricordi.services.profiles.profiles import find_profile
from ricordi.storage.sqlite import vacuum as sqlite_vacuum
from services.archive.tools import everything

PROFILE = 'mixed'
COMMAND = ('-q', '-p', PROFILE, 'storage', 'maintain', '--full', '--yes', '--compress', 'yes')
TYPE = 'data.core.singlefile.SinglefileData.'


def maintain() -> None:
    code = command_line.run(list(COMMAND))
    assert code == 0, f'`ricordi {" ".join(COMMAND)}` ended with {code}'


def build(folder: Path) -> tuple[Path, Path]:
    """A configuration folder and a storage with something to do in every step, after an earlier maintenance."""
    home, data = make_home(folder), folder / '.aiida' / 'repository' / PROFILE
    os.environ['AIIDA_PATH'] = str(home)
    for other in (data.parent).iterdir():
        if other != data:
            shutil.rmtree(other)
    maintain()
    with use_storage(find_profile(PROFILE)) as opened:
        pack_of_waste = [b'waste %d' % number * 3000 for number in range(30)]
        opened.repository.delete_objects(opened.repository.put_objects(pack_of_waste))
        contents = [b'content %d' % number * 50 for number in range(12)]
        keys = [opened.repository.put_object_from_bytes(content) for content in contents]
        trees = [{'o': {'f': {'k': key}}} for key in keys]
        rows = [{'node_type': TYPE, 'user_pk': 1, 'repository_metadata': tree} for tree in trees * 3]
        first, second, *_ = opened.insert('node', rows)
        ends = {'input_pk': first, 'output_pk': second, 'type': 'input_calc'}
        links = [{**ends, 'label': str(number)} for number in range(1000)]  # so many that there is something to analyse
        opened.insert('link', links)
        opened.repository.put_objects([b'garbage %d' % number * 50 for number in range(12)])
        opened.repository.put_object_from_bytes(b'loose garbage')
    container = data / 'container'
    (container / 'sandbox' / 'half-written').write_bytes(b'half')
    (container / 'duplicates' / f'{keys[0]}.1').write_bytes(contents[0])
    with closing(sqlite3.connect(data / 'database.sqlite')) as database:
        database.execute('CREATE TABLE filling AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n '
                         'LIMIT 100) SELECT i, randomblob(3000) FROM n')  # fmt: skip
        database.execute('DROP TABLE filling')
        database.commit()
    return home, data


def files_of(home: Path) -> set[str]:
    """The files of profile and storage, but for packs and their catalogues, which a crash may number differently."""
    numbered = ('packs', 'catalogue')
    paths = (path for path in home.rglob('*') if path.is_file() and path.parent.name not in numbered)
    return {str(path.relative_to(home)) for path in paths}


def check(profile: Profile, home: Path, container: Path, expected: tuple[object, set[str]], other: OtherReader) -> None:
    """All is there for both programs; the next run ends well without help, and leaves nothing behind."""
    whole, files = expected
    other.check(container, (key for key, _ in whole['objects']))  # type: ignore[index]
    assert everything(profile) == whole, 'not all is there after the crash'
    maintain()
    assert everything(profile) == whole, 'not all is there after the next maintenance'
    assert files_of(home) == files, f'other files: {sorted(files_of(home) ^ files)}'
    with Container(container) as opened:
        check_clean(opened)
    with closing(sqlite3.connect(container.parent / 'database.sqlite')) as database:
        assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',)
        assert database.execute('PRAGMA freelist_count').fetchone() < (sqlite_vacuum.FEWEST_FREE_PAGES,)
    again = storage.maintain(profile, MaintenanceOptions(full=True, compress='yes'), wait=None)
    assert again.nothing_to_do, again.steps


def crash_everywhere(folder: Path, other: OtherReader) -> dict[str, int]:
    tempfile.gettempdir()  # which tries folders out, the first time in a process
    home, data = build(folder / 'now')
    profile, container = find_profile(PROFILE), data / 'container'
    whole = everything(profile)
    shutil.copytree(home, folder / 'template')

    def begin_anew() -> None:
        shutil.rmtree(home)
        shutil.copytree(folder / 'template', home)

    begin_anew()
    died, points = killed(maintain, 0)
    assert not died
    expected = (whole, files_of(home))
    check(profile, home, container, expected, other)
    for target in range(1, points + 1):
        kill_at(begin_anew, maintain, target)
        point = f'after change {target} of {points}'
        try:
            check(profile, home, container, expected, other)
        except BaseException as error:
            error.add_note(point)
            raise
    return {'points': points, 'runs': points, 'read_by_other': other.read - 1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path)
    parser.add_argument('--other', metavar='PYTHON')
    arguments = parser.parse_args()
    with OtherReader(arguments.other) as other:
        print(json.dumps(crash_everywhere(arguments.folder, other)))


if __name__ == '__main__':
    main()
