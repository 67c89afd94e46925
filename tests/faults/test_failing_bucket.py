"""An object store that fails at any one request: what is asked for is done all the same, or the error says why not.

Never are other bytes given than were put, and nothing that was put is lost.
"""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from failing_proxy import (
    ALTERED,
    ALTERED_REQUEST,
    CUT_ANSWER,
    CUT_REQUEST,
    EXPIRED,
    FULL,
    INTERNAL_ERROR,
    LASTING,
    PASSING,
    QUOTA,
    SILENT,
    FailingProxy,
    Fault,
    running_proxy,
)
from object_stores import ObjectStoreServer
from ricordi.backend.bucket import BucketLocation
from ricordi.backend.maintenance import MaintenanceOptions
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.backup.key_spool import lacking
from ricordi.errors import CorruptStorage, NotEnoughSpace, StorageError, UnreachableStorage

pytest.importorskip('obstore')

from ricordi.repository.bucket.bucket import BucketRepository
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.container.container import Container

PART = 5 << 20
"""Bytes; stores take no smaller parts, but for the last."""
LIMITS = BucketLimits(
    inline_bytes=1000,
    large_bytes=100_000,
    part_bytes=PART,
    read_bytes=PART // 50,
    window_bytes=40_000,
    tries=3,
    pause_seconds=0.01,
    retries=2,
)


@dataclass
class Failing:
    """A store behind the proxy, and what was put into it and acknowledged."""

    repository: BucketRepository
    proxy: FailingProxy
    folder: Path
    put: dict[str, bytes] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def content(self, size: int) -> bytes:
        return self.chance.randbytes(size)

    def acknowledge(self, keys: list[str], contents: list[bytes]) -> None:
        self.put.update(zip(keys, contents, strict=True))

    def all_is_there(self) -> None:
        """All that was acknowledged is given, as it was put."""
        self.proxy.clear()
        found = {key: stream.read() for key, stream in self.repository.iter_object_streams([*self.put])}
        assert found == self.put


@pytest.fixture
def new_failing(
    object_store: ObjectStoreServer,
    new_bucket: Callable[[], str],
    new_database: Callable[[], str],
    postgres: Any,
    tmp_path: Path,
) -> Iterator[Callable[[BucketLimits], Failing]]:
    with running_proxy(object_store.endpoint) as proxy:
        database = {'host': postgres.host, 'port': postgres.port, 'user': 'postgres', 'dbname': new_database()}
        location = BucketLocation(
            database,
            new_bucket(),
            endpoint=proxy.endpoint,
            access_key_id=object_store.access_key,
            secret_access_key=object_store.secret_key,
        )

        def make(limits: BucketLimits) -> Failing:
            repository = BucketRepository(location, limits)
            if not repository.is_initialised:
                repository.initialise()
            made.append(repository)
            return Failing(repository, proxy, tmp_path)

        made: list[BucketRepository] = []
        yield make
        for repository in made:
            repository.close()


@pytest.fixture
def failing(new_failing: Callable[[BucketLimits], Failing]) -> Failing:
    return new_failing(LIMITS)


# what is done ----------------------------------------------------------------------------------------------


def put_one(store: Failing) -> None:
    content = store.content(5000)
    store.acknowledge([store.repository.put_object_from_bytes(content)], [content])


def put_many(store: Failing) -> None:
    contents = [store.content(2000 + number) for number in range(20)]
    store.acknowledge(store.repository.put_objects(contents), contents)


def put_large(store: Failing) -> None:
    content = store.content(PART + 1000)
    store.acknowledge([store.repository.put_object_from_filelike(io.BytesIO(content))], [content])


def put_medium(store: Failing) -> None:
    """Large enough to be read by pieces."""
    content = store.content(3 * LIMITS.read_bytes)
    store.acknowledge([store.repository.put_object_from_filelike(io.BytesIO(content))], [content])


def read_one(store: Failing) -> None:
    key, content = next(iter(store.put.items()))
    assert store.repository.get_object_content(key) == content


