"""Verification of a backup repository: its snapshots, and the store with all that they are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING

from ricordi.backend.backups import BackupAddress
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerificationReport, VerifyOptions
from ricordi.errors import CorruptStorage
from ricordi.manager import open_backup
from ricordi.progress import Run
from ricordi.services.verify import NAMED, Gathered

if TYPE_CHECKING:
    from ricordi.backup.records import SnapshotRecord
    from ricordi.backup.repository import BackupRepository

MOST_FAULTS = 5
"""So many faults of one snapshot are told."""


def verify_backup(
    place: BackupAddress, options: VerifyOptions | None = None, *, wait: float | None = None, run: Run | None = None
) -> VerificationReport:
    """Check a backup repository, beside those who back up into it: nobody removes snapshots meanwhile.

    Of each snapshot the manifest, the lists and the rows of its database are read, and all objects that its nodes name
    looked for; then the index of the store and its packs are checked. With `options.read` every byte of the store is
    compared with its SHA-256, what was read longest ago first.

    :param options: None: without reading all content.
    :param wait: seconds to wait for one who removes snapshots; None: do not wait.
    :param run: hears how far it is; ends the work early, by a request or when its time is over.
    :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here.
    :raises ricordi.errors.BusyBackupRepository: snapshots are being removed.
    """
    options, run = options or VerifyOptions(), run or Run()
    gathered = Gathered(options.most_named, run, unshown=NAMED)  # each snapshot has looked for its own
    with open_backup(place) as repository, repository.held(wait, run.stop):
        gathered.take(findings_in(repository, options, run))
        return gathered.report(options, repository.objects)


def _lacking_words(record: SnapshotRecord) -> Iterator[str]:
    """What a snapshot lacks since it was made, in words."""
    if record.missing_count:
        yield f'{record.missing_count:,} objects were missing or damaged when it was made'
    if record.lost_rows:
        yield f'rows may have been lost before it was made: {record.lost_rows}'


def findings_in(
    repository: BackupRepository,
    options: VerifyOptions,
    run: Run,
    hear: Callable[[Finding], None] = lambda finding: None,
) -> Iterator[Finding | Topic]:
    """What is wrong with snapshots, then with the store that they lie in; see `verify_backup`.

    :param hear: is told of each finding in the store, with what would mend it.
    """
    is_whole = True
    try:
        for one in _snapshots(repository, run):
            is_whole = is_whole and not (isinstance(one, Finding) and not one.notice)
            yield one
    except CorruptStorage:  # without an index nothing can be read: the store tells of that
        is_whole = False
    if run.stop.reason:
        yield Topic('objects', complete=False)
        return
    for one in repository.objects.verify(options, lambda: iter(()), run):
        if isinstance(one, Finding):
            hear(one)
            one = one._replace(remedy='')  # what would mend the store of a profile does not mend that of backups
            if one.kind == 'damaged pack' and not is_whole:  # what a snapshot lacks may be in it
                one = one._replace(notice=False)
        yield one


def _snapshots(repository: BackupRepository, run: Run) -> Iterator[Finding | Topic]:
    """Every snapshot by itself: whether it has all that it is made of."""
    begin, checked = time.perf_counter(), 0
    records, faults = repository.read_all()
    for name, error in faults.items():
        yield Finding('damaged snapshot', str(error), f'snapshot {name}')
    run.progress.begin('look at snapshots', len(records), 'snapshots')
    unstopped = takewhile(lambda record: not run.stop.reason, records)
    for record, faulty in repository.check_all(unstopped):
        if faulty:  # one finding for each: they are counted
            more = f'; and {len(faulty) - MOST_FAULTS} more' if len(faulty) > MOST_FAULTS else ''
            detail = '; '.join(faulty[:MOST_FAULTS]) + more
            yield Finding('damaged snapshot', detail, f'snapshot {record.name}')
        for detail in _lacking_words(record):
            yield Finding('incomplete snapshot', detail, f'snapshot {record.name}', notice=True)
        checked += 1
        run.progress.advance(1)
    run.progress.end()
    seconds = time.perf_counter() - begin
    yield Topic('snapshots', checked, 'snapshots', seconds=seconds, complete=checked == len(records))
