"""Removes the record of a lock when the process that holds it is killed and cannot do it itself.

AiiDA takes a `.lock` file for a lock as long as it is there, whoever wrote it; a maintenance that was killed would keep
every program of AiiDA's out until a person deletes the file. So a small process waits for the end of ours.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from ricordi.folders import OpenFolder

SHELL = '/bin/sh'
_SCRIPT = 'read -r word || rm -f -- "$@"'
"""Ends with the first line it reads; if the other end of the pipe is closed before, it removes what it is given."""

DISMISSAL_SECONDS = 5.0


class Watchdog:
    """Watches over record files until `dismiss`. Where no shell can be started there is none, and nothing is lost."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """
        :param paths: the files to remove when this process ends without having dismissed the watchdog.
        """
        self._process: subprocess.Popen[bytes] | None = None
        with suppress(OSError), ExitStack() as opened:
            names, folders = _by_descriptor(paths, opened) if os.geteuid() == 0 else ([*map(os.fspath, paths)], ())
            self._process = subprocess.Popen(
                [SHELL, '-c', _SCRIPT, 'ricordi-lock-watchdog', *names],
                pass_fds=folders,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what is sent to our process group, such as Ctrl-C, is not meant for it
                cwd='/',
                env={},
            )

    def dismiss(self) -> None:
        """Let it end; the files are the caller's business again. Call it once they are removed."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with suppress(OSError):
            process.stdin.write(b'\n')
            process.stdin.flush()
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(DISMISSAL_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def after_fork_in_child(self) -> None:
        """Close the child's end of the pipe, so that the watchdog hears of the end of the parent."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.returncode = 0  # it is no child of ours to be waited for
            with suppress(OSError):
                process.stdin.close()


def _by_descriptor(paths: Sequence[Path], opened: ExitStack) -> tuple[list[str], tuple[int, ...]]:
    """Names that lead into the folders as they are now, and their descriptors: a user may put others in their place."""
    if not Path('/proc/self/fd').is_dir():
        return [*map(os.fspath, paths)], ()
    folders = {parent: opened.enter_context(OpenFolder(parent)) for parent in {path.parent for path in paths}}
    names = [f'/proc/self/fd/{folders[path.parent].descriptor}/{path.name}' for path in paths]
    return names, tuple(folder.descriptor for folder in folders.values())
