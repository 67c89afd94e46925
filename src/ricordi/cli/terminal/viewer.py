"""A file is shown by the program that the desktop has for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

from ricordi.cli.session import CommandSession

SOON = 3.0
"""Seconds after which an opener that is still at work has found a program: some of them stay until that ends."""


def open_with_viewer(session: CommandSession, file: Path) -> None:
    """Have the desktop show a file; where there is nothing to show it with, say so in a line."""
    if not _opened(file):
        session.tell(f'ricordi: warning: nothing here opens {file}: install a viewer or a web browser and xdg-utils')


def _opened(file: Path, soon: float = SOON) -> bool:
    if not sys.platform.startswith('linux'):
        return click.launch(str(file)) == 0
    opener = shutil.which('xdg-open')
    if opener is None:
        return False
    # What it has to say of browsers it has looked for, one a line, is not for a person.
    process = subprocess.Popen(
        [opener, str(file.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(soon) == 0
    except subprocess.TimeoutExpired:
        return True
