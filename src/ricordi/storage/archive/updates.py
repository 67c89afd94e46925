"""What an import changes in rows that a profile has already: extras of nodes and comments, by the chosen mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ricordi.backend.rows import CommentRow, EntityKind
from ricordi.errors import UsageError
from ricordi.storage.archive.mapping import Mapping, map_of
from ricordi.storage.values import decode_json

if TYPE_CHECKING:
    from ricordi.backend.rows import JsonDict

PRIVATE = '_aiida_'
"""How the names of extras begin that AiiDA keeps for itself, such as hashes; each profile has its own."""
EXTRAS_MODES = ('none', 'keep_existing', 'update_existing', 'mirror')
COMMENT_MODES = ('leave', 'newest', 'overwrite')
PAGE = 500


def merge_extras(mapping: Mapping, mode: str) -> int:
    """Merge the extras of nodes that are in both.

    :param mode: `none`: leave those of the profile; `keep_existing`: add what is new; `update_existing`: and overwrite
        what is there; `mirror`: take those of the archive instead.
    :returns: how many nodes were changed.
    """
    if mode not in EXTRAS_MODES:
        raise UsageError(f'there is no mode {mode!r} for extras; there are {", ".join(EXTRAS_MODES)}')
    if mode == 'none' or not mapping.existing[EntityKind.NODE]:
        return 0
    select = (
        f'SELECT m.id, m.target, n.extras FROM temp.known_node AS k JOIN {map_of(EntityKind.NODE)} AS m ON m.id = k.id '
        'JOIN db_dbnode AS n ON n.id = m.id WHERE m.id > ?'
    )
    changed = 0
    for page in mapping.pages(select, PAGE):
        theirs = {pk: decode_json(text) or {} for _, pk, text in page}
        changes = []
        for ours in mapping.target.locked_nodes(list(theirs)):
            merged = _merged(ours.extras, theirs[ours.pk], mode)
            if merged != ours.extras:
                changes.append({'pk': ours.pk, 'extras': merged})
        mapping.target.storage.bulk_update(EntityKind.NODE, changes)
        changed += len(changes)
    return changed


def _merged(ours: JsonDict, theirs: JsonDict, mode: str) -> JsonDict:
    theirs = {name: value for name, value in theirs.items() if not name.startswith(PRIVATE)}
    if mode == 'keep_existing':
        return {**theirs, **ours}
    if mode == 'update_existing':
        return {**ours, **theirs}
    return {**{name: value for name, value in ours.items() if name.startswith(PRIVATE)}, **theirs}


def merge_comments(mapping: Mapping, mode: str) -> int:
    """Merge the comments that are in both.

    :param mode: `leave`: keep those of the profile; `newest`: take the one that was changed last; `overwrite`: take
        that of the archive.
    :returns: how many were changed.
    """
    if mode not in COMMENT_MODES:
        raise UsageError(f'there is no mode {mode!r} for comments; there are {", ".join(COMMENT_MODES)}')
    if mode == 'leave' or not mapping.existing[EntityKind.COMMENT]:
        return 0
    storage, decode = mapping.target.storage, mapping.decoders(EntityKind.COMMENT, ['mtime'])['mtime']
    select = (
        f'SELECT m.id, m.target, c.mtime, c.content FROM {map_of(EntityKind.COMMENT)} AS m '
        'JOIN db_dbcomment AS c ON c.id = m.id WHERE m.target IS NOT NULL AND m.id > ?'
    )
    changed = 0
    for page in mapping.pages(select, PAGE):
        theirs = {pk: (decode(mtime), content) for _, pk, mtime, content in page}
        changes = []
        for ours in storage.find(CommentRow, {'pk': list(theirs)}):
            mtime, content = theirs[ours.pk]
            differs = (mtime, content) != (ours.mtime, ours.content)
            if differs and (mode == 'overwrite' or mtime > ours.mtime):
                changes.append({'pk': ours.pk, 'mtime': mtime, 'content': content})
        storage.bulk_update(EntityKind.COMMENT, changes)
        changed += len(changes)
    return changed
