"""Each way in which objects can be damaged is found by a verification, with the nodes that name them."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Subset, VerificationReport, VerifyOptions
from ricordi.errors import CorruptStorage, UsageError
from ricordi.manager import use_storage
from ricordi.progress import Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.verification import reader
from ricordi.services.profiles.profiles import ArchiveName, find_profile
from ricordi.services.verify import NODES_PER_FINDING, verify_storage

DATA = Path(__file__).parents[1] / 'data'
PROFILE = 'loose'
READ = VerifyOptions(read=True)


@dataclass(frozen=True)
class Chosen:
    """Objects of each form, large and small; others of each form lie beside them."""

    loose: tuple[str, str]
    plain: tuple[str, str]
    compressed: tuple[str, str]


@pytest.fixture(scope='module')
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Chosen]:
    """A configuration folder with a profile of which some objects are loose, packed, packed compressed."""
    folder = tmp_path_factory.mktemp('verify')
    subprocess.run([sys.executable, DATA / 'unpack.py', folder], check=True, stdout=subprocess.DEVNULL)
    container_folder = folder / '.aiida' / 'repository' / PROFILE / 'container'
    with Container(container_folder) as container:
        keys = [key for key in container.list_objects() if container.get_object_size(key) > 30]
        keys.sort(key=container.get_object_size)
        shrink = [key for key in keys if shrinks(container.get_object_content(key))][::2]
        others = [key for key in keys if key not in shrink]
        forms = others[0::2], others[1::2], shrink
        for keys_of_form, compress in ((forms[1], 'no'), (forms[2], 'yes')):
            container.put_objects_into_pack(map(container.get_object_content, keys_of_form), compress)
            for key in keys_of_form:
                Path(container.loose_path(key)).unlink()
        assert all(row.compressed for row in container.index.find_many(shrink))
        assert min(map(len, forms)) > 2
    return folder / '.aiida', Chosen(*((form[-1], form[1]) for form in forms))


def shrinks(content: bytes) -> bool:
    return len(zlib.compress(content, 1)) < 0.8 * len(content)


@pytest.fixture
def home(template: tuple[Path, Chosen], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, of one's own."""
    home = tmp_path / '.aiida'
    shutil.copytree(template[0], home, ignore=shutil.ignore_patterns('mixed', 'aborted_*'))
    text = (home / 'config.json').read_text().replace(str(template[0]), str(home))
    (home / 'config.json').write_text(text)
    monkeypatch.setenv('AIIDA_PATH', str(home))
    return home


@pytest.fixture
def chosen(template: tuple[Path, Chosen]) -> Chosen:
    return template[1]


@pytest.fixture
def container(home: Path) -> Iterator[Container]:
    with Container(home / 'repository' / PROFILE / 'container') as container:
        yield container


def verify(options: VerifyOptions | None = None, name: str | None = PROFILE) -> VerificationReport:
    return verify_storage(find_profile(name), options)


def nodes_of(keys: set[str], name: str | None = PROFILE) -> dict[str, set[tuple[int, str, str]]]:
    """What the database itself says of keys."""
    found: dict[str, set[tuple[int, str, str]]] = {key: set() for key in keys}
    with use_storage(find_profile(name)) as storage:
        for use in storage.uses_of_keys(keys):
            found[use.key].add((use.pk, use.uuid, use.path))
    return found


def has_nodes(finding: Finding, nodes: set[tuple[int, str, str]]) -> bool:
    """Whether a finding has all of these nodes, or as many as one has at most."""
    return set(finding.nodes) <= nodes and len(finding.nodes) == min(len(nodes), NODES_PER_FINDING)


def assert_found(report: VerificationReport, keys: set[str], name: str | None = PROFILE) -> list[Finding]:
    """There are findings about these objects and no others, each with all of its nodes; returns them."""
    found = [finding for finding in report.findings if not finding.notice]
    assert {finding.key for finding in found if finding.key} == keys, found
    nodes = nodes_of(keys, name)
    assert all(nodes.values())
    for finding in found:
        if finding.key:
            assert has_nodes(finding, nodes[finding.key])
    assert report.finding_count == len(found)
    return found


