"""Archives with flipped bits, missing and doubled pieces, or cut off: refused in words, or as good as before."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.rows import EntityKind as K
from ricordi.config import Profile
from ricordi.errors import RicordiError
from ricordi.manager import get_config, initialise_storage, use_storage
from ricordi.services.archive.create import ArchiveRequest, create_archive
from ricordi.services.archive.importing import ImportRequest, import_archive
from services.archive.old_layouts import VERSIONS, archive_of
from services.archive.tools import REFERENCE, Members, changed, everything, files_in

PLAIN = ImportRequest(authinfos=True, import_group=False)
ALL = ArchiveRequest(everything=True)
ROUNDS = 25
SEEDS = range(8)
CODES = (1, 3, 4, 6)
"""With these a command may end that was given a damaged archive (docs/exit-codes.md)."""


# a profile that must stay as it is -------------------------------------------------------------------------


class Target:
    """A small profile into which archives are imported, each time as it was at first."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._template = folder, folder.with_name('template')
        config = get_config(create=True)
        self.profile = config.create_profile('p', 'core.sqlite_dos', {'filepath': str(folder)})
        config.store()
        initialise_storage(self.profile)
        fill(self.profile)
        shutil.copytree(folder, self._template)
        self.before = everything(self.profile)
        import_archive(self.profile, REFERENCE, PLAIN)
        self.whole = everything(self.profile)
        self.restore()

    def restore(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self._template, self.folder)

    def takes(self, archive: Path) -> bool:
        """Import; whether it was accepted. An error not in our words, or a change after one in ours, is a failure."""
        untouched = files_in(self.folder)
        try:
            import_archive(self.profile, archive, PLAIN, dry_run=True)
        except RicordiError:
            pass
        assert files_in(self.folder) == untouched, 'a dry run has changed the profile'
        try:
            import_archive(self.profile, archive, PLAIN)
        except RicordiError:
            if files_in(self.folder) != untouched:  # objects that no node names may have come
                assert everything(self.profile) == self.before, 'refused, and yet the profile has changed'
                self.sees_a_sound_database()
                self.restore()
            return False
        return True

    def sees_a_sound_database(self) -> None:
        with closing(sqlite3.connect(self.folder / 'database.sqlite')) as database:
            assert not database.execute('PRAGMA foreign_key_check').fetchall()
            assert database.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def fill(profile: Profile) -> None:
    """A user, some nodes with files of their own and one that the archive has too, and a group of them."""
    with use_storage(profile) as storage:
        (user,) = storage.insert(K.USER, [{'email': 'me@example.org'}])
        contents = [b'own content %d' % number * 50 for number in range(4)] + [b'']
        trees = [{'o': {'x': {'k': key}}} for key in storage.repository.put_objects(contents)]
        node_type = 'data.core.singlefile.SinglefileData.'
        rows = [{'node_type': node_type, 'repository_metadata': tree, 'user_pk': user} for tree in trees]
        storage.insert(K.NODE, rows)
        storage.insert(K.GROUP, [{'label': 'own', 'type_string': 'core', 'user_pk': user}])


@pytest.fixture
def target(tmp_path: Path, empty_home: Path) -> Target:
    return Target(tmp_path / 'p')


# damage ----------------------------------------------------------------------------------------------------


def damage(content: bytes, chance: random.Random) -> bytes:
    """Flip bits of a few bytes, or remove, double, blank or exchange a piece."""
    broken = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        at = chance.randrange(len(broken))
        length = chance.choice((1, 1, 1, 2, 4, 100, 5000))
        match chance.randrange(6):
            case 0 | 1 | 2:
                broken[at] ^= 1 << chance.randrange(8)
            case 3:
                del broken[at : at + length]
            case 4:
                broken[at : at + length] = bytes(len(broken[at : at + length]))
            case 5:
                other = chance.randrange(len(broken))
                broken[at : at + length] = broken[other : other + length]
    return bytes(broken)


