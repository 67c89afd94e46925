"""What callers hand in, looked at before it is used: wrong types are refused in words, not by what fails later."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ricordi.backend.rows import EntityKind
from ricordi.errors import RicordiError, ValidationError, WrongType


def stored_pk(
    value: Any, kind: EntityKind, noun: str | None = None, refusal: type[RicordiError] = ValidationError
) -> int:
    """The pk of an entity that was given, to refer to it.

    :param noun: what it is given as; the kind for None.
    :param refusal: what to raise for one that is not stored.
    :raises ricordi.errors.WrongType: it is no entity of this kind.
    """
    if getattr(type(value), 'kind', None) is not kind:
        raise WrongType(f'the {noun or kind} must be a {kind} entity, got {value!r}')
    pk: int | None = value.pk
    if pk is None:
        raise refusal(f'the {noun or kind} {value} is not stored: store it first')
    return pk


def text(value: Any, what: str) -> str:
    """A text that was given; None is the empty one, as AiiDA has it.

    :param what: what it is, for the message: `the label of a node`.
    :raises ricordi.errors.WrongType: it is no text.
    """
    if value is None:
        return ''
    if not isinstance(value, str):
        raise WrongType(f'{what} is a string, got {value!r}')
    return value


def local_time(value: Any, name: str) -> datetime:
    """A time that was given, in UTC; one without zone counts as local, as AiiDA has it.

    :raises ricordi.errors.WrongType: it is no time.
    """
    if not isinstance(value, datetime):
        raise WrongType(f'{name} is a datetime, got {value!r}')
    return value.astimezone(UTC)
