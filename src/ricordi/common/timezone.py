"""Times that know their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


def now() -> datetime:
    """This moment, in the local zone."""
    return datetime.now(UTC).astimezone()


def make_aware(value: datetime, tz: tzinfo | None = None) -> datetime:
    """The time in a zone; one that has none is taken to be in it.

    :param tz: the local zone for None.
    """
    if value.tzinfo is None:
        return value.astimezone() if tz is None else value.replace(tzinfo=tz)
    return value.astimezone(tz)


def localtime(value: datetime) -> datetime:
    """The time in the local zone.

    :raises ValueError: it has no zone.
    """
    if value.tzinfo is None:
        raise ValueError(f'{value} has no time zone')
    return value.astimezone()


def delta(from_time: datetime, to_time: datetime | None = None) -> timedelta:
    """How long it is from one time to another, to now for None."""
    return (to_time if to_time is not None else now()) - from_time
