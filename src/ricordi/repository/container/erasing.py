"""Erasing a container: what belongs to one, by its name and form, and nothing else that somebody has put there."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress

from ricordi.errors import UnreachableStorage
from ricordi.folders import OpenFolder, remove_file, remove_folder
from ricordi.repository.container.layout import Layout

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_IS_HEX = re.compile('[0-9a-f]+').fullmatch
_IS_PACK = re.compile(r'-?[0-9]+(\.[a-z]+)?').fullmatch
_IS_RECORD = re.compile(r'[0-9]+\..*\.json(\.tmp)?').fullmatch

Rule = Callable[[str], object]


def erase_container(layout: Layout) -> None:
    """Remove what belongs to a container, or to what is left of one, and its folders as far as they are empty then.

    No link inside is followed: it stays, with what it leads to.

    :raises ricordi.errors.UnreachableStorage: something may not be removed.
    """
    folder = layout.folder.resolve()
    if folder.is_dir():
        try:
            with OpenFolder(layout.folder) as opened:
                _erase_in(opened, layout)
                with suppress(OSError):
                    remove_folder(folder, only=opened)
        except OSError as error:
            raise UnreachableStorage(f'cannot erase the container {folder}: {error.strerror}') from error
    if layout.folder.is_symlink() and not folder.exists():
        remove_file(layout.folder)


def _erase_in(opened: OpenFolder, layout: Layout) -> None:
    for name in os.listdir(opened.descriptor):  # noqa: PTH208
        rule = _rule(layout, name)
        if rule is not None:
            _erase_folder(opened.descriptor, name, rule, nested=name == layout.loose.name)
    own = layout.own_names | {f'{layout.index.name}-journal', layout.packer_lock.with_suffix('.json').name}
    draft = f'.{layout.config.name}.'
    for name in os.listdir(opened.descriptor):  # noqa: PTH208
        if name != layout.config.name and (name in own or name.startswith(draft)):
            _remove_file(opened.descriptor, name)
    # config.json last: it tells that there is a container, and more to do if this is cut short
    _remove_file(opened.descriptor, layout.config.name)


def _rule(layout: Layout, name: str) -> Rule | None:
    """By which names a file in a folder of this name belongs to the container; None: none does."""
    from ricordi.access.records import BARE_FOLDER

    rules: dict[str, Rule] = {
        layout.loose.name: _IS_HEX,
        layout.packs.name: _IS_PACK,
        layout.sandbox.name: bool,  # what lies there is of writers that were killed
        layout.duplicates.name: bool,
        layout.catalogue.name: _IS_PACK,
        layout.set_aside.name: bool,
        BARE_FOLDER: _IS_RECORD,
    }
    return rules.get(name)


def _erase_folder(above: int, name: str, is_own: Rule, nested: bool) -> None:
    try:
        descriptor = os.open(name, _FOLDER, dir_fd=above)
    except NotADirectoryError:
        return  # a link, or a file that is none of ours
    try:
        for entry in os.listdir(descriptor):  # noqa: PTH208
            if not is_own(entry):
                continue
            if nested and stat.S_ISDIR(os.stat(entry, dir_fd=descriptor, follow_symlinks=False).st_mode):
                _erase_folder(descriptor, entry, is_own, nested=False)
            else:
                _remove_file(descriptor, entry)
    finally:
        os.close(descriptor)
    with suppress(OSError):
        os.rmdir(name, dir_fd=above)


def _remove_file(folder: int, name: str) -> None:
    """Remove a regular file; what is none stays."""
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=folder)
