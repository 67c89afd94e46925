"""Brings folders of processes up to date: what is new or has changed is written, the rest is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from ricordi.backend.storage import StorageBackend
from ricordi.errors import CorruptStorage, Interrupted, NotExistent, ProblemsFound
from ricordi.progress import Progress, Stop
from ricordi.services.dump_content import Content, ContentLoader, Shape
from ricordi.services.dump_folder import DumpFolder
from ricordi.services.dump_log import DumpLog, Entry
from ricordi.services.dump_names import METADATA, called_name, node_name
from ricordi.services.dump_select import Process, called_by

_TOPS = 100
_WRITTEN_AT_ONCE = 50
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process goes.

    :param path: from the top of the dump.
    :param group: uuid of the group in whose folder it is, or nothing.
    :param top: uuid of the process on whose account it is there.
    :param is_top: whether it has a folder of its own in the group, not one in that of its caller.
    """

    path: str
    process: Process
    group: str
    top: str
    is_top: bool


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


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """How folders are brought up to date.

    :param symlink: a calculation that has a folder elsewhere in the dump is a link to it.
    :param unsealed: also take processes that are not sealed.
    :param check: look for every file, not only whether a folder is there.
    """

    shape: Shape = field(default_factory=Shape)
    symlink: bool = False
    unsealed: bool = False
    check: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class _Work:
    """A folder to be written.

    :param known: the files that the log knows there, with their keys.
    """

    place: Place
    known: dict[str, str]
    content: Content | None = None
    lacking: bool = False


