"""Who may use a profile: shared access for many, or the exclusive lock for one (design.md, *Access*)."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.access.holder import Holder, join_command, list_holders, shorten
from ricordi.access.kernel import Mode, find_openers
from ricordi.access.process import command_line, owner
from ricordi.access.records import (
    Kind,
    find_records,
    read_holders,
    remove_leftovers,
    remove_record,
    remove_stale,
)
from ricordi.access.state import GUARD_NAME, ProcessState, state_of
from ricordi.access.waiting import SHORTEST_PAUSE, retry
from ricordi.config.folder import ACCESS_FOLDER, get_config_folder
from ricordi.config.names import check_profile_name
from ricordi.errors import AccessError, ConfigurationError, LockedProfileError, LockingProfileError, UnrecordableUse
from ricordi.files import DISK_IS_FULL

if TYPE_CHECKING:
    from ricordi.config.profile import Profile
    from ricordi.progress import Stop

Guard = Callable[[], AbstractContextManager[object]]

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, *DISK_IS_FULL)

UNRECORDED_SECONDS = 1.0
"""How long to wait for the record of a process that holds the kernel's lock: it writes it in the next moment."""


class ProfileAccessManager:
    """Asks for access to a profile, and for its lock.

    Any number of processes have access at a time, or one has the lock. Access asked for by several managers in one
    process counts as one; it ends with the last `release`, or with the process. A process that was forked has nothing
    of its parent's and asks anew. AiiDA's processes count alike, both ways.
    """

    def __init__(self, profile: Profile, config_folder: Path | None = None) -> None:
        """
        :param config_folder: where the access records are; the current configuration folder if it is not given.
        """
        self._name = check_profile_name(profile.name)
        self._folder = (config_folder or get_config_folder()) / ACCESS_FOLDER / self._name
        self._granted_to: int | None = None  # the process that has access through this object

    def __repr__(self) -> str:
        return f'ProfileAccessManager<{self._name!r}>'

    @property
    def folder(self) -> Path:
        """Where the records of this profile are."""
        return self._folder

    # -- shared access --------------------------------------------------------------------------------------

    def request_access(self, purpose: str = '', wait: float | None = None, stop: Stop | None = None) -> None:
        """Get access to the profile, until `release` or the end of the process; a second call changes nothing.

        :param purpose: what for, told to who wants to lock the profile meanwhile.
        :param wait: seconds to wait for a lock to end; None: do not wait.
        :raises ricordi.errors.LockedProfileError: the profile is locked; the message tells by whom.
        :raises ricordi.errors.ConfigurationError: the records cannot be written.
        """
        if self._granted_to == os.getpid():
            return
        state = self._open_state()
        with self._explained():
            retry(lambda: self._try_access(state, purpose), wait, stop)
        self._granted_to = os.getpid()

    def request_unrecorded_access(self, wait: float | None = None, stop: Stop | None = None) -> None:
        """Get access for reading where no record can be written; else as `request_access`.

        A lock is honoured all the same. The kernel's lock is taken where its file is there already: then processes of
        Ricordi are kept from locking the profile meanwhile, others are not.

        :raises ricordi.errors.LockedProfileError: the profile is locked; the message tells by whom.
        """
        if self._granted_to == os.getpid():
            return
        state = state_of(self._folder)
        with self._explained():
            retry(lambda: self._try_unrecorded(state), wait, stop)
        self._granted_to = os.getpid()

    def _try_unrecorded(self, state: ProcessState) -> None:
        with state.mutex:
            locked = self._others('lock', include_self=state.locking_thread not in (None, threading.get_ident()))
            if locked:
                raise self._locked(locked)
            if state.users == 0 and state.locking_thread is None:
                with suppress(OSError):
                    if not state.kernel.acquire('shared'):
                        raise self._locked([])
            state.users += 1

    def release(self) -> None:
        """End the access that this object asked for; the process's record goes with the last one."""
        if self._granted_to != os.getpid():
            self._granted_to = None
            return
        self._granted_to = None
        state = state_of(self._folder)
        with state.mutex:
            if state.users > 1:
                state.users -= 1
            elif state.users == 1:
                state.drop_access()

    def _try_access(self, state: ProcessState, purpose: str) -> None:
        with state.mutex:
            if state.locking_thread is not None and state.locking_thread != threading.get_ident():
                raise self._locked(self._others('lock', include_self=True))
            unrecorded = state.users > 0 and state.access_record is None
            if (state.users == 0 or unrecorded) and state.locking_thread is None:
                self._enter(state, purpose)
            elif state.users == 0:  # in a `with lock` of this thread, whose end turns the lock into shared access
                state.record_access(purpose)
            state.users += 1

    def _enter(self, state: ProcessState, purpose: str) -> None:
        """Access for the process: the kernel's lock, the record, and then another look for a lock of AiiDA's.

        In this order, so that of two that come at the same moment at least one sees the other's record.
        """
        self._refuse_if_locked()
        self._acquire(state, 'shared')
        try:
            state.record_access(purpose)
            self._refuse_if_locked()
        except BaseException:
            state.drop_access()
            raise

    def _acquire(self, state: ProcessState, mode: Mode) -> None:
        """Take the kernel's lock; who is in the way is given a moment to write the record that tells who it is."""
        deadline = time.monotonic() + UNRECORDED_SECONDS
        while not state.kernel.acquire(mode):
            holders = self._others('lock') or (self._others('access') if mode == 'exclusive' else [])
            if holders or time.monotonic() > deadline:
                raise self._locked(holders) if mode == 'shared' else self._in_use(holders)
            time.sleep(SHORTEST_PAUSE)

    # -- exclusive lock -------------------------------------------------------------------------------------

    @contextmanager
    def lock(
        self,
        wait: float | None = None,
        purpose: str = '',
        guards: Sequence[Guard] = (),
        stop: Stop | None = None,
    ) -> Iterator[None]:
        """Have the profile for this process alone, for the length of a `with` block.

        Access that the process itself has does not stand in the way, and is there again afterwards.

        :param wait: seconds to wait for others to leave; None: do not wait.
        :param purpose: what for, told to who wants access meanwhile.
        :param guards: further locks to hold (a database's), entered last; `AccessError` from one is waited for.
        :param stop: a request to stop ends the waiting with `Interrupted`.
        :raises ricordi.errors.LockedProfileError: the profile is locked by another process.
        :raises ricordi.errors.LockingProfileError: the profile is in use. Both messages tell by whom.
        :raises ricordi.errors.ConfigurationError: the records cannot be written.
        """
        state = self._open_state()
        if state.locking_thread == threading.get_ident():
            raise LockedProfileError(f'profile {self._name!r} is locked by this very process already')
        process = os.getpid()
        with self._explained():
            held = retry(lambda: self._try_lock(state, purpose, guards), wait, stop)
        try:
            yield
        finally:
            if os.getpid() == process:
                try:
                    held.close()
                finally:
                    self._leave_lock(state)
            else:
                held.pop_all()  # a forked child leaves the parent's lock alone

    def _try_lock(self, state: ProcessState, purpose: str, guards: Sequence[Guard]) -> ExitStack:
        with state.mutex:
            if state.locking_thread is not None:
                raise self._locked(self._others('lock', include_self=True))
            self._refuse_if_locked()
            try:
                self._enter_lock(state, purpose)
                with ExitStack() as stack:
                    for guard in guards:
                        stack.enter_context(guard())
                    return stack.pop_all()
            except BaseException:
                self._leave_lock(state)
                raise

    def _enter_lock(self, state: ProcessState, purpose: str) -> None:
        # What this process has itself of the kernel's lock is given up for the exclusive one; its access record stays,
        # so that nobody else takes the profile for unused meanwhile.
        self._acquire(state, 'exclusive')
        state.locking_thread = threading.get_ident()
        self._refuse_if_used()
        state.record_lock(purpose)
        # Look again: somebody of AiiDA's may have come since the first look, and then either we or they see the other.
        self._refuse_if_locked()
        self._refuse_if_used()
        remove_leftovers(self._folder)

    def _leave_lock(self, state: ProcessState) -> None:
        with state.mutex:
            state.drop_lock()
            if state.users == 0 or state.kernel.mode is not None:
                return
            # Whoever got the exclusive lock in this instant sees our access record, and withdraws at once.
            retry(lambda: self._retake_shared(state), UNRECORDED_SECONDS * 10, None)

    def _retake_shared(self, state: ProcessState) -> None:
        if not state.kernel.acquire('shared'):
            raise self._locked(self._others('lock'))

    # -- looking --------------------------------------------------------------------------------------------

    def holders(self) -> list[Holder]:
        """All who have, or had, access or lock according to the records, this process included; ended ones too."""
        records = [*find_records(self._folder, 'lock'), *find_records(self._folder, 'access')]
        return [holder for record in records for holder in read_holders(record)]

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
            for record in (*find_records(self._folder, 'lock'), *find_records(self._folder, 'access')):
                holders = read_holders(record)
                states = {holder.state for holder in holders}
                if not holders or any(map(self._is_self, holders)) or ('live' in states and not force):
                    continue
                if 'foreign' in states and not (foreign or force):
                    continue
                remove_record(record)
                removed += holders
        return removed

    # -- inside ---------------------------------------------------------------------------------------------

    def _open_state(self) -> ProcessState:
        with self._explained():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return state_of(self._folder)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = UnrecordableUse if error.errno in _NOT_WRITABLE else ConfigurationError
            way_out = 'free some space' if error.errno in DISK_IS_FULL else 'make the folder writable for this user'
            raise kind(
                f'cannot record who uses profile {self._name!r} in {self._folder}: {error.strerror or error}; '
                f'without that record others could change the storage unawares: {way_out}'
            ) from error

    def _others(self, kind: Kind, include_self: bool = False) -> list[Holder]:
        return [
            holder
            for record in find_records(self._folder, kind)
            for holder in read_holders(record)
            if holder.state != 'stale' and (include_self or not self._is_self(holder))
        ]

    def _is_self(self, holder: Holder) -> bool:
        return holder.pid == os.getpid() and holder.state != 'foreign'

    def _refuse_if_locked(self) -> None:
        holders = [holder for holder in remove_stale(self._folder, 'lock') if not self._is_self(holder)]
        if holders:
            raise self._locked(holders)

    def _refuse_if_used(self) -> None:
        holders = [holder for holder in remove_stale(self._folder, 'access') if not self._is_self(holder)]
        if holders:
            raise self._in_use(holders)

    def _locked(self, holders: list[Holder]) -> AccessError:
        who = list_holders(holders) or '\n  - a process that has left no record yet'
        return LockedProfileError(f'profile {self._name!r} is locked; try again later, or wait with --wait:{who}')

    def _in_use(self, holders: list[Holder]) -> AccessError:
        if any(holder.kind == 'lock' for holder in holders):
            return self._locked(holders)
        who = list_holders(holders) or self._list_openers()
        return LockingProfileError(
            f'profile {self._name!r} is in use and cannot be locked; end these, or wait with --wait:{who}'
        )

    def _list_openers(self) -> str:
        """Who is in the way without a record of its own, such as a forked child of one who had access."""
        openers = [pid for pid in find_openers(self._folder / GUARD_NAME) if pid != os.getpid()]
        return (
            ''.join(
                f'\n  - process {pid}, user {owner(pid)}, command `{shorten(join_command(command_line(pid) or ()))}`, '
                'which has the profile open from its parent'
                for pid in openers
            )
            or '\n  - a process that has left no record yet'
        )
