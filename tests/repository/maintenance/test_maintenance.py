"""Maintenance of a container: what live and full do, repack, compress, plans, interrupts."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ricordi.backend.maintenance import Amount, MaintenanceOptions, MaintenanceReport
from ricordi.errors import PackerBusy
from ricordi.progress import Progress, Run, Stop
from ricordi.remedies import Remedy
from ricordi.repository.container import pack_writer
from ricordi.repository.container.container import Container
from ricordi.repository.container.index import COLUMNS
from ricordi.repository.container.packer_lock import packer_lock
from ricordi.repository.maintenance.carrying_out import Execution

Maintain = Callable[..., MaintenanceReport]
Contents = Callable[..., list[bytes]]
Holds = Callable[[Container, list[bytes]], None]


def put_loose(container: Container, contents: list[bytes]) -> list[str]:
    return [container.put_object_from_bytes(content) for content in contents]


def names(report: MaintenanceReport) -> list[str]:
    return [step.name for step in report.steps]


def packed_forms(container: Container) -> dict[str, bool]:
    packs = container.layout.pack_sizes()
    return {row.key: bool(row.compressed) for pack in packs for row in container.index.objects_of_pack(pack)}


def waste_some(container: Container, contents: list[bytes], gone: list[bytes]) -> None:
    """A pack with these contents, and the bytes of others that were deleted between them."""
    half = len(contents) // 2
    container.put_objects_into_pack([*contents[:half], *gone, *contents[half:]])
    container.delete_objects(container.put_objects_into_pack(gone))


# live and full ---------------------------------------------------------------------------------------------


def test_live_packs_loose_objects_and_drops_their_files(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    put_loose(container, contents(100))
    report = maintain(container)
    assert names(report) == ['pack']
    assert report.before.loose.objects == 100
    assert report.after is not None
    assert report.after.loose == Amount()
    assert report.after.packed.objects == 100
    assert report.steps[0].objects == 100
    assert (report.steps[0].write, report.steps[0].freed) == (report.before.loose.bytes, 0)
    assert container.layout.pack_locks() == []
    assert_holds(container, contents(100))


@pytest.mark.parametrize('full', [False, True])
def test_a_second_run_finds_nothing_to_do_and_changes_no_file(
    container: Container, contents: Contents, maintain: Maintain, snapshot: Callable[..., Any], full: bool
) -> None:
    keys = put_loose(container, contents(100))
    waste_some(container, contents(20, seed=1), contents(20, seed=2))
    named = [*keys, *(key for key in container.list_objects() if key not in keys)][:110]
    assert not maintain(container, named, full=full).nothing_to_do
    container.close()
    before = snapshot(container.layout.folder)
    assert maintain(container, named, full=full).nothing_to_do
    container.close()
    after = snapshot(container.layout.folder)
    changing = {'packer.lock', '.', 'packer.json'}
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }


def test_live_removes_no_garbage_and_full_removes_all_of_it(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    named, unnamed = contents(40, seed=1), contents(40, seed=2)
    container.put_objects_into_pack(unnamed[:20])
    container.put_objects_into_pack(named[:20])
    put_loose(container, named[20:] + unnamed[20:])
    keys = [container.put_object_from_bytes(content) for content in named]
    maintain(container, keys)
    assert_holds(container, named + unnamed)
    report = maintain(container, keys, full=True)
    assert report.before.garbage is not None
    assert report.before.garbage.objects == 40
    assert report.after is not None
    assert report.after.garbage == Amount()
    assert list(container.list_objects()) == sorted(keys)
    assert_holds(container, named)


def test_what_is_packed_beside_a_pack_of_garbage_stays_when_the_garbage_goes(
    container: Container, maintain: Maintain
) -> None:
    container.put_objects_into_pack([b'nobody', b'names', b'these'])
    key = container.put_object_from_bytes(b'but this')
    maintain(container, [key], full=True)
    assert container.get_object_content(key) == b'but this'
    assert container.get_info()['waste_bytes'] == 0


def test_thousands_of_loose_copies_of_packed_objects_go_in_one_run(container: Container, maintain: Maintain) -> None:
    contents = [b'%d' % number for number in range(2500)]
    keys = container.put_objects_into_pack(contents[:2400])
    for content in contents:
        path = Path(container.loose_path(hashlib.sha256(content).hexdigest()))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    report = maintain(container)
    assert names(report) == ['pack']
    assert report.after is not None
    assert (report.after.loose.objects, report.after.packed.objects) == (0, 2500)
    assert container.get_object_content(keys[0]) == contents[0]


def test_packs_that_keep_another_form_than_the_one_asked_for_are_told(container: Container, maintain: Maintain) -> None:
    keys = container.put_objects_into_pack([b'squeeze me ' * 100])
    assert maintain(container, keys, full=True).notes == ()
    report = maintain(container, keys, full=True, compress='yes')
    assert report.nothing_to_do
    assert report.notes[0].remedy == Remedy('repack all')
    assert maintain(container, keys, full=True, compress='yes', repack='all').notes == ()
    assert packed_forms(container) == {keys[0]: True}


def test_a_pack_with_a_damaged_object_is_not_rewritten_again_and_again(
    container: Container, maintain: Maintain
) -> None:
    keys = container.put_objects_into_pack([b'sound' * 100, b'damaged' * 100, b'garbage' * 100])
    with container.layout.pack_path(0).open('r+b') as pack:
        pack.seek(500)
        pack.write(b'!!!!')
    assert maintain(container, keys[:2], full=True).problem_count == 1
    sizes = container.layout.pack_sizes()
    report = maintain(container, keys[:2], full=True)
    assert report.problem_count == 1
    assert container.layout.pack_sizes() == sizes
    assert sum(step.write for step in report.steps) == 0


def test_a_loose_object_that_is_packed_already_goes_only_if_the_packed_copy_is_right(
    container: Container, maintain: Maintain, spoil: Callable[..., None]
) -> None:
    contents = [b'good' * 100, b'spoilt' * 100]
    keys = container.put_objects_into_pack(contents)
    for key, content in zip(keys, contents, strict=True):
        path = Path(container.loose_path(key))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    spoil(container.layout.pack_path(0), 500)
    assert not maintain(container).problems
    assert container.get_info()['loose']['objects'] == 0
    assert [container.get_object_content(key) for key in keys] == contents


def test_a_writer_that_has_put_its_file_but_not_yet_its_row_keeps_it_in_live_maintenance(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    put_loose(container, contents(10))
    container.put_objects_into_pack(contents(10, seed=1))
    (container.layout.sandbox / 'being-written').write_bytes(b'half')
    maintain(container, [])
    assert_holds(container, contents(10) + contents(10, seed=1))
    assert (container.layout.sandbox / 'being-written').exists()


def test_full_tidies_the_sandbox_orphans_tails_and_locks_and_live_only_locks_of_its_own(
    container: Container, maintain: Maintain
) -> None:
    (key,) = container.put_objects_into_pack([b'content'])
    layout = container.layout
    (layout.sandbox / 'left').write_bytes(b'half')
    layout.pack_path(7).write_bytes(b'an orphan')
    with layout.pack_path(0).open('ab') as pack:
        pack.write(b'a tail')
    (layout.packs / '7.lock').touch()
    (layout.packs / '0.lock').write_bytes(b'ricordi 1')
    report = maintain(container)
    assert names(report) == ['recover']
    assert sorted(path.name for path in layout.packs.iterdir()) == ['0', '7', '7.lock']
    assert layout.pack_path(0).read_bytes() == b'contenta tail'
    report = maintain(container, full=True)
    assert names(report) == ['recover']
    assert report.steps[0].freed == len('halfan orphana tail')
    assert [path.name for path in layout.packs.iterdir()] == ['0']
    assert layout.pack_path(0).read_bytes() == b'content'
    assert list(layout.sandbox.iterdir()) == []
    assert container.get_object_content(key) == b'content'


def test_full_vacuums_an_index_with_many_unused_pages(container: Container, maintain: Maintain) -> None:
    keys = container.put_objects_into_pack([b'%d' % number for number in range(6000)])
    container.close()
    before = container.layout.index.stat().st_size
    report = maintain(container, keys[:10], full=True)
    assert 'vacuum index' in names(report)
    assert container.layout.index.stat().st_size < before / 4


# repack ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(('max_waste', 'repacked'), [(5, True), (40, False)])
def test_a_pack_is_repacked_when_its_waste_is_over_the_threshold(
    container: Container, maintain: Maintain, assert_holds: Holds, max_waste: float, repacked: bool
) -> None:
    wanted = [os.urandom(1000) for _ in range(8)]
    waste_some(container, wanted, [os.urandom(1000) for _ in range(2)])
    report = maintain(container, full=True, max_waste=max_waste)
    assert names(report) == (['repack'] if repacked else [])
    assert container.get_info()['waste_bytes'] == (0 if repacked else 2000)
    assert_holds(container, wanted)


def test_small_packs_are_made_one(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    for seed in range(3):
        container.put_objects_into_pack(contents(10, seed=seed))
        (container.layout.packs / str(seed + 1)).touch()  # the next goes there
        path = container.layout.pack_path(seed)
        if seed < 2:
            content = path.read_bytes()
            path.with_name(str(seed + 1)).write_bytes(b'')
            with container.index.transaction():
                container.index.renumber(seed, 10 + seed)
            path.rename(path.with_name(str(10 + seed)))
            assert container.layout.pack_path(10 + seed).read_bytes() == content
    maintain(container, full=True)
    assert container.get_info()['packs'] == 1
    assert_holds(container, [content for seed in range(3) for content in contents(10, seed=seed)])


def test_repack_none_leaves_packs_alone_and_all_rewrites_each(
    container: Container, contents: Contents, maintain: Maintain, assert_holds: Holds
) -> None:
    waste_some(container, contents(60), contents(30, seed=2))
    packs = container.layout.pack_sizes()
    assert names(maintain(container, full=True, repack='none')) == []
    assert container.layout.pack_sizes() == packs
    report = maintain(container, full=True, repack='all')
    assert names(report) == ['repack']
    assert set(container.layout.pack_sizes()).isdisjoint(packs)
    assert container.get_info()['waste_bytes'] == 0
    assert report.steps[0].freed == sum(packs.values()) - report.steps[0].write > 0
    assert_holds(container, contents(60))


def test_live_never_repacks(container: Container, contents: Contents, maintain: Maintain) -> None:
    waste_some(container, contents(10), contents(30, seed=1))
    assert maintain(container, repack='all').nothing_to_do


# compress --------------------------------------------------------------------------------------------------

TEXT, NOISE = b'words and more words; ' * 200, os.urandom(4000)


@pytest.mark.parametrize(
    ('mode', 'text', 'noise'),
    [('keep', False, False), ('no', False, False), ('yes', True, False), ('auto', True, False)],
)
def test_loose_objects_are_packed_in_the_form_asked_for(
    container: Container, maintain: Maintain, assert_holds: Holds, mode: str, text: bool, noise: bool
) -> None:
    keys = put_loose(container, [TEXT, NOISE, b''])
    maintain(container, compress=mode)
    assert packed_forms(container) == {keys[0]: text, keys[1]: noise, keys[2]: False}
    assert_holds(container, [TEXT, NOISE, b''])


@pytest.mark.parametrize('size', [1, 2000])
@pytest.mark.parametrize(
    ('mode', 'plain', 'squeezed'),
    [('keep', False, True), ('no', False, False), ('yes', True, True), ('auto', True, True)],
)
def test_a_repack_gives_objects_the_form_asked_for(
    container: Container, maintain: Maintain, assert_holds: Holds, mode: str, plain: bool, squeezed: bool, size: int
) -> None:
    """Small objects, and large ones that are streamed."""
    contents = [TEXT * size, NOISE * size, TEXT * size + b'.', NOISE * size + b'.']
    keys = container.put_objects_into_pack(contents[:2]) + container.put_objects_into_pack(contents[2:], 'yes')
    maintain(container, full=True, repack='all', compress=mode)
    forms = packed_forms(container)
    assert [forms[keys[0]], forms[keys[2]]] == [plain, squeezed]
    if size == 1:
        assert not forms[keys[1]]
    assert_holds(container, contents)


@pytest.mark.parametrize('mode', ['keep', 'no', 'yes', 'auto'])
def test_packs_in_the_form_asked_for_are_not_rewritten_again(
    container: Container, maintain: Maintain, assert_holds: Holds, mode: str
) -> None:
    contents = [TEXT, NOISE, b'', TEXT * 2000, NOISE * 2000, TEXT + NOISE]
    container.put_objects_into_pack(contents[:4])
    container.put_objects_into_pack(contents[4:], 'yes')
    first = maintain(container, full=True, repack='all', compress=mode)
    again = maintain(container, full=True, repack='all', compress=mode)
    assert first.steps[-1].objects == again.steps[-1].objects == len(contents)
    assert [(step.name, step.write, step.detail) for step in again.steps] == [
        ('repack', 0, '1 without waste read and checked')
    ]
    assert_holds(container, contents)


# plans -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('full', [False, True])
def test_a_plan_writes_nothing_and_foretells_what_is_done(
    container: Container, contents: Contents, maintain: Maintain, snapshot: Callable[..., Any], full: bool
) -> None:
    waste_some(container, contents(30), contents(10, seed=1))
    named = put_loose(container, contents(50, seed=2)) + container.put_objects_into_pack(contents(30))
    put_loose(container, contents(5, seed=3))
    container.put_objects_into_pack(contents(5, seed=4))
    (container.layout.sandbox / 'left').write_bytes(b'half')
    (container.layout.duplicates / f'{named[0]}.1').write_bytes(contents(50, seed=2)[0])
    container.get_info()
    before = snapshot(container.layout.folder)
    plan = maintain(container, named, full=full, dry_run=True)
    assert snapshot(container.layout.folder) == before
    assert plan.after is None
    assert plan.before.garbage is not None
    assert plan.before.garbage.objects == 10
    assert plan.space_needed > 0
    report = maintain(container, named, full=full)
    assert report.before.loose == plan.before.loose
    for name in ('pack', 'remove garbage', 'repack'):
        planned = [step for step in plan.steps if step.name == name]
        done = [step for step in report.steps if step.name == name]
        assert [step.objects for step in planned] == [step.objects for step in done]
        if name != 'remove garbage':
            assert [step.write for step in planned] == [step.write for step in done]


# ending early ----------------------------------------------------------------------------------------------


class StopAfter(Stop):
    """Asks to stop once its reason was asked for a number of times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._left = times

    @property
    def reason(self) -> str | None:
        self._left -= 1
        return 'SIGTERM' if self._left < 0 else None


