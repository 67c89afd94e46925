"""Verification of a store of objects of which nothing is known but the contract: by has, list and read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.errors import CorruptStorage, NotExistent

if TYPE_CHECKING:
    from ricordi.backend.maintenance import KeyStream
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.progress import Run

ASK_AT_ONCE = 1000


def verify_plainly(
    repository: RepositoryBackend, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """See `RepositoryBackend.verify`. A subset is not known here: all is read."""
    yield from verify_names(repository, named_keys(), run)
    if options.read and not run.stop.reason:
        yield from _content(repository, run)


def verify_names(repository: RepositoryBackend, keys: Iterator[str], run: Run) -> Iterator[Finding | Topic]:
    """Whether all that nodes name is there; the topic comes last."""
    begin, checked = time.perf_counter(), 0
    while not run.stop.reason and (some := list(islice(keys, ASK_AT_ONCE))):
        for key, there in zip(some, repository.has_objects(some), strict=True):
            if not there and not repository.has_object(key):
                yield Finding('missing object', 'it is not in the repository', key=key, remedy='source')
        checked += len(some)
    yield Topic(
        'named objects', checked, 'objects', seconds=time.perf_counter() - begin, complete=next(keys, None) is None
    )


def _content(repository: RepositoryBackend, run: Run) -> Iterator[Finding | Topic]:
    begin, checked, size = time.perf_counter(), 0, 0
    keys = repository.list_objects()
    run.progress.begin('read objects', None, 'objects')
    for key in keys:
        try:
            if repository.get_object_hash(key) != key:
                raise CorruptStorage('its bytes are not what its key says')
            size += repository.get_object_size(key)
        except NotExistent:
            continue  # removed since it was listed
        except CorruptStorage as error:
            yield Finding('damaged object', str(error).partition('; ')[0], key=key, remedy='source')
        checked += 1
        run.progress.advance(1)
        if run.stop.reason:
            break
    run.progress.end()
    seconds = time.perf_counter() - begin
    yield Topic('content of objects', checked, 'objects', size, seconds, complete=next(keys, None) is None)
