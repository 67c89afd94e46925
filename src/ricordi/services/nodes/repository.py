"""The files of a node: listed, read, written out. Only names inside the node's own tree are followed."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ricordi.backend.repository import CHUNK_BYTES
from ricordi.backend.rows import NodeRow
from ricordi.backend.storage import StorageBackend
from ricordi.errors import (
    CorruptStorage,
    InvalidOperation,
    LostObject,
    NotExistent,
    ProblemsFound,
    UsageError,
    ValidationError,
)
from ricordi.files import draft_of
from ricordi.folders import make_folder
from ricordi.model.file_trees import check_name, split_path
from ricordi.model.node_types import SINGLE_FILE
from ricordi.orm.nodes.repository_tree import FileTree
from ricordi.remedies import Remedy
from ricordi.services.output_files import make_output_folder


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file or folder of a node.

    :param path: from the top of the node's tree.
    :param key: of the content of a file; None of a folder.
    """

    name: str
    path: str
    key: str | None

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.key is None


def list_files(row: NodeRow, path: str | None = None) -> list[FileEntry]:
    """What is in a folder of a node, by name; a file stands for itself.

    :param path: the folder, from the top of the tree; None: the top.
    :raises ricordi.errors.NotExistent: there is no such file or folder.
    """
    tree = FileTree(row.repository_metadata)
    steps = _steps(row, path)
    try:
        found = tree.get('/'.join(steps))
    except FileNotFoundError:
        raise _missing(row, path) from None
    if found.is_file():
        return [FileEntry(found.name, '/'.join(steps), found.key)]
    above = ''.join(f'{step}/' for step in steps)
    return [FileEntry(entry.name, above + entry.name, entry.key) for entry in tree.list_entries('/'.join(steps))]


def file_sizes(storage: StorageBackend, entries: list[FileEntry]) -> dict[str, int | None]:
    """Bytes of each file by its path; None of one whose content is missing in the repository."""
    sizes: dict[str, int | None] = {}
    for entry in entries:
        if entry.key is not None:
            try:
                sizes[entry.path] = storage.repository.get_object_size(entry.key)
            except NotExistent:
                sizes[entry.path] = None
    return sizes


def read_file(storage: StorageBackend, row: NodeRow, path: str | None) -> Iterator[bytes]:
    """The content of a file of a node, chunk by chunk, checked against its key on the way.

    :param path: from the top of the tree; None: the file of a node that holds a single one (`SinglefileData`).
    :raises ricordi.errors.NotExistent: there is no such file.
    :raises ricordi.errors.ProblemsFound: the content is missing in the repository, or damaged; of a large one that is
        damaged all but the end may have been given by then.
    """
    if path is None:
        path = _single_file(row)
    steps = _steps(row, path)
    try:
        key = FileTree(row.repository_metadata).get_key('/'.join(steps))
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(row, path) from None
    except IsADirectoryError:
        raise InvalidOperation(
            f'{path!r} of node {row.pk} is a folder', remedy=Remedy('list files', (str(row.pk), path))
        ) from None
    try:
        yield from _content(storage, key)
    except _Unusable as error:
        raise ProblemsFound(
            f'the content of {path!r} of node {row.pk} is {error} (key {key}): look for it in a backup',
            remedy=None if storage.read_only else Remedy('find damage'),
        ) from error


def dump_files(storage: StorageBackend, row: NodeRow, folder: Path) -> int:
    """Write all files of a node into a new folder; returns how many.

    :raises ricordi.errors.InvalidOperation: there is something at `folder` already.
    :raises ricordi.errors.ValidationError: a name in the tree would lead out of the folder; nothing is written then.
    :raises ricordi.errors.ProblemsFound: content of some files is missing in the repository or damaged; the others are
        written.
    """
    places = list(_places(row))
    if folder.exists() or folder.is_symlink():
        raise InvalidOperation(f'{folder} exists already: give the name of a folder that does not')
    make_output_folder(folder)
    lacking = []
    for place, key in places:
        target = folder.joinpath(*place.parts)
        if key is None:
            make_folder(target, None, durable=False)
        else:
            try:
                _write_file(storage, key, target)
            except _Unusable as error:
                lacking.append(f'{place} is {error} (key {key})')
    files = sum(1 for _, key in places if key is not None)
    if lacking:
        of_all = 'file' if files == 1 else 'files'
        raise ProblemsFound(
            f'{len(lacking):,} of {files:,} {of_all} of node {row.pk} could not be written, all others are in '
            f'{folder}: {"; ".join(lacking[:10])}{" …" if len(lacking) > 10 else ""}'
        )
    return files


def _write_file(storage: StorageBackend, key: str, target: Path) -> None:
    """Write the content of an object into a new file, which is there only if it is right.

    :raises _Unusable: it is missing or damaged.
    """
    if target.exists():  # two names of a node that this disk holds for the same
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    with draft_of(target) as written:
        for chunk in _content(storage, key):
            written.write(chunk)


class _Unusable(Exception):
    """The content of an object cannot be had; says why."""


def _content(storage: StorageBackend, key: str) -> Iterator[bytes]:
    """The content of an object.

    :raises _Unusable: it is missing or damaged.
    :raises ricordi.errors.CorruptStorage: the repository as a whole cannot be used.
    """
    if not storage.repository.has_object(key):
        raise _Unusable('missing in the repository')
    try:
        with storage.repository.open(key) as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk
    except (NotExistent, LostObject) as error:
        raise _Unusable('missing in the repository') from error
    except CorruptStorage as error:
        raise _Unusable('damaged in the repository') from error


def _places(row: NodeRow) -> Iterator[tuple[PurePosixPath, str | None]]:
    """Path and key of each file, and path of each folder, every name checked: an archive may hold any."""
    tree = FileTree(row.repository_metadata)
    for folder, _, files in tree.walk():
        for name in (*folder.parts, *files):
            check_name(name)
        yield folder, None
        for name in files:
            yield folder / name, tree.get_key((folder / name).as_posix())


def _steps(row: NodeRow, path: str | None) -> tuple[str, ...]:
    try:
        return split_path(path)
    except TypeError:
        raise UsageError(f'{path!r} is an absolute path: files of a node are named from the top of its tree') from None
    except ValidationError as error:
        raise UsageError(f'{path!r} names no file of node {row.pk}: {error}') from None


def _missing(row: NodeRow, path: str | None) -> NotExistent:
    from ricordi.services.suggestion import did_you_mean

    known = [name for name, _ in FileTree(row.repository_metadata).files()]
    hint = did_you_mean(path or '', known) if known else ': it has no files'
    return NotExistent(f'node {row.pk} has no file or folder {path!r}{hint}')


def _single_file(row: NodeRow) -> str:
    name = row.attributes.get('filename')
    if row.node_type.startswith(SINGLE_FILE) and isinstance(name, str):
        return name
    files = [path for path, _ in FileTree(row.repository_metadata).files()]
    if len(files) == 1:
        return files[0]
    if not files:
        raise NotExistent(f'node {row.pk} has no files')
    raise UsageError(
        f'node {row.pk} has {len(files)} files; name one of them', remedy=Remedy('list files', (str(row.pk),))
    )
