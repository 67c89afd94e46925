"""Backup repositories in a bucket for tests: each opened as a host of its own, with something done before a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ricordi.backend.bucket import BucketLocation
from ricordi.backup.places.bucket import AnnouncementLimits, BucketPlace
from ricordi.backup.repository import BackupRepository
from ricordi.repository.bucket.limits import BucketLimits
from ricordi.repository.bucket.listed.repository import ListedRepository

SMALL = BucketLimits(pack_bytes=1500, large_bytes=3000, leftover_seconds=0.0, pause_seconds=0.0, tries=2)
"""Several packs for few objects, and nothing is too young to go."""
STEPS = ('put', 'put_stream', 'delete', 'listed')
"""Requests that change something, or see what others have changed."""
READS = ('get', 'get_ranges')


class Killed(BaseException):
    """What a process does not survive."""


def opened(client: Any, limits: BucketLimits = SMALL, dead_seconds: float = 1000.0) -> BackupRepository:
    """The repository in a bucket, made if it is not there, as a host sees it that has never seen it before.

    :param client: of `obstore`.
    """
    objects = ListedRepository(BucketLocation({}, 'bucket'), limits, lambda: client)
    place = BucketPlace(objects.files, 's3://bucket', AnnouncementLimits(dead_seconds))
    if not place.exists:
        place.make(objects)
    return BackupRepository(place, objects)


class BeforeRequest:
    """Does something once, before the step of a number; counts the steps."""

    def __init__(self, backups: BackupRepository, number: int, deed: Callable[[], object]) -> None:
        self.count = 0
        self._number = number
        self._deed = deed
        files = backups.objects.files  # type: ignore[attr-defined]
        for name in (*STEPS, *READS):
            setattr(files, name, self._watched(getattr(files, name), name in STEPS))

    def _watched(self, method: Callable[..., Any], is_step: bool) -> Callable[..., Any]:
        def ask(*arguments: Any, **named: Any) -> Any:
            self.count += is_step
            if is_step and self.count == self._number:
                self._deed()
            return method(*arguments, **named)

        return ask


class Dying(BeforeRequest):
    """Dies before a step: not even what would tidy up reaches the store."""

    def __init__(self, backups: BackupRepository, number: int) -> None:
        super().__init__(backups, number, lambda: None)

    def _watched(self, method: Callable[..., Any], is_step: bool) -> Callable[..., Any]:
        def ask(*arguments: Any, **named: Any) -> Any:
            self.count += is_step
            if self.count >= self._number:
                raise Killed
            return method(*arguments, **named)

        return ask
