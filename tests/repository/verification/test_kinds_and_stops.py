"""Every kind of finding is in the page; a verification that is told to end does so in the midst of a large object."""

from __future__ import annotations

import ast
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from deadlines import DEADLINE
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.cli.storage import verification_report as told
from ricordi.progress import Progress, Run, Stop
from ricordi.repository.container.container import Container
from ricordi.repository.sandbox import SandboxRepository
from ricordi.repository.verification import reader
from ricordi.repository.verification.reading import _Readers
from ricordi.repository.worker_process import WorkerProcess

ROOT = Path(__file__).parents[3]
SOURCES = [
    *sorted((ROOT / 'src' / 'ricordi' / 'repository' / 'verification').glob('*.py')),
    ROOT / 'src' / 'ricordi' / 'services' / 'verify.py',
    ROOT / 'src' / 'ricordi' / 'backend' / 'plain_verification.py',
]


def kinds() -> Iterator[str]:
    """The first word of each finding that is made in the sources."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ('Finding', '_counted')
            ):
                for argument in node.args[:2]:
                    yield from (
                        one.value
                        for one in ast.walk(argument)
                        if isinstance(one, ast.Constant) and isinstance(one.value, str) and ' ' in one.value
                    )
                    if node.func.id == 'Finding':
                        break


def test_every_kind_is_in_the_page() -> None:
    text = (ROOT / 'docs' / 'verify.md').read_text(encoding='utf-8')
    found = set(kinds())
    assert len(found) > 12
    assert {kind for kind in found if f'`{kind}`' not in text} == set()


def test_every_remedy_has_words() -> None:
    from typing import get_args

    from ricordi.backend.verification import Cure

    assert set(told.WAYS_OUT) == set(get_args(Cure)) - {''}


@pytest.mark.parametrize('compress', ['yes', 'no'])
@pytest.mark.parametrize('readers', [0, 2])
def test_a_stop_ends_the_reading_of_a_large_object(
    container: Container,
    limited: Callable[..., Container],
    compress: str,
    readers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container.put_objects_into_pack([b'0123456789' * 2_000_000], compress)  # type: ignore[arg-type]
    small = limited(large_bytes=1000, share_bytes=1, processors=readers)
    stop = Stop()

    class StopAtOnce(Progress):
        def begin(self, step: str, total: int | None, unit: Any = 'bytes') -> None:
            if step == 'read content':
                stop.request('SIGTERM')

    found = list(small.verify(VerifyOptions(read=True), lambda: iter(()), Run(StopAtOnce(), stop)))
    (content,) = (one for one in found if isinstance(one, Topic) and one.name == 'content of packs')
    assert not content.complete
    assert [one for one in found if isinstance(one, Finding)] == []


def test_processes_that_are_started_when_all_is_to_end_are_asked_nothing(
    container: Container, limited: Callable[..., Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever ends the others has looked for them before these were there."""
    container.put_objects_into_pack([b'0123456789' * 2000])
    small, stop, begin = limited(large_bytes=1000, share_bytes=1, processors=2), Stop(), WorkerProcess.__init__
    ended = threading.Event()
    end = _Readers.end

    def slowly(worker: WorkerProcess, *arguments: Any, **options: Any) -> None:
        stop.request('SIGTERM')
        assert ended.wait(DEADLINE)
        begin(worker, *arguments, **options)

    def noted(readers: _Readers) -> None:
        end(readers)
        ended.set()

    monkeypatch.setattr(WorkerProcess, '__init__', slowly)
    monkeypatch.setattr(WorkerProcess, 'ask', lambda worker, question: pytest.fail('one is asked'))
    monkeypatch.setattr(_Readers, 'end', noted)
    found = list(small.verify(VerifyOptions(read=True), lambda: iter(()), Run(stop=stop)))
    assert [one.complete for one in found if isinstance(one, Topic)][-1] is False


def test_who_reads_asks_whether_to_go_on_within_an_object(container: Container) -> None:
    content = b'x' * 5_000_000
    (key,) = container.put_objects_into_pack([content])
    row = container.index.find(key)
    asked: list[int] = []

    def twice(length: int) -> bool:
        asked.append(length)
        return len(asked) < 2

    with pytest.raises(reader.Told):
        reader.fault_of_row(container.layout.pack_path(0), row, twice)
    loose = Path(container.loose_path(container.put_object_from_bytes(b'y' * 3_000_000)))
    asked.clear()
    with pytest.raises(reader.Told):
        reader.read_file(loose, 'a' * 64, twice)


def test_large_objects_are_read_in_pieces_and_found_damaged_all_the_same(
    container: Container, limited: Callable[..., Container]
) -> None:
    contents = [b'%d ' % number * 200_000 for number in range(3)]
    keys = container.put_objects_into_pack(contents[:2]) + container.put_objects_into_pack(contents[2:], 'yes')
    small = limited(large_bytes=1000)
    assert [
        one for one in small.verify(VerifyOptions(read=True), lambda: iter(sorted(keys))) if isinstance(one, Finding)
    ] == []
    rows = [container.index.find(key) for key in keys[1:]]
    for row in rows:
        with container.layout.pack_path(row.pack_id).open('r+b') as pack:
            pack.seek(row.offset + row.length - 3)
            pack.write(b'\x00\xff\x00')
    found = [
        one for one in small.verify(VerifyOptions(read=True), lambda: iter(sorted(keys))) if isinstance(one, Finding)
    ]
    assert {(one.kind, one.key) for one in found} == {('damaged object', key) for key in keys[1:]}


class Plain(SandboxRepository):
    """A store of which a verification knows nothing but the contract."""

    verify = RepositoryBackend.verify


def test_a_store_that_brings_no_verification_is_read_by_the_contract() -> None:
    with Plain() as store:
        store.initialise()
        keys = sorted(store.put_object_from_bytes(content) for content in (b'a', b'bb', b'ccc'))
        absent = hashlib.sha256(b'absent').hexdigest()
        found = list(store.verify(VerifyOptions(read=True), lambda: iter(sorted([*keys, absent]))))
        assert [(one.kind, one.key) for one in found if isinstance(one, Finding)] == [('missing object', absent)]
        assert [(one.name, one.checked) for one in found if isinstance(one, Topic)] == [
            ('named objects', 4),
            ('content of objects', 3),
        ]
        assert found[-1].bytes == 6  # type: ignore[union-attr]
        assert store.note_verified(0) == ''
        assert store.verification_state() is None
        stop = Stop()
        stop.request('SIGINT')
        stopped = list(store.verify(VerifyOptions(read=True), lambda: iter(keys), Run(stop=stop)))
        assert [one.complete for one in stopped if isinstance(one, Topic)] == [False]
