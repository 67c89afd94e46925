"""Writes file trees of nodes to disk, never outside the folder that was asked for."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from ricordi.errors import ValidationError
from ricordi.files import draft_of
from ricordi.folders import make_folder
from ricordi.model.file_trees import check_name, children, key_of


class Contents(Protocol):
    """What holds contents by key: a repository or a sandbox."""

    def open(self, key: str) -> BinaryIO:
        """A stream over a content."""

    def get_object_content(self, key: str) -> bytes:
        """A whole content."""

    def get_object_size(self, key: str) -> int:
        """Bytes of a content."""


def write_folder(entries: dict[str, Any], contents: Contents, target: Path) -> None:
    """Write the entries of a folder below `target`, which is made if it is not there. Files there are replaced.

    :raises ricordi.errors.ValidationError: a name would leave `target`, or what is there is a symbolic link.
    """
    make_folder(target, None, durable=False)
    for name, entry in entries.items():
        check_name(name)
        if os.sep != '/' and (os.sep in name or ':' in name):
            raise ValidationError(f'{name!r} cannot be a file name on this system')
        path = target / name
        if path.is_symlink():
            raise ValidationError(
                f'{path} is a symbolic link: writing there could change a file elsewhere; remove it first'
            )
        key = key_of(entry)
        if key is not None:
            write_file(key, contents, path)
        else:
            write_folder(children(entry), contents, path)


def write_file(key: str, contents: Contents, path: Path) -> None:
    """Write one file, which appears when it is whole and right; symbolic links are not followed.

    :raises ricordi.errors.NotExistent: the content is missing.
    :raises ricordi.errors.CorruptStorage: it is damaged; no file is written then.
    """
    with contents.open(key) as source, draft_of(path) as target:
        shutil.copyfileobj(source, target, 1 << 20)
