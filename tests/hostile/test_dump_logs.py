"""Logs of dumps that somebody else has written, and links in a dump: nothing outside of the folder is touched."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hostile.conftest import RunThrough
from hostile.dump_logs import DUMP as DUMP_ARGUMENTS
from hostile.dump_logs import LOG
from hostile.folder import everything_below

DUMP = ['-p', 'mixed', *DUMP_ARGUMENTS, '--path']


@pytest.fixture
def place(run_through: RunThrough, reference_home: Path, tmp_path: Path) -> Path:
    """A folder with a dump in it, beside one that must stay as it is."""
    (tmp_path / 'outside' / 'kept').mkdir(parents=True)
    for name in ('aiida_node_metadata.yaml', '.aiida_dump_safeguard', 'file', LOG):
        (tmp_path / 'outside' / 'kept' / name).write_text(name)
    assert run_through([*DUMP, str(tmp_path / 'dump')])[0] == 0
    (tmp_path / 'dump' / 'way').symlink_to(tmp_path / 'outside')
    return tmp_path / 'dump'


def check(run_through: RunThrough, lines: list[Any], place: Path, *options: str) -> int:
    """Dump over such a log; what is outside stays."""
    before = everything_below(place.parent / 'outside')
    (place / LOG).write_text(''.join(json.dumps(line) + '\n' for line in lines))
    code, _ = run_through([*DUMP, str(place), *options])
    assert everything_below(place.parent / 'outside') == before, lines[-3:]
    return code


@pytest.mark.parametrize('options', [[], ['--overwrite'], ['--dry-run']])
@pytest.mark.parametrize(
    'line',
    [
        {
            'folder': '../outside/kept',
            'uuid': 'u',
            'mtime': 'm',
            'group': '',
            'top': 'u',
            'how': 'x',
            'files': {'file': 'k'},
        },
        {'ricordi_dump': 1, 'moved': ['../outside', 'stolen']},
        {'group': 'g', 'root': '../outside/kept'},
        {'group': 5, 'root': 'x'},
        {'removed': ['x']},
    ],
)
def test_a_log_that_no_dump_has_written_is_wrong_usage_and_nothing_changes(
    run_through: RunThrough, place: Path, line: dict[str, Any], options: list[str]
) -> None:
    lines = [json.loads(line) for line in (place / LOG).read_text().splitlines()]
    before = everything_below(place)
    assert check(run_through, [*lines, line], place, *options) == 2
    after = everything_below(place)
    before.pop(str(place / LOG)), after.pop(str(place / LOG))
    assert after == before


def test_a_link_or_a_second_name_in_place_of_the_log_is_not_written_through(
    run_through: RunThrough, place: Path
) -> None:
    for put in (os.symlink, os.link):
        (place / LOG).unlink()
        put(place.parent / 'outside' / 'kept' / LOG, place / LOG)
        before = everything_below(place.parent / 'outside')
        assert run_through([*DUMP, str(place)])[0] == 2
        assert everything_below(place.parent / 'outside') == before


def test_a_folder_that_is_replaced_by_a_link_meanwhile_is_not_followed(place: Path) -> None:
    from ricordi.services.dump.folder import DumpFolder

    folder = DumpFolder(place)
    with folder.held():
        place.rename(place.with_name('moved'))
        place.symlink_to(place.parent / 'outside' / 'kept')
        before = everything_below(place.parent / 'outside')
        folder.write('a/b', b'x')
        folder.remove('a', ['b'])
        folder.clear()
    assert everything_below(place.parent / 'outside') == before
