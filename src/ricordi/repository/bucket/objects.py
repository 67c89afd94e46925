"""The requests to the bucket, counted, with failures put in words. Nothing here knows what a pack holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.maintenance import Traffic
from ricordi.errors import CorruptStorage, LostObject, RicordiError, UnreachableStorage
from ricordi.installing import way_to_install
from ricordi.repository.bucket.arrival import SentBytes
from ricordi.repository.bucket.failures import store_failure
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.uploading import upload_in_parts
from ricordi.repository.parallel import in_order
from ricordi.slow_answers import AnswerWatch

if TYPE_CHECKING:
    from obstore.store import ObjectStore as Client
    from obstore.store import S3Credential

MOST_COALESCED = 1 << 20
"""Bytes between two ranges that are read along rather than asked for apart."""
DELETED_AT_ONCE = 1000
SPANS_AT_ONCE = 8
"""Parts of one thing that are fetched together."""
LOOKS_AT_SPAN = 2
READ_BACK_BYTES = 1 << 20
"""That are in memory at once of an upload that is read back."""
CLOCK = 'clock'
"""The folder in which something is put for a moment, to see when that was."""

Page = TypeVar('Page')
Span = list[tuple[int, int]]
"""Ranges, as start and length, that are fetched by one request."""


class Listed(NamedTuple):
    """Something in the bucket, as it lists it."""

    name: str
    bytes: int
    modified: datetime


def open_client(location: BucketLocation, limits: BucketLimits) -> Client:
    """The client of the bucket; nothing is asked of the server yet.

    :raises ricordi.errors.UnreachableStorage: the package for it is missing, or the location cannot be meant.
    """
    _check_package(location.place)

    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    if location.endpoint and not _is_address(location.endpoint):
        raise UnreachableStorage(
            f'cannot reach the {location.place}: its endpoint is no address; it has to be like https://s3.example.org'
        )
    if location.access_key_id and not location.secret_access_key:
        raise UnreachableStorage(
            f'cannot reach the {location.place}: there is an access key without its secret: name that, too'
        )
    key = partial(_credentials, location) if location.access_key_id else None
    try:
        # all is said: what is not, the client takes from the environment, which may mean another store or another key
        return S3Store(
            location.bucket,
            prefix=location.prefix or None,
            endpoint=location.endpoint or _endpoint_of_aws(location),
            region=location.region,
            virtual_hosted_style_request=location.virtual_hosted,
            client_options={
                'allow_http': location.endpoint.startswith('http://'),
                'timeout': timedelta(seconds=limits.request_seconds),
                'connect_timeout': timedelta(seconds=min(10, limits.request_seconds)),
            },
            retry_config={
                'max_retries': limits.retries,
                'retry_timeout': timedelta(seconds=limits.retry_seconds),
                'backoff': {
                    'init_backoff': timedelta(seconds=limits.pause_seconds),
                    'max_backoff': timedelta(seconds=max(5, limits.pause_seconds)),
                    'base': 2,
                },
            },
            credential_provider=key,
            config={} if key is None else {'skip_signature': False},
        )
    except (BaseError, ValueError) as error:
        raise store_failure(error, location.place, 'open anything') from error


def _credentials(location: BucketLocation) -> S3Credential:
    """Who we are: this key and no other, and no session's token but its own."""
    return {
        'access_key_id': location.access_key_id,
        'secret_access_key': location.secret_access_key,
        'token': location.session_token or None,
        'expires_at': None,
    }


def _endpoint_of_aws(location: BucketLocation) -> str:
    bucket = f'{location.bucket}.' if location.virtual_hosted else ''
    return f'https://{bucket}s3.{location.region}.amazonaws.com'


def _check_package(place: str) -> None:
    """See that the package of the client is there; an optional one.

    :raises ricordi.errors.UnreachableStorage: it is missing.
    """
    try:
        import obstore.store  # noqa: F401
    except ImportError:
        raise UnreachableStorage(
            f'the {place} is reached by the package obstore, which is missing: {way_to_install("obstore")}'
        ) from None


def _is_address(endpoint: str) -> bool:
    """Whether the client can do anything with an endpoint: it ends in a panic where it cannot."""
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in ('http', 'https') and bool(parts.hostname) and not set(endpoint) & set(' \t\n')
    except ValueError:
        return False


