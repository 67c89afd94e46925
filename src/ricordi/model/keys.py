"""What the name of an attribute or extra may be."""

from __future__ import annotations

from ricordi.errors import ValidationError


def check_key(key: object, name: str) -> None:
    """Refuse what cannot be the name of an attribute or extra: no string, empty, or with a period in it.

    The period separates the levels of a path in queries. So AiiDA has it.

    :param name: what the value is called that the key is in (`attributes`).
    :raises ricordi.errors.ValidationError: telling which.
    """
    if not isinstance(key, str):
        raise ValidationError(f'{name}: the key {key!r} is not a string')
    if not key:
        raise ValidationError(f'{name}: a key cannot be empty')
    if '.' in key:
        raise ValidationError(f'{name}: the key {key!r} contains a period, which separates levels in queries')
