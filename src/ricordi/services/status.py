"""Whether a profile can be used: each thing that has to be right, checked one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ricordi.access import ProfileAccessManager
from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backend.verification_report import VerificationState
from ricordi.config import Config, Profile, load_config
from ricordi.errors import IncompatibleStorageSchema, LockedProfileError, ProblemsFound, RicordiError
from ricordi.manager import storage_class, use_storage
from ricordi.remedies import Remedy
from ricordi.services.backups.history import last_backups
from ricordi.services.history import with_what_was_seen
from ricordi.services.last_verified import state_in_words
from ricordi.services.profiles.profiles import ArchiveName, find_profile, location

State = Literal['ok', 'error', 'not checked']


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
    """What is told of a check that is well, with what might be done all the same."""

    detail: str
    remedy: Remedy | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """All that was looked at, in order; after an error the rest is not checked."""

    profile: str | None
    checks: tuple[StatusCheck, ...]
    plan: MaintenanceReport | None
    verification: VerificationState | None = None

    @property
    def exit_code(self) -> int:
        """That of the first check that is not well, or 0."""
        return next((check.exit_code for check in self.checks if check.exit_code), 0)


def get_status(profile_name: str | None) -> Status:
    """Check configuration, profile, access, schema, storage and what maintenance finds; changes nothing."""
    run = _Checks(profile_name)
    names = ('configuration', 'profile', 'access', 'schema', 'storage', 'objects', 'verification', 'backup')
    checks: list[StatusCheck] = []
    for name in names:
        if any(check.state == 'error' for check in checks):
            checks.append(StatusCheck(name, 'not checked', ''))
            continue
        try:
            told = getattr(run, name)()
            advised = told if isinstance(told, Advised) else Advised(told)
            checks.append(StatusCheck(name, 'ok', advised.detail, remedy=advised.remedy))
        except RicordiError as error:
            checks.append(StatusCheck(name, 'error', str(error), error.exit_code, error.remedy))
    return Status(run.found.name if run.found else None, tuple(checks), run.plan, run.state)


class _Checks:
    """The checks, each building on those before it; each returns what to tell, or raises."""

    def __init__(self, profile_name: str | None) -> None:
        self._name = profile_name
        self._config: Config | None = None
        self.found: Profile | None = None
        self.plan: MaintenanceReport | None = None
        self.state: VerificationState | None = None

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

    def storage(self) -> str:
        with use_storage(self._profile, purpose='status') as storage:
            if not storage.read_only:
                options = MaintenanceOptions(full=True, dry_run=True)
                self.plan = storage.maintain(with_what_was_seen(self._profile, options))
                self.state = storage.repository.verification_state()
        return location(self._profile)

    def objects(self) -> str:
        if self.plan is None:
            return 'an archive, which needs no maintenance'
        if self.plan.problem_count:
            raise ProblemsFound(
                f'{self.plan.problem_count:,} missing, damaged or unclear', remedy=Remedy('list problems')
            )
        if self.plan.doubt:
            raise ProblemsFound(self.plan.doubt, remedy=Remedy('list problems'))
        state = self.plan.before
        held = f'{state.packed.objects:,} packed, {state.loose.objects:,} loose'
        return f'{held}, {state.garbage.objects:,} garbage' if state.garbage else held

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

    def backup(self) -> str:
        if self.plan is None:
            return 'an archive, of which a copy is one'
        last = next(iter(last_backups(self._profile)), None)
        if last is None:
            return 'none is known of'
        lacks = '' if last.complete else ', which lacks objects'
        return f'{last.age} old, in {last.place} ({last.snapshot}){lacks}'
