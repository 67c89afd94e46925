"""A throw-away store: objects as files in a temporary folder that goes with the store."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from ricordi.backend.maintenance import (
    Amount,
    ContainerState,
    Distrust,
    KeyStream,
    MaintenanceOptions,
    MaintenanceReport,
    MaintenanceStep,
    Problem,
    trusted,
)
from ricordi.backend.repository import CHUNK_BYTES, RepositoryBackend, bytes_of
from ricordi.errors import InvalidOperation, MissingObject, StorageError
from ricordi.files import TemporaryFolder
from ricordi.model.file_trees import is_key
from ricordi.progress import Run
from ricordi.repository.container.streams import open_file

NAMED_PROBLEMS = 100
IN_MEMORY_BYTES = 1 << 20
"""Objects up to this size are read whole when they are opened."""


class SandboxRepository(RepositoryBackend):
    """Objects of a temporary storage. Nothing in it is meant to last, so nothing is fsynced.

    The folder is removed by `erase`, or with the object, or at the end of the process.
    """

    def __init__(self) -> None:
        self._uuid = uuid4().hex
        self._folder: Path | None = None
        self._temporary: TemporaryFolder | None = None

    @property
    def uuid(self) -> str | None:
        return self._uuid

    @property
    def is_initialised(self) -> bool:
        return self._folder is not None

    @property
    def folder(self) -> Path:
        """Where the objects are.

        :raises ricordi.errors.StorageError: the store is not initialised, or erased.
        """
        if self._folder is None:
            raise StorageError('the temporary repository is not there: it was not initialised, or is erased')
        return self._folder

    def initialise(self, **kwargs: Any) -> None:
        if self._folder is not None:
            raise InvalidOperation('the temporary repository is initialised already')
        self._temporary = TemporaryFolder('sandbox')
        self._folder = self._temporary.path

    def erase(self) -> None:
        if self._temporary is not None:
            self._temporary.remove()
        self._folder = None

    def close(self) -> None:
        pass

    # -- objects ----------------------------------------------------------------------------------------------

    def put_object_from_filelike(self, handle: BinaryIO) -> str:
        digest = hashlib.sha256()
        descriptor, name = tempfile.mkstemp(dir=self.folder, prefix='new-')
        try:
            with os.fdopen(descriptor, 'wb') as target:
                while chunk := bytes_of(handle.read(CHUNK_BYTES), handle):
                    digest.update(chunk)
                    target.write(chunk)
            path = self._path(digest.hexdigest())
            path.parent.mkdir(exist_ok=True)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return digest.hexdigest()

    def has_objects(self, keys: Iterable[str]) -> list[bool]:
        return [bool(is_key(key)) and self._path(key).is_file() for key in keys]

    def open(self, key: str) -> BinaryIO:
        try:
            return open_file(self._path(key), key, IN_MEMORY_BYTES)
        except FileNotFoundError:
            raise _not_existent(key) from None

    def get_object_size(self, key: str) -> int:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError:
            raise _not_existent(key) from None

    def iter_object_streams(self, keys: Iterable[str]) -> Iterator[tuple[str, BinaryIO]]:
        for key in keys:
            with self.open(key) as handle:
                yield key, handle

    def list_objects(self) -> Iterator[str]:
        for folder in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            for path in sorted(folder.iterdir()):
                yield folder.name + path.name

    def delete_objects(self, keys: Iterable[str]) -> None:
        for key in keys:
            try:
                self._path(key).unlink()
            except FileNotFoundError:
                raise _not_existent(key) from None

    def get_info(self, detailed: bool = False) -> dict[str, Any]:
        amount = self._amount(self.list_objects())
        return {'uuid': self._uuid, 'loose': {'objects': amount.objects, 'bytes': amount.bytes}}

    # -- maintenance --------------------------------------------------------------------------------------------

    def maintain(
        self,
        options: MaintenanceOptions,
        named_keys: KeyStream,
        run: Run | None = None,
        distrust: Distrust = trusted,
    ) -> MaintenanceReport:
        """Nothing is packed here; full maintenance removes garbage."""
        there, named = set(self.list_objects()), set(named_keys())
        garbage, missing = there - named, sorted(named - there)
        amount = self._amount(garbage)
        loose = self._amount(there)
        state = ContainerState(loose, garbage=amount, missing=len(missing), files=loose.objects)
        problems = tuple(Problem('missing', key, 'the object is not there') for key in missing[:NAMED_PROBLEMS])
        report = MaintenanceReport(options, state, problems=problems, problem_count=len(missing))
        if not options.full or not garbage or missing or options.keep_unnamed:
            return report if options.dry_run else report._replace(after=state)
        step = MaintenanceStep('remove garbage', '', amount.objects, freed=amount.bytes)
        if reason := distrust():
            return report._replace(distrust=reason, after=None if options.dry_run else state)
        if options.dry_run:
            return report._replace(steps=(step,))
        run = run or Run()
        if run.stop.reason:
            return report._replace(after=state, interrupted=run.stop.reason)
        run.check_lock()
        self.delete_objects(garbage)
        left = self._amount(there - garbage)
        after = ContainerState(left, garbage=Amount(), missing=0, files=left.objects)
        return report._replace(steps=(step._replace(seconds=0.0),), after=after)

    # -- places -------------------------------------------------------------------------------------------------

    def _path(self, key: str) -> Path:
        if not is_key(key):
            raise _not_existent(key)
        return self.folder / key[:2] / key[2:]

    def _amount(self, keys: Iterable[str]) -> Amount:
        sizes = [self.get_object_size(key) for key in keys]
        return Amount(len(sizes), sum(sizes))


def _not_existent(key: str) -> MissingObject:
    return MissingObject(f'there is no object {key} in the temporary repository')
