"""Brings folders of processes up to date: what is new or has changed is written, the rest is left alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from ricordi.backend.storage import StorageBackend
from ricordi.errors import Interrupted
from ricordi.progress import Run
from ricordi.services.dump.content import Shape
from ricordi.services.dump.folder import DumpFolder
from ricordi.services.dump.log import DumpLog, Entry
from ricordi.services.dump.places import Places, ProcessPlace
from ricordi.services.dump.root import joined
from ricordi.services.dump.select import Process
from ricordi.services.dump.writing import ProcessWork, Tally, Writer

_TOPS = 100
_WRITTEN_AT_ONCE = 50


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


class Sync:
    """Writes processes to their places, batch after batch; `tally` counts."""

    def __init__(
        self,
        storage: StorageBackend,
        folder: DumpFolder,
        log: DumpLog,
        options: SyncOptions,
        run: Run,
    ) -> None:
        self.tally = Tally()
        self._folder, self._log, self._options = folder, log, options
        self._run = run
        self._how = str(options.shape)
        self._places = Places(storage, options.unsealed)
        self._writer = Writer(storage, folder, options.shape, self.tally)
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

    def dump(self, processes: Iterable[tuple[Process, str]], base: str | None, group: str) -> None:
        """Bring the folders of processes below `base` up to date, with those of the processes they called.

        :param processes: with the uuid of the one on whose account it is there.
        :param base: None: the folder of the dump is that of the only process itself.
        :raises ricordi.errors.Interrupted: a stop was asked for; folders that are complete stay.
        """
        stream = iter(processes)
        while batch := list(islice(stream, _TOPS)):
            places = self._places.of(batch, base, group)
            while part := list(islice(places, _WRITTEN_AT_ONCE)):
                if self._run.stop.reason is not None:
                    raise Interrupted(f'{self._run.stop.reason}: run it again to go on; what is complete stays')
                self._sync(part)
                self._log.flush(now=False)
            self.tally.unsealed = self._places.unsealed
            self._run.progress.advance(len(batch))

    # -- what there is to do --------------------------------------------------------------------------------

    def _sync(self, places: Sequence[ProcessPlace]) -> None:
        works: list[ProcessWork] = []
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
        others: list[ProcessWork] = []
        for place, target in links:
            if not self._link(place, target):
                self._plan(place, others)
        self._carry_out(others)

    def _plan(self, place: ProcessPlace, works: list[ProcessWork]) -> None:
        work = self._compare(place)
        if work is None:
            self.tally.same += 1
        else:
            works.append(work)
        if self._options.symlink:
            self._primaries.setdefault(place.process.uuid, place.path)

    def _carry_out(self, works: list[ProcessWork]) -> None:
        for work in works if self._options.dry_run or not works else self._writer.write(works):
            self._done(work)

    def _follow(self, place: ProcessPlace) -> None:
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
                if entry.target is None and self._primaries.get(entry.uuid, '').startswith(old):
                    self._primaries[entry.uuid] = path
                self._note(path, entry)
        self.tally.moved += 1

    def _compare(self, place: ProcessPlace) -> ProcessWork | None:
        """What is to be written for a process; None if its folder is as it should be."""
        entry = self._log.entries.get(place.path)
        if entry is None or entry.target is not None:
            return ProcessWork(place)
        if not self._is_there(place):
            return ProcessWork(place)
        same = (entry.uuid, entry.mtime, entry.how) == (place.process.uuid, place.process.mtime, self._how)
        lacks = self._options.check and self._lacks_files(place.path)
        if same and not lacks:
            return None
        return ProcessWork(place, self._log.files(place.path), check=lacks)

    def _is_there(self, place: ProcessPlace) -> bool:
        if self._options.dry_run and self._moved and any(place.path.startswith(path) for path in self._moved):
            return True
        return self._folder.has_folder(place.path)

    def _lacks_files(self, path: str) -> bool:
        return any(not self._folder.has(joined(path, name).rstrip('/')) for name in self._log.files(path))

    # -- links ----------------------------------------------------------------------------------------------

    def _link(self, place: ProcessPlace, target: str) -> bool:
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

    def _entry(self, place: ProcessPlace, target: str | None = None) -> Entry:
        return Entry(place.process.uuid, place.process.mtime, place.group, place.top, self._how, target)

    def _done(self, work: ProcessWork) -> None:
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
