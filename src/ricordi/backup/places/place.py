"""The contract of a place for a backup repository: what lies where in it is its own, what is in it is the same."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, ClassVar

from ricordi.access.kernel import Mode
from ricordi.backend.repository import Owner, RepositoryBackend
from ricordi.backup.manifests import record_in
from ricordi.errors import CorruptStorage, NoBackupRepository, StorageError
from ricordi.remedies import Remedy

if TYPE_CHECKING:
    from ricordi.progress import Stop

FORMAT = 1
LARGEST_DESCRIPTION = 1 << 16
DESCRIPTION = 'repository.json'
SNAPSHOTS = 'snapshots'


class BackupPlace(ABC):
    """A place that holds a backup repository, or is to hold one."""

    removes_beside_others: ClassVar[bool] = False
    """Whether there is no lock, so that snapshots are removed while others make some: these are announced there."""

    address: str
    """What a person calls it."""

    def id(self) -> str:
        """The identifier of the repository.

        :raises ricordi.errors.NoBackupRepository: there is none, or it is of a form that is not known here.
        :raises ricordi.errors.CorruptStorage: its snapshots are there, and what describes it is not.
        """
        if fault := self.description_fault():
            raise CorruptStorage(
                f'{self.address} holds the snapshots of a backup repository, but its description is gone: {fault}',
                remedy=Remedy('mend backup', (self.address,)),
            )
        try:
            content = self._description_content()
        except OSError as error:
            raise NoBackupRepository(f'cannot read {self.address}/{DESCRIPTION}: {error.strerror}') from None
        if content is None:
            raise NoBackupRepository(
                f'there is no backup repository in {self.address}: {DESCRIPTION} is not there',
                remedy=None if self._holds_else() else Remedy('make backup', (self.address,)),
            )
        return identifier_in(content, self.address)

    def description_fault(self) -> str:
        """What is wrong with the description of a repository of which snapshots are there; empty: nothing, or there
        are none."""
        try:
            content = self._description_content()
        except OSError as error:
            fault = f'cannot be read: {error.strerror}'
        else:
            fault = 'is not there' if content is None else '' if is_description(content) else 'is damaged'
        return f'{self.address}/{DESCRIPTION} {fault}' if fault and self._holds_snapshots() else ''

    @abstractmethod
    def _description_content(self) -> bytes | None:
        """What the description says; None where there is none.

        :raises OSError: it cannot be read.
        """

    @abstractmethod
    def _holds_else(self) -> bool:
        """Whether something is there that a backup would not be put beside."""

    def _holds_snapshots(self) -> bool:
        """Whether there is a sound manifest, which nobody else writes."""
        with suppress(StorageError):
            for name in self.manifest_names():
                with suppress(StorageError):
                    record_in(name, self.read_manifest(name))
                    return True
        return False

    @property
    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a description of a repository, whatever it says."""

    @abstractmethod
    def check_can_be_made(self) -> None:
        """See that a repository may be made here: nothing is there, or what a creation that was cut short has left.

        :raises ricordi.errors.NoBackupRepository: the place holds something else.
        """

    @abstractmethod
    def make(self, objects: RepositoryBackend) -> None:
        """Make an empty repository, whole or not at all; what a creation that was cut short has left is completed.

        :param objects: its store, which may be there or not.
        :raises ricordi.errors.NoBackupRepository: the place holds something else.
        """

    @abstractmethod
    def describe(self, objects: RepositoryBackend) -> None:
        """Write the description, with a new identifier, for one who holds the lock of the place alone.

        :param objects: its store, which is tied to it.
        """

    def owner(self, identifier: str) -> Owner:
        """Whom the store of this repository serves: no database shall be tied to it."""
        return Owner(f'ricordi-backup:{identifier}', f'the backup repository in {self.address}')

    @abstractmethod
    def check_store(self, objects: RepositoryBackend) -> None:
        """See that the store is there.

        :raises ricordi.errors.CorruptStorage: it is gone.
        """

    @abstractmethod
    def locked(self, mode: Mode, wait: float | None, stop: Stop | None) -> AbstractContextManager[None]:
        """Hold the lock of the place for the length of a `with` block, where there is one.

        :param mode: `shared` to make or read snapshots, `exclusive` to remove some.
        :param wait: seconds to wait for others; None: do not wait.
        :raises ricordi.errors.BusyBackupRepository: others hold it.
        :raises ricordi.errors.Interrupted: `stop` asked for an end while waiting.
        """

    # -- manifests ----------------------------------------------------------------------------------------------

    @abstractmethod
    def manifest_names(self) -> list[str]:
        """The names of all snapshots, by time.

        :raises ricordi.errors.StorageError: they cannot be listed.
        """

    @abstractmethod
    def read_manifest(self, name: str) -> bytes:
        """The manifest of a snapshot as it lies there.

        :raises ricordi.errors.CorruptStorage: it cannot be read.
        """

    @abstractmethod
    def write_manifest(self, name: str, content: bytes) -> None:
        """Write the manifest of a snapshot, durably: from then on there is the snapshot."""

    @abstractmethod
    def remove_manifests(self, names: Sequence[str]) -> None:
        """Remove manifests, durably, and what writers that were killed have left of theirs."""

    def announce(self, content: bytes) -> None:  # noqa: B027 - a lock says the same
        """Have others keep what a snapshot in the making names, until its manifest is written or `withdraw` is called.

        :param content: what its manifest will say, as far as it is known.
        """

    def withdraw(self) -> None:  # noqa: B027 - as above
        """Announce nothing any more: the snapshot is there, or there will be none."""

    def announced(self) -> Iterator[tuple[str, bytes]]:
        """What others have announced: a name that is never used again, and what the manifest will say."""
        return iter(())


def is_description(content: bytes) -> bool:
    """Whether a file is the description of a repository, of whatever form."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(data, dict) and 'format' in data and 'id' in data


def identifier_in(content: bytes, place: str) -> str:
    """The identifier that a description tells.

    :param place: where it was read, in words.
    :raises ricordi.errors.NoBackupRepository: it is none, or of a form that is not known here.
    """
    if not is_description(content):
        raise NoBackupRepository(
            f'{place}/{DESCRIPTION} is not that of a backup repository of this program, or is damaged'
        )
    data = json.loads(content)
    form, identifier = data['format'], str(data['id'])
    if form != FORMAT:
        raise NoBackupRepository(
            f'the backup repository in {place} has the form {form!r}; this program knows {FORMAT}: use a newer Ricordi'
        )
    return identifier