def read_many(store: Failing) -> None:
    found = {key: stream.read() for key, stream in store.repository.iter_object_streams([*store.put])}
    assert found == store.put


def read_stream(store: Failing) -> None:
    ((key, content),) = store.put.items()
    with store.repository.open(key) as handle:
        assert b''.join(iter(lambda: handle.read(30_000), b'')) == content


def read_whole(store: Failing) -> None:
    """As `storage verify --read` does it: bytes that come otherwise once are no damage."""
    (key,) = store.put
    assert store.repository.get_object_hash(key) == key


def pack(store: Failing) -> None:
    contents = [store.content(500) for _ in range(3)]
    store.acknowledge([store.repository.put_object_from_bytes(content) for content in contents], contents)
    maintain(store, MaintenanceOptions())


def repack(store: Failing) -> None:
    maintain(store, MaintenanceOptions(full=True, repack='all'))


def maintain(store: Failing, options: MaintenanceOptions) -> None:
    """Maintain; nothing that was put may be taken for damaged, garbage or missing."""
    report = store.repository.maintain(options, lambda: iter(sorted(store.put)))
    assert not report.problems


def move_in(store: Failing) -> None:
    """As `storage move` does it: copy what is lacking, then read all of it back."""
    with Container(store.folder / 'source') as source:
        copy(source, store.repository)
        told = store.repository.verify(VerifyOptions(read=True, remember=False), lambda: iter(sorted(store.put)))
        assert not [one for one in told if isinstance(one, Finding)]


def move_out(store: Failing) -> None:
    """The same the other way, into a container that may have some by then."""
    with Container(store.folder / 'destination') as destination:
        if not destination.is_initialised:
            destination.initialise()
        copy(store.repository, destination)
        assert {key: destination.get_object_content(key) for key in destination.list_objects()} == store.put


def copy(source: RepositoryBackend, destination: RepositoryBackend) -> None:
    destination.put_known_objects(
        lambda: source.known_objects(lacking(source.list_objects(), destination.list_objects())), lambda size: None
    )


Deed = Callable[[Failing], None]
BEFORE: dict[Deed, Deed] = {read_many: put_many, read_stream: put_medium, read_whole: put_medium, repack: put_many}
"""What is put for that which reads it, or writes it anew."""


def requests_of(deed: Deed, store: Failing) -> list[str]:
    """What is asked of the store when all goes well."""
    store.proxy.clear()
    deed(store)
    return [*store.proxy.kinds]


def attempt(deed: Deed, store: Failing, fault: Fault, at: int, lasting: bool = False) -> StorageError | None:
    """Do something while a request fails; the error, if there is one."""
    store.proxy.fail(fault, at, lasting)
    try:
        deed(store)
    except StorageError as error:
        return error
    return None


# the tests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('deed', [put_one, put_many, read_one, read_many, read_stream, read_whole, pack, repack])
def test_what_fails_once_is_done_all_the_same(deed: Deed, failing: Failing) -> None:
    BEFORE.get(deed, put_one)(failing)
    for number, kind in enumerate(requests_of(deed, failing), 1):
        for fault in PASSING:
            error = attempt(deed, failing, fault, number)
            if kind in ('delete', 'list'):  # only tidying: the next maintenance does it
                assert error is None or type(error) is UnreachableStorage
            elif deed is read_stream and fault is ALTERED:  # pieces of it are given away before its end is known
                assert type(error) is CorruptStorage
            else:
                assert error is None, (fault, number)
    failing.all_is_there()


def test_a_stream_that_is_put_comes_in_whole_or_with_an_error(
    new_failing: Callable[[BucketLimits], Failing],
) -> None:
    failing = new_failing(LIMITS._replace(read_bytes=PART))
    kinds = requests_of(put_large, failing)
    assert {'begin', 'part', 'end'} <= {*kinds}
    for number, kind in enumerate(kinds, 1):
        for fault in {'begin': (INTERNAL_ERROR,), 'part': (CUT_REQUEST, ALTERED_REQUEST)}.get(kind, (CUT_ANSWER,)):
            error = attempt(put_large, failing, fault, number)
            assert error is None or type(error) is UnreachableStorage, (fault, number)
            if fault is ALTERED_REQUEST:
                assert 'otherwise than it was sent' in str(error)
    failing.all_is_there()


