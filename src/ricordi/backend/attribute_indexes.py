"""Indexes of single attributes and extras, as plain data."""

from __future__ import annotations

from typing import NamedTuple

from ricordi.model.attribute_paths import AttributePath


class AttributeIndex(NamedTuple):
    """An index of what lies at a path in the attributes or extras of all nodes.

    :param size: bytes on disk; None where the database does not tell.
    :param is_whole: False: it was cut short while it was made, and helps nothing until it is made anew.
    """

    path: AttributePath
    size: int | None
    is_whole: bool = True
