"""What backup repositories in a bucket ask of an object store, as types; and where a backup repository may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ricordi.backend.bucket import BucketLocation

BackupAddress = Path | BucketLocation
"""Where a backup repository is: a folder, or a folder of a bucket. Its text is what a person calls it."""


class FileInStore(Protocol):
    """Something in the object store, as it lists it."""

    @property
    def name(self) -> str:
        """Below the folder of the backup repository."""

    @property
    def bytes(self) -> int:
        """How large it is."""

    @property
    def modified(self) -> datetime:
        """When it was put, by the clock of the store; aware."""


class FilesInStore(Protocol):
    """What lies by name in a folder of an object store. What was put or deleted is seen at once by everybody."""

    place: str
    """Where it is, in words."""

    def put(self, name: str, data: bytes) -> None:
        """Put something small, whole or not at all; durable on return."""

    def get(self, name: str) -> bytes:
        """All of something small.

        :raises ricordi.errors.LostObject: it is not there.
        """

    def delete(self, names: Sequence[str]) -> None:
        """Take things away; what is gone already is no error."""

    def listed(self, folder: str = '') -> Iterator[FileInStore]:
        """What lies under a folder, by name."""

    def now(self) -> datetime:
        """The time by the clock of the store: those of hosts may be wrong."""
