"""Verification of the objects of an archive: members and their directory, and every byte where that is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import islice
from typing import TYPE_CHECKING

from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Subset, Topic, VerifyOptions
from ricordi.errors import CorruptStorage, UsageError
from ricordi.model.file_trees import is_key
from ricordi.repository.archive.verification import MemberVerifier, expect
from ricordi.repository.archive.zip_keys import PREFIX
from ricordi.repository.batches import BATCHES_AHEAD, batches_of
from ricordi.repository.parallel import in_order
from ricordi.repository.verification.watch import Watch, in_words, watching
from ricordi.zipfiles.format import Member
from ricordi.zipfiles.member import check_readable, member_chunks

if TYPE_CHECKING:
    from ricordi.backend.maintenance import KeyStream
    from ricordi.progress import Run
    from ricordi.repository.archive.zip import ZipRepository

OTHER_NAMES = ('metadata.json', 'db.sqlite3', PREFIX)
"""What lies in an archive beside its objects."""
ASK_AT_ONCE = 1000


def verify_archive(
    repository: ZipRepository, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """See `RepositoryBackend.verify`.

    :raises ricordi.errors.UsageError: a subset is asked for that needs to know what was read before.
    """
    if options.subset is not None and not options.subset.parts:
        raise UsageError('what was read of an archive is not remembered: ask for one of some fixed parts, as 3/12')
    with watching('members', 'members') as members:
        yield from _directory(repository, members, run)
    yield from members.told()
    with watching('named objects', 'objects') as named:
        yield from _named(repository, named_keys(), named, run)
    yield from named.told()
    if options.read:
        with watching('content of members', 'members') as content:
            yield from _content(repository, options.subset, content, run)
        yield from content.told()


def key_of(member: Member) -> str:
    """The key of the object that a member is; empty for another one."""
    key = member.name.removeprefix(PREFIX)
    return key if member.name.startswith(PREFIX) and is_key(key) else ''


def _directory(repository: ZipRepository, watch: Watch, run: Run) -> Iterator[Finding]:
    """Each member against its local header; names that are none of an archive, or stand there twice, are notices."""
    watch.complete = False
    objects = 0
    for member in repository.directory.members():
        if run.stop.reason:
            return
        watch.checked += 1
        objects += bool(key_of(member))
        if not key_of(member) and member.name not in OTHER_NAMES:
            yield Finding('odd member', 'an archive has none of such a name', member.name, notice=True)
        try:
            check_readable(repository.directory, member)
            repository.directory.data_offset(member)
        except CorruptStorage as error:
            yield _damaged(member, in_words(error))
    if twice := objects - sum(1 for _ in repository.list_objects()):
        detail = f'{twice:,} objects stand in the directory of the archive once more than is needed'
        yield Finding('repeated member', detail, repository.path.name, notice=True)
    watch.complete = True


def _damaged(member: Member, detail: str) -> Finding:
    key = key_of(member)
    return Finding('damaged object' if key else 'damaged member', detail, member.name, key, remedy='source')


def _named(repository: ZipRepository, keys: Iterator[str], watch: Watch, run: Run) -> Iterator[Finding]:
    while some := list(islice(keys, ASK_AT_ONCE)):
        if run.stop.reason:
            watch.complete = False
            return
        watch.checked += len(some)
        for key, there in zip(some, repository.has_objects(some), strict=True):
            if not there:
                yield Finding('missing object', 'it is not in the archive', key=key, remedy='source')


def _content(repository: ZipRepository, subset: Subset | None, watch: Watch, run: Run) -> Iterator[Finding]:
    """Every byte of the members: of objects against their keys, of others against the checksums of the zip file."""
    directory = repository.directory
    members = _chosen(directory.members(), subset)
    watch.complete = False
    run.progress.begin('read content', sum(member.packed for member in _chosen(directory.members(), subset)))
    with ExitStack() as stack:
        stack.callback(run.progress.end)
        verifier = stack.enter_context(closing(MemberVerifier(directory)))
        threads = max(1, verifier.pool.number)
        check = _MemberCheck(verifier, repository)
        for batch, wrong in stack.enter_context(closing(in_order(check, batches_of(members), BATCHES_AHEAD, threads))):
            size = sum(member.packed for member in batch)
            watch.checked, watch.bytes = watch.checked + len(batch), watch.bytes + size
            run.progress.advance(size)
            for member, fault in wrong:
                yield _damaged(member, fault)
            if run.stop.reason and next(members, None) is not None:
                return
    watch.complete = True


def _chosen(members: Iterable[Member], subset: Subset | None) -> Iterator[Member]:
    if subset is None:
        return iter(members)
    return islice(members, subset.part - 1, None, subset.parts)


class _MemberCheck:
    """What is wrong with the members of a batch; for several threads at once."""

    def __init__(self, verifier: MemberVerifier, repository: ZipRepository) -> None:
        self._verifier = verifier
        self._repository = repository

    def __call__(self, batch: list[Member]) -> tuple[list[Member], list[tuple[Member, str]]]:
        objects = [member for member in batch if key_of(member)]
        suspects = [member for member in batch if not key_of(member)]
        try:
            if objects:
                self._verifier.verify(objects)
        except CorruptStorage:
            suspects += objects
        faults = [(member, self._fault_of(member)) for member in suspects]
        return batch, [(member, fault) for member, fault in faults if fault]

    def _fault_of(self, member: Member) -> str:
        digest = hashlib.sha256()
        try:
            for chunk in member_chunks(self._repository.directory, member):
                digest.update(chunk)
            if key_of(member):
                expect(digest.hexdigest(), member, self._repository.directory)
        except CorruptStorage as error:
            return in_words(error)
        return ''
