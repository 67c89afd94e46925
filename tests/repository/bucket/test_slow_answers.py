"""Who waits for a store that takes connections and says nothing is told so, and for how long; and it ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ricordi.backend.bucket import BucketLocation
from ricordi.errors import SlowAnswer, UnreachableStorage
from ricordi.repository.bucket.limits import USUAL
from ricordi.repository.bucket.making import is_bucket
from ricordi.repository.bucket.objects import PackStore, open_client
from ricordi.repository.bucket.publishing import PackDraft, Publisher
from ricordi.slow_answers import AnswerWatch

LIMITS = USUAL._replace(
    part_bytes=1,
    request_seconds=1.5,
    retry_seconds=1.0,
    answer_seconds=1.0,
    patience_seconds=0.2,
    retries=0,
    pause_seconds=0.01,
)


@pytest.fixture
def silent() -> Iterator[BucketLocation]:
    """A bucket of a server that takes connections, and no more."""
    taken: list[socket.socket] = []
    with closing(socket.create_server(('127.0.0.1', 0))) as server:

        def take() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        threading.Thread(target=take, daemon=True).start()
        endpoint = f'http://127.0.0.1:{server.getsockname()[1]}'
        yield BucketLocation(
            database={}, bucket='b', endpoint=endpoint, access_key_id='key', secret_access_key='secret'
        )
        server.shutdown(socket.SHUT_RDWR)
    for one in taken:
        one.close()


def store_at(location: BucketLocation) -> PackStore:
    return PackStore(lambda: open_client(location, LIMITS), 'folder', location.place, LIMITS)


@pytest.mark.parametrize('deed', ['size', 'get', 'put', 'put_stream', 'delete', 'listed', 'range'])
def test_each_request_is_told(silent: BucketLocation, deed: str) -> None:
    store = store_at(silent)
    deeds = {
        'size': lambda: store.size('x'),
        'get': lambda: store.get('x'),
        'put': lambda: store.put('x', b'1'),
        'put_stream': lambda: store.put_stream('x', iter([b'1'])),
        'delete': lambda: store.delete(['x']),
        'listed': lambda: list(store.listed()),
        'range': lambda: store.get_range('x', 0, 5),
    }
    says = 'has not answered for .* s; a request is tried for 2 s at most'
    with pytest.warns(SlowAnswer, match=says) as told, pytest.raises(UnreachableStorage):
        deeds[deed]()
    assert len(told) == 1


def test_a_question_about_the_bucket_is_told(silent: BucketLocation) -> None:
    with pytest.warns(SlowAnswer, match='1 s at most'), pytest.raises(UnreachableStorage, match='does not answer'):
        is_bucket(silent, LIMITS)


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
    publisher = Publisher(index, store_at(silent), LIMITS)  # type: ignore[arg-type]
    with pytest.warns(SlowAnswer), pytest.raises(UnreachableStorage):
        publisher.publish(PackDraft())
    assert index.intended == 1  # one try has taken longer than tries are repeated


def test_what_goes_on_is_not_told(recwarn: pytest.WarningsRecorder) -> None:
    watch = AnswerWatch('bucket', 10, 0.3)
    with watch.waiting() as goes_on:
        end = time.monotonic() + 0.9
        while time.monotonic() < end:
            goes_on()
            time.sleep(0.01)
    assert not [one for one in recwarn if issubclass(one.category, SlowAnswer)]


def test_it_is_told_again_after_an_answer() -> None:
    watch = AnswerWatch('bucket', 10, 0.1)

    def wait_until(told: pytest.WarningsRecorder) -> None:
        end = time.monotonic() + 10
        while not told and time.monotonic() < end:
            time.sleep(0.01)

    for _ in range(2):
        with pytest.warns(SlowAnswer) as told, watch.waiting():
            wait_until(told)
        with watch.waiting():
            pass  # an answer
