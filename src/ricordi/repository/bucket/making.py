"""Making a bucket, and taking it away again: requests about a bucket as a whole, which the client does not know."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ricordi.backend.bucket import BucketLocation
from ricordi.errors import UnreachableStorage
from ricordi.repository.bucket.failures import code_in, store_failure
from ricordi.repository.bucket.limits import USUAL, BucketLimits
from ricordi.repository.bucket.objects import open_client
from ricordi.slow_answers import AnswerWatch

DONE = (200, 204)
NOT_THERE = 404
READ_BYTES = 10_000
"""Of an answer that tells what is wrong."""
TAKEN = 409
_OF_STATUS = {
    403: 'the credentials are refused, or do not permit it',
    TAKEN: "the name is taken, or is somebody else's",
}
_OF_CODES = {
    'InvalidBucketName': 'no bucket can have that name: take 3 to 63 lower-case letters, digits, dots and hyphens',
    'TooManyBuckets': 'you have as many buckets as you may have',
}
"""What the store says for itself, where more can be said than by the status."""
_WITHOUT_NAME = ('', 'us-east-1')
"""Regions that a new bucket is in where none is named."""


class _StoreAnswer(NamedTuple):
    """Of a store.

    :param code: its own word for what is wrong; empty: it tells none.
    """

    status: int
    code: str = ''


def is_bucket(location: BucketLocation, limits: BucketLimits = USUAL) -> bool:
    """Whether there is a bucket; one that we may not look at counts as one.

    :raises ricordi.errors.UnreachableStorage: the store does not answer.
    """
    return _ask(location, 'HEAD', limits).status != NOT_THERE


def make_bucket(location: BucketLocation, limits: BucketLimits = USUAL) -> bool:
    """Make a bucket, unless it is there and ours to read; whether it was made.

    :raises ricordi.errors.UnreachableStorage: the store does not answer, or refuses; the bucket is somebody else's.
    """
    seen = _ask(location, 'HEAD', limits)
    if seen.status in DONE:
        return False
    if seen.status != NOT_THERE:
        raise _refused(location, 'looked at', seen)
    made = _ask(location, 'PUT', limits, _constraint(location))
    if made.status not in DONE:
        raise _refused(location, 'made', made)
    return True


def remove_bucket(location: BucketLocation, limits: BucketLimits = USUAL) -> None:
    """Take a bucket away, if nothing is in it.

    :raises ricordi.errors.UnreachableStorage: the store does not answer, or refuses.
    """
    told = _ask(location, 'DELETE', limits)
    if told.status not in (*DONE, NOT_THERE):
        raise _refused(location, 'removed', told)


def _constraint(location: BucketLocation) -> bytes | None:
    """What the store of Amazon wants to be told of a bucket in any region but its first."""
    if location.endpoint or location.region in _WITHOUT_NAME:
        return None
    return (
        '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f'<LocationConstraint>{location.region}</LocationConstraint></CreateBucketConfiguration>'
    ).encode()


def _refused(location: BucketLocation, deed: str, answer: _StoreAnswer) -> UnreachableStorage:
    reason = (
        _OF_CODES.get(answer.code)
        or _OF_STATUS.get(answer.status)
        or f'the store answers {answer.code or f"with status {answer.status}"}'
    )
    return UnreachableStorage(f'the {location.place} cannot be {deed}: {reason}')


def _ask(location: BucketLocation, method: str, limits: BucketLimits, body: bytes | None = None) -> _StoreAnswer:
    """What the store answers to a request about the bucket itself.

    The address that is asked is signed, and so in no message.
    """
    client, lasts = open_client(replace(location, prefix=''), limits), timedelta(seconds=limits.request_seconds)

    import obstore  # which `open_client` has told to be missing, where it is
    from obstore.exceptions import BaseError

    try:
        signed = obstore.sign(client, method, '', lasts)  # type: ignore[call-overload]
    except BaseError as error:  # credentials are asked for only now, of a server where none are at hand
        raise store_failure(error, location.place, 'ask for anything') from None
    try:
        watch = AnswerWatch(location.place, limits.answer_seconds, limits.patience_seconds)
        request = Request(signed, data=body, method=method)
        with watch.waiting(), urlopen(request, timeout=limits.answer_seconds) as answer:
            return _StoreAnswer(int(answer.status))
    except HTTPError as error:
        return _StoreAnswer(error.code, code_in(_body_of(error)))
    except (OSError, HTTPException) as error:
        reason = getattr(error, 'reason', None) or error
        raise UnreachableStorage(
            f'the {location.place} does not answer: {reason}; check that the store runs, and the endpoint'
        ) from None


def _body_of(error: HTTPError) -> str:
    """What a store says besides the status, as far as it arrives."""
    try:
        with error:
            return error.read(READ_BYTES).decode('utf-8', 'replace')
    except (OSError, HTTPException):
        return ''
