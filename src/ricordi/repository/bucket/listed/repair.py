"""Objects that a place in a bucket has lost are put once more, from sources, beside whoever else uses the place.

No announcement is needed: what is put here some snapshot names already, and a pack is not taken away on its first day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from ricordi.backend.repair import Mending, RepairOrder, RepairSource
from ricordi.errors import CorruptStorage, MissingObject
from ricordi.progress import Run
from ricordi.repository.bucket.index import hashes_of

if TYPE_CHECKING:
    from ricordi.repository.bucket.listed.repository import ListedRepository


def repair_listed(
    repository: ListedRepository, order: RepairOrder, sources: Sequence[RepairSource], run: Run
) -> Iterator[Mending]:
    """As of `RepositoryBackend.repair`. What is found damaged is noted in the place, for all hosts."""
    repository.look_again(lasting=True)
    faults = _faults(repository, order.keys, run)
    if not order.dry_run:
        _note(repository, [key for key, fault in faults.items() if fault == 'damaged object'])
    reasons: dict[str, list[str]] = {key: [] for key in faults}
    for source in sources:
        left = sorted(reasons)
        wanted = [key for key, has in zip(left, source.objects.has_objects(left), strict=True) if has]
        for key, wrong in ({} if order.dry_run else _put(repository, wanted, source, run)).items():
            reasons[key].append(f'{source.name}: {wrong.partition("; ")[0]}')
        for key in wanted if order.dry_run else _there(repository, wanted):
            del reasons[key]
            yield Mending(faults[key], 'take it from a source', key, source=source.name)
        if run.stop.reason:
            return
    for key, wrongs in reasons.items():
        yield Mending(faults[key], '', key, '; '.join(wrongs) or 'it is in none of the sources, nor in another pack')


def _faults(repository: ListedRepository, keys: Sequence[str], run: Run) -> dict[str, str]:
    """What is wrong with objects that cannot be read, by key; each is read, from all its copies in turn."""
    found = {}
    with run.step('look at objects', len(keys), 'objects'):
        for key in takewhile(lambda _: not run.stop.reason, keys):
            try:
                repository.get_object_hash(key)
            except MissingObject:
                found[key] = 'missing object'
            except CorruptStorage:
                found[key] = 'damaged object'
            run.progress.advance(1)
    return found


def _note(repository: ListedRepository, keys: Sequence[str]) -> None:
    """Have all copies of objects count for nothing from now on, here and wherever the place is used."""
    if keys:
        now = repository.files.now().timestamp()
        copies = [copy for key in keys for copy in repository.catalogue.copies(bytes.fromhex(key))]
        repository.catalogue.note_copies((copy.hash, copy.pack, now, True) for copy in copies if copy.pack)
        repository.notes.publish()


def _put(repository: ListedRepository, keys: Sequence[str], source: RepairSource, run: Run) -> dict[str, str]:
    """Put objects from a source, durably; why some could not be had, by key."""
    wrong: dict[str, str] = {}
    try:
        with run.step('mend objects', source.objects.content_bytes(keys)):
            repository.put_known_objects(
                lambda: takewhile(lambda _: not run.stop.reason, source.objects.known_objects(keys)),
                run.progress.advance,
                wrong.__setitem__,
            )
    except OSError as error:  # the source fails: the next one is asked
        there = _there(repository, keys)
        wrong |= {key: str(error) for key in keys if key not in there}
    return wrong


def _there(repository: ListedRepository, keys: Sequence[str]) -> list[str]:
    """Those that are there, and not known to be damaged."""
    known = repository.catalogue.known(hashes_of(keys))
    return [key for key in keys if bytes.fromhex(key) in known]
