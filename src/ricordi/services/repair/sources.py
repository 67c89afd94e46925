"""Where a repair may take objects from: whatever a person names that holds objects by their SHA-256."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.backend.bucket import BucketLocation
from ricordi.backend.repair import RepairSource
from ricordi.backend.repository import RepositoryBackend
from ricordi.backend.storage import RepositoryLocation
from ricordi.config import load_config
from ricordi.errors import UsageError
from ricordi.manager import open_backup, storage_class, use_storage
from ricordi.manager.backends import repository_at
from ricordi.remedies import Remedy
from ricordi.services.backups.places import address_at, is_in_bucket

if TYPE_CHECKING:
    from ricordi.progress import Stop

SETTINGS = 'config.json'
INDEX = 'packs.idx'


@contextmanager
def open_sources(
    names: Sequence[str],
    own: RepositoryLocation,
    wait: float | None = None,
    stop: Stop | None = None,
    object_store: Mapping[str, Any] | None = None,
) -> Iterator[list[RepairSource]]:
    """Sources of objects, open for the length of a `with` block.

    :param names: of other profiles, or paths: of an archive, a container, a storage, a backup; or `s3://BUCKET/FOLDER`,
        where a backup repository is.
    :param own: the store that is repaired, which is no source of its own.
    :param wait: seconds to wait for a lock of another profile to end.
    :param object_store: how buckets are reached; see `ricordi.services.backups.places.address_at`.
    :raises ricordi.errors.UsageError: nothing of that name holds objects by their SHA-256.
    """
    with ExitStack() as stack:
        yield [
            RepairSource(
                name,
                _open_in_bucket(name, own, object_store, stack)
                if is_in_bucket(name)
                else _open(name, own, wait, stop, stack),
            )
            for name in names
        ]


def _open_in_bucket(
    name: str, own: RepositoryLocation, object_store: Mapping[str, Any] | None, stack: ExitStack
) -> RepositoryBackend:
    address = address_at(name, object_store)
    if own.bucket is not None and isinstance(address, BucketLocation) and address.place == own.bucket.place:
        raise _own_source(name)
    return stack.enter_context(open_backup(address)).objects


def _open(
    name: str, own: RepositoryLocation, wait: float | None, stop: Stop | None, stack: ExitStack
) -> RepositoryBackend:
    config = load_config()
    if name in config.profile_names:
        other = config.get_profile(name)
        _refuse_itself(name, storage_class(other).repository_location(other), own)
        return stack.enter_context(use_storage(other, purpose='source of a repair', wait=wait, stop=stop)).repository
    path = Path(name)
    if path.is_dir():
        folder = _container_in(path)
        place = RepositoryLocation('container', folder)
        _refuse_itself(name, place, own)
        return stack.enter_context(closing(repository_at(place)))
    if not path.exists():
        raise UsageError(f'there is neither a profile nor a file or folder {name!r} to take objects from')
    _check_archive(path)
    return stack.enter_context(closing(repository_at(RepositoryLocation('zip', path))))


def _refuse_itself(name: str, place: RepositoryLocation, own: RepositoryLocation) -> None:
    if place.is_same(own):
        raise _own_source(name)


def _own_source(name: str) -> UsageError:
    return UsageError(f'{name!r} is the storage that is to be repaired: it is no source of its own')


def _container_in(path: Path) -> Path:
    """The container that a folder is, or that lies in it: in a storage, in a backup of AiiDA's, in its last one.

    :raises ricordi.errors.UsageError: there is none.
    """
    from ricordi.services.backups.verdi import CONTAINER, LAST, backup_names

    # which is what it is called in a storage and in a backup repository as well
    places = [path, path / CONTAINER, path / LAST / CONTAINER]
    places += [path / name / CONTAINER for name in reversed(backup_names(path))]
    for place in places:
        if (place / SETTINGS).is_file() and (place / INDEX).exists():
            return place
    raise UsageError(f'in {path} there is no container of objects: neither itself, nor in a backup in it')


def _check_archive(path: Path) -> None:
    from ricordi.storage.archive.file import HEAD, MIGRATABLE, open_archive, read_metadata

    with closing(open_archive(path)) as directory:
        metadata = read_metadata(directory)
    version, keys = metadata['export_version'], metadata.get('key_format', RepositoryBackend.key_format)
    if version not in (HEAD, *MIGRATABLE):
        raise UsageError(
            f'the archive {path} is of version {version}: its files are not called by their SHA-256',
            remedy=Remedy('migrate archive', (str(path),)),
        )
    if keys != RepositoryBackend.key_format:
        raise UsageError(f'the objects of the archive {path} are called by {str(keys)[:40]!r}, not by their SHA-256')
