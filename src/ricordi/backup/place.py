"""The folder of a backup repository: what lies where in it, how it comes to be, and its lock."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ricordi.access.kernel import KernelLock, Mode
from ricordi.access.waiting import retry
from ricordi.backend.repository import Owner, RepositoryBackend
from ricordi.errors import BusyBackupRepository, CorruptStorage, NoBackupRepository
from ricordi.files import fsync_folder, make_folders, read_regular, write_atomic
from ricordi.folders import make_folder
from ricordi.remedies import Remedy

if TYPE_CHECKING:
    from ricordi.progress import Stop

FORMAT = 1
LARGEST_DESCRIPTION = 1 << 16
DESCRIPTION = 'repository.json'
SNAPSHOTS = 'snapshots'
CONTAINER = 'container'
LOCK = 'ricordi.lock'


class BackupPlace:
    """A folder that is a backup repository, or is to be one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.description = folder / DESCRIPTION
        self.snapshots = folder / SNAPSHOTS
        self.container = folder / CONTAINER
        self.lock = folder / LOCK

    def id(self) -> str:
        """The identifier of the repository.

        :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here.
        """
        try:
            data = json.loads(read_regular(self.description, LARGEST_DESCRIPTION))
            form, identifier = data['format'], str(data['id'])
        except (FileNotFoundError, NotADirectoryError):
            raise NoBackupRepository(
                f'there is no backup repository in {self.folder}: {DESCRIPTION} is not there',
                remedy=Remedy('make backup', (str(self.folder),)),
            ) from None
        except OSError as error:
            raise NoBackupRepository(f'cannot read {self.description}: {error.strerror}') from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NoBackupRepository(
                f'{self.description} is not that of a backup repository of this program, or is damaged'
            ) from None
        if form != FORMAT:
            raise NoBackupRepository(
                f'the backup repository in {self.folder} has the form {form!r}; this program knows {FORMAT}: use a '
                'newer Ricordi'
            )
        return identifier

    @property
    def exists(self) -> bool:
        """Whether there is a description of a repository, whatever it says."""
        return os.path.lexists(self.description)

    def check_can_be_made(self) -> None:
        """See that a repository may be made here: nothing is there, or what a creation that was cut short has left.

        :raises ricordi.errors.NoBackupRepository: the folder holds something else.
        """
        try:
            names = os.listdir(self.folder)  # noqa: PTH208
        except FileNotFoundError:
            return
        except NotADirectoryError:
            raise NoBackupRepository(f'{self.folder} is no folder; choose another place') from None
        own = {SNAPSHOTS, CONTAINER, LOCK}
        others = sorted(name for name in names if name not in own and not name.startswith(f'.{DESCRIPTION}.'))
        if others:
            raise NoBackupRepository(
                f'{self.folder} holds something else ({others[0]!r}) and is no backup repository; choose an empty or a '
                'new folder'
            )

    def make(self, objects: RepositoryBackend) -> None:
        """Make an empty repository, whole or not at all; what a creation that was cut short has left is completed.

        :param objects: its store, which may be there or not.
        :raises ricordi.errors.NoBackupRepository: the folder holds something else.
        """
        self.check_can_be_made()
        make_folders(self.folder)
        with self.locked('exclusive', 60.0, None):
            if self.exists:
                return  # another one was first
            make_folder(self.snapshots, None)
            if objects.is_initialised and (objects.holds_objects or any(self.snapshots.iterdir())):
                raise CorruptStorage(
                    f'{self.folder} holds snapshots or objects of a backup repository, but {DESCRIPTION} is gone; '
                    'bring that file back'
                )
            if not objects.is_initialised:
                objects.initialise()
            identifier = uuid.uuid4().hex
            objects.set_owner(self.owner(identifier))
            fsync_folder(self.folder)
            content = json.dumps({'format': FORMAT, 'id': identifier}).encode()
            write_atomic(self.description, content, mode=0o644)  # last: from now on there is a repository

    def owner(self, identifier: str) -> Owner:
        """Whom the store of this repository serves: no database shall be tied to it."""
        return Owner(f'ricordi-backup:{identifier}', f'the backup repository in {self.folder}')

    @contextmanager
    def locked(self, mode: Mode, wait: float | None, stop: Stop | None) -> Iterator[None]:
        """Hold the lock of the place for the length of a `with` block. It ends with the process, whatever kills it.

        :param mode: `shared` to make or read snapshots, `exclusive` to remove some.
        :param wait: seconds to wait for others; None: do not wait.
        :raises ricordi.errors.BusyBackupRepository: others hold it.
        :raises ricordi.errors.Interrupted: `stop` asked for an end while waiting.
        """
        lock = KernelLock(self.lock)

        def take() -> None:
            if not lock.acquire(mode):
                doing = 'snapshots are being removed' if mode == 'shared' else 'snapshots are made or read'
                raise BusyBackupRepository(
                    f'the backup repository in {self.folder} is in use: {doing} there now', remedy=Remedy('wait')
                )

        retry(take, wait, stop, f'the backup repository in {self.folder}')
        try:
            yield
        finally:
            lock.release()
