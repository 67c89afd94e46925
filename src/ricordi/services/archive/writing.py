"""The file of an archive: objects, then the database, then the metadata, which its directory names first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ricordi.errors import ProblemsFound
from ricordi.files import new_file
from ricordi.progress import Run
from ricordi.remedies import Remedy
from ricordi.repository.archive.objects import write_objects
from ricordi.repository.archive.sources import UnusableObject, sources
from ricordi.storage.archive.file import DATABASE, METADATA
from ricordi.zipfiles.deflate import DeflatedPieces, crc32
from ricordi.zipfiles.format import STORED
from ricordi.zipfiles.writer import ZipWriter

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.storage.archive.draft import ArchiveDraft

SHOWN_USES = 5


@dataclass(frozen=True, slots=True)
class ArchiveWork:
    """One archive in the making: a database that is complete, and a repository that holds what it names."""

    storage: StorageBackend
    draft: ArchiveDraft
    level: int
    metadata: dict[str, Any]
    run: Run

    def count_objects(self) -> tuple[int, int]:
        """Number of objects and bytes of content, found without reading them."""
        count = total = 0
        with self._uses_named():
            for source in sources(self.storage.repository, self.draft.named_keys):
                count += 1
                total += source.size
        return count, total

    def write(self, path: Path, overwrite: bool) -> tuple[int, int]:
        """Write the file; returns number of objects and bytes of content."""
        with (
            new_file(path, overwrite) as file,
            closing(ZipWriter(file, (METADATA, DATABASE))) as writer,
            ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix='deflate') as executor,
        ):
            written = self._write_objects(writer, executor)
            size = self.draft.path.stat().st_size
            with self.run.step('write the database', size):
                writer.add_pieces(DATABASE, DeflatedPieces(self.draft.chunks(), self.level, executor), size)
                content = json.dumps(self.metadata).encode()
                writer.add(METADATA, STORED, crc32(content), len(content), content)
                writer.finish()
        return written

    def _write_objects(self, writer: ZipWriter, executor: ThreadPoolExecutor) -> tuple[int, int]:
        with self.run.step('write objects', None, 'objects'), self._uses_named():
            return write_objects(self.storage.repository, self.draft.named_keys, writer, self.level, executor, self.run)

    @contextmanager
    def _uses_named(self) -> Iterator[None]:
        """An object that cannot be used is told with the nodes and paths that name it."""
        try:
            yield
        except UnusableObject as error:
            uses = [f'node {use.pk} ({use.uuid}), {use.path}' for use in self.storage.uses_of_keys([error.key])]
            more = f'; and {len(uses) - SHOWN_USES} more' if len(uses) > SHOWN_USES else ''
            raise ProblemsFound(
                f'{error}. It is named by {"; ".join(uses[:SHOWN_USES])}{more}. No archive was written',
                remedy=Remedy('find damage'),
            ) from error
