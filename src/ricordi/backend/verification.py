"""What a verification finds, as plain data."""

from __future__ import annotations

from typing import Literal, NamedTuple

Cure = Literal[
    '', 'second copy', 'source', 'index', 'database', 'database with loss', 'maintenance', 'full maintenance', 'migrate'
]
"""What would mend a finding: a copy at hand; a source that holds objects; the index made anew; a change of the database
that takes nothing away; one that does; a maintenance. Empty: nothing that is known here."""


OF_LOST_ROWS = frozenset(
    {'damaged database', 'damaged index', 'dangling reference', 'missing table', 'unreadable rows'}
)
"""Kinds of findings that tell that rows of the database may be lost, with what they name."""


class Finding(NamedTuple):
    """Something that is not as it should be.

    :param kind: one of a few stable names, as `missing object`, `damaged object`, `dangling reference`.
    :param detail: what is wrong, in words, without an advice.
    :param where: a file and place in it, or a table and the primary key of a row.
    :param key: of an object; else empty.
    :param nodes: what names it: (pk, uuid, path) of each, the first ones of many.
    :param remedy: what would mend it.
    :param notice: it is worth to be known and no damage: a verification that finds nothing else is clean.
    """

    kind: str
    detail: str
    where: str = ''
    key: str = ''
    nodes: tuple[tuple[int, str, str], ...] = ()
    remedy: Cure = ''
    notice: bool = False
