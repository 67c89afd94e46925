"""Three-way merge of JSON objects: what two programs changed since a common state, key by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ABSENT = object()


def merge(base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Apply to `theirs` what `mine` changed since `base`.

    Where both changed the same value in different ways, `mine` wins, as the later one; objects are merged key by key,
    lists are values. Keys come in the order of `theirs`, new ones at the end.
    """
    merged: dict[str, Any] = {}
    for key in (*theirs, *(key for key in mine if key not in theirs)):
        value = _merge_value(base.get(key, _ABSENT), mine.get(key, _ABSENT), theirs.get(key, _ABSENT))
        if value is not _ABSENT:
            merged[key] = value
    return merged


def _merge_value(base: Any, mine: Any, theirs: Any) -> Any:
    if _same(mine, base):
        return theirs
    if _same(theirs, base):
        return mine
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return merge(base if isinstance(base, Mapping) else {}, mine, theirs)
    return mine


def _same(left: Any, right: Any) -> bool:
    # 1 == True == 1.0 in Python, but not in JSON.
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return type(left) is type(right) and bool(left == right)