def boundaries(archive: Path) -> set[int]:
    """Where the parts of a zip file begin and end: heads, names, content, the directory and its entries, the end."""
    content, found = archive.read_bytes(), {0}
    with zipfile.ZipFile(archive) as opened:
        entry = opened.start_dir
        for info in opened.infolist():
            lengths = [int.from_bytes(content[info.header_offset + at :][:2], 'little') for at in (26, 28)]
            begin = info.header_offset + 30 + sum(lengths)
            found |= {info.header_offset, info.header_offset + 30, begin, begin + info.compress_size}
        for _ in opened.infolist():
            found |= {entry, entry + 46}
            entry += 46 + sum(int.from_bytes(content[entry + at :][:2], 'little') for at in (28, 30, 32))
    return found | {entry, entry + 4, entry + 20, len(content)}


# refused or as good as before ------------------------------------------------------------------------------


@pytest.mark.parametrize('seed', SEEDS)
def test_a_damaged_file_never_ends_in_a_traceback_or_a_change(tmp_path: Path, target: Target, seed: int) -> None:
    chance, content, archive = random.Random(seed), REFERENCE.read_bytes(), tmp_path / 'x.aiida'
    for number in range(ROUNDS):
        archive.write_bytes(damage(content, chance))
        if target.takes(archive):
            assert everything(target.profile) == target.whole, f'round {number}: accepted, though not what it was'
            target.restore()


@pytest.mark.parametrize('seed', SEEDS)
def test_a_damaged_database_never_ends_in_a_traceback_or_a_change(tmp_path: Path, target: Target, seed: int) -> None:
    chance, archive = random.Random(1000 + seed), tmp_path / 'x.aiida'

    def damage_database(members: Members) -> None:
        members['db.sqlite3'] = damage(members['db.sqlite3'], chance)

    for _ in range(ROUNDS):
        changed(archive, members=damage_database)
        if target.takes(archive):
            everything(target.profile)  # another label is no fault that anybody could see; but all must be readable
            target.sees_a_sound_database()
            target.restore()


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path: Path, target: Target) -> None:
    content, archive = REFERENCE.read_bytes(), tmp_path / 'x.aiida'
    places = {place + step for place in boundaries(REFERENCE) for step in (-1, 0, 1)}
    places |= set(random.Random(1).sample(range(len(content)), 60))
    for place in sorted(place for place in places if 0 <= place < len(content)):
        archive.write_bytes(content[:place])
        assert not target.takes(archive), f'accepted without what comes after byte {place}'


def test_a_file_that_lacks_a_part_in_its_midst_is_refused(tmp_path: Path, target: Target) -> None:
    content, archive = REFERENCE.read_bytes(), tmp_path / 'x.aiida'
    places = sorted(boundaries(REFERENCE))
    for begin, end in itertools.pairwise(places):
        archive.write_bytes(content[:begin] + content[end:])
        assert not target.takes(archive), f'accepted without bytes {begin} to {end}'


