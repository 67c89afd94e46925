"""What lies in a folder, and what of it was changed: by the state of each entry, through no link."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

State = tuple[int, ...]
LONGEST_READ = 64 << 20
MAY_HOLD_SECRETS = ('config.json',)
"""Starts of names of files in which passwords belong."""


def look_over(folder: Path) -> dict[str, State]:
    """The state of all that lies below a folder, by its path from there."""
    found: dict[str, State] = {}
    waiting = ['']
    while waiting:
        above = waiting.pop()
        with os.scandir(os.path.join(folder, above)) as entries:  # noqa: PTH118 - a name may be no text
            for entry in entries:
                name = f'{above}/{entry.name}' if above else entry.name
                state = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(state.st_mode):  # its times tell only of what lies in it
                    found[name] = (state.st_mode, state.st_ino, state.st_uid)
                    waiting.append(name)
                else:
                    found[name] = (state.st_mode, state.st_ino, state.st_uid, state.st_size, state.st_mtime_ns)
    return found


def changed_between(before: Mapping[str, State], after: Mapping[str, State]) -> list[str]:
    """What is new, gone or other."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def holds_secret(path: Path, secret: str) -> bool:
    """Whether a file holds a text, where that does not belong there."""
    if path.name.startswith(MAY_HOLD_SECRETS):
        return False
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        with path.open('rb') as file:
            return secret.encode() in file.read(LONGEST_READ)
    except FileNotFoundError:
        return False


def everything_below(folder: Path) -> dict[str, bytes]:
    """Content, or target, of all that lies in a folder."""
    found = {}
    for path in folder.rglob('*'):
        if path.is_symlink():
            found[str(path)] = str(path.readlink()).encode()
        elif path.is_file():
            found[str(path)] = path.read_bytes()
    return found