@pytest.mark.parametrize('deed', [put_one, put_many, read_one, read_many, pack, repack])
def test_what_goes_on_failing_is_an_error_that_names_the_place(deed: Deed, failing: Failing) -> None:
    BEFORE.get(deed, put_one)(failing)
    for number in range(1, len(requests_of(deed, failing)) + 1):
        for fault in LASTING if number == 1 else (INTERNAL_ERROR, EXPIRED, FULL):
            error = attempt(deed, failing, fault, number, lasting=True)
            assert is_told(error, fault, failing), (fault, number, error)
    failing.proxy.clear()
    deed(failing)
    failing.all_is_there()


def test_a_stream_that_cannot_be_put_is_an_error_that_names_the_place(
    new_failing: Callable[[BucketLimits], Failing],
) -> None:
    failing = new_failing(LIMITS._replace(read_bytes=PART))
    kinds = requests_of(put_large, failing)
    for number, fault in zip(range(1, len(kinds) + 1), (EXPIRED, QUOTA, CUT_REQUEST, INTERNAL_ERROR), strict=True):
        error = attempt(put_large, failing, fault, number, lasting=True)
        assert is_told(error, fault, failing), (fault, number, error)
    failing.all_is_there()


def test_a_request_that_is_never_answered_is_sent_again(new_failing: Callable[[BucketLimits], Failing]) -> None:
    failing = new_failing(LIMITS._replace(request_seconds=2, retries=20, retry_seconds=600))
    for deed in (put_one, read_one, pack, repack):
        assert attempt(deed, failing, SILENT, at=1) is None
    failing.all_is_there()


def begin_move_in(failing: Failing) -> None:
    """An empty bucket, and a container with objects, one of them large."""
    failing.proxy.clear()
    failing.repository.erase()
    failing.repository.initialise()
    if not failing.put:
        with Container(failing.folder / 'source') as source:
            source.initialise()
            contents = [failing.content(size) for size in (*range(2000, 2010), 3 * LIMITS.read_bytes)]
            failing.acknowledge([source.put_object_from_bytes(content) for content in contents], contents)


def begin_move_out(failing: Failing) -> None:
    """A bucket with objects, one of them large, and no container yet."""
    failing.proxy.clear()
    shutil.rmtree(failing.folder / 'destination', ignore_errors=True)
    if not failing.put:
        put_many(failing)
        put_medium(failing)


@pytest.mark.parametrize(('begin', 'move'), [(begin_move_in, move_in), (begin_move_out, move_out)])
@pytest.mark.parametrize('lasting', [False, True])
def test_a_move_is_whole_or_ends_with_an_error_and_goes_on(
    begin: Deed, move: Deed, lasting: bool, failing: Failing
) -> None:
    begin(failing)
    requests, faults = len(requests_of(move, failing)), LASTING if lasting else PASSING
    for turn in range(max(requests, len(faults))):  # each request fails once at least, and in each way one
        number, fault = 1 + turn % requests, faults[turn % len(faults)]
        begin(failing)
        error = attempt(move, failing, fault, number, lasting)
        if lasting:
            assert is_told(error, fault, failing), (fault, number, error)
        elif error is not None:
            assert type(error) in (UnreachableStorage, CorruptStorage), (fault, number, error)
        failing.proxy.clear()
        move(failing)
    failing.all_is_there()


def is_told(error: StorageError | None, fault: Fault, failing: Failing) -> bool:
    """Whether an error says what is wrong, where, and no secret."""
    kind = NotEnoughSpace if fault in (QUOTA, FULL) else UnreachableStorage
    location, told = failing.repository.location, str(error)
    return type(error) is kind and location.bucket in told and location.secret_access_key not in told