class Sync:
    """Writes processes to their places, batch after batch; `tally` counts."""

    def __init__(
        self,
        storage: StorageBackend,
        folder: DumpFolder,
        log: DumpLog,
        options: SyncOptions,
        progress: Progress,
        stop: Stop,
    ) -> None:
        self.tally = Tally()
        self._storage, self._folder, self._log, self._options = storage, folder, log, options
        self._progress, self._stop = progress, stop
        self._how = str(options.shape)
        self._loader = ContentLoader(storage, options.shape)
        self._tops: dict[tuple[str, str], str] = {}
        self._primaries: dict[str, str] = {}
        self._moved: set[str] = set()
        for path, entry in log.entries.items():
            self._note(path, entry)

    def _note(self, path: str, entry: Entry) -> None:
        if entry.uuid == entry.top:
            self._tops[entry.group, entry.uuid] = path
        if self._options.symlink and entry.target is None:
            self._primaries.setdefault(entry.uuid, path)

    def dump(self, processes: Iterable[tuple[Process, str]], base: str, group: str) -> None:
        """Bring the folders of processes below `base` up to date, with those of the processes they called.

        :param processes: with the uuid of the one on whose account it is there.
        :raises ricordi.errors.Interrupted: `stop` was asked for; folders that are complete stay.
        """
        stream = iter(processes)
        while batch := list(islice(stream, _TOPS)):
            places = iter(list(self._expanded(batch, base, group)))
            while part := list(islice(places, _WRITTEN_AT_ONCE)):
                if self._stop.reason is not None:
                    raise Interrupted(f'{self._stop.reason}: run it again to go on; what is complete stays')
                self._sync(part)
                self._log.flush(now=False)
            self._progress.advance(len(batch))

    # -- places ---------------------------------------------------------------------------------------------

    def _expanded(self, batch: Sequence[tuple[Process, str]], base: str, group: str) -> Iterator[Place]:
        called: dict[int, list[tuple[str, Process]]] = {}
        level = [process.pk for process, _ in batch if not process.is_calculation]
        while level:
            found = called_by(self._storage, level)
            called |= found
            level = [one.pk for calls in found.values() for _, one in calls if not one.is_calculation]
            level = [pk for pk in level if pk not in called]
        for process, top in batch:
            name = node_name(process.pk, process.label, process.process_label, process.process_type)
            yield from self._below(Place(f'{base}/{name}', process, group, top, True), called)

    def _below(self, place: Place, called: dict[int, list[tuple[str, Process]]]) -> Iterator[Place]:
        if not place.process.sealed and not self._options.unsealed:
            self.tally.unsealed += 1
            return
        yield place
        for number, (label, process) in enumerate(called.get(place.process.pk, ()), 1):
            name = called_name(number, process.pk, label, process.process_label)
            yield from self._below(Place(f'{place.path}/{name}', process, place.group, place.top, False), called)

    # -- what there is to do --------------------------------------------------------------------------------

    def _sync(self, places: Sequence[Place]) -> None:
        works: list[_Work] = []
        links = []
        for place in places:
            if place.is_top and place.process.uuid == place.top:
                self._follow(place)
            target = self._primaries.get(place.process.uuid) if place.process.is_calculation else None
            if target is not None and target != place.path:
                links.append((place, target))
                continue
            self._plan(place, works)
        self._carry_out(works)
        # Only now are the folders there that links lie in and lead to.
        others: list[_Work] = []
        for place, target in links:
            if not self._link(place, target):
                self._plan(place, others)
        self._carry_out(others)

    def _plan(self, place: Place, works: list[_Work]) -> None:
        work = self._compare(place)
        if work is None:
            self.tally.same += 1
        else:
            works.append(work)
        if self._options.symlink:
            self._primaries.setdefault(place.process.uuid, place.path)

    def _carry_out(self, works: list[_Work]) -> None:
        if self._options.dry_run:
            for work in works:
                self._done(work)
        elif works:
            self._write(works)

    def _follow(self, place: Place) -> None:
        """Rename the folder of a node whose label has changed."""
        old = self._tops.get((place.group, place.process.uuid))
        if old in (None, place.path) or old not in self._log.entries or place.path in self._log.entries:
            return
        if self._folder.has(place.path) or not self._folder.has(old):
            return
        self.rename(old, place.path)

    def rename(self, old: str, new: str) -> None:
        """Give a folder of a process, with all in it, another place in the dump."""
        if not self._options.dry_run:
            self._folder.move(old, new)
        self._moved.add(new)
        self._log.move(old, new)
        for path, entry in self._log.entries.items():
            if path == new or path.startswith(f'{new}/'):
                if self._primaries.get(entry.uuid, '').startswith(old):
                    self._primaries[entry.uuid] = path
                self._note(path, entry)
        self.tally.moved += 1

    def _compare(self, place: Place) -> _Work | None:
        """What is to be written for a process; None if its folder is as it should be."""
        entry = self._log.entries.get(place.path)
        if entry is None:
            return _Work(place, {})
        if entry.target is not None:
            return _Work(place, {})
        if not self._is_there(place):
            return _Work(place, {})
        same = (entry.uuid, entry.mtime, entry.how) == (place.process.uuid, place.process.mtime, self._how)
        if same and not (self._options.check and self._lacks_files(place.path)):
            return None
        return _Work(place, self._log.files(place.path))

    def _is_there(self, place: Place) -> bool:
        if self._options.dry_run and self._moved and any(place.path.startswith(path) for path in self._moved):
            return True
        return self._folder.has_folder(place.path)

    def _lacks_files(self, path: str) -> bool:
        return any(not self._folder.has(f'{path}/{name}'.rstrip('/')) for name in self._log.files(path))

    # -- links ----------------------------------------------------------------------------------------------

    def _link(self, place: Place, target: str) -> bool:
        """Make, or leave, a link to the folder of a calculation; False if a folder in its place cannot go."""
        entry = self._log.entries.get(place.path)
        leads = self._options.dry_run or self._folder.links_to(place.path) == self._folder.relative(place.path, target)
        if entry is not None and entry.target == target and leads:
            self.tally.same += 1
            return True
        if not self._options.dry_run:
            if entry is not None and entry.target is None:
                self._folder.remove(place.path, self._log.files(place.path))
            if self._folder.has(place.path) and self._folder.links_to(place.path) is None:
                return False
            self._folder.link(place.path, target)
        self._log.add(place.path, self._entry(place, target), {})
        self.tally.linked += 1
        return True

    def _entry(self, place: Place, target: str | None = None) -> Entry:
        return Entry(place.process.uuid, place.process.mtime, place.group, place.top, self._how, target)

    # -- writing --------------------------------------------------------------------------------------------

    def _write(self, works: list[_Work]) -> None:
        contents = self._loader.load(sorted({work.place.process.pk for work in works}))
        wanted: dict[str, list[tuple[_Work, str]]] = {}
        present = []
        for work in works:
            work.content = contents.get(work.place.process.pk)
            if work.content is None:  # deleted meanwhile
                continue
            present.append(work)
            self._prepare(work)
            for name, key in work.content.files.items():
                if key and not self._is_kept(work, name, key):
                    wanted.setdefault(key, []).append((work, name))
        self._write_objects(wanted)
        for work in present:
            self._finish(work)

    def _prepare(self, work: _Work) -> None:
        """Make the folders of a process, and remove what does not belong into them any more."""
        assert work.content is not None
        path = work.place.path
        if self._folder.links_to(path) is not None and path in self._log.entries:
            self._folder.remove(path, ())
        self._folder.remove_files(path, [name for name in work.known if name not in work.content.files])
        self._folder.make_own(path)
        for name in work.content.files:
            if name.endswith('/'):
                self._folder.make(f'{path}/{name[:-1]}')

    def _is_kept(self, work: _Work, name: str, key: str) -> bool:
        return work.known.get(name) == key and not self._options.check and self._folder.has(f'{work.place.path}/{name}')

    def _write_objects(self, wanted: dict[str, list[tuple[_Work, str]]]) -> None:
        """Read each content once, in the order that is cheapest, and write it wherever it belongs."""
        repository = self._storage.repository
        keys = sorted(wanted)
        there = repository.has_objects(keys)
        for key, has in zip(keys, there, strict=True):
            if not has:
                self._lacks(wanted.pop(key), f'key {key} is missing in the repository')
        left = dict(wanted)
        with suppress(NotExistent):  # gone since it was asked for: those are opened one by one below
            for key, stream in repository.iter_object_streams(sorted(left)):
                self._write_object(key, stream, left.pop(key))
        for key, targets in left.items():
            try:
                with repository.open(key) as stream:
                    self._write_object(key, stream, targets)
            except NotExistent:
                self._lacks(targets, f'key {key} is missing in the repository')

    def _write_object(self, key: str, stream: BinaryIO, targets: list[tuple[_Work, str]]) -> None:
        (work, name), *others = targets
        first = f'{work.place.path}/{name}'
        try:
            written = self._folder.write_stream(first, stream, key)
        except (ProblemsFound, CorruptStorage):
            self._lacks(targets, f'the content is damaged in the repository, key {key}')
            return
        self.tally.bytes += written
        for other, name in others:
            self.tally.bytes += self._folder.copy(f'{other.place.path}/{name}', first)
        self.tally.files += len(targets)

    def _lacks(self, targets: list[tuple[_Work, str]], reason: str) -> None:
        for work, name in targets:
            work.lacking = True
            self.tally.problem_count += 1
            if len(self.tally.problems) < _SHOWN:
                self.tally.problems.append(f'{work.place.path}/{name}: {reason}')

    def _finish(self, work: _Work) -> None:
        """Write the metadata, and note in the log that the folder is complete, if it is."""
        assert work.content is not None
        path = work.place.path
        self.tally.bytes += self._folder.write(f'{path}/{METADATA}', work.content.metadata)
        self.tally.files += 1
        self._done(work)

    def _done(self, work: _Work) -> None:
        path = work.place.path
        if path in self._log.entries:
            self.tally.changed += 1
        else:
            self.tally.new += 1
        if not work.lacking:
            self._log.add(path, self._entry(work.place), work.content.files if work.content else {})
            if work.place.is_top and work.place.process.uuid == work.place.top:
                self._tops[work.place.group, work.place.top] = path
        elif path in self._log.entries:
            self._log.remove(path)
