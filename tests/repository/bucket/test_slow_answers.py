"""Who waits for a store that takes connections and says nothing is told so, and for how long; and it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from deadlines import DEADLINE, wait_until
from ricordi.backend.bucket import BucketLocation
from ricordi.errors import SlowAnswer, UnreachableStorage
from ricordi.repository.bucket.limits import USUAL, BucketLimits
from ricordi.repository.bucket.making import is_bucket
from ricordi.repository.bucket.objects import PackStore, open_client
from ricordi.repository.bucket.publishing import PackDraft, Publisher
from ricordi.slow_answers import AnswerWatch
from silent_server import SilentServer, silent_server

QUICK = USUAL._replace(
    part_bytes=1,
    request_seconds=1.5,
    retry_seconds=1.0,
    answer_seconds=1.0,
    patience_seconds=0.2,
    retries=0,
    pause_seconds=0.01,
)
"""A request ends soon, perhaps before the thread that watches it comes to work."""
PATIENT = QUICK._replace(request_seconds=DEADLINE, answer_seconds=DEADLINE)
"""A request goes on until the server hangs up."""
whatever_is_told = pytest.mark.filterwarnings('ignore::ricordi.errors.SlowAnswer')
DEEDS: dict[str, Callable[[PackStore], object]] = {
    'size': lambda store: store.size('x'),
    'get': lambda store: store.get('x'),
    'put': lambda store: store.put('x', b'1'),
    'put_stream': lambda store: store.put_stream('x', iter([b'1'])),
    'delete': lambda store: store.delete(['x']),
    'listed': lambda store: list(store.listed()),
    'range': lambda store: store.get_range('x', 0, 5),
}


@pytest.fixture
def server() -> Iterator[SilentServer]:
    with silent_server() as server:
        yield server


@pytest.fixture
def silent(server: SilentServer) -> BucketLocation:
    """A bucket of a server that takes connections, and no more."""
    endpoint = f'http://127.0.0.1:{server.port}'
    return BucketLocation(database={}, bucket='b', endpoint=endpoint, access_key_id='key', secret_access_key='secret')


def store_at(location: BucketLocation, limits: BucketLimits) -> PackStore:
    return PackStore(lambda: open_client(location, limits), 'folder', location.place, limits)


@contextmanager
def told_once(server: SilentServer, says: str) -> Iterator[None]:
    """What is done inside is told as slow, once; then the server hangs up."""
    with pytest.warns(SlowAnswer, match=says) as told, hanging_up(server, when=lambda: len(told)):
        yield
    assert len(told) == 1


@contextmanager
def hanging_up(server: SilentServer, when: Callable[[], int]) -> Iterator[None]:
    def hang_up() -> None:
        try:
            wait_until(when, 'who waits is told')
        finally:
            server.hang_up()

    thread = threading.Thread(target=hang_up)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.parametrize('deed', DEEDS)
def test_each_request_is_told(server: SilentServer, silent: BucketLocation, deed: str) -> None:
    says = f'has not answered for .* s; a request is tried for {PATIENT.longest_seconds:.0f} s at most'
    with told_once(server, says), pytest.raises(UnreachableStorage):
        DEEDS[deed](store_at(silent, PATIENT))


@whatever_is_told
@pytest.mark.parametrize('deed', DEEDS)
def test_each_request_ends(silent: BucketLocation, deed: str) -> None:
    with pytest.raises(UnreachableStorage):
        DEEDS[deed](store_at(silent, QUICK))


def test_a_question_about_the_bucket_is_told(server: SilentServer, silent: BucketLocation) -> None:
    with told_once(server, f'{DEADLINE:.0f} s at most'), pytest.raises(UnreachableStorage):
        is_bucket(silent, PATIENT)


@whatever_is_told
def test_a_question_about_the_bucket_ends(silent: BucketLocation) -> None:
    with pytest.raises(UnreachableStorage, match='does not answer'):
        is_bucket(silent, QUICK)


@whatever_is_told
def test_a_pack_is_not_tried_for_ever(silent: BucketLocation) -> None:
    class Index:
        """Of packs that are announced, and given up."""

        intended = 0

        def intend(self, size: int, writer: str) -> str:
            self.intended += 1
            return f'{self.intended:032}'

        def condemn(self, pack: str) -> None:
            pass

    index = Index()
    publisher = Publisher(index, store_at(silent, QUICK), QUICK)  # type: ignore[arg-type]
    with pytest.raises(UnreachableStorage):
        publisher.publish(PackDraft())
    assert index.intended == 1  # one try has taken longer than tries are repeated


class Clock:
    """It stands still but for what is added to `now`."""

    now = 0.0
    looks = 0

    def __call__(self) -> float:
        self.looks += threading.current_thread().name == 'answers'
        return self.now

    def wait_for_look(self) -> None:
        """Until the thread that watches has looked at it, and at what is late by it."""
        after = self.looks + 2
        wait_until(lambda: self.looks >= after, 'the requests are looked at')


def test_what_goes_on_is_not_told(recwarn: pytest.WarningsRecorder) -> None:
    clock = Clock()
    with AnswerWatch('bucket', 10, 0.03, clock).waiting() as goes_on:
        for _ in range(5):
            clock.now += 0.02
            clock.wait_for_look()
            goes_on()
    assert not [one for one in recwarn if issubclass(one.category, SlowAnswer)]


def test_it_is_told_again_after_an_answer() -> None:
    clock = Clock()
    watch = AnswerWatch('bucket', 10, 0.03, clock)
    for _ in range(2):
        with pytest.warns(SlowAnswer) as told:
            have_two_late_requests(watch, clock)
        assert len(told) == 1
        with watch.waiting():
            pass  # an answer


def have_two_late_requests(watch: AnswerWatch, clock: Clock) -> None:
    for _ in range(2):
        with watch.waiting():
            clock.now += 0.04
            clock.wait_for_look()
