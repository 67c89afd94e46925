"""The chain of versions of old archives, and the steps from each to the next."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Step
from ricordi.storage.archive.legacy.steps import (
    v02,
    v03,
    v04,
    v05,
    v06,
    v07,
    v08,
    v09,
    v10,
    v11,
    v12,
    v13,
)

STEPS = tuple(module.STEP for module in (v02, v03, v04, v05, v06, v07, v08, v09, v10, v11, v12, v13))


def steps_from(version: str) -> tuple[Step, ...]:
    """The steps that lead from a version to the last one.

    :param version: one of `ricordi.storage.archive.file.LEGACY`.
    """
    versions = ['0.1', *(step.after for step in STEPS)]
    return STEPS[versions.index(version) :]
