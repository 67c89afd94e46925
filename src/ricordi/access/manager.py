"""Who may use a profile: shared access for many, or the exclusive lock for one (docs/decisions/access-lock.md)."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.access import state as holdings
from ricordi.access.clearing import remove_leftovers, remove_odd_files, remove_record, remove_stale
from ricordi.access.holder import Holder, join_command, list_holders, shorten
from ricordi.access.judging import Here, find_odd, read_holders
from ricordi.access.kernel import Mode, find_openers
from ricordi.access.place import find_namesakes, place_of
from ricordi.access.process import command_line, owner
from ricordi.access.records import Kind, Record, find_records
from ricordi.access.state import GUARD_NAME, ProcessAccess, state_of
from ricordi.access.storage_lock import GATE_NAME, StorageLock, storage_lock_of
from ricordi.access.waiting import SHORTEST_PAUSE, AccessTimes, GracePeriod, Reservation, retry
from ricordi.config.folder import ACCESS_FOLDER, get_config_folder
from ricordi.config.names import check_profile_name
from ricordi.errors import (
    AccessError,
    ConfigurationError,
    LockedProfileError,
    LockingProfileError,
    UnrecordableUse,
)
from ricordi.files import DISK_IS_FULL
from ricordi.folders import make_folder
from ricordi.remedies import Remedy

if TYPE_CHECKING:
    from ricordi.config.profile import Profile
    from ricordi.progress import Stop

Check = Callable[[], None]
"""Raises where a lock has been lost."""
Guard = Callable[[], AbstractContextManager[Check | None]]

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOLCK, *DISK_IS_FULL)
_IN_THE_WAY = (errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENXIO)

WAIT = Remedy('wait')


class ProfileAccessManager:
    """Asks for access to a profile, and for its lock.

    Any number of processes have access at a time, or one has the lock. Access asked for by several managers in one
    process counts as one; it ends with the last `release`, or with the process. A process that was forked has nothing
    of its parent's and asks anew. AiiDA's processes count alike, both ways. What counts is the storage: who reaches it
    by another name, or from another configuration folder, meets the same lock.
    """

    def __init__(self, profile: Profile, config_folder: Path | None = None, times: AccessTimes | None = None) -> None:
        """
        :param config_folder: where the access records are; the current configuration folder if it is not given.
        :param times: time limits; the usual ones if they are not given.
        """
        self._profile = profile
        self._name = check_profile_name(profile.name)
        self._config_folder = config_folder or get_config_folder()
        self._folder = self._config_folder / ACCESS_FOLDER / self._name
        self._times = times or AccessTimes()
        self._granted_to: int | None = None  # the process that has access through this object
        self._namesakes: list[str] | None = None  # while it is tried to get access or lock

    def __repr__(self) -> str:
        return f'ProfileAccessManager<{self._name!r}>'

    @property
    def folder(self) -> Path:
        """Where the records of this profile are."""
        return self._folder

    # -- shared access --------------------------------------------------------------------------------------

    def request_access(self, purpose: str = '', wait: float | None = None, stop: Stop | None = None) -> None:
        """Get access to the profile, until `release` or the end of the process; a second call changes nothing.

        One who waits for the lock goes first, for a moment, with the warning `HeldBack`.

        :param purpose: what for, told to who wants to lock the profile meanwhile.
        :param wait: seconds to wait for a lock to end; None: do not wait.
        :raises ricordi.errors.LockedProfileError: the profile is locked; the message tells by whom.
        :raises ricordi.errors.ConfigurationError: the records cannot be written.
        """
        if self._granted_to == os.getpid():
            return
        state, patience = self._open_state(), GracePeriod(self._times.giving_way)
        with self._explained():
            retry(lambda: self._try_access(state, purpose, patience), wait, stop)
        self._granted_to = os.getpid()

    def request_unrecorded_access(self, wait: float | None = None, stop: Stop | None = None) -> None:
        """Get access for reading where no record can be written; else as `request_access`.

        A lock is honoured all the same. The kernel's lock of the storage is taken, and that of the name where its file
        is there already: so processes of Ricordi are kept from locking the profile meanwhile, others are not.

        :raises ricordi.errors.LockedProfileError: the profile is locked; the message tells by whom.
        """
        if self._granted_to == os.getpid():
            return
        state, patience = state_of(self._folder), GracePeriod(self._times.giving_way)
        with self._explained():
            retry(lambda: self._try_unrecorded(state, patience), wait, stop)
        self._granted_to = os.getpid()

    def _try_unrecorded(self, state: ProcessAccess, patience: GracePeriod) -> None:
        with holdings.mutex, self._namesakes_known():
            locked = self._others('lock', include_self=state.locking_thread not in (None, threading.get_ident()))
            if locked:
                raise self._locked(locked)
            if state.users == 0 and state.locking_thread is None:
                with self._dropped_on_failure(state):
                    with suppress(OSError):
                        if not state.kernel.acquire('shared'):
                            raise self._locked([])
                    self._enter_storage(state, patience)
            state.users += 1

    def release(self) -> None:
        """End the access that this object asked for; the process's record goes with the last one."""
        if self._granted_to != os.getpid():
            self._granted_to = None
            return
        self._granted_to = None
        state = state_of(self._folder)
        with holdings.mutex:
            if state.users > 1:
                state.users -= 1
            elif state.users == 1:
                state.drop_access()

    def _try_access(self, state: ProcessAccess, purpose: str, patience: GracePeriod) -> None:
        with holdings.mutex, self._namesakes_known():
            self._refuse_if_locked_by_thread(state)
            unrecorded = state.users > 0 and not state.is_recorded
            if (state.users == 0 or unrecorded) and state.locking_thread is None:
                self._enter(state, purpose, patience)
            elif state.users == 0:  # in a `with lock` of this thread, whose end turns the lock into shared access
                with self._dropped_on_failure(state):
                    self._enter_storage(state, patience)
                    self._record(state, 'access', purpose)
            state.users += 1

    def _enter(self, state: ProcessAccess, purpose: str, patience: GracePeriod) -> None:
        """Access for the process: the kernel's locks, the records, and then another look for a lock of AiiDA's.

        In this order, so that of two that come at the same moment at least one sees the other's record. Of the kernel's
        locks that of the name comes before that of the storage, here and in `lock`.
        """
        self._refuse_if_locked()
        with self._dropped_on_failure(state):
            self._acquire(state, 'shared')
            self._enter_storage(state, patience)
            self._record(state, 'access', purpose)
            self._refuse_if_locked()

    def _enter_storage(self, state: ProcessAccess, patience: GracePeriod) -> None:
        storage = self._storage
        if storage is None or state.storage is not None:
            return
        newcomer = not storage.is_ours
        self._insist(storage.enter, 'shared')
        state.storage = storage
        if newcomer:
            patience.give_way(storage.gate.occupant(), self._name)

    def _acquire(self, state: ProcessAccess, mode: Mode) -> None:
        self._insist(lambda: state.kernel.acquire(mode), mode)

    def _insist(self, attempt: Callable[[], bool], mode: Mode) -> None:
        """Take a lock of the kernel's; who is in the way is given a moment to write the record that tells who it is."""
        deadline = time.monotonic() + self._times.unrecorded
        while not attempt():
            holders = self._others('lock') or (self._others('access') if mode == 'exclusive' else [])
            if holders or time.monotonic() > deadline:
                raise self._locked(holders) if mode == 'shared' else self._in_use(holders)
            time.sleep(SHORTEST_PAUSE)

    @contextmanager
    def _namesakes_known(self) -> Iterator[None]:
        """Read once which profiles have the same storage, for all that is done inside."""
        self._namesakes = find_namesakes(self._profile, self._config_folder)
        try:
            yield
        finally:
            self._namesakes = None

    @contextmanager
    def _dropped_on_failure(self, state: ProcessAccess) -> Iterator[None]:
        try:
            yield
        except BaseException:
            state.drop_access()
            raise

    # -- exclusive lock -------------------------------------------------------------------------------------

    @contextmanager
    def lock(
        self,
        wait: float | None = None,
        purpose: str = '',
        guards: Sequence[Guard] = (),
        stop: Stop | None = None,
        *,
        of_storage: bool = True,
    ) -> Iterator[Check]:
        """Have the profile, and its storage by whatever name, for this process alone, for the length of a `with` block.

        Access that the process itself has does not stand in the way, and is there again afterwards. The block is given
        what asks the guards whether they still hold; the kernel's locks cannot be lost.

        :param wait: seconds to wait for others to leave; None: do not wait. Newcomers are held back meanwhile, now and
            then for a moment.
        :param purpose: what for, told to who wants access meanwhile.
        :param guards: further locks to hold (a database's), entered last; `AccessError` from one is waited for.
        :param stop: a request to stop ends the waiting with `Interrupted`.
        :param of_storage: False: the name alone; others may go on using its storage by other names.
        :raises ricordi.errors.LockedProfileError: the profile is locked by another process.
        :raises ricordi.errors.LockingProfileError: the profile is in use. Both messages tell by whom.
        :raises ricordi.errors.ConfigurationError: the records cannot be written.
        """
        state = self._open_state()
        storage = self._storage if of_storage else None
        if state.locking_thread == threading.get_ident():
            raise LockedProfileError(f'profile {self._name!r} is locked by this very process already')
        process = os.getpid()
        reservation = Reservation(wait, self._times.reserving)
        try:
            with self._explained():
                held, check = retry(lambda: self._try_lock(state, storage, purpose, guards, reservation), wait, stop)
            try:
                yield check
            finally:
                if os.getpid() == process:
                    try:
                        held.close()
                    finally:
                        self._leave_lock(state)
                else:
                    held.pop_all()  # a forked child leaves the parent's lock alone
        finally:
            # The gate last: while it is held nobody else takes the storage alone, so shared access can be had back.
            if storage is not None and os.getpid() == process:
                storage.gate.leave()

    def _try_lock(
        self,
        state: ProcessAccess,
        storage: StorageLock | None,
        purpose: str,
        guards: Sequence[Guard],
        reservation: Reservation,
    ) -> tuple[ExitStack, Check]:
        with holdings.mutex, self._namesakes_known():
            self._refuse_if_locked_by_thread(state, whoever=True)
            self._refuse_if_locked(storage is not None)
            try:
                self._enter_lock(state, storage, purpose)
                with ExitStack() as stack:
                    checks = [stack.enter_context(guard()) for guard in guards]
                    return stack.pop_all(), lambda: _ask(checks)
            except BaseException:
                self._leave_lock(state)
                if storage is not None and not reservation.holds:
                    storage.gate.leave()
                raise

    def _enter_lock(self, state: ProcessAccess, storage: StorageLock | None, purpose: str) -> None:
        # The gate first: nobody without it takes the storage alone. So what this process has itself of the kernel's
        # locks can be given up for the exclusive ones, and be had back if others are in the way; its records stay.
        whole = storage is not None
        if storage is not None:
            self._insist(lambda: storage.gate.take(purpose, self._name), 'exclusive')
        self._acquire(state, 'exclusive')
        state.locking_thread = threading.get_ident()
        if storage is not None:
            state.locked_storage = storage
            self._insist(storage.lock, 'exclusive')
        self._refuse_if_used(whole)
        self._record(state, 'lock', purpose, whole)
        # Look again: somebody of AiiDA's may have come since the first look, and then either we or they see the other.
        self._refuse_if_locked(whole)
        self._refuse_if_used(whole)
        for folder in self._folders(whole):
            with suppress(OSError):
                remove_leftovers(folder)

    def _leave_lock(self, state: ProcessAccess) -> None:
        with holdings.mutex:
            state.drop_lock()
            if state.users == 0 or state.kernel.mode is not None:
                return
            # Whoever got the exclusive lock in this instant sees our access record, and withdraws at once.
            retry(lambda: self._retake_shared(state), self._times.unrecorded * 10, None)

    def _retake_shared(self, state: ProcessAccess) -> None:
        if not state.kernel.acquire('shared'):
            raise self._locked(self._others('lock'))

    # -- looking --------------------------------------------------------------------------------------------

    def holders(self) -> list[Holder]:
        """All who have, or had, access or lock according to the records, this process included; ended ones too.

        Those who reach the storage by another name, or from another configuration folder, are among them.
        """
        return self._read('lock') + self._read('access') + self._odd_lock_files()

    def is_locked(self) -> bool:
        """Whether somebody, perhaps this process, has the lock."""
        return bool(self._others('lock', include_self=True))

    def is_active(self) -> bool:
        """Whether somebody, perhaps this process, has access."""
        return bool(self._others('access', include_self=True))

    def holds_lock(self) -> bool:
        """Whether this process has the lock."""
        return state_of(self._folder).locking_thread is not None

    def has_access(self) -> bool:
        """Whether this process has access through this object."""
        return self._granted_to == os.getpid()

    # -- clearing -------------------------------------------------------------------------------------------

    def clear_locks(self, foreign: bool = False, force: bool = False) -> list[Holder]:
        """Remove records of access and lock that nobody is behind; returns whose were removed.

        :param foreign: also those of other hosts and containers. Only for a person who knows that they have ended.
        :param force: also those of living processes, which go on using the profile unseen by AiiDA. For emergencies.
        """
        removed = []
        with self._explained():
            for record in [*self._find('lock'), *self._find('access')]:
                holders = read_holders(record, self._here())
                states = {holder.state for holder in holders}
                if not holders or any(holder.own for holder in holders) or ('live' in states and not force):
                    continue
                if 'foreign' in states and not (foreign or force):
                    continue
                removed += holders if self._clear(record) else []
            removed += self._odd_lock_files()
            self._clear_odd_files()
            for folder in self._folders():
                with suppress(OSError):
                    remove_leftovers(folder)
        return _distinct(removed)

    def _clear(self, record: Record) -> bool:
        """Remove a record; False if it is a folder with something in it, which is nobody's to throw away."""
        try:
            remove_record(record)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        return True

    def _odd_lock_files(self) -> list[Holder]:
        """What stands in the place of a file of a kernel's lock, and is none."""
        paths = [self._folder / GUARD_NAME]
        if self._storage is not None:
            paths.append(self._storage.records_folder.parent / GATE_NAME)
        return [holder for path in paths for holder in find_odd('lock', path)]

    def _clear_odd_files(self) -> None:
        """Remove what stands in the place of a record or lock file and is none.

        :raises ricordi.errors.ConfigurationError: it cannot be removed safely; the message names it.
        """
        left = [record.path for record in [*self._find('lock'), *self._find('access')] if record.path.is_dir()]
        left += remove_odd_files([holder.path for holder in self._odd_lock_files() if holder.path is not None])
        if left:
            raise ConfigurationError(
                'what stands in the place of access records cannot be cleared, for there is something in it; '
                'look at it, and move it away by hand: ' + ', '.join(map(str, left))
            )

    # -- inside ---------------------------------------------------------------------------------------------

    def _open_state(self) -> ProcessAccess:
        with self._explained():
            make_folder(self._folder)
        return state_of(self._folder)

    @cached_property
    def _storage(self) -> StorageLock | None:
        container = place_of(self._profile).container
        return None if container is None else storage_lock_of(container)

    def _folders(self, whole: bool = True) -> list[Path]:
        """Where there may be records of users of the storage; the profile's own folder comes first.

        :param whole: False: that one alone.
        """
        if not whole:
            return [self._folder]
        names = self._namesakes if self._namesakes is not None else find_namesakes(self._profile, self._config_folder)
        folders = [self._folder, *(self._config_folder / ACCESS_FOLDER / name for name in names)]
        storage = self._storage
        return folders if storage is None else [*folders, storage.records_folder]

    def _record(self, state: ProcessAccess, kind: Kind, purpose: str, whole: bool = True) -> None:
        """Write the record under every name that AiiDA may look at, and in the container for all others.

        Where nothing can be written there, the kernel's lock keeps them out, and no more is lost than who is named.
        """
        storage = self._storage if whole else None
        spare = storage.records_folder if storage is not None and storage.make_records_folder() else None
        folders = [folder for folder in self._folders(whole) if storage is None or folder != storage.records_folder]
        for folder in folders[1:]:
            make_folder(folder)
        state.record(kind, folders, purpose, self._name, spare)

    def _find(self, kind: Kind, whole: bool = True) -> list[Record]:
        found: list[Record] = []
        for number, folder in enumerate(self._folders(whole)):
            with suppress(*((PermissionError,) if number else ())):
                found += find_records(folder, kind)
        return found

    def _here(self) -> Here:
        return Here(place_of(self._profile).file)

    def _read(self, kind: Kind) -> list[Holder]:
        here = self._here()
        return _distinct([holder for record in self._find(kind) for holder in read_holders(record, here)])

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = UnrecordableUse if error.errno in _NOT_WRITABLE else ConfigurationError
            raise kind(
                f'cannot record who uses profile {self._name!r} in {self._folder}: {error.strerror or error}; '
                f'without that record others could change the storage unawares: {_way_out(error)}',
                remedy=Remedy('clear access records') if error.errno in _IN_THE_WAY else None,
            ) from error

    def _others(self, kind: Kind, include_self: bool = False) -> list[Holder]:
        return [holder for holder in self._read(kind) if holder.state != 'stale' and (include_self or not holder.own)]

    def _refuse_if_locked_by_thread(self, state: ProcessAccess, whoever: bool = False) -> None:
        """Refuse what another thread of this process has locked, by whatever name.

        :param whoever: also what this thread has locked.
        """
        storage = self._storage
        threads = {state.locking_thread, None if storage is None else storage.locking_thread} - {None}
        if threads - (set() if whoever else {threading.get_ident()}):
            raise self._locked(self._others('lock', include_self=True))

    def _refuse_if_locked(self, whole: bool = True) -> None:
        holders = self._remaining('lock', whole)
        if holders:
            raise self._locked(holders)

    def _refuse_if_used(self, whole: bool = True) -> None:
        holders = self._remaining('access', whole)
        if holders:
            raise self._in_use(holders)

    def _remaining(self, kind: Kind, whole: bool) -> list[Holder]:
        """Who else there is once the records of those who have ended are removed.

        :param whole: False: those only who have the profile by its own name.
        """
        here = self._here()
        found = [holder for folder in self._folders(whole) for holder in remove_stale(folder, kind, here)]
        return _distinct([holder for holder in found if not holder.own and (whole or holder.name in ('', self._name))])

    def _locked(self, holders: list[Holder]) -> AccessError:
        who = list_holders(holders or self._at_the_gate()) or '\n  - a process that has left no record yet'
        return LockedProfileError(f'profile {self._name!r} is locked; try again later:{who}', remedy=WAIT)

    def _in_use(self, holders: list[Holder]) -> AccessError:
        if any(holder.kind == 'lock' for holder in holders):
            return self._locked(holders)
        at_the_gate = self._at_the_gate()
        if not holders and at_the_gate:
            return LockingProfileError(
                f'another process waits for profile {self._name!r} to be its own, and comes first; try again '
                f'later:{list_holders(at_the_gate)}',
                remedy=WAIT,
            )
        who = list_holders(holders) or self._list_openers()
        who += ''.join(f'\n  - {holder}, who waits for the lock too' for holder in at_the_gate)
        return LockingProfileError(
            f'profile {self._name!r} is in use and cannot be locked; end these:{who}', remedy=WAIT
        )

    def _at_the_gate(self) -> list[Holder]:
        storage = self._storage
        occupant = None if storage is None else storage.gate.occupant()
        return [] if occupant is None else [occupant]

    def _list_openers(self) -> str:
        """Who is in the way without a record of its own, such as a forked child of one who had access."""
        storage = self._storage
        paths = [self._folder / GUARD_NAME, *([] if storage is None else [storage.path])]
        openers = sorted({pid for path in paths for pid in find_openers(path)} - {os.getpid()})
        return (
            ''.join(
                f'\n  - process {pid}, user {owner(pid)}, command `{shorten(join_command(command_line(pid) or ()))}`, '
                'which has the profile open from its parent, or without a record'
                for pid in openers
            )
            or '\n  - a process that has left no record yet'
        )


def _ask(checks: Sequence[Check | None]) -> None:
    for check in checks:
        if check is not None:
            check()


def _way_out(error: OSError) -> str:
    if error.errno in DISK_IS_FULL:
        return 'free some space'
    if error.errno in _IN_THE_WAY:
        return 'clear what stands there in the place of a file'
    if error.errno == errno.ENOLCK:
        return 'have the file system mounted with locks (NFS needs its lock service)'
    return 'make the folder writable for this user'


def _distinct(holders: Sequence[Holder]) -> list[Holder]:
    """Each process once for what it has, though it may have left records in several folders."""
    found: dict[tuple[object, ...], Holder] = {}
    for holder in holders:
        found.setdefault((holder.kind, holder.pid, holder.host, holder.state, holder.purpose, holder.own), holder)
    return list(found.values())
