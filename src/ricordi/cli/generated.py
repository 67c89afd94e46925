"""Files that are written from the tree of verbs and kept beside the source: written anew, or checked to be in step."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write files, by name and text, into a folder, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding='utf-8')


def stale_files(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Those of a folder that are missing, hold another text, or are none of these."""
    found = {path.name: path for path in folder.iterdir()} if folder.is_dir() else {}
    changed = [
        folder / name
        for name, text in files.items()
        if name not in found or found[name].read_text(encoding='utf-8') != text
    ]
    return changed + [path for name, path in sorted(found.items()) if name not in files]


def write_or_check(module: str, files: Mapping[str, str], arguments: list[str]) -> int:
    """What `python -m MODULE --write FOLDER` and `--check FOLDER` do; returns the exit code."""
    if len(arguments) != 2 or arguments[0] not in ('--write', '--check'):
        print(f'usage: python -m {module} --write FOLDER | --check FOLDER', file=sys.stderr)
        return 2
    folder = Path(arguments[1])
    if arguments[0] == '--write':
        write_files(folder, files)
        return 0
    stale = stale_files(folder, files)
    for path in stale:
        print(f'{path} is out of step: run python -m {module} --write {folder}', file=sys.stderr)
    return 1 if stale else 0