def cut_members() -> Iterator[tuple[str, int]]:
    """Members, and how much to leave of each: nothing, all but a byte, and of the database some pages, or parts."""
    with zipfile.ZipFile(REFERENCE) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist() if info.file_size}
    for name, size in sizes.items():
        yield from ((name, left) for left in {0, size // 2, size - 1} if left < size)
    pages = range(4096, sizes['db.sqlite3'], 4096)
    chance = random.Random(2)
    yield from (('db.sqlite3', left) for left in (100, 1024, *pages, *chance.sample(range(pages[-1]), 20)))


def test_a_member_that_is_cut_off_is_refused(tmp_path: Path, target: Target) -> None:
    archive = tmp_path / 'x.aiida'
    for name, left in cut_members():

        def cut(members: Members, name: str = name, left: int = left) -> None:
            members[name] = members[name][:left]

        changed(archive, members=cut)
        assert not target.takes(archive), f'accepted with {left} bytes of {name}'


@pytest.mark.parametrize('seed', SEEDS)
def test_a_damaged_archive_that_is_opened_never_ends_in_a_traceback(
    tmp_path: Path, empty_home: Path, seed: int
) -> None:
    from ricordi.services.archive.info import archive_profile

    chance = random.Random(2000 + seed)
    archive, content = tmp_path / 'x.aiida', REFERENCE.read_bytes()
    for _ in range(ROUNDS):
        archive.write_bytes(damage(content, chance))
        try:
            everything(archive)
            create_archive(archive_profile(archive), tmp_path / 'y.aiida', ALL, overwrite=True)
        except (RicordiError, AssertionError):
            continue  # an object that is damaged is seen by `everything`


# archives of AiiDA 0 and 1 ---------------------------------------------------------------------------------

JUNK: tuple[Any, ...] = (
    *(None, 0, -1, 1e300, 2**70, True, '', 'x', '\ud800', 'a\0b', [], {}, [[1]], {'k': 'v'}, '9' * 30),
    *('date', '2019', 'type', 'data.base.X.', 'calculation.job.', '../../x'),
)


def change_somewhere(value: Any, chance: random.Random) -> None:
    """Exchange, remove, rename or add one thing somewhere in what a JSON file holds."""
    while True:
        key = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[key], dict | list) or not value[key] or chance.random() < 0.2:
            break
        value = value[key]
    match chance.randrange(4):
        case 0 | 1:
            value[key] = chance.choice(JUNK)
        case 2:
            del value[key]
        case 3 if isinstance(value, dict):
            value[str(chance.choice(JUNK))] = value.pop(key)
        case 3:
            value.append(chance.choice(JUNK))


@pytest.mark.parametrize('seed', range(2))
def test_an_old_archive_of_which_the_data_are_damaged_ends_in_words_or_is_taken(
    tmp_path: Path, target: Target, seed: int
) -> None:
    chance = random.Random(3000 + seed)
    for _ in range(12):
        old = archive_of(chance.choice(VERSIONS))
        for _ in range(chance.choice((1, 1, 3))):
            change_somewhere(chance.choice((old.data, old.data, old.metadata)), chance)
        if target.takes(old.write(tmp_path / chance.choice(('x.aiida', 'x.tar.gz')))):
            everything(target.profile)
            target.sees_a_sound_database()
            target.restore()


@pytest.mark.parametrize('ending', ['.aiida', '.tar.gz'])
def test_an_old_archive_that_is_cut_off_anywhere_is_refused(tmp_path: Path, target: Target, ending: str) -> None:
    archive = archive_of('0.9').write(tmp_path / f'x{ending}')
    content, chance = archive.read_bytes(), random.Random(4)
    for place in sorted(chance.sample(range(len(content)), 8)):
        archive.write_bytes(content[:place])
        assert not target.takes(archive), f'accepted without what comes after byte {place}'


def damaged_archives(folder: Path) -> Iterator[Path]:
    """Some of each kind of damage."""
    content, chance, archive = REFERENCE.read_bytes(), random.Random(3), folder / 'x.aiida'
    for _ in range(4):
        archive.write_bytes(damage(content, chance))
        yield archive
        archive.write_bytes(content[: chance.randrange(len(content))])
        yield archive
        yield changed(
            archive, members=lambda members: members.update({'db.sqlite3': damage(members['db.sqlite3'], chance)})
        )


def test_the_command_tells_what_is_wrong_with_a_damaged_archive(
    run_installed: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, target: Target
) -> None:
    refused: list[Any] = []
    for archive in damaged_archives(tmp_path):
        for verb in ('import', 'info', 'migrate'):
            more = (tmp_path / 'new.aiida', '--force') if verb == 'migrate' else ()
            done = run_installed('-p', 'p', 'archive', verb, archive, *more, timeout=240)
            assert 'Traceback' not in done.stderr
            assert 'unexpected' not in done.stderr, 'called a bug'
            if done.returncode:
                assert done.returncode in CODES
                assert (done.stdout, done.stderr.startswith('ricordi: error: ')) == ('', True), done.stderr
                refused.append(verb)
            if verb == 'import' and done.returncode:
                assert everything(target.profile) == target.before
        target.restore()
    assert {verb: refused.count(verb) > 1 for verb in ('import', 'info', 'migrate')} == dict.fromkeys(
        set(refused), True
    )
