"""The tour: backup, verification, repair and full maintenance of a storage that has seen bad days."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import VerificationReport, VerifyOptions
from ricordi.config import Profile
from ricordi.manager import maintain_storage, use_storage
from ricordi.services.backups.backup import BackupReport, back_up
from ricordi.services.repair.repair import RepairOptions, RepairReport, repair_storage
from ricordi.services.tour.laying_out import Laid, TourSize, damage, lay_out
from ricordi.services.verify import verify_storage

BACKUP = 'backup'
"""The name of the backup repository beside the configuration folder."""
DoneT = TypeVar('DoneT')


@dataclass(frozen=True, slots=True)
class ContentCheck:
    """What came back of the objects that nodes name.

    :param objects: how many were read.
    :param bytes: their content.
    :param wrong: keys whose content has another SHA-256.
    """

    objects: int
    bytes: int
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tour:
    """What the tour did.

    :param laid: the storage that it began with.
    :param disk_before: bytes of its repository on disk.
    :param before: the check before one of its objects was damaged.
    :param found: the verification that found the damage.
    :param after: the check after maintenance.
    :param again: a second maintenance right after the first.
    :param seconds: how long each took: `backup`, `verify`, `repair`, `maintain`, `check`, `again`.
    """

    laid: Laid
    disk_before: int
    before: ContentCheck
    backup: BackupReport
    found: VerificationReport
    repair: RepairReport
    maintenance: MaintenanceReport
    disk_after: int
    after: ContentCheck
    again: MaintenanceReport
    seconds: dict[str, float]

    @property
    def damaged(self) -> list[Finding]:
        """The damaged objects that were found, each with the node that names it."""
        return [one for one in self.found.findings if one.kind == 'damaged object' and one.nodes]

    @property
    def is_all_well(self) -> bool:
        """Whether the damage was found and mended, and every object that was there before came back as it was."""
        same = (self.before.objects, self.before.bytes) == (self.after.objects, self.after.bytes)
        mended = len(self.damaged) == self.found.finding_count == 1 and self.repair.is_whole
        return same and mended and not self.after.wrong and not self.maintenance.problem_count


def take_tour(folder: Path, size: TourSize | None = None) -> Tour:
    """Lay the storage out, back it up, damage an object, find and mend that, maintain it in full, and once more.

    :param folder: an empty folder, in which all happens. Its subfolder `.aiida` has to be the configuration folder of
        this process by then (AIIDA_PATH), so that access is recorded there.
    :param size: how much is made on the spot.
    """
    laid = lay_out(folder, size or TourSize())
    profile, place, seconds = laid.profile, folder / BACKUP, dict[str, float]()

    def timed(name: str, deed: Callable[[], DoneT]) -> DoneT:
        began = time.perf_counter()
        done = deed()
        seconds[name] = time.perf_counter() - began
        return done

    first = MaintenanceOptions(full=True, repack='all', compress='auto')
    before = check(profile)
    backup = timed('backup', lambda: back_up(profile, place))
    damage(profile)
    found = timed('verify', lambda: verify_storage(profile, VerifyOptions(read=True)))
    repair = timed('repair', lambda: repair_storage(profile, RepairOptions(sources=(str(place),))))
    disk_before = _disk_bytes(folder)
    maintenance = timed('maintain', lambda: maintain_storage(profile, first))
    disk_after = _disk_bytes(folder)
    after = timed('check', lambda: check(profile))
    again = timed('again', lambda: maintain_storage(profile, MaintenanceOptions(full=True)))
    return Tour(laid, disk_before, before, backup, found, repair, maintenance, disk_after, after, again, seconds)


def check(profile: Profile) -> ContentCheck:
    """Read every object that a node names and compare its SHA-256 with its key."""
    count = size = 0
    wrong = []
    with use_storage(profile, purpose='tour') as storage:
        for key in storage.named_keys():
            count += 1
            size += storage.repository.get_object_size(key)
            if storage.repository.get_object_hash(key) != key:
                wrong.append(key)
    return ContentCheck(count, size, tuple(wrong))


def _disk_bytes(folder: Path) -> int:
    """The bytes of all files of the storage, without those of the backup."""
    return sum(path.stat().st_size for path in (folder / '.aiida' / 'repository').rglob('*') if path.is_file())
