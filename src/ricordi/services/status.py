"""Whether a profile can be used: each thing that has to be right, checked one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backend.rows import NodeRow
from ricordi.backend.verification_report import VerificationState
from ricordi.config import Config, Profile, load_config
from ricordi.errors import IncompatibleStorageSchema, Interrupted, LockedProfileError, ProblemsFound, RicordiError
from ricordi.manager import storage_class, use_storage
from ricordi.remedies import Remedy
from ricordi.services.ages import ago, span_in_words
from ricordi.services.backups.history import LastBackup, last_backups
from ricordi.services.history import maintained_at, with_what_was_seen
from ricordi.services.last_verified import state_in_words
from ricordi.services.profiles.profiles import ArchiveName, find_profile, location

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend

State = Literal['ok', 'warning', 'error', 'not checked']
Counting = Literal['auto', 'yes', 'no']
CHECKS = (
    'configuration',
    'profile',
    'access',
    'schema',
    'storage',
    'objects',
    'maintenance',
    'verification',
    'backup',
)
WARNING = Interrupted.exit_code
"""What a warning makes the program end with: all can be used, and there is something to do."""


class StatusQuestion(NamedTuple):
    """What is too much, and what a look may cost.

    :param max_age_full: seconds since the last full maintenance.
    :param max_age_backup: seconds since the last backup.
    :param max_garbage: percent of the bytes of all objects.
    :param counting: whether to compare all that nodes name with all objects: `auto` where that takes seconds at most.
    :param most_counted: so many nodes and objects together are compared by `auto`.
    :param now: by which ages are told; None: the time it is.
    """

    max_age_full: float | None = None
    max_age_backup: float | None = None
    max_garbage: float | None = None
    counting: Counting = 'auto'
    most_counted: int = 5_000_000
    now: datetime | None = None


USUAL = StatusQuestion()


@dataclass(frozen=True, slots=True)
class StatusCheck:
    """One thing that was looked at.

    :param exit_code: what it makes the program end with; 0 where all is well.
    :param remedy: what can be done about what is wrong, or was never done.
    """

    name: str
    state: State
    detail: str
    exit_code: int = 0
    remedy: Remedy | None = None


class Advised(NamedTuple):
    """What is told of a check that is well, with what might be done all the same.

    :param warning: it can be used as it is, and something should be done.
    """

    detail: str
    remedy: Remedy | None = None
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """All that was looked at, in order; after an error the rest is not checked.

    :param plan: of a full maintenance; None where nothing was counted, as of an archive.
    :param maintained: when live and full maintenance last did all they should; None: not known.
    :param needs_care: whether it is to be maintained and backed up: it is known, and is no archive.
    :param hidden: objects that AiiDA cannot read since a repack of its was killed.
    """

    profile: str | None
    checks: tuple[StatusCheck, ...]
    plan: MaintenanceReport | None
    verification: VerificationState | None = None
    maintained: dict[str, datetime | None] = field(default_factory=dict)
    backup: LastBackup | None = None
    hidden: int = 0
    needs_care: bool = False

    @property
    def worst(self) -> StatusCheck | None:
        """The first error, or else the first warning."""
        wrong = [check for check in self.checks if check.exit_code]
        return next((check for check in wrong if check.state == 'error'), wrong[0] if wrong else None)

    @property
    def exit_code(self) -> int:
        """That of what is worst, or 0."""
        return self.worst.exit_code if self.worst else 0


def get_status(profile_name: str | None, question: StatusQuestion = USUAL) -> Status:
    """Check configuration, profile, access, schema, storage and what maintenance finds; changes nothing."""
    run = _Checks(profile_name, question)
    checks: list[StatusCheck] = []
    for name in CHECKS:
        if any(check.state == 'error' for check in checks):
            checks.append(StatusCheck(name, 'not checked', ''))
            continue
        try:
            told = getattr(run, name)()
            advised = told if isinstance(told, Advised) else Advised(told)
            state: State = 'warning' if advised.warning else 'ok'
            code = WARNING if advised.warning else 0
            checks.append(StatusCheck(name, state, advised.detail, code, advised.remedy))
        except RicordiError as error:
            checks.append(StatusCheck(name, 'error', str(error), error.exit_code, error.remedy))
    # What needs no storage is told also where there is an error: a graph of it shall have no gap.
    known = run.found is not None and not isinstance(profile_name, ArchiveName)
    return Status(
        run.found.name if run.found else None,
        tuple(checks),
        run.plan,
        run.state,
        maintained_at(run.found) if run.found and known else {},
        next(iter(last_backups(run.found)), None) if run.found and known else None,
        run.hidden,
        run.needs_care,
    )


def all_profile_names() -> list[str]:
    """The names of all profiles of the configuration.

    :raises ricordi.errors.ConfigurationError: there is no configuration, or it cannot be read.
    """
    return load_config().profile_names


def garbage_percent(plan: MaintenanceReport) -> float | None:
    """How much of the bytes of all objects is garbage; None: not known."""
    held, garbage = plan.before.loose.bytes + plan.before.packed.bytes, plan.before.garbage
    return None if garbage is None else 100 * garbage.bytes / (held or 1)


class _Checks:
    """The checks, each building on those before it; each returns what to tell, or raises."""

    def __init__(self, profile_name: str | None, question: StatusQuestion) -> None:
        self._name = profile_name
        self._question = question
        self._now = question.now or datetime.now(UTC)
        self._config: Config | None = None
        self._read_only = False
        self._not_counted = 0
        self.found: Profile | None = None
        self.plan: MaintenanceReport | None = None
        self.state: VerificationState | None = None
        self.hidden = 0
        self.needs_care = False

    @property
    def _profile(self) -> Profile:
        assert self.found is not None
        return self.found

    def configuration(self) -> str:
        if isinstance(self._name, ArchiveName):
            return 'an archive, which needs none'
        self._config = load_config()
        return self._config.filepath

    def profile(self) -> str:
        self.found = find_profile(self._name, self._config)
        return f'{self.found.name} ({self.found.storage_backend})'

    def access(self) -> str:
        if storage_class(self._profile).read_only:
            return 'an archive, which anybody may read'
        self.needs_care = True
        holders = [holder for holder in ProfileAccessManager(self._profile).holders() if holder.state != 'stale']
        lock = next((holder for holder in holders if holder.kind == 'lock'), None)
        if lock is not None:
            raise LockedProfileError(f'locked by {lock}')
        if not holders:
            return 'used by nobody else'
        return f'used by {holders[0]}' + (f' and {len(holders) - 1} more' if len(holders) > 1 else '')

    def schema(self) -> str:
        kind = storage_class(self._profile)
        version, head = kind.version_profile(self._profile), kind.version_head()
        if version != head:
            raise IncompatibleStorageSchema(
                f'{version}, but this program works on {head}',
                remedy=Remedy('migrate storage', (self._profile.name,)),
            )
        return version

    def storage(self) -> str | Advised:
        with use_storage(self._profile, purpose='status') as storage:
            self._read_only = storage.read_only
            if not storage.read_only:
                self._count(storage)
                self.state = storage.repository.verification_state()
                self.hidden = storage.repository.hidden_by_killed_repack()
        if self.hidden:
            words = f'a repack of AiiDA was killed: AiiDA cannot read {self.hidden:,} objects until that is put right'
            return Advised(words, Remedy('maintain in full'), warning=True)
        return location(self._profile)

    def _count(self, storage: StorageBackend) -> None:
        counting, most = self._question.counting, self._question.most_counted
        last = next(storage.find(NodeRow, order_by=('-pk',), limit=1), None) if counting == 'auto' else None
        about = storage.repository.estimated_count() + ((last.pk or 0) if last else 0)
        if counting == 'no' or (counting == 'auto' and about > most):
            self._not_counted = about
            return
        options = MaintenanceOptions(full=True, dry_run=True)
        self.plan = storage.maintain(with_what_was_seen(self._profile, options))

    def objects(self) -> str | Advised:
        if self._read_only:
            return 'an archive, which needs no maintenance'
        if self.plan is None:
            words = f'about {self._not_counted:,}, not counted; how much is garbage or missing is not known'
            return Advised(words, Remedy('count objects'), warning=self._question.max_garbage is not None)
        if self.plan.problem_count:
            objects = self.plan.problem_count - self.plan.unclear_trees
            raise ProblemsFound(
                f'{self.plan.problem_count:,} missing, damaged or unclear',
                remedy=Remedy('mend objects' if objects else 'list problems'),
            )
        if self.plan.doubt:
            raise ProblemsFound(self.plan.doubt, remedy=Remedy('list problems'))
        if self.plan.distrust:
            words = f'{self.plan.distrust}: objects that no node names are left where they are'
            raise ProblemsFound(words, remedy=Remedy('trust rows'))
        state = self.plan.before
        held = f'{state.packed.objects:,} packed, {state.loose.objects:,} loose'
        share, limit = garbage_percent(self.plan), self._question.max_garbage
        if limit is not None and share is not None and share > limit:
            words = f'{share:.1f} % of all bytes are garbage, more than {limit:g} %'
            return Advised(words, Remedy('maintain in full'), warning=True)
        return f'{held}, {state.garbage.objects:,} garbage' if state.garbage else held

    def maintenance(self) -> str | Advised:
        if self._read_only:
            return 'an archive, which needs none'
        moment, limit = maintained_at(self._profile)['full'], self._question.max_age_full
        if moment is None:
            words = 'no full one is known of'
            return Advised(words, Remedy('maintain in full'), warning=True) if limit is not None else words
        age = (self._now - moment).total_seconds()
        words = f'the last full one {ago(moment, self._now)}'
        if limit is not None and age > limit:
            words = f'{words}, more than {span_in_words(limit) or "a moment"}'
            return Advised(words, Remedy('maintain in full'), warning=True)
        return words

    def verification(self) -> str | Advised:
        state = self.state
        if state is None:
            return 'not remembered for such a storage'
        if state.findings:
            words = f'{state.findings:,} open finding{"" if state.findings == 1 else "s"}'
            raise ProblemsFound(words, remedy=Remedy('verify'))
        if state.structure is None and state.oldest is None:
            return Advised('never verified', Remedy('verify'))
        return state_in_words(state)

    def backup(self) -> str | Advised:
        if self._read_only:
            return 'an archive, of which a copy is one'
        last, limit = next(iter(last_backups(self._profile)), None), self._question.max_age_backup
        advice = Remedy('back up')
        if last is None:
            return Advised('none is known of', advice, warning=True) if limit is not None else 'none is known of'
        lacks = '' if last.complete else ', which lacks objects or rows'
        age = (self._now - last.time).total_seconds()
        words = f'{span_in_words(age) or "a moment"} old, in {last.place} ({last.snapshot}){lacks}'
        if limit is not None and age > limit:
            return Advised(f'{words}, more than {span_in_words(limit) or "a moment"}', advice, warning=True)
        return words
