"""Writes folders of processes: each content is read once and written wherever it belongs, the metadata last."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage, LostObject, NotExistent
from ricordi.services.dump.content import ContentLoader, ProcessContent, Shape
from ricordi.services.dump.folder import DumpFolder
from ricordi.services.dump.names import METADATA
from ricordi.services.dump.places import ProcessPlace
from ricordi.services.dump.root import joined

_SHOWN = 20


@dataclass(slots=True)
class Tally:
    """What was done, or would be, in folders of processes; `bytes` of files."""

    new: int = 0
    changed: int = 0
    same: int = 0
    linked: int = 0
    moved: int = 0
    removed: int = 0
    unsealed: int = 0
    files: int = 0
    bytes: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ProcessWork:
    """A folder to be written.

    :param known: the files that the log knows there, with their keys.
    :param check: write also those files that should be there already.
    :param content: what it holds, once it is loaded.
    :param lacking: whether some content, or which content there is, could not be read.
    """

    place: ProcessPlace
    known: dict[str, str] = field(default_factory=dict)
    check: bool = False
    content: ProcessContent | None = None
    lacking: bool = False


class Writer:
    """Writes folders of processes; `tally` counts files and problems."""

    def __init__(self, storage: StorageBackend, folder: DumpFolder, shape: Shape, tally: Tally) -> None:
        self._storage, self._folder = storage, folder
        self._loader = ContentLoader(storage, shape)
        self.tally = tally

    def write(self, works: Sequence[ProcessWork]) -> list[ProcessWork]:
        """Write the folders of processes; gives those that are there now, for a process may have gone meanwhile."""
        contents = self._loader.load(sorted({work.place.process.pk for work in works}))
        wanted: dict[str, list[tuple[ProcessWork, str]]] = {}
        present = []
        for work in works:
            work.content = contents.get(work.place.process.pk)
            if work.content is None:  # deleted meanwhile
                continue
            present.append(work)
            for problem in work.content.problems:
                self._note(work, f'{work.place.path or self._folder.root.name}: {problem}')
            self._prepare(work)
            for name, key in work.content.files.items():
                if key and not self._is_kept(work, name, key):
                    wanted.setdefault(key, []).append((work, name))
        self._write_objects(wanted)
        for work in present:
            path = joined(work.place.path, METADATA)
            self.tally.bytes += self._folder.write(path, work.content.metadata if work.content else b'')
            self.tally.files += 1
        return present

    def _prepare(self, work: ProcessWork) -> None:
        """Make the folders of a process, and remove what does not belong into them any more."""
        assert work.content is not None
        path = work.place.path
        if self._folder.is_inner_link(path):
            self._folder.remove(path, ())
        self._folder.remove_files(path, [name for name in work.known if name not in work.content.files])
        self._folder.make_own(path)
        for name in work.content.files:
            if name.endswith('/'):
                self._folder.make(joined(path, name[:-1]))

    def _is_kept(self, work: ProcessWork, name: str, key: str) -> bool:
        return work.known.get(name) == key and not work.check and self._folder.has(joined(work.place.path, name))

    def _write_objects(self, wanted: dict[str, list[tuple[ProcessWork, str]]]) -> None:
        """Read each content once, in the order that is cheapest, and write it wherever it belongs."""
        repository = self._storage.repository
        keys = sorted(wanted)
        there = repository.has_objects(keys)
        for key, has in zip(keys, there, strict=True):
            if not has:
                self._lacks(wanted.pop(key), f'key {key} is missing in the repository')
        left = dict(wanted)
        with suppress(NotExistent, CorruptStorage):  # what is left is opened one by one below
            for key, stream in repository.iter_object_streams(sorted(left)):
                self._write_object(key, stream, left.pop(key))
        for key, targets in left.items():
            try:
                with repository.open(key) as stream:
                    self._write_object(key, stream, targets)
            except (NotExistent, LostObject):
                self._lacks(targets, f'key {key} is missing in the repository')
            except CorruptStorage:
                self._lacks(targets, f'the content is damaged in the repository, key {key}')

    def _write_object(self, key: str, stream: BinaryIO, targets: list[tuple[ProcessWork, str]]) -> None:
        (work, name), *others = targets
        first = joined(work.place.path, name)
        try:
            written = self._folder.write_stream(first, stream)
        except CorruptStorage:
            self._lacks(targets, f'the content is damaged in the repository, key {key}')
            return
        self.tally.bytes += written
        for other, name in others:
            self.tally.bytes += self._folder.copy(joined(other.place.path, name), first)
        self.tally.files += len(targets)

    def _lacks(self, targets: list[tuple[ProcessWork, str]], reason: str) -> None:
        for work, name in targets:
            self._note(work, f'{joined(work.place.path, name)}: {reason}')

    def _note(self, work: ProcessWork, problem: str) -> None:
        work.lacking = True
        self.tally.problem_count += 1
        if len(self.tally.problems) < _SHOWN:
            self.tally.problems.append(problem)
