"""Verification of a storage as a whole: what nodes name, the objects themselves, the database. See `docs/verify.md`."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

from ricordi.backend.verification import OF_LOST_ROWS, Finding
from ricordi.backend.verification_report import Topic, VerificationReport, VerifyOptions
from ricordi.errors import Interrupted
from ricordi.manager import use_storage
from ricordi.progress import Run
from ricordi.services.beside import WorkBeside
from ricordi.services.checks_beside import USUAL_SHARING, Sharing, findings_of

if TYPE_CHECKING:
    from ricordi.backend.repository import RepositoryBackend
    from ricordi.backend.storage import StorageBackend
    from ricordi.config import Profile

NODES_PER_FINDING = 10
USES_PER_KEY = 100
"""One key may be named by very many nodes (the empty file is): enough is enough."""
NAMED = 'named objects'
"""The topic that comes last of those about the structure."""
CONTENT = 'content of '
"""How the topics begin that are not about the structure."""


def verify_storage(
    profile: Profile,
    options: VerifyOptions | None = None,
    *,
    wait: float | None = None,
    run: Run | None = None,
) -> VerificationReport:
    """Check the storage of a profile, beside its other users: the database, the index, all that nodes name.

    With `options.read` every byte of the objects is compared with its SHA-256, what was read longest ago first. Nothing
    is changed but the note of what was read when. No finding ends it; memory does not grow with the number of objects::

        report = verify_storage(profile, VerifyOptions(read=True), run=Run(stop=Stop(1800)))
        for finding in report.findings:
            print(finding.kind, finding.key, finding.nodes)

    :param options: None: the structure alone.
    :param wait: seconds to wait for a lock to end; None: do not wait.
    :param run: hears how far it is; ends the work early, by a request or when its time is over.
    :raises ricordi.errors.AccessError: the profile is locked.
    :raises ricordi.errors.StorageError: the storage cannot be opened.
    """
    run = run or Run()
    with use_storage(profile, purpose='storage verify', wait=wait, stop=run.stop) as storage:
        return verify_open_storage(storage, options or VerifyOptions(), run)


def verify_open_storage(
    storage: StorageBackend,
    options: VerifyOptions,
    run: Run,
    hear: Callable[[Finding], None] = lambda finding: None,
    sharing: Sharing = USUAL_SHARING,
) -> VerificationReport:
    """Check a storage that is open.

    :param hear: is told of each finding; of very many the report names some.
    :param sharing: when another process takes part.
    """
    return _StorageVerification(options, run, hear, sharing).verify(storage)


class _StorageVerification:
    """One verification of an open storage."""

    def __init__(self, options: VerifyOptions, run: Run, hear: Callable[[Finding], None], sharing: Sharing) -> None:
        self._options = options
        self._run = run
        self._hear = hear
        self._sharing = sharing

    def verify(self, storage: StorageBackend) -> VerificationReport:
        """Gathered at all of it, and tell."""
        gathered, notes = Gathered(self._options.most_named, self._run), list[str]()
        if storage.unwritable:
            self._options = self._options._replace(remember=False)
            notes.append(f'what was looked at is not remembered: {storage.unwritable}')
        gathered.take(self._all(storage), self._hear)
        gathered.found.name_nodes(storage)
        report = gathered.report(self._options, storage.repository, notes)
        return report._replace(mendable=not storage.read_only)

    def _all(self, storage: StorageBackend) -> Iterator[Finding | Topic]:
        if storage.read_only:
            yield from self._one_after_the_other(storage)
            return
        # both processors: the database mostly computes, and so does what is compared with the index; what reads all
        # bytes are other processes, which have nothing to do with the interpreter that looks at rows
        with closing(WorkBeside(lambda run: self._objects(storage, run), self._run)) as objects:
            yield from self._database(storage)
            yield from objects.results()  # also where the work was told to end: what it has found until then

    def _one_after_the_other(self, storage: StorageBackend) -> Iterator[Finding | Topic]:
        yield from self._database(storage)
        if self._run.stop.reason:
            yield Topic('objects', complete=False)
        else:
            yield from self._objects(storage, self._run)

    def _objects(self, storage: StorageBackend, run: Run) -> Iterator[Finding | Topic]:
        if not storage.read_only:
            yield from self._ownership(storage)
        yield from storage.repository.verify(self._options, storage.named_keys, run)

    def _database(self, storage: StorageBackend) -> Iterator[Finding | Topic]:
        self._run.progress.begin('look at the database', None, 'rows')
        begin, complete = time.perf_counter(), True
        try:
            yield from findings_of(storage, self._options.read, self._check_stop, self._sharing)
        except Interrupted:
            complete = False
        finally:
            self._run.progress.end()
        yield Topic('database', seconds=time.perf_counter() - begin, complete=complete)

    def _ownership(self, storage: StorageBackend) -> Iterator[Finding | Topic]:
        begin = time.perf_counter()
        if doubt := storage.repository_doubt():
            yield Finding('doubtful container', f'{doubt}, so that what no node here names may be named there')
        yield Topic('ownership', seconds=time.perf_counter() - begin)

    def _check_stop(self) -> None:
        if self._run.stop.reason:
            raise Interrupted(f'{self._run.stop.reason}: ended early')


class Gathered:
    """What was looked at and what was found, of anything that is verified."""

    def __init__(self, most_named: int, run: Run, unshown: str = '') -> None:
        """
        :param most_named: so many findings of each kind are named; all are counted.
        :param unshown: a topic that the report leaves out.
        """
        self._unshown = unshown
        self.found = Findings(most_named)
        self._run = run
        self._begin = time.perf_counter()
        self._topics: list[Topic] = []

    def take(self, told: Iterable[Finding | Topic], hear: Callable[[Finding], None] = lambda finding: None) -> None:
        """Take in what a verification tells.

        :param hear: is told of each finding.
        """
        try:
            for one in told:
                if isinstance(one, Topic):
                    self._topics.append(one)
                else:
                    self.found.add(one)
                    hear(one)
        finally:
            self._run.progress.end()

    def report(
        self, options: VerifyOptions, repository: RepositoryBackend, notes: Sequence[str] = ()
    ) -> VerificationReport:
        """The report; that the structure was looked at as a whole is remembered in the repository."""
        told = list(notes)
        if self._is_whole and options.remember and (reason := self._note_in(repository)):
            told.append(f'that it was checked cannot be remembered: {reason}')
        return VerificationReport(
            options,
            tuple(topic for topic in self._topics if topic.name != self._unshown),
            self.found.in_order(),
            dict(sorted(self.found.counts.items())),
            dict(sorted(self.found.notices.items())),
            self._interruption(),
            tuple(told),
            repository.verification_state(),
            time.perf_counter() - self._begin,
        )

    def _note_in(self, repository: RepositoryBackend) -> str:
        return repository.note_verified(self.found.of_structure, self.found.of_rows)

    @property
    def _is_whole(self) -> bool:
        structure = {topic.name: topic.complete for topic in self._topics if not topic.name.startswith(CONTENT)}
        # What could not be looked at for damage is a finding; what was not for want of time is not known.
        looked = all(structure.values()) or (self.found.of_structure > 0 and not self._run.stop.reason)
        return NAMED in structure and looked

    def _interruption(self) -> str | None:
        """Why not all was looked at; a request that came when all was done is none."""
        return None if all(topic.complete for topic in self._topics) else self._run.stop.reason


class Findings:
    """The findings: the first ones of each kind by name, all by number."""

    def __init__(self, most_named: int) -> None:
        self._most_named = most_named
        self.counts: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()
        self._first: dict[tuple[bool, str], list[Finding]] = {}

    @property
    def of_structure(self) -> int:
        """How many findings there are beside damaged objects."""
        return sum(number for kind, number in self.counts.items() if kind != 'damaged object')

    @property
    def of_rows(self) -> int:
        """How many of them tell that rows of the database may be lost."""
        return sum(self.counts[kind] for kind in OF_LOST_ROWS)

    def add(self, finding: Finding) -> None:
        """Note one."""
        (self.notices if finding.notice else self.counts)[finding.kind] += 1
        first = self._first.setdefault((finding.notice, finding.kind), [])
        if len(first) < self._most_named:
            first.append(finding)

    def in_order(self) -> tuple[Finding, ...]:
        """Those that are named, by kind; notices last."""
        return tuple(finding for _, found in sorted(self._first.items()) for finding in found)

    def name_nodes(self, storage: StorageBackend) -> None:
        """Say which nodes name the objects that findings are about."""
        keys = sorted({finding.key for found in self._first.values() for finding in found if finding.key})
        nodes: dict[str, list[tuple[int, str, str]]] = {key: [] for key in keys}
        if not keys:
            return
        for use in islice(storage.uses_of_keys(keys), USES_PER_KEY * len(keys)):
            if len(nodes[use.key]) < NODES_PER_FINDING:
                nodes[use.key].append((use.pk, use.uuid, use.path))
        for (notice, kind), found in self._first.items():
            told = [_with_nodes(finding, nodes) for finding in found]
            # Its node was deleted since its name was read, or it is one that no node has named.
            kept = [finding for finding in told if finding.nodes or finding.kind != 'missing object' or not finding.key]
            (self.notices if notice else self.counts)[kind] -= len(told) - len(kept)
            found[:] = kept
        self.counts, self.notices = +self.counts, +self.notices


def _with_nodes(finding: Finding, nodes: dict[str, list[tuple[int, str, str]]]) -> Finding:
    if not finding.key or finding.nodes:
        return finding
    if named := tuple(nodes[finding.key]):
        return finding._replace(nodes=named)
    if finding.kind != 'damaged object':
        return finding
    remedy = finding.remedy if finding.remedy == 'second copy' else 'full maintenance'
    return finding._replace(detail=f'{finding.detail}; no node names it', remedy=remedy)
