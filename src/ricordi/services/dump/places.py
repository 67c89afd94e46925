"""Where processes go in a dump: each to a folder of its own, those it called to folders inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ricordi.backend.storage import StorageBackend
from ricordi.services.dump.names import called_name, node_name
from ricordi.services.dump.root import joined
from ricordi.services.dump.select import Process, called_by

Calls = dict[int, list[tuple[str, Process]]]


@dataclass(frozen=True, slots=True)
class ProcessPlace:
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


class Places:
    """Places of processes and of those they called, many at a time.

    `unsealed` counts those that were left out, for they are not sealed.
    """

    def __init__(self, storage: StorageBackend, with_unsealed: bool) -> None:
        self._storage = storage
        self._with_unsealed = with_unsealed
        self.unsealed = 0

    def of(self, processes: Sequence[tuple[Process, str]], base: str | None, group: str) -> Iterator[ProcessPlace]:
        """The places below `base`, each before those inside it.

        :param processes: with the uuid of the one on whose account it is there.
        :param base: None: the folder of the dump is that of the only process itself.
        """
        called: Calls = {}
        level = [process.pk for process, _ in processes if not process.is_calculation]
        while level:
            found = called_by(self._storage, level)
            called |= found
            level = [one.pk for calls in found.values() for _, one in calls if not one.is_calculation]
            level = [pk for pk in level if pk not in called]
        for process, top in processes:
            name = node_name(process.pk, process.label, process.process_label, process.process_type)
            path = '' if base is None else f'{base}/{name}'
            yield from self._below(ProcessPlace(path, process, group, top, True), called)

    def _below(self, place: ProcessPlace, called: Calls) -> Iterator[ProcessPlace]:
        if not place.process.sealed and not self._with_unsealed:
            self.unsealed += 1
            return
        yield place
        for number, (label, process) in enumerate(called.get(place.process.pk, ()), 1):
            name = called_name(number, process.pk, label, process.process_label)
            path = joined(place.path, name)
            yield from self._below(ProcessPlace(path, process, place.group, place.top, False), called)
