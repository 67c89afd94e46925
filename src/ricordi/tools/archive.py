"""Archives: written from entities, and imported."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ricordi.backend.context import get_current_backend
from ricordi.backend.rows import EntityKind
from ricordi.errors import UsageError, WrongType, WrongValue
from ricordi.orm.arguments import stored_pk

if TYPE_CHECKING:
    from ricordi.backend.storage import StorageBackend
    from ricordi.orm.groups import Group

_NAMED = {EntityKind.NODE: 'nodes', EntityKind.GROUP: 'groups', EntityKind.COMPUTER: 'computers'}
_EXTRAS_MODES = {
    ('k', 'n', 'l'): 'none',
    ('k', 'c', 'l'): 'keep_existing',
    ('k', 'c', 'u'): 'update_existing',
    ('n', 'c', 'u'): 'mirror',
}
"""How AiiDA writes the modes: keep old keys, create new ones, of both leave or update."""


def create_archive(
    entities: Iterable[Any] | None,
    filename: str | Path | None = None,
    *,
    overwrite: bool = False,
    include_comments: bool = True,
    include_logs: bool = True,
    include_authinfos: bool = False,
    compression: int = 6,
    test_run: bool = False,
    backend: StorageBackend | None = None,
    **traversal_rules: bool,
) -> Path:
    """Write nodes, groups and computers, and what goes along with them, into an archive; returns its path.

    :param entities: all that is in the storage for None.
    :param filename: `export_data.aiida` in the working folder for None.
    :param compression: 0 (stored) to 9 (small and slow).
    :param test_run: write nothing, only see that it could be done.
    :param backend: the storage; that of the loaded profile for None.
    :param traversal_rules: name of a rule → whether to follow it: `create_backward`, `input_calc_forward` …
    :raises ricordi.errors.UsageError: there is a file already.
    :raises ricordi.errors.InvalidOperation: a process that is not sealed would be in it.
    """
    from ricordi.services.archive.create import ArchiveRequest
    from ricordi.services.archive.create import create_archive as create

    storage = backend if backend is not None else get_current_backend()
    path = Path(filename if filename is not None else 'export_data.aiida').absolute()
    request = ArchiveRequest(
        everything=entities is None,
        **_chosen(entities),
        switches=traversal_rules,
        authinfos=include_authinfos,
        comments=include_comments,
        logs=include_logs,
        level=compression,
    )
    create(storage.profile, path, request, overwrite=overwrite, dry_run=test_run, storage=storage)
    return path


def _chosen(entities: Iterable[Any] | None) -> dict[str, Any]:
    """The entities by kind, as identifiers."""
    chosen: dict[str, list[str]] = {name: [] for name in _NAMED.values()}
    for entity in entities or ():
        kind = getattr(type(entity), 'kind', None)
        if kind is EntityKind.USER:
            raise UsageError('users are not chosen: they go along with what they own')
        if kind not in _NAMED:
            raise WrongType(f'an archive is made of nodes, groups and computers, got {entity!r}')
        chosen[_NAMED[kind]].append(str(stored_pk(entity, kind)))
    return {name: tuple(found) for name, found in chosen.items()}


def import_archive(
    path: str | Path,
    *,
    import_new_extras: bool = True,
    merge_extras: tuple[str, str, str] = ('k', 'n', 'l'),
    merge_comments: Literal['leave', 'newest', 'overwrite'] = 'leave',
    include_authinfos: bool = False,
    create_group: bool = True,
    group: Group | None = None,
    test_run: bool = False,
    backend: StorageBackend | None = None,
) -> int | None:
    """Import an archive; returns the pk of the group that all its nodes are in, None if there is none.

    :param import_new_extras: whether new nodes get their extras.
    :param merge_extras: of nodes that are there: whether to keep old keys (`k`, else `n`), to create new ones
        (`c`, else `n`), and of keys that are in both to leave (`l`) or update (`u`) the value.
    :param group: which group; a new one for None.
    :param backend: the storage; that of the loaded profile for None.
    :raises ricordi.errors.CorruptStorage: the archive cannot be trusted; nothing was changed.
    """
    from ricordi.services.archive.importing import ImportRequest
    from ricordi.services.archive.importing import import_archive as import_

    mode = _EXTRAS_MODES.get(merge_extras)
    if mode is None:
        known = ', '.join(map(repr, _EXTRAS_MODES))
        raise WrongValue(f'merge_extras is one of {known}, got {merge_extras!r}')
    storage = backend if backend is not None else get_current_backend()
    request = ImportRequest(
        extras_existing=mode,
        extras_new=import_new_extras,
        comments=merge_comments,
        authinfos=include_authinfos,
        import_group=create_group,
        group=None if group is None else str(stored_pk(group, EntityKind.GROUP)),
    )
    return import_(storage.profile, Path(path), request, dry_run=test_run, storage=storage).group_pk
