"""Families of pseudopotentials as files."""

from __future__ import annotations

from pathlib import Path

from ricordi.backend.storage import StorageBackend
from ricordi.errors import InvalidOperation
from ricordi.files import new_file
from ricordi.model.file_trees import check_name
from ricordi.services.contents.data import find_data, only_file
from ricordi.services.groups.groups import find_group
from ricordi.services.nodes.list import NodeFilter, list_nodes


def export_family(storage: StorageBackend, group: str, folder: Path) -> tuple[int, list[str]]:
    """Write the files of the pseudopotentials in a group into a folder.

    :param group: its label, pk or uuid.
    :returns: how many were written; the names of those that were there, which stay as they are.
    :raises ricordi.errors.InvalidOperation: the group holds no pseudopotential.
    :raises ricordi.errors.ValidationError: the name of a file would lead out of the folder.
    """
    row = find_group(storage, group)
    chosen = NodeFilter(types=('data.core.upf.',), groups=(str(row.pk),))
    pks = [pk for (pk,) in list_nodes(storage, chosen, ('pk',))]
    if not pks:
        raise InvalidOperation(f'group {row.label!r} holds no pseudopotentials')
    written, there = 0, []
    for node in find_data(storage, pks, 'core.upf'):
        name = str(node.attributes.get('filename') or '')
        check_name(name)
        try:
            with new_file(folder / name) as handle:
                handle.writelines(only_file(storage, node))
            written += 1
        except FileExistsError:
            there.append(name)
    return written, there
