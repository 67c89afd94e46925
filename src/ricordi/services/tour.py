"""The tour: a full maintenance of a small storage that AiiDA made and that comes with the package."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceReport
from ricordi.config import Config, Profile, load_config
from ricordi.manager import maintain_storage, use_storage

PROFILE = 'tour'
ARCHIVE = 'data/tour.tar.gz'
STORAGE_FOLDER = 'mixed'
"""The name of the storage inside the archive."""


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

    :param before: the check before maintenance.
    :param after: the one after it.
    :param again: a second maintenance right after the first.
    """

    before: ContentCheck
    maintenance: MaintenanceReport
    after: ContentCheck
    again: MaintenanceReport

    @property
    def is_all_well(self) -> bool:
        """Whether every object that was there before came back as it was."""
        same = (self.before.objects, self.before.bytes) == (self.after.objects, self.after.bytes)
        return same and not self.after.wrong and not self.maintenance.problem_count


def lay_out(folder: Path) -> Config:
    """Unpack the storage and make a configuration folder of its own around it.

    :param folder: an empty folder; the configuration folder becomes its subfolder `.aiida`.
    """
    config = load_config(create=True, folder=folder / '.aiida')
    repository = Path(config.dirpath) / 'repository'
    with files('ricordi.services').joinpath(ARCHIVE).open('rb') as packed, tarfile.open(fileobj=packed) as tar:
        # An argument `filter` is refused by Python before 3.11.4; the attribute does no harm there.
        tar.extraction_filter = getattr(tarfile, 'data_filter', None)
        tar.extractall(repository)
    config.create_profile(PROFILE, 'core.sqlite_dos', {'filepath': str(repository / STORAGE_FOLDER)})
    config.set_default_profile(PROFILE)
    return config.store()


def take_tour(folder: Path) -> Tour:
    """Lay the storage out, check it, maintain it in full, check it again, and maintain it once more.

    The first time all packs are rewritten: so little garbage in a pack is else left there as waste.

    :param folder: an empty folder, in which all happens. Its subfolder `.aiida` has to be the configuration folder of
        this process by then (AIIDA_PATH), so that access is recorded there.
    """
    config = lay_out(folder)
    profile = config.get_profile(PROFILE)
    first, second = MaintenanceOptions(full=True, repack='all'), MaintenanceOptions(full=True)
    return Tour(check(profile), maintain_storage(profile, first), check(profile), maintain_storage(profile, second))


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
