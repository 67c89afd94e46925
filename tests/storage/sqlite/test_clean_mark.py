"""A storage that was left clean is not compared key by key again, until anything in it has changed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import CleanMark, MaintenanceOptions, MaintenanceReport
from ricordi.backend.rows import EntityKind as K
from ricordi.backend.rows import NodeRow
from ricordi.repository.container.index import Index
from ricordi.storage import maintenance

FULL = MaintenanceOptions(full=True)


@pytest.fixture
def comparisons(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows each time the keys that nodes name are asked for."""
    asked: list[Any] = []
    ask = maintenance.named_keys
    monkeypatch.setattr(maintenance, 'named_keys', lambda session: asked.append(session) or ask(session))
    return asked


@pytest.fixture
def filled(storage: Any) -> Iterator[Any]:
    """A storage of some nodes with a file each, locked."""
    user = storage.insert(K.USER, [{'email': 'a'}])[0]
    for number in range(20):
        add_node(storage, user, b'%d' % number)
    with ProfileAccessManager(storage.profile).lock():
        yield storage


def add_node(storage: Any, user: int, content: bytes) -> int:
    key = storage.repository.put_object_from_bytes(content)
    row = {'user_pk': user, 'repository_metadata': {'o': {'file': {'k': key}}}}
    return storage.insert(K.NODE, [row])[0]


def maintained(storage: Any, before: MaintenanceReport | None = None, **changes: Any) -> MaintenanceReport:
    """A maintenance that knows how the one before has left the storage."""
    return storage.maintain(FULL._replace(clean=before.clean if before else None, **changes))


def test_what_was_left_clean_is_not_compared_again(filled: Any, comparisons: list[Any]) -> None:
    first = maintained(filled)
    assert first.clean is not None
    asked = len(comparisons)
    for changes in ({}, {'dry_run': True}, {}):
        again = maintained(filled, first, **changes)
        assert again.nothing_to_do
        assert again.before == first.after
    assert len(comparisons) == asked
    assert again.clean is not None
    assert (again.clean.database, again.clean.container) == (first.clean.database, first.clean.container)


def delete_a_node(storage: Any) -> None:
    storage.delete(K.NODE, [next(iter(storage.find(NodeRow))).pk])


def forget_a_file(storage: Any) -> None:
    storage.update(K.NODE, next(iter(storage.find(NodeRow))).pk, {'repository_metadata': {}})


def name_what_is_not_there(storage: Any) -> None:
    row = next(iter(storage.find(NodeRow)))
    storage.insert(K.NODE, [{'user_pk': row.user_pk, 'repository_metadata': {'o': {'file': {'k': 'a' * 64}}}}])


def lose_an_object(storage: Any) -> None:
    storage.repository.delete_objects([next(storage.repository.list_objects())])


def lose_a_pack(storage: Any) -> None:
    storage.repository.layout.pack_path(0).unlink()


def cut_a_pack(storage: Any) -> None:
    with storage.repository.layout.pack_path(0).open('r+b') as pack:
        pack.truncate(5)


def add_garbage(storage: Any) -> None:
    storage.repository.put_object_from_bytes(b'garbage')


def pack_garbage(storage: Any) -> None:
    storage.repository.put_objects_into_pack([b'garbage'])


any_change = pytest.mark.parametrize(
    ('change', 'found'),
    [
        (delete_a_node, 'garbage'),
        (forget_a_file, 'garbage'),
        (add_garbage, 'garbage'),
        (pack_garbage, 'garbage'),
        (name_what_is_not_there, 'missing'),
        (lose_an_object, 'missing'),
        (lose_a_pack, 'missing'),
        (cut_a_pack, 'damaged'),
    ],
)


@any_change
def test_any_change_is_found(filled: Any, change: Callable[[Any], None], found: str) -> None:
    first = maintained(filled)
    change(filled)
    report = maintained(filled, first)
    if found == 'garbage':
        assert report.before.garbage is not None
        assert report.before.garbage.objects == 1
    else:
        assert found in {problem.kind for problem in report.problems}
        assert report.clean is None


@pytest.fixture
def countings(monkeypatch: pytest.MonkeyPatch, every_container_has: Callable[..., None]) -> list[Any]:
    """Grows each time the rows of the index are counted; for containers whose index is at rest soon."""
    every_container_has(settled_seconds=0.05)
    counted: list[Any] = []
    count = Index._count_packs
    monkeypatch.setattr(Index, '_count_packs', lambda self, raw: counted.append(self) or count(self, raw))
    return counted


def at_rest(storage: Any) -> MaintenanceReport:
    """Maintenance until its mark tells of the index, too."""
    deadline = time.monotonic() + 60
    report = maintained(storage)
    while not (report.clean and report.clean.index_state):
        assert time.monotonic() < deadline, 'the index does not come to rest'
        storage.repository.index.suspend()  # the last one who closes it takes the log along
        time.sleep(0.1)
        report = maintained(storage)
    return report