class PackStore:
    """What lies under one folder of the bucket, by name."""

    def __init__(self, client: Callable[[], Client], folder: str, place: str, limits: BucketLimits) -> None:
        """
        :param client: makes it; asked once, at the first request.
        :param folder: in the bucket; without slashes at its ends.
        :raises ricordi.errors.UnreachableStorage: the package for it is missing.
        """
        _check_package(place)
        self._make = client
        self._made: Client | None = None
        self._folder = folder
        self._limits = limits
        self._lock = threading.Lock()
        self._traffic = Traffic()
        self.place = place
        self._watch = AnswerWatch(place, limits.longest_seconds, limits.patience_seconds)

    @property
    def _client(self) -> Client:
        if self._made is None:
            self._made = self._make()
        return self._made

    def _path(self, name: str) -> str:
        return f'{self._folder}/{name}' if self._folder else name

    @property
    def traffic(self) -> Traffic:
        """All requests so far."""
        return self._traffic

    def _count(self, requests: Traffic) -> None:
        with self._lock:
            self._traffic = self._traffic + requests

    # -- writing ----------------------------------------------------------------------------------------------

    def put(self, name: str, data: bytes | bytearray | memoryview) -> None:
        """Upload what is in memory, whole or not at all.

        :raises ricordi.errors.UnreachableStorage: it may be there all the same, or otherwise than it was sent.
        """
        import obstore

        sent = SentBytes()
        sent.add(data)
        with self._worded(f'put {name}'), self._watch.waiting(len(data)):
            answer = obstore.put(self._client, self._path(name), data, use_multipart=False)
        self._count(Traffic(puts=1, sent=len(data)))
        self._check_arrival(name, sent, answer['e_tag'])

    def put_stream(self, name: str, pieces: Iterable[bytes]) -> int:
        """Upload in parts what comes in pieces, in constant memory, whole or not at all; returns its bytes.

        :raises ricordi.errors.UnreachableStorage: as of `put`.
        """
        limits = self._limits
        sent = SentBytes(limits.part_bytes)
        with self._worded(f'put {name}'), self._watch.waiting(limits.part_bytes) as goes_on:
            passing = _noted(sent.passing(pieces), goes_on)
            tag = upload_in_parts(self._client, self._path(name), passing, limits.part_bytes, limits.parts_at_once)
        self._count(Traffic(puts=2 + max(1, -(-sent.size // limits.part_bytes)), sent=sent.size))
        self._check_arrival(name, sent, tag)
        return sent.size

    def _check_arrival(self, name: str, sent: SentBytes, tag: str | None) -> None:
        """Refuse an upload that lies there otherwise than it was sent; one of which the store tells nothing is read.

        Ceph's gateway tells nothing when the parts have come together, and knows it a moment later.
        """
        import obstore

        if (tag or self._tag(name)).strip('"') == sent.tag:
            return
        with self._worded(f'read back {name}'):
            pieces = obstore.get(self._client, self._path(name)).stream(min_chunk_size=READ_BACK_BYTES)
            arrived = sent.is_what_lies_there(memoryview(piece) for piece in pieces)
        self._count(Traffic(gets=1, received=sent.size))
        if not arrived:
            raise UnreachableStorage(
                f'what was put as {name} in the {self.place} lies there otherwise than it was sent; try again, and '
                'check the network and the store'
            )

    def _tag(self, name: str) -> str:
        """What the store says of the content of something, when it is asked; empty: nothing."""
        import obstore

        with self._worded(f'look at {name}'), self._watch.waiting():
            tag = obstore.head(self._client, self._path(name))['e_tag']
        self._count(Traffic(gets=1))
        return tag or ''

    def delete(self, names: Sequence[str]) -> None:
        """Take things away; what is gone already is no error."""
        import obstore

        for first in range(0, len(names), DELETED_AT_ONCE):
            some = [self._path(name) for name in names[first : first + DELETED_AT_ONCE]]
            with suppress(LostObject), self._worded(f'delete {names[first]}'), self._watch.waiting():
                obstore.delete(self._client, some if len(some) > 1 else some[0])
            self._count(Traffic(deletes=1))

    # -- reading ----------------------------------------------------------------------------------------------

    def get(self, name: str) -> bytes:
        """All of something small.

        :raises ricordi.errors.LostObject: it is not there.
        """
        import obstore

        with self._worded(f'read {name}'), self._watch.waiting():
            data = bytes(obstore.get(self._client, self._path(name)).bytes())
        self._count(Traffic(gets=1, received=len(data)))
        return data

    def get_range(self, name: str, start: int, length: int) -> memoryview:
        """Bytes of something.

        :raises ricordi.errors.LostObject: it is not there.
        :raises ricordi.errors.CorruptStorage: it ends before that.
        """
        return self._span(name, [(start, length)]) if length else memoryview(b'')

    def get_ranges(self, name: str, ranges: Sequence[tuple[int, int]]) -> list[memoryview]:
        """Parts of something, given as start and length; what lies close together is asked for together.

        :raises ricordi.errors.LostObject: it is not there.
        :raises ricordi.errors.CorruptStorage: it ends before that.
        """
        spans = list(spans_of(ranges))
        found: dict[tuple[int, int], memoryview] = {}
        for span, data in zip(spans, self._spans(name, spans), strict=True):
            first = span[0][0]
            found |= {(start, length): data[start - first :][:length] for start, length in span}
        return [found.get(one, memoryview(b'')) for one in ranges]

    def _spans(self, name: str, spans: Sequence[Span]) -> Iterable[memoryview]:
        if len(spans) == 1:
            return [self._span(name, spans[0])]
        return in_order(partial(self._span, name), spans, SPANS_AT_ONCE, SPANS_AT_ONCE)

    def _span(self, name: str, span: Span) -> memoryview:
        """All bytes from the first of some ranges to the last; what came too short is asked for once more.

        Not by the client's `get_ranges`, which ends its thread in a panic where the answer is too short.
        """
        import obstore

        first = span[0][0]
        wanted = max(start + length for start, length in span) - first
        for _ in range(LOOKS_AT_SPAN):
            with self._worded(f'read {name}'), self._watch.waiting(wanted):
                data = obstore.get_range(self._client, self._path(name), start=first, length=wanted)
            self._count(Traffic(gets=1, received=len(data)))
            if len(data) == wanted:
                return memoryview(data)
        raise CorruptStorage(f'{name} in the {self.place} ends before its objects do')

    def size(self, name: str) -> int:
        """Bytes of something.

        :raises ricordi.errors.LostObject: it is not there.
        """
        import obstore

        with self._worded(f'look at {name}'), self._watch.waiting():
            size = obstore.head(self._client, self._path(name))['size']
        self._count(Traffic(gets=1))
        return size

    def now(self) -> datetime:
        """The time by the clock of the store: those of hosts may be wrong."""
        name = f'{CLOCK}/{uuid4().hex}'
        self.put(name, b'')
        try:
            return next(one.modified for one in self.listed(CLOCK) if one.name == name)
        finally:
            self.delete([name])

    def listed(self, folder: str = '') -> Iterator[Listed]:
        """What lies under a folder, in constant memory."""
        import obstore

        cut = len(self._path(''))
        below = self._path(folder).rstrip('/')
        with self._worded('list what is there'):
            pages = iter(obstore.list(self._client, below and f'{below}/', chunk_size=1000))
            while (page := self._next(pages)) is not None:
                self._count(Traffic(lists=1))
                for one in page:
                    yield Listed(one['path'][cut:], one['size'], one['last_modified'])

    def _next(self, pages: Iterator[Page]) -> Page | None:
        with self._watch.waiting():
            return next(pages, None)

    @contextmanager
    def _worded(self, deed: str) -> Iterator[None]:
        """Errors of the client in our words; those of whoever hands in what is uploaded stay as they are."""
        from obstore.exceptions import BaseError

        try:
            yield
        except RicordiError:
            raise
        except (BaseError, FileNotFoundError) as error:
            raise store_failure(error, self.place, deed) from error


def _noted(pieces: Iterable[bytes], goes_on: Callable[[], None]) -> Iterator[bytes]:
    """The pieces; each that is taken tells that an upload goes on."""
    for piece in pieces:
        goes_on()
        yield piece


def spans_of(ranges: Iterable[tuple[int, int]]) -> Iterator[Span]:
    """Ranges, ascending, in groups that are worth one request each; empty ones are left out."""
    span: Span = []
    end = 0
    for start, length in sorted(one for one in ranges if one[1]):
        if span and start - end > MOST_COALESCED:
            yield span
            span = []
        span.append((start, length))
        end = max(end, start + length)
    if span:
        yield span
