"""What was read is remembered: what was read longest ago comes first, and what has changed counts as unread."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deadlines import wait_until
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Subset, Topic, VerificationState, VerifyOptions
from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.verification.container import notes_of
from ricordi.repository.verification.notes import Notes
from ricordi.repository.verification.places import Cell, known_cells

Contents = Callable[..., list[bytes]]
CELL = 20_000
DAY = 86_400


@pytest.fixture
def packed(container: Container, contents: Contents, limited: Callable[..., Container]) -> Container:
    """Two packs of several cells each."""
    container.put_objects_into_pack(contents(100))
    container.layout.pack_path(0).chmod(0o644)
    packed = limited(cell_bytes=CELL, question_objects=7)
    assert len(known_cells(packed.index, CELL)) > 5
    return packed


class Heard(Progress):
    """Which bytes were told, and how many there are in all."""

    total: int | None = None
    told = 0

    def begin(self, step: str, total: int | None, unit: Any = 'bytes') -> None:
        self.total, self.told = total, 0

    def advance(self, amount: int) -> None:
        self.told += amount


def read(container: Container, subset: Subset | None = None, stop: Stop | None = None) -> dict[str, Topic]:
    """Verify with reading; on healthy data."""
    found = list(container.verify(VerifyOptions(True, subset), lambda: iter(()), Run(stop=stop or Stop())))
    assert [one for one in found if isinstance(one, Finding) and not one.notice] == []
    return {one.name: one for one in found if isinstance(one, Topic)}


def state(container: Container) -> VerificationState:
    found = container.verification_state()
    assert found is not None
    return found


def times(container: Container) -> list[int]:
    """When each cell was read, in the order of the pack; 0: it counts as unread."""
    notes = notes_of(container)
    return [notes.time_of(cell) for cell in known_cells(container.index, container.limits.cell_bytes)]


def change_note(container: Container, change: Callable[[dict[str, Any]], Any]) -> None:
    noted = json.loads(container.layout.verified.read_bytes())
    change(noted)
    container.layout.verified.write_text(json.dumps(noted))


def age(container: Container, days: int) -> None:
    """As if all that was read had been read so long ago."""

    def change(noted: dict[str, Any]) -> None:
        for pack in noted['packs'].values():
            for cell in pack['cells'].values():
                cell[0] -= days * DAY

    change_note(container, change)


def test_before_the_first_time_nothing_is_known(packed: Container) -> None:
    assert state(packed) == VerificationState()
    assert not packed.layout.verified.exists()


def test_of_what_was_never_read_the_bytes_are_known_without_its_cells(
    packed: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert packed.note_verified(0) == ''
    asked = list[object]()
    monkeypatch.setattr('ricordi.repository.verification.container.known_cells', lambda *cut: asked.append(cut))
    found, size = state(packed), packed.layout.pack_path(0).stat().st_size
    assert (found.total, found.read, found.oldest) == (size, 0, None)
    assert found.structure is not None
    assert not asked


def test_what_was_read_is_remembered(packed: Container) -> None:
    topics = read(packed)
    size = packed.layout.pack_path(0).stat().st_size
    assert topics['content of packs'].bytes == size
    assert (state(packed).total, state(packed).read, state(packed).recent) == (size, size, size)
    assert state(packed).oldest is not None
    assert all(times(packed))


def test_parts_go_on_with_what_was_read_longest_ago(packed: Container) -> None:
    runs = 0
    while not all(times(packed)):
        before = times(packed)
        assert read(packed, Subset(share=0.2))['content of packs'].bytes > 0
        assert sum(map(bool, times(packed))) > sum(map(bool, before)), 'what was read already was read again'
        runs += 1
    assert 3 <= runs <= 5
    age(packed, 3)
    before = times(packed)
    read(packed, Subset(size=CELL))
    first = times(packed)
    assert [now > then for now, then in zip(first, before, strict=True)].count(True) in (1, 2)
    read(packed, Subset(size=CELL))
    assert [now for now, then in zip(times(packed), first, strict=True) if now > then and then > before[0]] == []


def test_fixed_parts_come_to_all(packed: Container) -> None:
    size = packed.layout.pack_path(0).stat().st_size
    parts = [read(packed, Subset(part=part, parts=3))['content of packs'].bytes for part in (1, 2, 3)]
    assert min(parts) > 0
    assert sum(parts) == size == state(packed).read


def test_what_was_read_long_ago_is_told_apart(packed: Container) -> None:
    read(packed)
    age(packed, 40)
    assert (state(packed).read, state(packed).recent) == (state(packed).total, 0)
    read(packed, Subset(share=0.5))
    assert 0.4 < state(packed).recent_share < 0.8


def test_what_is_appended_is_unread_and_the_rest_is_not(packed: Container, contents: Contents) -> None:
    read(packed)
    before = state(packed).read
    packed.put_objects_into_pack(contents(30, seed=5))
    noted = times(packed)
    assert noted[-1] == 0
    assert noted.count(0) < len(noted) / 2
    assert before - CELL < state(packed).read <= before < state(packed).total
    read(packed, Subset(size=1))
    assert state(packed).read > before - CELL


def kept_cells(container: Container) -> list[Cell]:
    """The cells as they are now, found by what was kept of them."""
    return known_cells(container.index, CELL, notes_of(container).kept_cells)


def test_cells_that_were_kept_spare_the_way_through_the_index(packed: Container) -> None:
    read(packed)
    assert kept_cells(packed) == [cell._replace(place=0) for cell in known_cells(packed.index, CELL)]
    change_note(packed, lambda noted: noted['index']['cells'].pop())
    assert len(kept_cells(packed)) == len(known_cells(packed.index, CELL)) - 1


def test_to_cells_that_were_kept_come_those_of_new_rows(packed: Container, contents: Contents) -> None:
    read(packed)
    packed.put_objects_into_pack(contents(30, seed=5))
    change_note(packed, lambda noted: noted['index']['cells'][0].__setitem__(2, 123_456))
    first, *rest = kept_cells(packed)
    assert first.objects == 123_456, 'the whole index was looked at'
    assert [cell[:-1] for cell in rest] == [cell[:-1] for cell in known_cells(packed.index, CELL)[1:]]


@pytest.mark.parametrize(
    'change',
    [
        'DELETE FROM db_object WHERE id = 3',
        'UPDATE db_object SET "offset" = "offset" + 1 WHERE id = 3',
        'UPDATE db_object SET size = size - 1, length = length - 1, compressed = 1 WHERE id = 3',
        'UPDATE db_object SET pack_id = 7 WHERE id = 3',
    ],
)
def test_after_any_row_has_changed_all_cells_are_found_anew(packed: Container, change: str) -> None:
    read(packed)
    with packed.index.transaction():
        packed.index.connection.execute(change)
    assert kept_cells(packed) == known_cells(packed.index, CELL)


def test_a_cell_that_others_came_into_from_a_gap_is_unread(packed: Container) -> None:
    with packed.index.transaction():
        (gone,) = packed.index.connection.execute('SELECT hashkey FROM db_object WHERE id = 3').fetchall()
        packed.index.connection.execute('DELETE FROM db_object WHERE id = 3')
    read(packed)
    with packed.index.transaction():
        packed.index.connection.execute(
            'INSERT INTO db_object (hashkey, compressed, size, "offset", length, pack_id) '
            'SELECT ?, 0, 0, "offset", 0, pack_id FROM db_object WHERE id = 4',
            gone,
        )
    first, *rest = kept_cells(packed)
    assert (first.last, first.objects) == ('', known_cells(packed.index, CELL)[0].objects)
    assert rest == [cell._replace(place=0) for cell in known_cells(packed.index, CELL)[1:]]


def test_a_pack_that_is_another_file_counts_as_unread(packed: Container) -> None:
    read(packed)
    path = packed.layout.pack_path(0)
    path.rename(path.with_name('aside'))
    shutil.copy(path.with_name('aside'), path)
    assert set(times(packed)) == {0}
    assert state(packed).read == 0


def test_a_copy_of_the_container_was_never_read(packed: Container, tmp_path: Path) -> None:
    read(packed)
    packed.index.checkpoint()
    shutil.copytree(packed.layout.folder, tmp_path / 'copy')
    with Container(tmp_path / 'copy', packed.limits) as copy:
        assert state(copy).read == 0
        read(copy)
        assert state(copy).read == state(copy).total


def test_repacked_packs_are_unread_and_forgotten_ones_leave_the_note(
    packed: Container, maintain: Callable[..., Any]
) -> None:
    read(packed)
    keys = list(packed.list_objects())
    maintain(packed, keys[::2], full=True, repack='all')
    assert state(packed).read == 0
    read(packed)
    noted = json.loads(packed.layout.verified.read_bytes())
    assert set(noted['packs']) == {str(pack_id) for pack_id in packed.layout.pack_sizes()}
    assert state(packed).read == state(packed).total


def test_new_loose_objects_are_unread(container: Container) -> None:
    key = container.put_object_from_bytes(b'loose')
    begun = Path(container.loose_path(key)).stat().st_ctime
    wait_until(lambda: time.time() > begun + 1.1, 'the clock goes on')
    assert read(container)['content of loose files'].checked == 1
    assert (state(container).read, state(container).total) == (5, 5)
    container.put_object_from_bytes(b'another')
    assert (state(container).read, state(container).total) == (5, 12)


def test_what_is_damaged_is_looked_at_each_time_until_it_is_right_again(packed: Container) -> None:
    row = next(iter(packed.index.objects_of_pack(0)))
    path = packed.layout.pack_path(row.pack_id)
    whole = path.read_bytes()
    with path.open('r+b') as handle:
        handle.seek(row.offset)
        handle.write(bytes(byte ^ 1 for byte in whole[row.offset : row.offset + row.length]))

    def found(options: VerifyOptions) -> list[str]:
        found = packed.verify(options, lambda: iter(()))
        return [one.key for one in found if isinstance(one, Finding)]

    assert found(VerifyOptions()) == []
    assert found(VerifyOptions(read=True)) == [row.key]
    assert state(packed).findings == 1
    assert found(VerifyOptions()) == [row.key]
    assert found(VerifyOptions(True, Subset(size=1))) == [row.key]
    with path.open('r+b') as handle:
        handle.write(whole)
    assert found(VerifyOptions()) == []
    assert state(packed).findings == 0


def test_the_structure_is_noted_with_its_findings(container: Container) -> None:
    assert container.note_verified(3) == ''
    known = state(container)
    assert known.structure is not None
    assert known.findings == 3
    assert container.note_verified(0) == ''
    assert state(container).findings == 0


def test_two_verifications_at_once_lose_nothing_of_each_other(packed: Container) -> None:
    cells = known_cells(packed.index, CELL)
    one, other = notes_of(packed), notes_of(packed)
    one.mark(cells[0])
    other.mark(cells[1])
    other.mark_structure(2)
    one.add_damaged('ab' * 32)
    assert other.save() == one.save() == ''
    assert [bool(seconds) for seconds in times(packed)[:3]] == [True, True, False]
    assert state(packed).findings == 3


@pytest.mark.parametrize(
    'content',
    [
        b'',
        b'{',
        b'[]',
        b'"x"',
        b'[' * 100_000,
        b'\xff',
        b'{"version": 2}',
        b'{"version": 1, "packs": {"0": {"cells": {}}}}',
    ],
)
def test_a_note_that_cannot_be_understood_is_as_if_there_were_none(packed: Container, content: bytes) -> None:
    packed.layout.verified.write_bytes(content)
    assert state(packed) == VerificationState()
    read(packed)
    assert all(times(packed))


ODD: list[Any] = [None, -1, 1e300, 'x', [], {}, [1], [None] * 3, [1 << 80, 'x', 'y'], True, 99_999_999_999]


@pytest.mark.parametrize('value', ODD)
@pytest.mark.parametrize(
    'place',
    ['structure', 'packs', 'index', 'loose', 'damaged', 'more_damaged', 'pack', 'cells', 'cell', 'a', 'mark', 'kept'],
)
def test_odd_values_in_a_note_are_passed_over(packed: Container, place: str, value: Any) -> None:
    read(packed)

    def change(noted: dict[str, Any]) -> None:
        if place == 'pack':
            noted['packs'] = {'0': value, 'x': value, '-': value}
        elif place == 'cells':
            noted['packs']['0']['cells'] = value
        elif place == 'cell':
            noted['packs']['0']['cells'] = {'0': value, 'x': value}
        elif place == 'mark':
            noted['index']['mark'] = value
        elif place == 'kept':
            noted['index']['cells'] = [value]
        elif place == 'a':
            noted['loose'] = {'a': value, 'xyz': value}
        else:
            noted[place] = value

    change_note(packed, change)
    known = state(packed)
    assert known.read <= known.total or not known.total
    read(packed)
    assert state(packed).read == state(packed).total


def test_a_time_to_come_is_none(packed: Container) -> None:
    read(packed)
    age(packed, -400)
    assert state(packed).read == 0


def test_where_nothing_can_be_written_verification_goes_on_and_says_so(
    packed: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Notes, content: bytes) -> None:
        raise OSError(30, os.strerror(30), 'x')

    monkeypatch.setattr(Notes, '_write', refuse)
    found = list(packed.verify(VerifyOptions(read=True), lambda: iter(())))
    assert [one.kind for one in found if isinstance(one, Finding)] == ['not remembered']
    assert packed.note_verified(0) == os.strerror(30)


@pytest.mark.parametrize('readers', [0, 2])
def test_a_stop_in_the_midst_keeps_what_was_read(
    packed: Container, limited: Callable[..., Container], readers: int
) -> None:
    container = limited(cell_bytes=CELL, question_objects=3, share_bytes=1, processors=readers, note_seconds=0.0)

    class StopSoon(Heard):
        def advance(self, amount: int) -> None:
            super().advance(amount)
            if self.total and self.told > self.total // 2:
                stop.request('SIGINT')

    stop = Stop()
    progress = StopSoon()
    found = list(container.verify(VerifyOptions(read=True), lambda: iter(()), Run(progress, stop)))
    topics = {one.name: one for one in found if isinstance(one, Topic)}
    assert not topics['content of packs'].complete
    done = sum(map(bool, times(container)))
    assert 0 < done < len(times(container))
    begun = progress.total
    container.close()
    rest = Heard()
    list(container.verify(VerifyOptions(read=True), lambda: iter(()), Run(rest)))
    assert rest.total == begun
    assert all(times(container))


def test_a_stop_that_comes_when_all_is_done_is_none(packed: Container) -> None:
    class StopAtTheEnd(Heard):
        def advance(self, amount: int) -> None:
            super().advance(amount)
            if self.told == self.total:
                stop.request('SIGTERM')

    stop = Stop()
    found = list(packed.verify(VerifyOptions(read=True), lambda: iter(()), Run(StopAtTheEnd(), stop)))
    assert all(one.complete for one in found if isinstance(one, Topic))
