"""How objects come in: small single ones into the database, many into packs, large ones each as a pack of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from typing import BinaryIO

from ricordi.backend.maintenance import CompressMode
from ricordi.backend.objects import HeldObject, StoredForm
from ricordi.backend.repository import CHUNK_BYTES, KnownObject, bytes_of
from ricordi.errors import CorruptStorage, NotExistent
from ricordi.repository.batches import BATCHES_AHEAD, batches_of
from ricordi.repository.bucket.contract import ObjectIndex, PackPublishing
from ricordi.repository.bucket.index import PackEntry
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.publishing import PackDraft, StreamedObject
from ricordi.repository.container.compression import compress, compressor, wants_compression
from ricordi.repository.parallel import PLAIN_READERS, in_order

LEVEL = 1
"""Of zlib."""

Form = StoredForm | Exception | None


def read_up_to(handle: BinaryIO, length: int) -> bytes:
    """The next `length` bytes of a stream, fewer only at its end."""
    pieces, left = [], length
    while left > 0 and (piece := bytes_of(handle.read(left), handle)):
        pieces.append(bytes(piece))
        left -= len(piece)
    return pieces[0] if len(pieces) == 1 else b''.join(pieces)


def pieces_of(handle: BinaryIO) -> Iterator[bytes]:
    """What is left of a stream."""
    while piece := bytes_of(handle.read(CHUNK_BYTES), handle):
        yield bytes(piece)


def form_of(content: bytes, mode: CompressMode) -> StoredForm:
    """How content shall lie."""
    if wants_compression(mode, False, content):
        shrunk = compress(content, LEVEL)
        if len(shrunk) < len(content):
            return StoredForm(shrunk, len(content), True)
    return StoredForm(content, len(content))


class Putter:
    """Puts objects into one store."""

    def __init__(self, index: ObjectIndex, publisher: PackPublishing, limits: BucketLimits) -> None:
        self._index = index
        self._publisher = publisher
        self._limits = limits

    # -- one --------------------------------------------------------------------------------------------------

    def put_bytes(self, content: bytes) -> str:
        """Put one object; its key."""
        hash = hashlib.sha256(content).digest()
        if len(content) <= self._limits.inline_bytes:
            self._index.put_inline(hash, content)
        elif not self._index.known([hash]):
            draft = PackDraft()
            draft.add(hash, content, len(content), False)
            self._publisher.publish(draft)
        return hash.hex()

    def put_stream(self, handle: BinaryIO, mode: CompressMode = 'no') -> str:
        """Put what a stream yields, in constant memory; its key."""
        head = read_up_to(handle, self._limits.large_bytes + 1)
        if len(head) <= self._limits.large_bytes:
            return self.put_bytes(head)
        return self._put_large(head, handle, mode).hash.hex()

    def _put_large(
        self,
        head: bytes,
        handle: BinaryIO,
        mode: CompressMode,
        accept: Callable[[PackEntry], None] = lambda entry: None,
    ) -> PackEntry:
        squeezing = compressor(LEVEL) if wants_compression(mode, False, head) else None
        streamed = StreamedObject(chain([head], pieces_of(handle)), squeezing)
        return self._publisher.publish_stream(streamed, accept)

    # -- many -------------------------------------------------------------------------------------------------

    def put_many(self, contents: Iterable[bytes | BinaryIO], mode: CompressMode = 'no') -> list[str]:
        """Put objects into packs, all durable on return; the keys in their order."""
        keys: list[str] = []
        with PackFilling(self._index, self._publisher, self._limits) as filling:
            for content in contents:
                head = content if isinstance(content, bytes) else read_up_to(content, self._limits.large_bytes + 1)
                if len(head) > self._limits.large_bytes and not isinstance(content, bytes):
                    keys.append(self._put_large(head, content, mode).hash.hex())
                    continue
                hash = hashlib.sha256(head).digest()
                filling.offer(hash, form_of(head, mode))
                keys.append(hash.hex())
            filling.finish()
        return keys

    def put_known(
        self,
        objects: Iterable[KnownObject],
        told: Callable[[int], None],
        unusable: Callable[[str, str], None] | None,
    ) -> None:
        """Put objects of which the keys are known, read ahead by threads; see `RepositoryBackend.put_known_objects`."""
        batches = in_order(self._read, batches_of(self._unknown(objects)), BATCHES_AHEAD, PLAIN_READERS)
        with closing(batches), PackFilling(self._index, self._publisher, self._limits) as filling:
            for batch in batches:
                for one, form in batch:
                    try:
                        size = self._take(one, form, filling)
                    except (CorruptStorage, NotExistent) as error:
                        if unusable is None:
                            raise
                        unusable(one.key, str(error))
                    else:
                        told(size)
            filling.finish()

    def _unknown(self, objects: Iterable[KnownObject]) -> Iterator[KnownObject]:
        """Those that the store lacks: what it has is not read."""
        waiting: list[KnownObject] = []
        for one in objects:
            waiting.append(one)
            if len(waiting) >= self._limits.rows:
                yield from self._lacked(waiting)
                waiting = []
        yield from self._lacked(waiting)

    def _lacked(self, objects: list[KnownObject]) -> list[KnownObject]:
        known = self._index.known([bytes.fromhex(one.key) for one in objects])
        return [one for one in objects if bytes.fromhex(one.key) not in known]

    def _read(self, batch: list[KnownObject]) -> list[tuple[KnownObject, Form]]:
        return [(one, self._form(one)) for one in batch]

    def _form(self, one: KnownObject) -> Form:
        """How it shall lie; None of a large one; what is wrong with one that cannot be read."""
        try:
            if isinstance(one, HeldObject):
                return one.stored(self._limits.large_bytes)
            content = one.content(self._limits.large_bytes)
            return None if content is None else StoredForm(content, len(content))
        except (CorruptStorage, NotExistent, OSError) as error:
            return error

    def _take(self, one: KnownObject, form: Form, filling: PackFilling) -> int:
        """Put one that was read, or stream a large one; bytes of content."""
        if isinstance(form, Exception):
            raise form
        if form is not None:
            filling.add(bytes.fromhex(one.key), form)
            return form.size
        with one.open() as handle:
            return self._put_large(b'', handle, 'no', lambda entry: one.expect(entry.hash.hex())).size


class PackFilling:
    """Packs that are filled one after the other; an object that the store has, or that came before, is left out.

    A full pack goes up in a thread of its own while the next is filled: two are in memory at most. What was put is
    durable when `finish` has returned, and nothing is said of it before.
    """

    def __init__(self, index: ObjectIndex, publisher: PackPublishing, limits: BucketLimits) -> None:
        self._index = index
        self._publisher = publisher
        self._limits = limits
        self._draft = PackDraft()
        self._in_draft: set[bytes] = set()
        self._waiting: dict[bytes, StoredForm] = {}
        self._waiting_bytes = 0
        self._executor: ThreadPoolExecutor | None = None
        self._on_its_way: Future[None] | None = None
        self._in_that: set[bytes] = set()

    def __enter__(self) -> PackFilling:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing under way; whether a pack comes in that nobody was told of matters to nobody."""
        if self._executor is not None:
            self._executor.shutdown()
            self._executor = None

    def offer(self, hash: bytes, form: StoredForm) -> None:
        """Put an object, if it is lacking."""
        if hash in self._waiting or self._is_taken(hash):
            return
        self._waiting[hash] = form
        self._waiting_bytes += len(form.data)
        if len(self._waiting) >= self._limits.rows or self._waiting_bytes >= self._limits.large_bytes:
            self._settle()

    def add(self, hash: bytes, form: StoredForm) -> None:
        """Put an object that was lacking when it was looked for."""
        if self._is_taken(hash):
            return
        self._in_draft.add(hash)
        self._draft.add(hash, form.data, form.size, form.compressed)
        if len(self._draft.data) >= self._limits.pack_bytes or len(self._in_draft) >= self._limits.pack_objects:
            self._send()

    def finish(self) -> None:
        """Have all that was put durable."""
        self._settle()
        if self._draft.entries:
            self._publisher.publish(self._draft)  # beside the pack before it, which goes into the index meanwhile
        self._begin_anew()
        self._wait()

    def _is_taken(self, hash: bytes) -> bool:
        return hash in self._in_draft or hash in self._in_that

    def _settle(self) -> None:
        known = self._index.known([*self._waiting])
        for hash, form in self._waiting.items():
            if hash not in known:
                self.add(hash, form)
        self._waiting, self._waiting_bytes = {}, 0

    def _send(self) -> None:
        """Have the pack that is full go up, when the one before it is in."""
        self._wait()
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix='publish')
        self._on_its_way = self._executor.submit(self._publisher.publish, self._draft)
        self._in_that = self._in_draft
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._draft, self._in_draft = PackDraft(), set()

    def _wait(self) -> None:
        """Until the pack on its way is in; raises what has become of it else."""
        task, self._on_its_way = self._on_its_way, None
        if task is not None:
            task.result()