@pytest.fixture
def in_small_batches(limited: Callable[..., Container]) -> Container:
    """The container, with a commit every few objects, which are read in windows of one or two."""
    return limited(commit_objects=5, group_objects=2, window_bytes=3000)


@pytest.mark.parametrize('full', [False, True])
def test_an_interrupt_between_batches_leaves_a_clean_state_and_the_next_run_goes_on(
    in_small_batches: Container, contents: Contents, maintain: Maintain, assert_holds: Holds, full: bool
) -> None:
    container, wanted, unnamed = in_small_batches, contents(40), contents(10, seed=1)
    container.put_objects_into_pack([*contents(20, seed=2), *unnamed])
    put_loose(container, wanted + contents(5, seed=3))
    wanted += contents(20, seed=2)
    keys = [container.put_object_from_bytes(content) for content in wanted]
    interrupted = 0
    for times in range(60):
        report = maintain(container, keys, full=full, repack='all', stop=StopAfter(times))
        assert_holds(container, wanted)
        assert container.layout.pack_locks() == []
        assert list(container.layout.sandbox.iterdir()) == []
        sizes, summaries = container.layout.pack_sizes(), container.index.packs()
        assert all(summary.end <= sizes[pack] for pack, summary in summaries.items())
        if report.interrupted is None:
            break
        assert report.interrupted == 'SIGTERM'
        interrupted += 1
    else:
        pytest.fail('it never comes to its end')
    assert interrupted > 3
    assert container.get_info()['loose']['objects'] == 0


