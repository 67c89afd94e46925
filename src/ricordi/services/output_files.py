"""Files and folders that somebody named for results: seen to before there is anything to put into them."""

from __future__ import annotations

import errno
from pathlib import Path

from ricordi.errors import UnwritableFile
from ricordi.files import DISK_IS_FULL, try_new_file
from ricordi.folders import make_folder

_OF_THE_DISK = (*DISK_IS_FULL, errno.EIO)
"""What is wrong with the disk and not with the name."""


def check_output_file(path: Path) -> None:
    """See that a file can be made, or replaced.

    :raises ricordi.errors.UnwritableFile: its folder is missing or refuses, or there is a folder of that name.
    """
    if path.is_dir():
        raise UnwritableFile(f'{path} is a folder; name a file')
    if not path.parent.is_dir():
        raise UnwritableFile(f'{path}: there is no folder {path.parent}; make it first')
    try:
        try_new_file(path)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise
        raise UnwritableFile(f'{path}: {error.strerror}; name a file in a folder that can be written to') from None


def make_output_folder(path: Path) -> None:
    """Make a folder and those above it; one that is there is no error.

    :raises ricordi.errors.UnwritableFile: it cannot be made there.
    """
    try:
        make_folder(path, None, durable=False)
    except OSError as error:
        if error.errno in _OF_THE_DISK:
            raise
        raise UnwritableFile(f'{path}: {error.strerror}; name a folder that can be made and written to') from None