def noted(report: MaintenanceReport) -> MaintenanceReport:
    """The report with its mark as it comes back from a file."""
    assert report.clean is not None
    return report._replace(clean=CleanMark(**json.loads(json.dumps(report.clean._asdict()))))


def test_nothing_is_counted_again_where_nobody_has_written_to_the_index(
    countings: list[Any], comparisons: list[Any], filled: Any
) -> None:
    first = at_rest(filled)
    before = len(countings), len(comparisons)
    again = maintained(filled, noted(first))
    assert again.nothing_to_do
    assert again.before == first.after
    assert again.clean == first.clean
    assert (len(countings), len(comparisons)) == before


@any_change
def test_any_change_is_found_though_the_index_was_counted(
    countings: list[Any], filled: Any, change: Callable[[Any], None], found: str
) -> None:
    first = noted(at_rest(filled))
    change(filled)
    report = maintained(filled, first)
    if found == 'garbage':
        assert report.before.garbage is not None
        assert report.before.garbage.objects == 1
    else:
        assert found in {problem.kind for problem in report.problems}
        assert report.clean is None


@pytest.mark.parametrize('packs', [[[0, 'a', 1, 1, 1, 1]], [[0]], [0], 'x', [[0, 10**6, 5, 5, 5, 0]]])
def test_a_note_that_says_what_cannot_be_is_not_believed(countings: list[Any], filled: Any, packs: Any) -> None:
    first = at_rest(filled)
    assert first.clean is not None
    again = maintained(filled, first._replace(clean=first.clean._replace(packs=packs)))
    assert again.nothing_to_do
    assert again.before == first.after


def test_live_maintenance_leaves_a_mark_too(filled: Any, comparisons: list[Any]) -> None:
    first = maintained(filled, full=False)
    asked = len(comparisons)
    for changes in ({'full': False}, {'full': True}):
        again = maintained(filled, first, **changes)
        assert again.before == first.after
        assert len(comparisons) == asked


def test_live_maintenance_tells_what_is_missing(filled: Any) -> None:
    name_what_is_not_there(filled)
    report = maintained(filled, full=False)
    assert [problem.kind for problem in report.problems] == ['missing']
    assert report.clean is None
    assert not list(filled.repository.layout.loose_objects(2))


def test_nothing_is_called_clean_that_changed_during_live_maintenance(filled: Any, monkeypatch: Any) -> None:
    ask = maintenance.named_keys

    def and_then_delete(session: Any) -> Iterator[str]:
        yield from ask(session)
        delete_a_node(filled)

    monkeypatch.setattr(maintenance, 'named_keys', and_then_delete)
    assert maintained(filled, full=False).clean is None


def test_an_object_of_a_node_in_the_making_is_nothing_to_be_called_clean_with(filled: Any, monkeypatch: Any) -> None:
    ask = maintenance.named_keys

    def and_then_add(session: Any) -> Iterator[str]:
        yield from ask(session)
        add_garbage(filled)

    monkeypatch.setattr(maintenance, 'named_keys', and_then_add)
    assert maintained(filled, full=False).clean is None


def test_a_plan_and_a_storage_with_problems_are_not_called_clean(filled: Any) -> None:
    assert maintained(filled, dry_run=True).clean is None
    name_what_is_not_there(filled)
    assert maintained(filled).clean is None


def test_new_nodes_of_another_session_are_seen(filled: Any) -> None:
    first = maintained(filled)
    row = next(iter(filled.find(NodeRow)))
    other = type(filled).open(filled.profile, filled.repository)
    other.insert(K.NODE, [{'user_pk': row.user_pk, 'repository_metadata': {'o': {'file': {'k': 'b' * 64}}}}])
    other.close()
    assert maintained(filled, first).problem_count == 1


def test_nodes_are_not_looked_at_where_no_transaction_has_ended(filled: Any, monkeypatch: Any) -> None:
    looks: list[Any] = []
    look = type(filled.dialect).nodes_mark
    monkeypatch.setattr(
        type(filled.dialect), 'nodes_mark', lambda self, session: looks.append(session) or look(self, session)
    )
    monkeypatch.setattr(type(filled.dialect), 'moment', lambda self, session: 'now')
    first = maintained(filled)
    looks.clear()
    assert maintained(filled, first).clean == first.clean
    assert not looks
    monkeypatch.setattr(type(filled.dialect), 'moment', lambda self, session: 'later')
    assert maintained(filled, first).clean == first.clean._replace(moment='later')
    assert looks


def test_any_transaction_makes_another_moment_and_none_the_same(filled: Any) -> None:
    def moment() -> str:
        return filled.dialect.moment(filled.session)

    if filled.dialect.name == 'sqlite':
        assert moment() == ''
        return
    assert any(moment() == moment() for _ in range(100))  # but for those of other programs
    before = moment()
    delete_a_node(filled)
    assert moment() != before
