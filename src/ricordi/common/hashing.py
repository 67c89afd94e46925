"""The hash of values that AiiDA's caching compares."""

from __future__ import annotations

from typing import Any

from ricordi.orm.nodes.hashing import hash_value


def make_hash(object_to_hash: Any) -> str:
    """The hash of a value made of dictionaries, lists, texts, bytes, numbers and None; it is AiiDA's.

    :raises ricordi.errors.ValidationError: a value of another type.
    """
    return hash_value(object_to_hash)


__all__ = ('make_hash',)