# what is damaged, and how ----------------------------------------------------------------------------------


def path_and_place(container: Container, key: str) -> tuple[Path, int, int]:
    """The file that holds an object, and offset and length in it."""
    row = container.index.find(key)
    if row is None:
        path = Path(container.loose_path(key))
        path.chmod(0o644)
        return path, 0, path.stat().st_size
    return container.layout.pack_path(row.pack_id), row.offset, row.length


def write_at(path: Path, offset: int, content: bytes) -> None:
    with path.open('r+b') as handle:
        handle.seek(offset)
        handle.write(content)


def read_at(path: Path, offset: int, length: int) -> bytes:
    return path.read_bytes()[offset : offset + length]


def flip_a_bit(container: Container, key: str) -> None:
    path, offset, length = path_and_place(container, key)
    (byte,) = read_at(path, offset + length // 2, 1)
    write_at(path, offset + length // 2, bytes([byte ^ 4]))


def flip_the_last_bit(container: Container, key: str) -> None:
    path, offset, length = path_and_place(container, key)
    (byte,) = read_at(path, offset + length - 1, 1)
    write_at(path, offset + length - 1, bytes([byte ^ 1]))


def zero_a_block(container: Container, key: str) -> None:
    path, offset, length = path_and_place(container, key)
    write_at(path, offset, bytes(min(length, 4096)))


def overwrite(container: Container, key: str) -> None:
    """As if a piece of another file had come there."""
    path, offset, length = path_and_place(container, key)
    write_at(path, offset, (b'{"another": "file"}, ' * length)[:length])


BYTES = [flip_a_bit, flip_the_last_bit, zero_a_block, overwrite]
FORMS = [(form, number) for form in ('loose', 'plain', 'compressed') for number in (0, 1)]


@pytest.mark.parametrize('damage', BYTES)
@pytest.mark.parametrize(('form', 'number'), FORMS)
def test_damaged_bytes_are_found_by_reading(
    container: Container, chosen: Chosen, form: str, number: int, damage: Callable[[Container, str], None]
) -> None:
    key = getattr(chosen, form)[number]
    damage(container, key)
    assert_found(verify(), set())
    (finding,) = assert_found(verify(READ), {key})
    assert (finding.kind, finding.remedy) == ('damaged object', 'source')
    path, offset, _ = path_and_place(container, key)
    place = path.relative_to(container.layout.folder).as_posix()
    assert finding.where == (place if form == 'loose' else f'{place} at byte {offset}')
    assert_found(verify(), {key})  # from now on it is known, and looked at each time
    report = verify(VerifyOptions(subset=Subset(size=1)))
    assert report.state is not None
    assert report.state.findings == 1


def test_two_loose_files_that_have_changed_places_are_both_found(container: Container, chosen: Chosen) -> None:
    one, other = (Path(container.loose_path(key)) for key in chosen.loose)
    contents = one.read_bytes(), other.read_bytes()
    for path, content in ((one, contents[1]), (other, contents[0])):
        path.chmod(0o644)
        path.write_bytes(content)
    assert_found(verify(READ), set(chosen.loose))


@pytest.mark.parametrize('read', [False, True])
def test_a_loose_file_that_is_gone_empty_or_a_folder_is_found_without_reading(
    container: Container, chosen: Chosen, read: bool
) -> None:
    paths = [Path(container.loose_path(key)) for key in chosen.loose]
    third = next(key for key in container.list_objects() if key not in chosen.loose and not container.index.find(key))
    paths[0].unlink()
    paths[1].unlink()
    paths[1].mkdir()
    folder = Path(container.loose_path(third))
    if folder.stat().st_size:
        folder.chmod(0o644)
        folder.write_bytes(b'')
        keys = {*chosen.loose, third}
    else:
        keys = set(chosen.loose)
    found = assert_found(verify(VerifyOptions(read=read)), keys)
    assert {finding.kind for finding in found if finding.key == chosen.loose[0]} == {'missing object'}


def test_a_loose_file_that_is_cut_is_found_by_reading(container: Container, chosen: Chosen) -> None:
    path, _, length = path_and_place(container, chosen.loose[0])
    path.write_bytes(path.read_bytes()[: length // 2])
    assert_found(verify(), set())
    assert_found(verify(READ), {chosen.loose[0]})


# the index -------------------------------------------------------------------------------------------------


def change_row(container: Container, key: str, change: str) -> None:
    with closing(sqlite3.connect(container.layout.index)) as connection, connection:
        assert connection.execute(f'UPDATE db_object SET {change} WHERE hashkey = ?', (key,)).rowcount == 1


@pytest.mark.parametrize(
    ('form', 'change'),
    [
        ('plain', 'size = size + 1'),
        ('plain', 'length = length - 1'),
        ('plain', '"offset" = -1'),
        ('plain', "length = 'many'"),
        ('plain', '"offset" = "offset" + 1000000000'),
        ('plain', 'pack_id = 7'),
        ('compressed', 'compressed = 0'),
        ('compressed', 'size = -5'),
        ('compressed', 'length = length + 1000000'),
        ('compressed', 'pack_id = 1.5'),
        ('compressed', "pack_id = CAST(x'ff' AS TEXT)"),
        ('plain', 'size = 1 << 60, length = 1 << 60'),
    ],
)
def test_a_row_that_says_what_cannot_be_is_found_without_reading(
    container: Container, chosen: Chosen, form: str, change: str
) -> None:
    for key in getattr(chosen, form)[:1]:
        change_row(container, key, change)
        found = assert_found(verify(), {key})
        assert {finding.kind for finding in found if finding.key} <= {
            'wrong index row',
            'damaged object',
            'missing object',
            'overlapping index rows',
        }
        assert_found(verify(READ), {key})


@pytest.mark.parametrize(
    ('form', 'change'),
    [('plain', 'compressed = 1'), ('compressed', 'size = size + 1'), ('compressed', 'compressed = 0, size = length')],
)
def test_a_row_that_tells_a_whole_object_wrongly_is_found_by_reading(
    container: Container, chosen: Chosen, form: str, change: str
) -> None:
    (key, _) = getattr(chosen, form)
    change_row(container, key, change)
    assert_found(verify(), set())
    (finding,) = assert_found(verify(READ), {key})
    assert (finding.kind, finding.remedy) == ('wrong index row', 'index')


@pytest.mark.parametrize('change', ['"offset" = "offset" + 1', '"offset" = "offset" - 3', '"offset" = 0'])
def test_a_row_that_points_beside_its_object_is_found(container: Container, chosen: Chosen, change: str) -> None:
    """The structure shows it where it gets into another's place; reading always."""
    (key, _) = chosen.compressed
    change_row(container, key, change)
    found = {finding.kind for finding in verify().findings}
    assert found & {'overlapping index rows', 'damaged object', 'cut pack'}
    report = verify(READ)
    assert key in {finding.key for finding in report.findings if finding.kind == 'damaged object'}


def test_a_compressed_stream_that_ends_before_its_bytes_is_found(container: Container, chosen: Chosen) -> None:
    """The row of an object has more bytes than its stream: they lay unnamed behind it."""
    (key, _) = chosen.compressed
    stored = container.read_stored(row := container.index.find(key))
    pack = container.layout.pack_path(row.pack_id)
    offset = pack.stat().st_size
    with pack.open('ab') as handle:
        handle.write(stored + b'left over')
    change_row(container, key, f'"offset" = {offset}, length = length + 9')
    assert_found(verify(), set())
    (finding,) = assert_found(verify(READ), {key})
    assert (finding.kind, finding.remedy) == ('wrong index row', 'index')


@pytest.mark.parametrize('read', [False, True])
def test_a_row_with_another_key_and_one_that_is_gone_are_found_as_missing_objects(
    container: Container, chosen: Chosen, read: bool
) -> None:
    (renamed, gone) = chosen.plain
    change_row(container, renamed, f"hashkey = '{'ab' * 32}'")
    with closing(sqlite3.connect(container.layout.index)) as connection, connection:
        connection.execute('DELETE FROM db_object WHERE hashkey = ?', (gone,))
    report = verify(VerifyOptions(read=read))
    missing = {finding.key: finding for finding in report.findings if finding.kind == 'missing object'}
    assert set(missing) == {renamed, gone}
    for key, nodes in nodes_of(set(missing)).items():
        assert has_nodes(missing[key], nodes)
    if read:
        (odd,) = (finding for finding in report.findings if finding.kind == 'damaged object')
        assert (odd.key, odd.nodes, odd.remedy) == ('ab' * 32, (), 'full maintenance')


@pytest.mark.parametrize('key', ["x'ff'", "CAST(x'ff' AS TEXT)", "''", f"'{'AB' * 32}'", "'../x'", '1.5'])
def test_a_key_that_is_none_is_found_and_the_object_missing(container: Container, chosen: Chosen, key: str) -> None:
    change_row(container, chosen.plain[0], f'hashkey = {key}')
    found = assert_found(verify(READ), {chosen.plain[0]})
    assert {finding.kind for finding in found} == {'missing object', 'wrong index row'}


def zero_the_index(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut_the_index(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def zero_a_page_of_the_index(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(4096) + content[8192:])


@pytest.mark.parametrize('damage', [zero_the_index, cut_the_index, zero_a_page_of_the_index, Path.unlink])
@pytest.mark.parametrize('read', [False, True])
def test_a_damaged_index_is_found_and_does_not_end_the_verification(
    container: Container, chosen: Chosen, damage: Callable[[Path], None], read: bool
) -> None:
    container.index.checkpoint()
    container.close()
    damage(container.layout.index)
    flip_a_bit_of_loose = Path(container.loose_path(chosen.loose[0]))
    flip_a_bit_of_loose.chmod(0o644)
    flip_a_bit_of_loose.write_bytes(bytes(flip_a_bit_of_loose.stat().st_size))
    report = verify(VerifyOptions(read=read))
    assert report.counts['damaged object index'] >= 1
    assert {topic.name for topic in report.topics} >= {'database', 'index', 'loose files'}
    damaged = {finding.key for finding in report.findings if finding.kind == 'damaged object'}
    assert (chosen.loose[0] in damaged) is read


# packs -----------------------------------------------------------------------------------------------------


def packed_keys(container: Container, beyond: int = -1) -> set[str]:
    return {row.key for row in container.index.objects_of_pack(0) if row.offset + row.length > beyond}


@pytest.mark.parametrize('read', [False, True])
def test_a_pack_that_is_gone_is_found_with_all_that_was_in_it(container: Container, read: bool) -> None:
    keys = packed_keys(container)
    container.layout.pack_path(0).unlink()
    report = verify(VerifyOptions(read=read))
    found = assert_found(report, keys)
    assert report.counts == {'missing object': len(keys), 'missing pack': 1}
    assert {finding.remedy for finding in found} == {'source'}


@pytest.mark.parametrize('read', [False, True])
def test_a_pack_that_is_cut_is_found_with_what_lay_behind(container: Container, read: bool) -> None:
    path = container.layout.pack_path(0)
    size = path.stat().st_size // 2
    keys = packed_keys(container, size)
    path.write_bytes(path.read_bytes()[:size])
    report = verify(VerifyOptions(read=read))
    assert_found(report, keys)
    assert report.counts == {'damaged object': len(keys), 'cut pack': 1}


def test_a_container_that_says_something_else_of_its_loose_files_lacks_them(container: Container) -> None:
    loose = set(container.layout.loose_keys(2))
    config = json.loads(container.layout.config.read_text())
    container.layout.config.chmod(0o644)
    container.layout.config.write_text(json.dumps({**config, 'loose_prefix_len': 3}))
    assert_found(verify(), loose)


@pytest.mark.parametrize('content', [b'', b'{', b'{"container_version": 1}', b'\xff\xfe'])
def test_a_container_that_says_nothing_of_itself_is_corrupt(container: Container, content: bytes) -> None:
    container.layout.config.chmod(0o644)
    container.layout.config.write_bytes(content)
    with pytest.raises(CorruptStorage):
        verify()


@pytest.mark.parametrize('read', [False, True])
@pytest.mark.parametrize('make', [os.mkfifo, Path.mkdir])
def test_what_is_no_file_in_the_place_of_a_pack_is_not_waited_for(
    container: Container, make: Callable[[Path], None], read: bool
) -> None:
    keys = packed_keys(container)
    container.layout.pack_path(0).unlink()
    make(container.layout.pack_path(0))
    report = verify(VerifyOptions(read=read))
    assert_found(report, keys)
    assert report.counts['missing pack'] == 1
    assert report.notices == {'odd file': 1} or not report.notices  # what is young may be of a process at work


def test_what_may_not_be_read_is_no_damage(
    container: Container, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Path(container.loose_path(chosen.loose[0]))
    read = reader.open_regular

    def refuse(path: Path) -> Any:
        if path == refused:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    monkeypatch.setattr(reader, 'open_regular', refuse)
    (finding,) = assert_found(verify(READ), {chosen.loose[0]})
    assert finding.kind == 'failed check'
    assert 'Permission denied' in finding.detail


def test_a_folder_that_cannot_be_listed_does_not_end_the_verification(
    container: Container, chosen: Chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(container.loose_path(chosen.loose[0])).parent
    scan = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == folder:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return scan(path)

    monkeypatch.setattr(os, 'scandir', refuse)
    report = verify(READ)
    assert report.counts == {'failed check': 1}
    assert report.findings[0].where == f'loose/{folder.name}'
    assert {topic.name for topic in report.topics} >= {'named objects', 'content of packs'}


# second copies ---------------------------------------------------------------------------------------------


def test_a_second_copy_is_told_of_only_where_it_was_read_and_is_good(container: Container, chosen: Chosen) -> None:
    plain, compressed = chosen.plain[0], chosen.compressed[0]
    for key in (plain, compressed):
        path = Path(container.loose_path(key))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(container.get_object_content(key))
        flip_a_bit(container, key)
    loose = Path(container.loose_path(compressed))
    loose.write_bytes(b'damaged too')
    found = assert_found(verify(READ), {plain, compressed})
    assert {(finding.key, finding.remedy) for finding in found} == {(plain, 'second copy'), (compressed, 'source')}
    assert sum(finding.key == compressed for finding in found) == 2


def test_an_object_of_which_only_a_second_copy_is_left_is_missing_with_a_way_out(
    container: Container, chosen: Chosen
) -> None:
    (key, _) = chosen.loose
    Path(container.loose_path(key)).rename(container.layout.duplicates / f'{key}.0123')
    (finding,) = assert_found(verify(), {key})
    assert (finding.kind, finding.remedy) == ('missing object', 'second copy')


# archives --------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path: Path, empty_home: Path) -> Path:
    return Path(shutil.copy(DATA / 'reference.aiida', tmp_path / 'some.aiida'))


def object_in(archive: Path) -> zipfile.ZipInfo:
    with zipfile.ZipFile(archive) as opened:
        return max(
            (one for one in opened.infolist() if one.filename.startswith('repo/')), key=lambda one: one.compress_size
        )


@pytest.mark.parametrize('damage', ['bit', 'block', 'header'])
def test_a_damaged_member_of_an_archive_is_found(archive: Path, damage: str) -> None:
    member = object_in(archive)
    key, name = member.filename.removeprefix('repo/'), ArchiveName(archive)
    begin = member.header_offset
    if damage == 'header':
        write_at(archive, begin, b'XX')
    else:
        write_at(archive, begin + 30 + len(member.filename) + 200, b'\x55' if damage == 'bit' else bytes(4096))
    assert_found(verify(name=name), {key} if damage == 'header' else set(), name)
    found = assert_found(verify(READ, name), {key}, name)
    assert {finding.kind for finding in found} == {'damaged object'}


@pytest.mark.parametrize('change', ['removed', 'swapped', 'renamed'])
def test_members_that_are_gone_or_hold_something_else_are_found(archive: Path, tmp_path: Path, change: str) -> None:
    member, changed = object_in(archive), tmp_path / 'changed.aiida'
    key, name = member.filename.removeprefix('repo/'), ArchiveName(changed)
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(changed, 'w') as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename != member.filename:
                new.writestr(info, content)
            elif change == 'swapped':
                new.writestr(info, b'something else')
            elif change == 'renamed':
                new.writestr('repo/not-a-key', content)
    found = assert_found(verify(READ, name), {key}, name)
    assert {finding.kind for finding in found} == {'damaged object' if change == 'swapped' else 'missing object'}
    assert verify(name=name).notices == ({'odd member': 1} if change == 'renamed' else {})


def test_a_part_of_an_archive_is_read_by_its_number_alone(archive: Path) -> None:
    name = ArchiveName(archive)
    sizes = [verify(VerifyOptions(True, Subset(part=part, parts=3)), name).topics[-1].checked for part in (1, 2, 3)]
    assert sum(sizes) == verify(READ, name).topics[-1].checked
    with pytest.raises(UsageError):
        verify(VerifyOptions(True, Subset(share=0.5)), name)


# what is healthy -------------------------------------------------------------------------------------------


@pytest.mark.parametrize('name', ['loose', 'mixed', 'aborted_before_commit', 'aborted_after_remove', 'archive'])
@pytest.mark.parametrize('read', [False, True])
def test_on_what_aiida_wrote_there_is_no_finding(reference_home: Path, name: str, read: bool) -> None:
    report = verify(VerifyOptions(read=read), name)
    assert report.counts == {}
    assert report.interrupted is None
    expected = {
        'aborted_before_commit': {'aborted repack': 1, 'stale pack lock': 1},
        'aborted_after_remove': {'aborted repack': 1},
    }
    assert report.notices == expected.get(name, {})


def test_on_postgresql_there_is_no_finding(
    reference_home: Path, postgres: object, new_database: Callable[..., str]
) -> None:
    from both_programs import add_psql_profile
    from prepared import reference_database

    name = add_psql_profile(reference_home, postgres, new_database(reference_database(postgres)))  # type: ignore[arg-type]
    with use_storage(find_profile(name)) as storage:
        storage.claim_repository()  # other tests may have left the same data in another database of the server
    assert verify(READ, name).counts == {}
    with use_storage(find_profile(name)) as storage:
        (key,) = (use.key for use in [next(storage.uses_of_keys(storage.named_keys()))])
        folder = storage.repository.layout.folder  # type: ignore[attr-defined]
    with Container(folder) as container:
        flip_a_bit(container, key)
    assert_found(verify(READ, name), {key}, name)


def test_a_verification_that_is_told_to_stop_ends_and_says_so(home: Path) -> None:
    stop = Stop()
    stop.request('SIGTERM')
    report = verify_storage(find_profile(PROFILE), READ, run=Run(stop=stop))
    assert report.interrupted == 'SIGTERM'
    assert not all(topic.complete for topic in report.topics)
    assert report.state is not None
    assert report.state.structure is None


def test_many_findings_are_counted_and_the_first_are_named(container: Container) -> None:
    keys = packed_keys(container)
    container.layout.pack_path(0).unlink()
    report = verify(VerifyOptions(most_named=3))
    assert len([finding for finding in report.findings if finding.kind == 'missing object']) == 3
    assert report.counts['missing object'] == len(keys)
