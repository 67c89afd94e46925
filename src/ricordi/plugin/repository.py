"""AiiDA's interface of a repository, over the container of a storage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from aiida.repository.backend.abstract import AbstractRepositoryBackend

from ricordi.backend.maintenance import maintenance_options
from ricordi.backend.repository import RepositoryBackend
from ricordi.plugin.errors import translated

MEBIBYTE = 1 << 20


class RicordiRepository(AbstractRepositoryBackend):
    """The objects of a storage."""

    def __init__(self, objects: RepositoryBackend) -> None:
        self.objects = objects

    def __str__(self) -> str:
        return f'RicordiRepository: {self.uuid or "<uninitialised>"}'

    @property
    def uuid(self) -> str | None:
        """The identifier of the repository; None where it is not initialised."""
        return self.objects.uuid if self.objects.is_initialised else None

    @property
    def key_format(self) -> str:
        """How keys are made."""
        return self.objects.key_format

    @property
    def is_initialised(self) -> bool:
        """Whether there is a repository."""
        return self.objects.is_initialised

    def initialise(self, **kwargs: Any) -> None:
        """Create the repository unless it is there."""
        if not self.is_initialised:
            known = {name: kwargs[name] for name in ('pack_size_target', 'loose_prefix_len') if name in kwargs}
            with translated():
                self.objects.initialise(**known)

    def erase(self) -> None:
        """Delete the repository with all its objects; nothing happens where there is none."""
        if self.is_initialised:
            with translated():
                self.objects.erase()

    # -- objects --------------------------------------------------------------------------------------------

    def _put_object_from_filelike(self, handle: BinaryIO) -> str:
        with translated():
            return self.objects.put_object_from_filelike(handle)

    def has_objects(self, keys: list[str]) -> list[bool]:
        """Whether there is an object of each key."""
        with translated():
            return self.objects.has_objects(keys)

    def list_objects(self) -> Iterable[str]:
        """All keys."""
        with translated():
            return list(self.objects.list_objects())

    @contextmanager
    def open(self, key: str) -> Iterator[BinaryIO]:
        """A stream over an object.

        :raises FileNotFoundError: there is none of that key.
        """
        with translated():
            handle = self.objects.open(key)
        with handle:
            yield handle

    def get_object_content(self, key: str) -> bytes:
        """All bytes of an object.

        :raises FileNotFoundError: there is none of that key.
        """
        with translated():
            return self.objects.get_object_content(key)

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        """Key and stream of objects, in any order; a stream is closed when the next one is asked for.

        :raises FileNotFoundError: there is none of one of the keys.
        """
        with translated():
            yield from self.objects.iter_object_streams(keys)

    def get_object_hash(self, key: str) -> str:
        """The SHA-256 of an object, which is its key.

        :raises FileNotFoundError: there is none of that key.
        """
        with translated():
            return self.objects.get_object_hash(key)

    def delete_objects(self, keys: list[str]) -> None:
        """Delete objects.

        :raises FileNotFoundError: there is none of one of the keys; none is deleted then.
        """
        super().delete_objects(keys)
        with translated():
            self.objects.delete_objects(keys)

    # -- as a whole -----------------------------------------------------------------------------------------

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        """How many objects are loose and in packs; `detailed`: and how much they take, in MiB. Named as AiiDA does."""
        with translated():
            info = self.objects.get_info(detailed)
        result: dict[str, Any] = {'SHA-hash algorithm': 'sha256'}
        if 'compression_algorithm' in info:
            result['Compression algorithm'] = info['compression_algorithm']
        packed, loose = info['packed'], info['loose']
        result['Objects'] = {'packed': packed['objects'], 'loose': loose['objects'], 'pack_files': info['packs']}
        if detailed:
            sizes = {
                'total_size_packed': packed['content_bytes'],
                'total_size_packed_on_disk': packed['bytes'],
                'total_size_packfiles_on_disk': packed['bytes'] + info['waste_bytes'],
                'total_size_packindexes_on_disk': info['index_bytes'],
                'total_size_loose': loose['bytes'],
            }
            result['Size (MB)'] = {name: round(size / MEBIBYTE, 2) for name, size in sizes.items()}
        return result

    def maintain(self, dry_run: bool = False, live: bool = True, **kwargs: Any) -> None:
        """Pack what is loose; what takes the names in the database is done by the storage alone."""
        asked: dict[str, Any] = {name: kwargs[name] for name in ('compress', 'do_repack') if name in kwargs}
        with translated():
            options = maintenance_options(False, dry_run, asked)
            self.objects.maintain(options, lambda: iter(sorted(self.objects.list_objects())))
