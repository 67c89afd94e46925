"""What a verification is asked for, and what it tells, as plain data. Findings: `ricordi.backend.verification`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from ricordi.backend.verification import Finding

RECENT_DAYS = 30
"""What was read within so many days counts as read lately."""

Unit = Literal['objects', 'rows', 'packs', 'files', 'members', 'snapshots', '']


@dataclass(frozen=True, slots=True)
class Subset:
    """A part of the content: that which was read longest ago, or one of so many parts that stay what they are.

    :param share: of all bytes, above 0 and up to 1.
    :param size: so many bytes.
    :param part: which one of `parts`, from 1.
    """

    share: float = 0.0
    size: int = 0
    part: int = 0
    parts: int = 0


class VerifyOptions(NamedTuple):
    """What a verification shall look at, beside the structure.

    :param read: also read content, and compare it with the SHA-256 that each key is.
    :param subset: how much of it; None: all.
    :param remember: note what was read; False where nothing may be written.
    :param most_named: so many findings of each kind are named; all are counted.
    """

    read: bool = False
    subset: Subset | None = None
    remember: bool = True
    most_named: int = 1000


class Topic(NamedTuple):
    """Something that was looked at.

    :param name: `index`, `pack files`, `loose files`, `named objects`, `content of packs` …
    :param checked: how many of `unit`.
    :param bytes: so many were read, where it is about content.
    :param seconds: how long it took.
    :param complete: whether all that was asked for was looked at.
    """

    name: str
    checked: int = 0
    unit: Unit = ''
    bytes: int = 0
    seconds: float = 0.0
    complete: bool = True


class VerificationState(NamedTuple):
    """What earlier verifications have left noted, compared with what is there now. Sizes in bytes.

    :param structure: when the structure was last checked as a whole; None: never.
    :param findings: how many are open: as of then, and what was found damaged since.
    :param total: of all objects as they lie on disk.
    :param read: of those that were read, and have not changed since.
    :param recent: of those that were read within `RECENT_DAYS`.
    :param of_rows: how many of the findings tell that rows of the database may be lost.
    :param oldest: of all that was read, what was read longest ago: when; None: nothing was read.
    """

    structure: datetime | None = None
    findings: int = 0
    total: int = 0
    read: int = 0
    recent: int = 0
    oldest: datetime | None = None
    of_rows: int = 0

    @property
    def recent_share(self) -> float:
        """The part of all bytes that was read lately, from 0 to 1; 0 of what was never looked at."""
        return self.recent / self.total if self.total else float(self.structure is not None)


class VerificationReport(NamedTuple):
    """What a verification has found.

    :param topics: what was looked at, in order.
    :param findings: the first ones of each kind, by kind; notices come last.
    :param counts: how many of each kind there are, notices left out.
    :param notices: the same of notices.
    :param interrupted: why it ended early, or None.
    :param notes: remarks for a person.
    :param mendable: whether it can be mended where it is; an archive cannot.
    :param state: what is known now of all that was ever read; None where nothing can be remembered, as of an archive.
    """

    options: VerifyOptions
    topics: tuple[Topic, ...] = ()
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = {}
    notices: Mapping[str, int] = {}
    interrupted: str | None = None
    notes: tuple[str, ...] = ()
    state: VerificationState | None = None
    seconds: float = 0.0
    mendable: bool = True

    @property
    def finding_count(self) -> int:
        """How many findings, without notices."""
        return sum(self.counts.values())
