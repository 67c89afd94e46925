"""What a step of the maintenance of a bucket is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ricordi.backend.maintenance import MaintenanceOptions, MaintenanceStep
from ricordi.progress import Run
from ricordi.repository.bucket.counting import UseLook
from ricordi.repository.maintenance.problems import Problems

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository


@dataclass(frozen=True, slots=True)
class BucketWork:
    """What every step is handed.

    :param problems: hears of objects that are found damaged or missing.
    :param look: at all rows, of which one is enough as long as no step has changed anything.
    :param grace_seconds: how long what is out of use stays.
    """

    bucket: BucketRepository
    options: MaintenanceOptions
    run: Run
    problems: Problems
    look: UseLook
    grace_seconds: float


class BucketStep(Protocol):
    """A step, of which nobody minds whether another host does it at the same time."""

    def plan(self) -> MaintenanceStep | None:
        """What it would do now; None: nothing."""

    def carry_out(self) -> MaintenanceStep:
        """What it has done, up to its end or to where `run` was told to stop."""
