"""The objects of a profile in another kind of place: out of a container into a bucket, or back. See docs/buckets.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from ricordi.backend.maintenance import Amount
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerifyOptions
from ricordi.backup.key_spool import lacking
from ricordi.config import load_config
from ricordi.errors import CorruptStorage, ForeignRepository, Interrupted, InvalidOperation, NotEnoughSpace
from ricordi.files import format_bytes
from ricordi.manager.backends import repository_at, storage_class
from ricordi.manager.opening import lock_profile, use_storage
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.services.profiles.profiles import find_profile
from ricordi.services.profiles.setup import has_server
from ricordi.services.profiles.surroundings import check_place_for_objects

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.storage import StorageBackend
    from ricordi.config.profile import Profile

DATABASE_PREFIX = 'database_'
"""How the keys of a `storage.config` begin that are about the database: they stay."""
SHOWN = 3
"""So many kinds of findings are named in a message."""


class Moved(NamedTuple):
    """Where the objects of a profile are now.

    :param source: where they were, in words.
    :param destination: where they are.
    :param objects: how many were copied; those that an earlier try had copied are not among them.
    :param content_bytes: of content in them.
    :param erased: whether what was in the old place is gone.
    """

    profile: str
    source: str
    destination: str
    objects: int
    content_bytes: int
    erased: bool = False


def move_objects(
    name: str | None,
    backend: str,
    place: Mapping[str, Any],
    *,
    erase: bool = False,
    dry_run: bool = False,
    wait: float | None = None,
    run: Run | None = None,
) -> Moved:
    """Copy all objects of a profile to another place, check them there, and have the profile use that place.

    The profile is locked meanwhile. Its configuration is changed when every byte has been read back and compared with
    its key; the old place keeps what it has. What was copied before an end by force is not copied again.

    :param backend: the storage from now on: `ricordi.psql_bucket`, `core.psql_dos`.
    :param place: what the `storage.config` shall say of the place of the objects.
    :param erase: remove what is in the old place, once the profile uses the new one.
    :param dry_run: tell how much would be copied, and change nothing.
    :param wait: seconds to wait for others to leave the profile; None: do not wait.
    :raises ricordi.errors.UsageError: the folder lies in what another storage or a backup keeps, or has its objects.
    :raises ricordi.errors.InvalidOperation: its database is none of PostgreSQL; it has its objects there already.
    :raises ricordi.errors.ForeignRepository: the place has the objects of another storage; or, of `erase`, it is not
        certain that no other storage has objects in the old one.
    :raises ricordi.errors.CorruptStorage: an object that a node names is missing or damaged; nothing was changed.
    :raises ricordi.errors.NotEnoughSpace: the place has no room for them.
    :raises ricordi.errors.AccessError: the profile is locked or in use.
    """
    run = run or Run()
    profile = find_profile(name)
    target = _target(profile, backend, place)
    with (
        lock_profile(profile, 'storage move', wait=wait, stop=run.stop) as check,
        use_storage(profile, shared_access=False) as storage,
        closing(repository_at(storage_class(target).repository_location(target))) as destination,
    ):
        if erase and (doubt := storage.repository_doubt()):
            raise ForeignRepository(f'the objects cannot be removed from where they are: {doubt}; nothing was changed')
        if dry_run:
            return _moved(profile, target, _estimate(storage, destination))
        copied = _copy(storage, destination, replace(run, lock_check=check))
        _use(profile, target, storage)
        if erase:
            storage.repository.erase()
        return _moved(profile, target, copied, erase)


def _moved(profile: Profile, target: Profile, copied: Amount, erased: bool = False) -> Moved:
    source, destination = (storage_class(one).repository_location(one).place for one in (profile, target))
    return Moved(profile.name, source, destination, copied.objects, copied.bytes, erased)


def _target(profile: Profile, backend: str, place: Mapping[str, Any]) -> Profile:
    """The profile as it shall be."""
    if not has_server(profile) or storage_class(profile).read_only:
        raise InvalidOperation(
            f'profile {profile.name!r} has the storage {profile.storage_backend}; the objects of a storage whose '
            'database is one of PostgreSQL can be moved'
        )
    kept = {key: value for key, value in profile.storage_config.items() if key.startswith(DATABASE_PREFIX)}
    target = profile.copy()
    target.set_storage(backend, {**kept, **place})
    before, after = (storage_class(one).repository_location(one) for one in (profile, target))
    if before.place == after.place:
        raise InvalidOperation(f'profile {profile.name!r} has its objects in the {after.place} already')
    if before.kind == after.kind == 'bucket':
        raise InvalidOperation(
            f'the database of profile {profile.name!r} has the index of one bucket, the {before.place}: move its '
            'objects into a container, and from there into another bucket'
        )
    check_place_for_objects(target)
    return target


def _estimate(storage: StorageBackend, destination: RepositoryBackend) -> Amount:
    source = storage.repository
    is_there = destination.is_initialised and not _checked(source, destination).is_elsewhere
    return _amount(source, destination.list_objects() if is_there else iter(()))


def _amount(source: RepositoryBackend, there: Iterator[str]) -> Amount:
    """What there is in a store besides some objects."""
    objects = size = 0
    for one in source.sizes_of(lacking(source.list_objects(), there)):
        objects, size = objects + 1, size + one.content
    return Amount(objects, size)


def _checked(source: RepositoryBackend, destination: RepositoryBackend) -> RepositoryBackend:
    """The place, if what is there is of this storage: an earlier move that was cut short, or one back."""
    if destination.uuid != source.uuid:
        raise ForeignRepository(
            f'the objects there are of another storage ({destination.uuid}, not {source.uuid}): choose another place'
        )
    return destination


def _copy(storage: StorageBackend, destination: RepositoryBackend, run: Run) -> Amount:
    """Copy what the place lacks, and compare all that is there then with its keys."""
    source = storage.repository
    if destination.is_initialised and _checked(source, destination).is_elsewhere:
        destination.erase()  # the index of another bucket, which a move out of that has left
    if destination.is_initialised:
        destination.complete()
    else:
        destination.initialise(identifier=source.uuid)
    with run.step('look through objects', None, 'objects'):
        copied = _amount(source, destination.list_objects())
    room = destination.free_space()
    if room is not None and room.bytes < copied.bytes:
        raise NotEnoughSpace(
            f'up to {format_bytes(copied.bytes)} are to be copied, and only {format_bytes(room.bytes)} are free at '
            f'{room.place}; nothing was changed: make room, or choose another place'
        )

    def told(size: int) -> None:
        run.progress.advance(size)
        _check_stop(run)

    with run.step('copy objects', copied.bytes):
        destination.put_known_objects(
            lambda: source.known_objects(lacking(source.list_objects(), destination.list_objects())), told
        )
    _refuse_findings(_findings(storage, destination, run))
    return copied


def _findings(storage: StorageBackend, destination: RepositoryBackend, run: Run) -> Iterator[Finding]:
    for told in destination.verify(VerifyOptions(read=True, remember=False), storage.named_keys, run):
        if isinstance(told, Finding) and not told.notice:
            yield told
    _check_stop(run)


def _refuse_findings(findings: Iterator[Finding]) -> None:
    counts = Counter(finding.kind for finding in findings)
    if counts:
        named = ', '.join(f'{count} × {kind}' for kind, count in counts.most_common(SHOWN))
        raise CorruptStorage(
            f'what was copied is not whole: {named}; the profile was not changed', remedy=Remedy('verify')
        )


def _check_stop(run: Run) -> None:
    if run.stop.reason:
        raise Interrupted(f'{run.stop.reason}: ended early; what was copied is not copied again by the next move')


def _use(profile: Profile, target: Profile, storage: StorageBackend) -> None:
    """Have the profile use the new place; what an end by force between two of these steps leaves, is no harm."""
    storage.repository.release_nodes()  # first: it would refuse nodes whose objects are in another place
    config = load_config()
    find_profile(profile.name, config).set_storage(target.storage_backend, target.storage_config)
    config.store()
    with use_storage(target, shared_access=False) as moved:  # which has the database guard the nodes, if it can
        moved.claim_repository()