def test_a_time_budget_that_is_over_ends_the_work_and_is_the_reason(
    in_small_batches: Container, contents: Contents, maintain: Maintain
) -> None:
    container = in_small_batches
    put_loose(container, contents(40))
    report = maintain(container, stop=Stop(max_seconds=0))
    assert report.interrupted == 'the time that was given is over'
    assert container.get_info()['loose']['objects'] == 40
    assert maintain(container, stop=Stop(max_seconds=1000)).interrupted is None
    assert container.get_info()['loose']['objects'] == 0


# one packer at a time --------------------------------------------------------------------------------------


def test_two_maintenances_at_once_are_one_too_many(container: Container, maintain: Maintain) -> None:
    put_loose(container, [b'content'])
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        with packer_lock(container.layout):
            os.write(ready[1], b'.')
            os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    with pytest.raises(PackerBusy, match=rf'another maintenance packs this container now \(process {child} on '):
        maintain(container)
    assert not maintain(container, dry_run=True).nothing_to_do
    os.write(done[1], b'.')
    os.waitpid(child, 0)
    assert names(maintain(container)) == ['pack']


def test_a_plan_counts_what_loose_copies_of_packed_objects_give_back(container: Container, maintain: Maintain) -> None:
    put_loose(container, [b'content' * 100])
    copy = next(container.layout.loose_objects(container.config.loose_prefix_len))[0]
    path = Path(container.loose_path(copy))
    content = path.read_bytes()
    maintain(container)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    (planned,) = maintain(container, dry_run=True).steps
    assert (planned.write, planned.freed) == (0, 700)
    (done,) = maintain(container).steps
    assert done.freed == planned.freed


