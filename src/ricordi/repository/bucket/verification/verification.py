"""Verification of a store in a bucket in its order: packs, what nodes name, content where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ricordi.backend.maintenance import KeyStream
from ricordi.backend.plain_verification import verify_names
from ricordi.backend.verification import Finding
from ricordi.backend.verification_report import Topic, VerifyOptions
from ricordi.progress import Run
from ricordi.repository.bucket.verification.content import BucketContent, check_remembered
from ricordi.repository.bucket.verification.notes import ReadNotes
from ricordi.repository.bucket.verification.packs import check_packs
from ricordi.repository.bucket.verification.references import ReferenceCheck

if TYPE_CHECKING:
    from ricordi.repository.bucket.bucket import BucketRepository


def verify_bucket(
    bucket: BucketRepository, options: VerifyOptions, named_keys: KeyStream, run: Run
) -> Iterator[Finding | Topic]:
    """As of `RepositoryBackend.verify`."""
    notes, references, told = ReadNotes(bucket, options.remember), ReferenceCheck(bucket), set[str]()
    yield from check_packs(bucket, run)
    for finding in check_remembered(bucket, notes, run):
        told.add(finding.key)
        yield finding
    yield from verify_names(bucket, references.passing(named_keys()), run)
    yield from references.findings()
    if options.read and not run.stop.reason:
        found = BucketContent(bucket, notes, run).check(options.subset)
        yield from (one for one in found if isinstance(one, Topic) or one.key not in told)
    if notes.failed:
        detail = f'what was read cannot be remembered for the next time: {notes.failed}'
        yield Finding('not remembered', detail, notice=True)
