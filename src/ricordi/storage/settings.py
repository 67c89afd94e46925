"""Global settings: the rows of `db_dbsetting`, a JSON value by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ricordi.errors import InvalidOperation, NotExistentKeyError, ValidationError
from ricordi.model.fields import ValueKind
from ricordi.storage.session import Session

LONGEST_KEY = 1024


def get_global_variable(session: Session, key: str) -> Any:
    """The value of a setting.

    :raises ricordi.errors.NotExistentKeyError: there is none of this name.
    """
    row = session.execute(f'SELECT val FROM db_dbsetting WHERE key = {session.dialect.mark}', (key,)).fetchone()
    if row is None:
        raise NotExistentKeyError(f'there is no global variable {key!r}')
    decode = session.dialect.decoder(ValueKind.JSON)
    return row[0] if decode is None or row[0] is None else decode(row[0])


def set_global_variable(session: Session, key: str, value: Any, description: str | None, overwrite: bool) -> None:
    """Set a setting; without a description an existing one is kept.

    :raises ricordi.errors.InvalidOperation: it exists and `overwrite` is False.
    :raises ricordi.errors.ValidationError: the value would not come back as it is, or the key is too long.
    """
    if len(key) > LONGEST_KEY:
        raise ValidationError(
            f'the key of a global variable is too long: {len(key)} characters, at most {LONGEST_KEY}; shorten it'
        )
    dialect = session.dialect
    mark = dialect.mark
    encode_json, encode_time = dialect.encoder(ValueKind.JSON), dialect.encoder(ValueKind.TIME)
    assert encode_json is not None
    assert encode_time is not None
    text = encode_json(value, f'the value of {key!r}')
    now = encode_time(datetime.now(UTC), 'time')
    with session.transaction():
        is_new = session.execute(
            f'INSERT INTO db_dbsetting (key, val, description, time) VALUES ({mark}, {mark}, {mark}, {mark}) '
            'ON CONFLICT (key) DO NOTHING',
            (key, text, description or '', now),
        ).rowcount
        if not is_new and not overwrite:
            raise InvalidOperation(f'the global variable {key!r} exists already')
        if not is_new:
            session.execute(
                f'UPDATE db_dbsetting SET val = {mark}, description = coalesce({mark}, description), time = {mark} '
                f'WHERE key = {mark}',
                (text, description, now, key),
            )
        # SQLite takes a bare number in this column for a number of its own, of 64 bits or 15 digits.
        if isinstance(value, int | float) and get_global_variable(session, key) != value:
            raise ValidationError(f'the number {value!r} would lose digits as the value of {key!r}: put it into a list')