def test_the_right_to_pack_ends_with_its_process(container: Container, maintain: Maintain) -> None:
    put_loose(container, [b'content'])
    child = os.fork()
    if not child:
        with packer_lock(container.layout):
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert names(maintain(container)) == ['pack']
    assert not container.layout.packer_lock.with_suffix('.json').exists()


def test_the_lock_of_another_packer_is_respected_and_named(container: Container, maintain: Maintain) -> None:
    container.put_objects_into_pack([b'packed'])
    put_loose(container, [b'loose'])
    lock = container.layout.packs / '0.lock'
    lock.touch()
    with pytest.raises(PackerBusy, match=r'another program writes to pack 0 now: .*0\.lock is there.*full maintenance'):
        maintain(container)
    assert lock.exists()
    assert container.get_info()['loose']['objects'] == 1
    assert names(maintain(container, full=True)) == ['recover', 'pack']


def test_what_the_packs_have_already_opens_none(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = container.put_objects_into_pack([b'packed'])

    def refuse(*_: object) -> None:
        raise AssertionError('a pack was opened')

    monkeypatch.setattr(pack_writer, 'PackLock', refuse)
    assert container.put_objects_into_pack([b'packed']) == keys


SMALL_WRITES = {'group_objects': 4, 'flush_bytes': 1000}


def foreign_write(container: Container, monkeypatch: pytest.MonkeyPatch, act: Callable[[Path], None]) -> None:
    """Lets another program act on the pack just before the second stretch is written to it."""
    write, calls = os.write, iter(range(100))

    def writing(descriptor: int, content: Any) -> int:
        path = Path(f'/proc/self/fd/{descriptor}').readlink()
        if path.parent == container.layout.packs and next(calls) == 1:
            act(path)
        return write(descriptor, content)

    monkeypatch.setattr(pack_writer.os, 'write', writing)


def test_a_program_that_appends_to_the_pack_meanwhile_is_noticed_and_nothing_is_lost(
    limited: Callable[..., Container],
    contents: Contents,
    maintain: Maintain,
    assert_holds: Holds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = limited(**SMALL_WRITES)
    put_loose(container, contents(20))
    theirs = b'of the other program'

    def append(pack: Path) -> None:
        offset = pack.stat().st_size
        with pack.open('ab') as handle:
            handle.write(theirs)
        with sqlite3.connect(container.layout.index) as connection:
            row = (hashlib.sha256(theirs).hexdigest(), 0, len(theirs), offset, len(theirs), 0)
            connection.execute(f'INSERT INTO db_object ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)', row)
        connection.close()

    with monkeypatch.context() as patch:
        foreign_write(container, patch, append)
        with pytest.raises(PackerBusy, match='another program writes to pack 0 at the same time; nothing was lost'):
            maintain(container)
    assert_holds(container, [*contents(20), theirs])
    assert not maintain(container, full=True).problems
    assert_holds(container, [*contents(20), theirs])


def test_a_packer_that_walks_in_after_our_lock_was_removed_is_left_alone(
    limited: Callable[..., Container],
    contents: Contents,
    maintain: Maintain,
    assert_holds: Holds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = limited(**SMALL_WRITES)
    put_loose(container, contents(20))

    def walk_in(pack: Path) -> None:
        lock = pack.with_name(f'{pack.name}.lock')
        lock.unlink()
        lock.touch()

    with monkeypatch.context() as patch:
        foreign_write(container, patch, walk_in)
        with pytest.raises(PackerBusy):
            maintain(container)
    assert (container.layout.packs / '0.lock').exists()
    assert_holds(container, contents(20))


def test_a_pack_lock_that_a_failing_packer_removed_is_put_back(
    limited: Callable[..., Container],
    contents: Contents,
    maintain: Maintain,
    assert_holds: Holds,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = limited(**SMALL_WRITES)
    put_loose(container, contents(20))
    there: list[bool] = []

    def writing(pack: Path) -> None:
        lock = pack.with_name(f'{pack.name}.lock')
        there.append(lock.exists())
        lock.unlink()

    foreign_write(container, monkeypatch, writing)
    maintain(container)
    assert there == [True]
    assert container.layout.pack_locks() == []
    assert_holds(container, contents(20))


def test_a_pack_that_a_row_names_by_now_does_not_go_with_the_garbage(
    container: Container, maintain: Maintain, monkeypatch: pytest.MonkeyPatch
) -> None:
    (key,) = container.put_objects_into_pack([b'taken for garbage'])
    row = container.index.find(key)
    remove = Execution._remove_packed_garbage

    def and_is_put_back(run: Execution) -> None:
        remove(run)
        with container.index.transaction():
            container.index.put([row])

    monkeypatch.setattr(Execution, '_remove_packed_garbage', and_is_put_back)
    maintain(container, [], full=True)
    assert container.get_object_content(key) == b'taken for garbage'


def test_a_pack_that_was_rewritten_is_not_kept_open(
    container: Container, contents: Contents, maintain: Maintain
) -> None:
    container.put_objects_into_pack(contents(5))
    assert container.get_object_content(next(iter(container.list_objects())))
    maintain(container, full=True, repack='all', compress='yes')
    assert not container.layout.pack_path(0).exists()
    links = [path.readlink() for path in Path('/proc/self/fd').iterdir() if path.is_symlink()]
    assert [link for link in links if str(link).startswith(str(container.layout.packs / '0'))] == []


def test_told_to_stop_while_garbage_goes_the_rest_stays_for_the_next_run(container: Container) -> None:
    keys = put_loose(container, [b'%d' % number for number in range(500)])
    stop = Stop()

    class Stopping(Progress):
        def advance(self, amount: int) -> None:
            stop.request('SIGTERM')

    options = MaintenanceOptions(full=True)
    report = container.maintain(options, lambda: iter(()), Run(Stopping(), stop))
    assert report.interrupted == 'SIGTERM'
    assert report.after is not None
    assert report.after.garbage is None
    assert 0 < report.after.loose.objects < len(keys)
    after = container.maintain(options, lambda: iter(())).after
    assert after is not None
    assert (after.loose.objects, after.garbage) == (0, Amount())


# memory ----------------------------------------------------------------------------------------------------


def test_large_objects_are_packed_and_repacked_in_constant_memory(container: Container, maintain: Maintain) -> None:
    class Zeros:
        left = 96 << 20

        def read(self, size: int) -> bytes:
            piece = bytes(min(size, self.left))
            self.left -= len(piece)
            return piece

    key = container.put_object_from_filelike(Zeros())  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        maintain(container, compress='yes')
        for mode in ('keep', 'auto', 'no'):
            maintain(container, [key], full=True, repack='all', compress=mode)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 48 << 20
    assert container.get_object_size(key) == 96 << 20
    assert container.get_object_hash(key) == key


@pytest.fixture(autouse=True)
def nothing_is_left_open(container: Container) -> Iterator[None]:
    """No test leaves a file of a container open."""
    yield
    container.close()
    links = [path.readlink() for path in Path('/proc/self/fd').iterdir() if path.is_symlink()]
    assert [link for link in links if link.is_relative_to(container.layout.folder)] == []


def test_a_pack_that_ended_in_garbage_is_cut_in_the_same_run(container: Container, maintain: Maintain) -> None:
    keys = container.put_objects_into_pack([b'kept' * 100, b'garbage'])
    assert container.layout.pack_path(0).stat().st_size == 407
    report = maintain(container, keys[:1], full=True, repack='none')
    assert container.layout.pack_path(0).stat().st_size == 400
    assert report.steps[-1].freed == 7
    assert maintain(container, keys[:1], full=True, repack='none').nothing_to_do


@pytest.mark.parametrize(('repack', 'freed'), [('none', 400 + 27), ('all', 400 + 27 + 300)])
def test_a_plan_foretells_what_goes_with_packed_garbage(
    container: Container, maintain: Maintain, repack: str, freed: int
) -> None:
    container.put_objects_into_pack([b'gone' * 100])
    (container.layout.packs / '1').touch()  # the next goes there
    kept = container.put_objects_into_pack([b'mid' * 100, b'kept' * 100, b'end' * 9])[1:2]
    plan = maintain(container, kept, full=True, repack=repack, dry_run=True)
    report = maintain(container, kept, full=True, repack=repack)
    assert sum(step.freed for step in plan.steps) == sum(step.freed for step in report.steps) == freed
    assert plan.steps[0].freed == report.steps[0].freed


def test_a_plan_foretells_nothing_of_garbage_before_what_stays(container: Container, maintain: Maintain) -> None:
    kept = container.put_objects_into_pack([b'gone', b'kept' * 100])[1:]
    report = maintain(container, kept, full=True, dry_run=True)
    assert [(step.name, step.freed) for step in report.steps] == [('remove garbage', 0)]
