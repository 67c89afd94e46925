"""The chain of versions of old archives, and the steps from each to the next."""

from __future__ import annotations

from ricordi.storage.archive.legacy.records import Step
from ricordi.storage.archive.legacy.steps import (
    v0_2,
    v0_3,
    v0_4,
    v0_5,
    v0_6,
    v0_7,
    v0_8,
    v0_9,
    v0_10,
    v0_11,
    v0_12,
    v0_13,
)

STEPS = tuple(module.STEP for module in (v0_2, v0_3, v0_4, v0_5, v0_6, v0_7, v0_8, v0_9, v0_10, v0_11, v0_12, v0_13))


def steps_from(version: str) -> tuple[Step, ...]:
    """The steps that lead from a version to the last one.

    :param version: one of `ricordi.storage.archive.file.LEGACY`.
    """
    versions = ['0.1', *(step.after for step in STEPS)]
    return STEPS[versions.index(version) :]
